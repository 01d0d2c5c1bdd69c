#include "ingestion/transport/convert.h"

namespace parvis::ingestion {
namespace {

void SetTime(absl::Time from, google::protobuf::Timestamp& to) {
  to.set_seconds(absl::ToUnixSeconds(from));
  to.set_nanos(static_cast<int>((from - absl::FromUnixSeconds(to.seconds())) / absl::Nanoseconds(1)));
}

void SetDuration(absl::Duration from, google::protobuf::Duration& to) {
  to.set_seconds(absl::ToInt64Seconds(from));
  to.set_nanos(static_cast<int>((from - absl::Seconds(to.seconds())) / absl::Nanoseconds(1)));
}

v1::SourceState ToProto(SourceState state) {
  switch (state) {
    case SourceState::kActive:
      return v1::SOURCE_STATE_ACTIVE;
    case SourceState::kBroken:
      return v1::SOURCE_STATE_BROKEN;
    case SourceState::kDetached:
      return v1::SOURCE_STATE_DETACHED;
  }
  return v1::SOURCE_STATE_UNSPECIFIED;
}

v1::BackfillState ToProto(BackfillState state) {
  switch (state) {
    case BackfillState::kNone:
      return v1::BACKFILL_STATE_UNSPECIFIED;
    case BackfillState::kRunning:
      return v1::BACKFILL_STATE_RUNNING;
    case BackfillState::kDone:
      return v1::BACKFILL_STATE_DONE;
  }
  return v1::BACKFILL_STATE_UNSPECIFIED;
}

v1::StreamState ToProto(StreamState state) {
  switch (state) {
    case StreamState::kNone:
      return v1::STREAM_STATE_NONE;
    case StreamState::kConnecting:
      return v1::STREAM_STATE_CONNECTING;
    case StreamState::kLive:
      return v1::STREAM_STATE_LIVE;
  }
  return v1::STREAM_STATE_UNSPECIFIED;
}

v1::HubState ToProto(HubState state) {
  switch (state) {
    case HubState::kNone:
      return v1::HUB_STATE_NONE;
    case HubState::kAsked:
      return v1::HUB_STATE_ASKED;
    case HubState::kSubscribed:
      return v1::HUB_STATE_SUBSCRIBED;
    case HubState::kRefused:
      return v1::HUB_STATE_REFUSED;
    case HubState::kFailing:
      return v1::HUB_STATE_FAILING;
  }
  return v1::HUB_STATE_UNSPECIFIED;
}

}  // namespace

void ToProto(const Source& from, absl::Time now, v1::Source& to) {
  const std::string workspace = "workspaces/" + from.binding.workspace_id;
  to.set_name(workspace + "/sources/" + from.binding.channel_id);
  to.set_channel(workspace + "/channels/" + from.binding.channel_id);
  to.set_network(from.network);
  to.set_state(ToProto(from.state));
  to.set_state_reason(from.state_reason);
  to.set_state_message(from.state_message);
  if (from.last_event) SetTime(*from.last_event, *to.mutable_last_event_time());
  if (from.last_webhook) SetTime(*from.last_webhook, *to.mutable_last_webhook_time());
  if (from.last_poll) SetTime(*from.last_poll, *to.mutable_last_poll_time());
  if (from.next_poll && from.state == SourceState::kActive) SetTime(*from.next_poll, *to.mutable_next_poll_time());
  if (from.verified_complete) SetTime(*from.verified_complete, *to.mutable_verified_complete_time());
  SetTime(from.complete_from, *to.mutable_complete_from_time());
  if (std::optional<absl::Duration> gap = GapOf(from, now)) SetDuration(*gap, *to.mutable_gap());
  if (from.pollable) SetDuration(from.interval, *to.mutable_poll_interval());
  to.set_backfill_state(ToProto(from.backfill));
  if (from.backfill != BackfillState::kNone) SetTime(from.backfill_from, *to.mutable_backfill_from_time());
  to.set_stream_state(ToProto(from.stream.state));
  if (from.stream.connected_since) SetTime(*from.stream.connected_since, *to.mutable_stream_connected_time());
  if (from.stream.last_gap) SetTime(*from.stream.last_gap, *to.mutable_stream_gap_time());
  to.set_hub_state(ToProto(from.hub.state));
  to.set_hub_url(from.hub.url);
  if (from.hub.lease_end) SetTime(*from.hub.lease_end, *to.mutable_hub_lease_end_time());
  to.set_hub_reason(from.hub.reason);
}

}  // namespace parvis::ingestion
