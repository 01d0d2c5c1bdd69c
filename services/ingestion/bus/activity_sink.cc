#include "ingestion/bus/activity_sink.h"

#include <vector>

#include "parvis/ingestion/v1/activity.pb.h"
#include "platform/base/ids.h"
#include "platform/bus/envelope.h"

namespace parvis::ingestion {
namespace {

namespace pb = ::parvis::ingestion::v1;

constexpr size_t kHeadersRoom = 4 << 10;  // what the headers and the key of a dead letter need at most

pb::Activity::Kind ToProto(Kind kind) {
  switch (kind) {
    case Kind::kComment:
      return pb::Activity::KIND_COMMENT;
    case Kind::kMention:
      return pb::Activity::KIND_MENTION;
    case Kind::kMessage:
      return pb::Activity::KIND_MESSAGE;
    case Kind::kEdit:
      return pb::Activity::KIND_EDIT;
    case Kind::kRemoval:
      return pb::Activity::KIND_REMOVAL;
    case Kind::kReaction:
      return pb::Activity::KIND_REACTION;
    case Kind::kHide:
      return pb::Activity::KIND_HIDE;
    case Kind::kUnhide:
      return pb::Activity::KIND_UNHIDE;
  }
  return pb::Activity::KIND_UNSPECIFIED;
}

pb::Activity::Origin ToProto(Origin origin) {
  switch (origin) {
    case Origin::kWebhook:
      return pb::Activity::ORIGIN_WEBHOOK;
    case Origin::kPoll:
      return pb::Activity::ORIGIN_POLL;
    case Origin::kBackfill:
      return pb::Activity::ORIGIN_BACKFILL;
    case Origin::kStream:
      return pb::Activity::ORIGIN_STREAM;
  }
  return pb::Activity::ORIGIN_UNSPECIFIED;
}

void SetTime(absl::Time from, google::protobuf::Timestamp& to) {
  to.set_seconds(absl::ToUnixSeconds(from));
  to.set_nanos(static_cast<int>((from - absl::FromUnixSeconds(to.seconds())) / absl::Nanoseconds(1)));
}

constexpr char kType[] = "parvis.ingestion.v1.Activity";
constexpr char kSource[] = "parvis/ingestion";

// Overwrites all of `message`, whose strings keep their memory.
void Fill(const Activity& activity, pb::Activity& message) {
  const Happening& what = activity.what;
  message.Clear();
  message.set_id(activity.id);
  message.set_workspace_id(activity.workspace_id);
  message.set_channel_id(activity.channel_id);
  message.set_network(activity.network);
  message.set_kind(ToProto(what.kind));
  message.set_remote_id(what.remote_id);
  message.set_thread(what.thread);
  message.set_conversation(what.conversation);
  message.set_parent_remote_id(what.parent_remote_id);
  message.set_post_remote_id(what.post_remote_id);
  message.mutable_author()->set_remote_id(what.author_remote_id);
  message.mutable_author()->set_name(what.author_name);
  message.mutable_author()->set_handle(what.author_handle);
  message.set_text(what.text);
  SetTime(what.occurred_at, *message.mutable_occurred_at());
  message.set_revision(what.revision);
  SetTime(activity.received_at, *message.mutable_received_at());
  message.set_origin(ToProto(activity.origin));
  message.set_by_us(what.by_us);
  message.set_permalink(what.permalink);
  for (const auto& [type, url] : what.attachments) {
    auto* attachment = message.add_attachments();
    attachment->set_type(type);
    attachment->set_url(url);
  }
}

void FillKey(const Activity& activity, std::string& key) {
  key.assign(activity.workspace_id);
  key.append("/").append(activity.channel_id).append("/").append(activity.what.thread);
}

}  // namespace

StreamRecord ToDeadLetter(const RawPart& part, const std::string& network, const Trace& trace, absl::Time now,
                          size_t max_bytes) {
  const bool too_long = part.raw.size() > max_bytes;
  StreamRecord record = bus::ToRecord(kReceiveDeadLetters, network, too_long ? part.raw.substr(0, max_bytes) : part.raw,
                                      {.id = UuidOfName(network + "/" + part.raw),
                                       .type = "parvis.ingestion.v1.Unparsed",
                                       .source = kSource,
                                       .workspace_id = "",
                                       .time = now,
                                       .trace = trace});
  record.headers["content-type"] = "application/octet-stream";
  record.headers["parvis_reason"] = part.reason;
  record.headers["parvis_message"] = part.detail.substr(0, 500);
  record.headers["parvis_network"] = network;
  if (too_long) record.headers["parvis_truncated"] = "true";
  return record;
}

void KafkaActivitySink::Send(const Trace& trace, std::vector<Activity> activities, std::vector<RawPart> parts,
                             const std::string& source, Done done) {
  bus::Producer::Batch batch(producer_, std::move(done));
  bus::EnvelopeWriter envelope(kType, kSource, trace);
  // What an activity is written into: it goes through here ten or a hundred at a time, and the memory stays.
  pb::Activity message;
  std::string key, payload;
  // After the first refusal nothing more is handed over: the caller comes again with all of it.
  Status taken;
  for (size_t i = 0; taken.ok() && i < activities.size(); ++i) {
    const Activity& activity = activities[i];
    Fill(activity, message);
    FillKey(activity, key);
    message.SerializeToString(&payload);
    taken = batch.Add(bus::RecordView{kActivityTopic, key, payload,
                                      envelope.Headers(activity.id, activity.workspace_id, activity.received_at)});
  }
  const size_t room = record_max_bytes_ > 2 * kHeadersRoom ? record_max_bytes_ - kHeadersRoom : record_max_bytes_ / 2;
  for (size_t i = 0; taken.ok() && i < parts.size(); ++i) {
    taken = batch.Add(ToDeadLetter(parts[i], source, trace, clock_.WallNow(), room));
  }
  batch.End();
}

}  // namespace parvis::ingestion
