#include "publishing/transport/convert.h"

#include <charconv>

#include <google/protobuf/util/time_util.h>

namespace parvis::publishing {
namespace {

using google::protobuf::util::TimeUtil;

void SetTime(absl::Time time, google::protobuf::Timestamp* out) {
  *out = TimeUtil::MicrosecondsToTimestamp(absl::ToUnixMicros(time));
}

bool IsSet(absl::Time time) { return time > absl::InfinitePast() && time < absl::InfiniteFuture(); }

}  // namespace

std::string EtagOf(int64_t version) { return "\"" + std::to_string(version) + "\""; }

StatusOr<std::optional<int64_t>> VersionOf(const std::string& etag) {
  if (etag.empty()) return std::optional<int64_t>();
  int64_t version = 0;
  if (etag.size() > 2 && etag.front() == '"' && etag.back() == '"') {
    const auto [end, error] = std::from_chars(etag.data() + 1, etag.data() + etag.size() - 1, version);
    if (error == std::errc() && end == etag.data() + etag.size() - 1) return std::optional<int64_t>(version);
  }
  return InvalidField("etag", "ETAG", "must be an etag as it was given, or empty");
}

StatusOr<absl::Time> FromProto(const char* field, const google::protobuf::Timestamp& time) {
  if (time.seconds() < TimeUtil::kTimestampMinSeconds || time.seconds() > TimeUtil::kTimestampMaxSeconds ||
      time.nanos() < 0 || time.nanos() > 999'999'999) {
    return InvalidField(field, "TIMESTAMP", "must be between the years 1 and 9999, with 0 to 999,999,999 nanos");
  }
  return absl::FromUnixMicros(TimeUtil::TimestampToMicroseconds(time));
}

v1::Campaign ToProto(const Campaign& campaign) {
  v1::Campaign to;
  to.set_name("workspaces/" + campaign.workspace_id + "/campaigns/" + campaign.id);
  to.set_display_name(campaign.display_name);
  to.set_description(campaign.description);
  if (IsSet(campaign.start_time)) SetTime(campaign.start_time, to.mutable_start_time());
  if (IsSet(campaign.end_time)) SetTime(campaign.end_time, to.mutable_end_time());
  to.set_archived(campaign.archived);
  to.set_etag(EtagOf(campaign.version));
  SetTime(campaign.create_time, to.mutable_create_time());
  SetTime(campaign.update_time, to.mutable_update_time());
  return to;
}

namespace {

v1::Media ToProto(const Media& media) {
  v1::Media to;
  to.set_url(media.url);
  to.set_type(media.type);
  to.set_alt_text(media.alt_text);
  to.set_size_bytes(media.size_bytes);
  to.set_title(media.title);
  to.set_media(media.media);
  return to;
}

Media FromProto(const v1::Media& media) {
  return {media.url(), media.type(), media.alt_text(), media.size_bytes(), media.title(), media.media()};
}

// What only some networks have.
void AddSpecials(const Content& from, v1::Variant& to) {
  if (from.format != PostFormat::kPost) to.set_format(static_cast<v1::PostFormat>(from.format));
  if (from.poll) {
    for (const std::string& option : from.poll->options) to.mutable_poll()->add_options(option);
    to.mutable_poll()->mutable_open_for()->set_seconds(absl::ToInt64Seconds(from.poll->open_for));
    to.mutable_poll()->set_multiple(from.poll->multiple);
  }
  to.set_quote_remote_id(from.quote_remote_id);
  for (const std::string& tag : from.tags) to.add_tags(tag);
  if (from.thumbnail) *to.mutable_thumbnail() = ToProto(*from.thumbnail);
  for (const auto& [name, value] : from.options) (*to.mutable_options())[name] = value;
  for (const ThreadPart& part : from.thread) {
    v1::ThreadPart* out = to.add_thread();
    out->set_text(part.text);
    for (const Media& media : part.media) *out->add_media() = ToProto(media);
  }
}

Content ContentFrom(const v1::Variant& from) {
  Content to;
  to.text = from.text();
  to.title = from.title();
  to.link = from.link();
  to.language = from.language();
  for (const v1::Media& media : from.media()) to.media.push_back(FromProto(media));
  if (from.format() != v1::POST_FORMAT_UNSPECIFIED) to.format = static_cast<PostFormat>(from.format());
  if (from.has_poll()) {
    to.poll = Poll{{from.poll().options().begin(), from.poll().options().end()}, absl::Hours(24), from.poll().multiple()};
    if (from.poll().has_open_for()) to.poll->open_for = absl::Seconds(from.poll().open_for().seconds());
  }
  to.quote_remote_id = from.quote_remote_id();
  to.tags = {from.tags().begin(), from.tags().end()};
  if (from.has_thumbnail()) to.thumbnail = FromProto(from.thumbnail());
  to.options = {from.options().begin(), from.options().end()};
  for (const v1::ThreadPart& part : from.thread()) {
    ThreadPart& out = to.thread.emplace_back();
    out.text = part.text();
    for (const v1::Media& media : part.media()) out.media.push_back(FromProto(media));
  }
  return to;
}

}  // namespace

v1::Post ToProto(const Post& post) {
  v1::Post to;
  const std::string workspace = "workspaces/" + post.workspace_id;
  to.set_name(workspace + "/posts/" + post.id);
  to.set_campaign(workspace + "/campaigns/" + post.campaign_id);
  to.set_display_name(post.display_name);
  for (const Variant& variant : post.variants) {
    v1::Variant* out = to.add_variants();
    out->set_channel_id(variant.channel_id);
    out->set_text(variant.content.text);
    out->set_title(variant.content.title);
    out->set_link(variant.content.link);
    out->set_language(variant.content.language);
    for (const Media& media : variant.content.media) *out->add_media() = ToProto(media);
    AddSpecials(variant.content, *out);
  }
  to.set_state(static_cast<v1::PostState>(post.state));
  to.set_etag(EtagOf(post.version));
  to.set_author(post.author);
  to.set_submitted_by(post.submitted_by);
  to.set_reviewed_by(post.reviewed_by);
  to.set_review_comment(post.review_comment);
  if (IsSet(post.review_time)) SetTime(post.review_time, to.mutable_review_time());
  if (IsSet(post.due_time)) SetTime(post.due_time, to.mutable_due_time());
  SetTime(post.create_time, to.mutable_create_time());
  SetTime(post.update_time, to.mutable_update_time());
  return to;
}

v1::Delivery ToProto(const Delivery& from) {
  v1::Delivery to;
  to.set_name("workspaces/" + from.workspace_id + "/deliveries/" + from.id);
  to.set_channel_id(from.channel_id);
  to.set_network(from.network);
  to.set_kind(static_cast<v1::DeliveryKind>(from.kind));
  to.set_state(static_cast<v1::DeliveryState>(from.state));
  to.set_campaign_id(from.campaign_id);
  to.set_post_id(from.post_id);
  to.set_target_remote_id(from.target_remote_id);
  to.set_target_author_id(from.target_author_id);
  to.set_text(from.content.text);
  to.set_command_id(from.command_id);
  SetTime(from.due_time, to.mutable_due_time());
  if (IsSet(from.sent_time)) SetTime(from.sent_time, to.mutable_sent_time());
  if (IsSet(from.delivered_time)) SetTime(from.delivered_time, to.mutable_delivered_time());
  to.set_remote_id(from.remote_id);
  to.set_permalink(from.permalink);
  to.set_attempts(from.attempts);
  if (!from.error_reason.empty()) {
    to.mutable_error()->set_reason(from.error_reason);
    to.mutable_error()->set_message(from.error_message);
  }
  to.set_needs_human(from.needs_human);
  to.set_thread_part(from.content.part);
  to.set_following_parts(static_cast<int32_t>(from.content.thread.size()));
  return to;
}

v1::DeliveryTransition ToProto(const Transition& transition) {
  v1::DeliveryTransition to;
  SetTime(transition.time, to.mutable_time());
  to.set_from(static_cast<v1::DeliveryState>(transition.from));
  to.set_to(static_cast<v1::DeliveryState>(transition.to));
  to.set_attempt(transition.attempt);
  to.set_detail(transition.detail);
  to.set_actor(transition.actor);
  return to;
}

std::vector<Variant> FromProto(const google::protobuf::RepeatedPtrField<v1::Variant>& variants) {
  std::vector<Variant> list;
  for (const v1::Variant& from : variants) {
    list.push_back({from.channel_id(), ContentFrom(from)});
  }
  return list;
}

}  // namespace parvis::publishing
