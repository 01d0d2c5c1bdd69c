#include "platform/db/connection.h"

#include <libpq-fe.h>
#include <poll.h>

#include <cerrno>
#include <cstring>

#include "platform/base/secret.h"
#include "platform/db/sqlstate.h"

namespace parvis::db {
namespace {

constexpr size_t kPreparedMax = 256;
constexpr char kBeginName[] = "parvis_begin", kSnapshotName[] = "parvis_snapshot", kSettingsName[] = "parvis_settings";
constexpr char kSettings[] =
    "SELECT set_config('parvis.workspace_id', $1, true), set_config('statement_timeout', $2, true)";

struct ClearResult {
  void operator()(pg_result* result) const { PQclear(result); }
};
using ResultPtr = std::unique_ptr<pg_result, ClearResult>;

bool Succeeded(const pg_result* result) {
  const auto status = PQresultStatus(result);
  return status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK || status == PGRES_EMPTY_QUERY;
}

}  // namespace

StatusOr<std::unique_ptr<Connection>> Connection::Open(const PoolConfig& config) {
  Secret password;
  if (!config.password_file.empty()) {
    PARVIS_ASSIGN_OR_RETURN(password, ReadSecretFile(config.password_file));
  }
  const std::string timeout = std::to_string(std::max<int64_t>(2, absl::ToInt64Seconds(config.connect_max)));
  // Later keywords win, so the ones after dbname (which holds the whole dsn) are ours.
  const char* keywords[] = {"dbname", "connect_timeout", "client_encoding", "options", "keepalives_idle",
                            "tcp_user_timeout", password.empty() ? nullptr : "password", nullptr};
  std::string options =
      "-c TimeZone=UTC -c DateStyle=ISO -c bytea_output=hex -c idle_in_transaction_session_timeout=60s";
  if (config.plan_max_age > absl::ZeroDuration()) options += " -c plan_cache_mode=force_generic_plan";
  const char* values[] = {config.dsn.c_str(), timeout.c_str(), "UTF8", options.c_str(),
                          "10", "15000", password.Reveal().c_str(), nullptr};
  std::unique_ptr<Connection> connection(new Connection(PQconnectdbParams(keywords, values, 1)));
  pg_conn* conn = connection->conn_;
  if (PQstatus(conn) != CONNECTION_OK) {
    // libpq's message names host, port and user, never the password.
    return Unavailable(PQerrorMessage(conn));
  }
  PQsetNoticeProcessor(conn, [](void*, const char*) {}, nullptr);
  const ResultPtr begin(PQprepare(conn, kBeginName, "BEGIN", 0, nullptr));
  const ResultPtr snapshot(PQprepare(conn, kSnapshotName, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", 0, nullptr));
  const ResultPtr settings(PQprepare(conn, kSettingsName, kSettings, 0, nullptr));
  if (!Succeeded(begin.get()) || !Succeeded(snapshot.get()) || !Succeeded(settings.get()) || PQsetnonblocking(conn, 1) != 0) {
    return Unavailable("the first statements failed");
  }
  return connection;
}

Connection::~Connection() { PQfinish(conn_); }

bool Connection::PlansAreOld(Instant now, absl::Duration max) {
  if (max <= absl::ZeroDuration() || now - planned_ < max) return false;
  planned_ = now;
  return true;
}

bool Connection::in_transaction() const { return PQtransactionStatus(conn_) != PQTRANS_IDLE; }

Status Connection::Broken(std::string_view why) {
  broken_ = true;
  state_.clear();
  return Unavailable(why);
}

Status Connection::Fail(const pg_result* result) {
  const char* state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
  state_ = state ? state : "";
  if (IsConnectionLoss(state_) || IsStalePlan(state_) || PQstatus(conn_) == CONNECTION_BAD) broken_ = true;
  return ErrorOf(result);
}

Status Connection::Wait(bool for_write) {
  pollfd fd{PQsocket(conn_), static_cast<short>(POLLIN | (for_write ? POLLOUT : 0)), 0};
  const int64_t limit = absl::ToInt64Milliseconds(wait_max_);
  int ready;
  do {
    ready = poll(&fd, 1, static_cast<int>(std::min<int64_t>(limit, INT32_MAX)));
  } while (ready < 0 && errno == EINTR);
  if (ready == 0) {
    broken_ = true;
    return Broken("no answer in time");
  }
  if (fd.revents & (POLLIN | POLLERR | POLLHUP)) {
    if (!PQconsumeInput(conn_)) return Broken("the connection was lost");
  }
  return absl::OkStatus();
}

Status Connection::FlushAll() {
  for (int left; (left = PQflush(conn_)) != 0;) {
    if (left < 0) return Broken("the connection was lost");
    PARVIS_RETURN_IF_ERROR(Wait(true));
  }
  return absl::OkStatus();
}

StatusOr<pg_result*> Connection::Next() {
  while (PQisBusy(conn_)) PARVIS_RETURN_IF_ERROR(Wait(false));
  return PQgetResult(conn_);
}

StatusOr<Rows> Connection::Query(const std::optional<Begin>& begin, const char* sql, absl::Span<const Param> params) {
  PARVIS_RETURN_IF_ERROR(FinishCopy());
  std::vector<const char*> values;
  values.reserve(params.size());
  for (const Param& param : params) {
    // libpq would silently end the text there.
    if (param.value && param.value->find('\0') != std::string::npos) {
      state_ = "22021";
      return MakeError(Code::kInvalidArgument, "TEXT_HAS_NUL", "a text contains the character U+0000");
    }
    values.push_back(param.value ? param.value->c_str() : nullptr);
  }
  if (!PQenterPipelineMode(conn_)) return Broken("pipeline mode refused");
  bool sent = true;
  int steps = 0;
  if (begin) {
    const std::string timeout = std::to_string(std::max<int64_t>(1, absl::ToInt64Milliseconds(begin->statement_max)));
    const char* settings[] = {begin->workspace_id.c_str(), timeout.c_str()};
    if (begin->forget_plans) {
      sent = PQsendQueryParams(conn_, "DISCARD PLANS", 0, nullptr, nullptr, nullptr, nullptr, 0);
      ++steps;
    }
    const char* begin_name = begin->snapshot ? kSnapshotName : kBeginName;
    sent = sent && PQsendQueryPrepared(conn_, begin_name, 0, nullptr, nullptr, nullptr, 0) &&
           PQsendQueryPrepared(conn_, kSettingsName, 2, settings, nullptr, nullptr, 0);
    steps += 2;
  }
  if (prepared_.size() >= kPreparedMax && !prepared_.contains(sql)) {
    for (const auto& [text, name] : prepared_) {
      sent = sent && PQsendQueryParams(conn_, ("DEALLOCATE " + name).c_str(), 0, nullptr, nullptr, nullptr, nullptr, 0);
      ++steps;
    }
    prepared_.clear();
  }
  std::string name;
  const auto known = prepared_.find(sql);
  if (known != prepared_.end()) {
    name = known->second;
  } else {
    name = "parvis_" + std::to_string(++names_);
    sent = sent && PQsendPrepare(conn_, name.c_str(), sql, 0, nullptr);
    ++steps;
  }
  sent = sent && PQsendQueryPrepared(conn_, name.c_str(), static_cast<int>(values.size()), values.data(), nullptr,
                                     nullptr, 0);
  if (!sent || !PQpipelineSync(conn_)) return Broken(PQerrorMessage(conn_));
  PARVIS_RETURN_IF_ERROR(FlushAll());
  return ReadPipeline(steps + 1, known == prepared_.end(), sql, name);
}

StatusOr<Rows> Connection::ReadPipeline(int steps, bool preparing, const char* sql, const std::string& name) {
  Status failure;
  ResultPtr last;
  for (int step = 0; step < steps; ++step) {
    PARVIS_ASSIGN_OR_RETURN(pg_result * result, Next());
    ResultPtr owned(result);
    if (!result) return Broken("the connection was lost");
    const auto status = PQresultStatus(result);
    if (status != PGRES_PIPELINE_ABORTED && !Succeeded(result) && failure.ok()) failure = Fail(result);
    if (preparing && step == steps - 2 && Succeeded(result)) prepared_.emplace(sql, name);
    last = std::move(owned);
    while (true) {  // the null that ends each statement's results
      PARVIS_ASSIGN_OR_RETURN(pg_result * rest, Next());
      if (!rest) break;
      PQclear(rest);
      if (PQstatus(conn_) == CONNECTION_BAD) return Broken("the connection was lost");
    }
    if (broken_) return failure;
  }
  PARVIS_ASSIGN_OR_RETURN(pg_result * sync, Next());
  const bool synced = sync && PQresultStatus(sync) == PGRES_PIPELINE_SYNC;
  PQclear(sync);
  if (!synced || !PQexitPipelineMode(conn_)) return Broken("the connection was lost");
  if (!failure.ok()) return failure;
  return Rows(last.release());
}

StatusOr<std::string> Connection::Simple(const char* sql) {
  (void)FinishCopy();   // COMMIT is sent by those who have asked; for ROLLBACK it is no matter any more
  if (!PQsendQuery(conn_, sql)) return Broken("the connection was lost");
  PARVIS_RETURN_IF_ERROR(FlushAll());
  std::string tag;
  Status failure;
  while (true) {
    PARVIS_ASSIGN_OR_RETURN(pg_result * result, Next());
    if (!result) break;
    const ResultPtr owned(result);
    if (!Succeeded(result)) {
      if (failure.ok()) failure = Fail(result);
    } else {
      tag = PQcmdStatus(result);
    }
  }
  if (!failure.ok()) return failure;
  if (PQstatus(conn_) == CONNECTION_BAD) return Broken("the connection was lost");
  return tag;
}

Status Connection::StartCopy(const char* sql) {
  if (!PQsendQuery(conn_, sql)) return Broken("the connection was lost");
  PARVIS_RETURN_IF_ERROR(FlushAll());
  PARVIS_ASSIGN_OR_RETURN(pg_result * opened, Next());
  const ResultPtr start(opened);
  if (!opened) return Broken("the connection was lost");
  if (PQresultStatus(opened) == PGRES_COPY_IN) return absl::OkStatus();
  const Status failure =
      Succeeded(opened) ? MakeError(Code::kInternal, "DB_ERROR", "not a COPY FROM STDIN") : Fail(opened);
  (void)CopyResult();   // nothing but the end
  return failure;
}

Status Connection::PutCopy(std::string_view rows) {
  constexpr size_t kChunk = 1 << 16;
  for (size_t at = 0; at < rows.size();) {
    const std::string_view chunk = rows.substr(at, kChunk);
    const int put = PQputCopyData(conn_, chunk.data(), static_cast<int>(chunk.size()));
    if (put < 0) return Broken("the connection was lost");
    if (put == 0) {
      PARVIS_RETURN_IF_ERROR(Wait(true));
      continue;
    }
    at += chunk.size();
  }
  return absl::OkStatus();
}

Status Connection::EndCopy(const char* error) {
  for (int put; (put = PQputCopyEnd(conn_, error)) != 1;) {
    if (put < 0) return Broken("the connection was lost");
    PARVIS_RETURN_IF_ERROR(Wait(true));
  }
  return FlushAll();
}

StatusOr<int64_t> Connection::CopyResult() {
  int64_t count = 0;
  Status failure;
  while (true) {
    PARVIS_ASSIGN_OR_RETURN(pg_result * result, Next());
    if (!result) break;
    const ResultPtr owned(result);
    if (Succeeded(result)) {
      count = std::atoll(PQcmdTuples(result));
    } else if (failure.ok()) {
      failure = Fail(result);
    }
  }
  if (!failure.ok()) return failure;
  return count;
}

StatusOr<int64_t> Connection::Copy(const char* sql, std::string_view rows) {
  PARVIS_RETURN_IF_ERROR(FinishCopy());
  PARVIS_RETURN_IF_ERROR(StartCopy(sql));
  PARVIS_RETURN_IF_ERROR(PutCopy(rows));
  PARVIS_RETURN_IF_ERROR(EndCopy(nullptr));
  return CopyResult();
}

Status Connection::CopyRows(const char* sql, size_t rows, const Tx::WriteRow& write) {
  constexpr size_t kPiece = 1 << 15;
  PARVIS_RETURN_IF_ERROR(FinishCopy());
  PARVIS_RETURN_IF_ERROR(StartCopy(sql));
  BinaryRows out;
  for (size_t i = 0; i < rows && !out.bad(); ++i) {
    write(i, out);
    if (out.bytes().size() < kPiece || out.bad()) continue;
    PARVIS_RETURN_IF_ERROR(PutCopy(out.bytes()));
    out.bytes().clear();
  }
  if (out.bad()) {
    PARVIS_RETURN_IF_ERROR(EndCopy("a value has no binary form"));
    (void)CopyResult();
    return MakeError(Code::kInvalidArgument, "INVALID_VALUE", "a value does not fit its column's type");
  }
  out.End();
  PARVIS_RETURN_IF_ERROR(PutCopy(out.bytes()));
  PARVIS_RETURN_IF_ERROR(EndCopy(nullptr));
  copying_ = true;
  return absl::OkStatus();
}

Status Connection::FinishCopy() {
  if (!copying_) return absl::OkStatus();
  copying_ = false;
  return CopyResult().status();
}

}  // namespace parvis::db
