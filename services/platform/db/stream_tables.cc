#include "platform/db/stream_tables.h"

namespace parvis::db {
namespace {

// The outbox keeps headers as lines `name=value` with backslash escapes for '\', LF and '='.
std::string EncodeHeaders(const std::map<std::string, std::string>& headers) {
  std::string out;
  const auto append = [&out](std::string_view text) {
    for (const char c : text) {
      if (c == '\n') {
        out += "\\n";
        continue;
      }
      if (c == '\\' || c == '=') out += '\\';
      out += c;
    }
  };
  for (const auto& [name, value] : headers) {
    append(name);
    out += '=';
    append(value);
    out += '\n';
  }
  return out;
}

std::map<std::string, std::string> DecodeHeaders(std::string_view text) {
  std::map<std::string, std::string> headers;
  std::string parts[2];
  int part = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '\\' && i + 1 < text.size()) {
      ++i;
      parts[part] += text[i] == 'n' ? '\n' : text[i];
    } else if (c == '=' && part == 0) {
      part = 1;
    } else if (c == '\n') {
      headers[parts[0]] = parts[1];
      parts[0].clear();
      parts[1].clear();
      part = 0;
    } else {
      parts[part] += c;
    }
  }
  return headers;
}

// Strictly forward: the same batch a second time changes no row.
constexpr char kAdvance[] =
    "UPDATE stream_offsets o SET next = v.next "
    "FROM unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[]) "
    "v(grp, topic, part, epoch, next, begun) WHERE o.group_name = v.grp AND o.topic = v.topic AND o.part = v.part "
    "AND o.epoch = v.epoch AND o.next < v.next AND v.begun IN (o.next, -1)";
constexpr size_t kCopyFrom = 20;   // records; fewer are a prepared INSERT, which is not parsed anew
constexpr char kCopy[] = "COPY outbox (topic, key, payload, headers) FROM STDIN (FORMAT binary)";
constexpr char kAppend[] =
    "INSERT INTO outbox (topic, key, payload, headers) "
    "SELECT * FROM unnest($1::text[], $2::text[], $3::bytea[], $4::text[])";
constexpr char kTryLock[] = "SELECT " PARVIS_TRY_OUTBOX_LOCK;
constexpr char kOldest[] = "SELECT id, topic, key, payload, headers FROM outbox ORDER BY id LIMIT $1";
constexpr char kDelete[] = "DELETE FROM outbox WHERE id = ANY($1::bigint[])";

}  // namespace

OffsetTable::OffsetTable(Pool& pool, std::string schema) : pool_(pool), schema_(std::move(schema)) {}

StatusOr<StreamPosition> OffsetTable::Claim(const std::string& group, const std::string& topic, int32_t partition) {
  StreamPosition position{.group = group, .topic = topic, .partition = partition};
  const std::string sql = "INSERT INTO \"" + schema_ + "\".stream_offsets AS o (group_name, topic, part, epoch, next) "
      "VALUES ($1, $2, $3, 1, 0) ON CONFLICT (group_name, topic, part) DO UPDATE SET epoch = o.epoch + 1 "
      "RETURNING epoch, next";
  PARVIS_RETURN_IF_ERROR(pool_.Run(BackgroundCall(schema_), [&](Tx& tx) -> Status {
    PARVIS_ASSIGN_OR_RETURN(const Rows rows, tx.Query(sql.c_str(), {group, topic, static_cast<int64_t>(partition)}));
    position.epoch = rows.Int(0, 0);
    position.next = rows.Int(0, 1);
    return absl::OkStatus();
  }));
  return position;
}

Status OffsetTable::Advance(Tx& tx, const StreamPositions& positions) {
  std::vector<std::string> groups, topics;
  std::vector<int64_t> parts, epochs, nexts, begun;
  for (const StreamPosition& p : positions) {
    groups.push_back(p.group);
    topics.push_back(p.topic);
    parts.push_back(p.partition);
    epochs.push_back(p.epoch);
    nexts.push_back(p.next);
    begun.push_back(p.from);
  }
  PARVIS_ASSIGN_OR_RETURN(const int64_t changed, tx.Exec(kAdvance, {Array(groups), Array(topics), Array(parts),
                                                                    Array(epochs), Array(nexts), Array(begun)}));
  if (changed == static_cast<int64_t>(positions.size())) return absl::OkStatus();
  return MakeError(Code::kAborted, "FENCED", topics.front() + " has a newer owner in group " + groups.front());
}

OutboxTable::OutboxTable(Pool& pool) : pool_(pool) {}

Status OutboxTable::Append(Tx& tx, const std::vector<StreamRecord>& records) {
  if (records.empty()) return absl::OkStatus();
  if (records.size() >= kCopyFrom) {
    return tx.CopyRows(kCopy, records.size(), [&](size_t i, BinaryRows& out) {
      out.Row(4);
      out.Text(records[i].topic);
      out.Text(records[i].key);
      out.Text(records[i].payload);
      out.Text(EncodeHeaders(records[i].headers));
    });
  }
  std::vector<std::string> topics, keys, payloads, headers;
  for (const StreamRecord& record : records) {
    topics.push_back(record.topic);
    keys.push_back(record.key);
    payloads.push_back(record.payload);
    headers.push_back(EncodeHeaders(record.headers));
  }
  return tx.Query(kAppend, {Array(topics), Array(keys), BytesArray(payloads), Array(headers)}).status();
}

StatusOr<int> OutboxTable::Drain(int limit, const std::function<Status(const std::vector<OutboxRow>&)>& publish) {
  int drained = 0;
  PARVIS_RETURN_IF_ERROR(pool_.Run(BackgroundCall("outbox"), [&](Tx& tx) -> Status {
    drained = 0;
    PARVIS_ASSIGN_OR_RETURN(const Rows lock, tx.Query(kTryLock));
    if (!lock.Bool(0, 0)) return absl::OkStatus();
    PARVIS_ASSIGN_OR_RETURN(const Rows rows, tx.Query(kOldest, {limit}));
    if (rows.empty()) return absl::OkStatus();
    std::vector<OutboxRow> batch;
    std::vector<int64_t> ids;
    batch.reserve(rows.size());
    for (int i = 0; i < rows.size(); ++i) {
      ids.push_back(rows.Int(i, 0));
      batch.push_back({rows.Int(i, 0), {.topic = rows.Text(i, 1), .key = rows.Text(i, 2), .payload = rows.Bytes(i, 3),
                                        .headers = DecodeHeaders(rows.View(i, 4))}});
    }
    PARVIS_RETURN_IF_ERROR(publish(batch));
    // Exactly these: rows between them may have been committed meanwhile.
    PARVIS_RETURN_IF_ERROR(tx.Query(kDelete, {Array(ids)}).status());
    drained = static_cast<int>(batch.size());
    return absl::OkStatus();
  }));
  return drained;
}

StatusOr<absl::Duration> OutboxTable::OldestAge() {
  absl::Duration age;
  PARVIS_RETURN_IF_ERROR(pool_.Run(BackgroundCall("outbox"), [&](Tx& tx) -> Status {
    PARVIS_ASSIGN_OR_RETURN(const Rows rows, tx.Query(
        "SELECT extract(epoch FROM clock_timestamp() - create_time) FROM outbox ORDER BY id LIMIT 1"));
    age = rows.empty() ? absl::ZeroDuration() : absl::Seconds(std::max(0.0, rows.Double(0, 0)));
    return absl::OkStatus();
  }));
  return age;
}

}  // namespace parvis::db
