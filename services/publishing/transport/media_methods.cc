#include "publishing/transport/media_methods.h"

#include <google/protobuf/util/time_util.h>

#include <algorithm>

#include "publishing/transport/campaign_methods.h"
#include "publishing/transport/paging.h"

namespace parvis::publishing {
namespace {

using google::protobuf::util::TimeUtil;

constexpr char kMediaPattern[] = "workspaces/*/media/*";

google::protobuf::Timestamp Stamp(absl::Time time) { return TimeUtil::MicrosecondsToTimestamp(absl::ToUnixMicros(time)); }

v1::MediaFacts ToProto(const MediaFacts& facts) {
  v1::MediaFacts to;
  to.set_type(facts.type);
  to.set_width(facts.width);
  to.set_height(facts.height);
  to.set_frames(facts.frames);
  if (facts.duration > absl::ZeroDuration()) {
    *to.mutable_duration() = TimeUtil::MicrosecondsToDuration(absl::ToInt64Microseconds(facts.duration));
  }
  to.set_video_codec(facts.video_codec);
  to.set_audio_codec(facts.audio_codec);
  to.set_frame_rate(facts.frame_rate);
  return to;
}

v1::MediaItem ToProto(const MediaItem& item) {
  v1::MediaItem to;
  to.set_name(MediaName(item.workspace_id, item.id));
  to.set_display_name(item.display_name);
  to.set_size_bytes(item.size_bytes);
  to.set_alt_text(item.alt_text);
  to.set_state(static_cast<v1::MediaState>(item.state));
  to.set_received_bytes(item.received_bytes);
  to.set_chunk_bytes(item.chunk_bytes);
  if (item.state == MediaState::kReady) *to.mutable_facts() = ToProto(item.facts);
  if (item.state == MediaState::kRefused) {
    to.mutable_refusal()->set_reason(item.refusal_reason);
    to.mutable_refusal()->set_description(item.refusal);
  }
  to.set_sha256(item.sha256);
  if (!item.source_id.empty()) to.set_source(MediaName(item.workspace_id, item.source_id));
  to.set_author(item.author);
  *to.mutable_create_time() = Stamp(item.create_time);
  *to.mutable_update_time() = Stamp(item.update_time);
  *to.mutable_expire_time() = Stamp(item.expire_time);
  return to;
}

Status Answer(const StatusOr<MediaItem>& item, v1::MediaItem& response) {
  if (!item.ok()) return item.status();
  response = ToProto(*item);
  return absl::OkStatus();
}

template <class Request>
StatusOr<std::string> IdOf(const Request& request) {
  PARVIS_ASSIGN_OR_RETURN(const auto ids, rpc::ParseName("name", request.name(), kMediaPattern));
  return ids[1];
}

// A channel of the workspace that the call is about.
StatusOr<std::string> ChannelId(const Call& call, const std::string& field, const std::string& name) {
  PARVIS_ASSIGN_OR_RETURN(const auto ids, rpc::ParseName(field, name, "workspaces/*/channels/*"));
  if (ids[0] != call.workspace_id) return InvalidField(field, "OTHER_WORKSPACE", "must be a channel of the same workspace");
  return ids[1];
}

void FillCheck(const ChannelFit& from, v1::MediaCheck& to) {
  to.set_network(from.network);
  to.set_fits(from.fit.fits);
  for (const Violation& violation : from.fit.violations) {
    v1::MediaViolation* out = to.add_violations();
    out->set_field(violation.field);
    out->set_reason(violation.reason);
    out->set_description(violation.description);
  }
  if (!from.fit.target && !from.fit.video) return;
  v1::MediaConversion* conversion = to.mutable_conversion();
  if (from.fit.target) {
    conversion->set_type(from.fit.target->type);
    conversion->set_side_max(from.fit.target->side_max);
    conversion->set_bytes_max(from.fit.target->bytes_max);
  } else {
    conversion->set_type("video/mp4");
    conversion->set_side_max(std::max(from.fit.video->width, from.fit.video->height));
    conversion->set_bytes_max(from.fit.video->bytes_max);
    conversion->set_later(true);
  }
  for (const std::string& change : from.fit.changes) conversion->add_changes(change);
}

}  // namespace

Status CreateMediaMethod(const Call& call, const MediaContext& media, const v1::CreateMediaRequest& request, v1::MediaItem& response) {
  PARVIS_RETURN_IF_ERROR(rpc::ParseName("parent", request.parent(), "workspaces/*").status());
  PARVIS_RETURN_IF_ERROR(rpc::CheckRequestId(request.request_id()));
  const NewMedia asked{request.media().display_name(), request.media().alt_text(), request.media().size_bytes()};
  return Answer(CreateMedia(call, media, asked, request.request_id()), response);
}

Status UploadMediaChunkMethod(const Call& call, const MediaContext& media, const v1::UploadMediaChunkRequest& request,
                              v1::MediaItem& response) {
  PARVIS_ASSIGN_OR_RETURN(const std::string id, IdOf(request));
  return Answer(UploadChunk(call, media, id, request.offset(), request.content()), response);
}

Status FinishMediaMethod(const Call& call, const MediaContext& media, const v1::FinishMediaRequest& request, v1::MediaItem& response) {
  PARVIS_ASSIGN_OR_RETURN(const std::string id, IdOf(request));
  return Answer(FinishMedia(call, media, id, request.sha256()), response);
}

Status GetMediaMethod(const Call& call, const MediaContext& media, const v1::GetMediaRequest& request, v1::MediaItem& response) {
  PARVIS_ASSIGN_OR_RETURN(const std::string id, IdOf(request));
  return Answer(media.media.GetMedia(call, id), response);
}

Status ListMediaMethod(const Call& call, const MediaContext& media, const v1::ListMediaRequest& request,
                       v1::ListMediaResponse& response) {
  PARVIS_RETURN_IF_ERROR(rpc::ParseName("parent", request.parent(), "workspaces/*").status());
  PARVIS_ASSIGN_OR_RETURN(const Page page, PageOf(request, kPageDefault, kPageMax));
  PARVIS_ASSIGN_OR_RETURN(std::vector<MediaItem> list, media.media.ListMedia(call, page));
  if (static_cast<int>(list.size()) == page.size) {
    list.pop_back();
    response.set_next_page_token(NextToken(request, list.back().create_time, list.back().id));
  }
  for (const MediaItem& item : list) *response.add_media() = ToProto(item);
  return absl::OkStatus();
}

Status UpdateMediaMethod(const Call& call, const MediaContext& media, const v1::UpdateMediaRequest& request, v1::MediaItem& response) {
  const v1::MediaItem& given = request.media();
  PARVIS_ASSIGN_OR_RETURN(const auto ids, rpc::ParseName("media.name", given.name(), kMediaPattern));
  bool name = request.update_mask().paths().empty() && !given.display_name().empty();
  bool text = request.update_mask().paths().empty() && !given.alt_text().empty();
  for (const std::string& path : request.update_mask().paths()) {
    if (path != "*" && path != "display_name" && path != "alt_text") {
      return InvalidField("update_mask", "FIELD_MASK", "\"" + path + "\" is not a field that can be changed");
    }
    name = name || path == "*" || path == "display_name";
    text = text || path == "*" || path == "alt_text";
  }
  MediaLabels labels;
  if (name) labels.display_name = given.display_name();
  if (text) labels.alt_text = given.alt_text();
  return Answer(UpdateMedia(call, media, ids[1], labels), response);
}

Status DeleteMediaMethod(const Call& call, const MediaContext& media, const v1::DeleteMediaRequest& request,
                         google::protobuf::Empty&) {
  PARVIS_ASSIGN_OR_RETURN(const std::string id, IdOf(request));
  return media.media.DeleteMedia(call, id, media.clock.WallNow());
}

Status CheckMediaMethod(const Call& call, const MediaContext& media, const v1::CheckMediaRequest& request,
                        v1::CheckMediaResponse& response) {
  PARVIS_ASSIGN_OR_RETURN(const std::string id, IdOf(request));
  std::vector<std::string> channels;
  for (int i = 0; i < request.channels_size(); ++i) {
    PARVIS_ASSIGN_OR_RETURN(std::string channel, ChannelId(call, "channels[" + std::to_string(i) + "]", request.channels(i)));
    channels.push_back(std::move(channel));
  }
  PARVIS_ASSIGN_OR_RETURN(const auto fits, CheckMedia(call, media, id, channels));
  for (size_t i = 0; i < fits.size(); ++i) {
    v1::MediaCheck* check = response.add_checks();
    check->set_channel(request.channels(static_cast<int>(i)));
    FillCheck(fits[i], *check);
  }
  return absl::OkStatus();
}

Status ConvertMediaMethod(const Call& call, const MediaContext& media, const v1::ConvertMediaRequest& request, v1::MediaItem& response) {
  PARVIS_ASSIGN_OR_RETURN(const std::string id, IdOf(request));
  PARVIS_RETURN_IF_ERROR(rpc::CheckRequestId(request.request_id()));
  PARVIS_ASSIGN_OR_RETURN(const std::string channel, ChannelId(call, "channel", request.channel()));
  return Answer(ConvertMedia(call, media, id, channel, request.request_id()), response);
}

}  // namespace parvis::publishing
