#include "publishing/network/connector_writer.h"

#include <algorithm>

#include "networks/media_fit.h"
#include "publishing/network/public_media.h"

namespace parvis::publishing {
namespace {

constexpr int kReadBackPage = 100;   // items a request

networks::WriteKind KindOf(DeliveryKind kind) {
  switch (kind) {
    case DeliveryKind::kPost: return networks::WriteKind::kPost;
    case DeliveryKind::kReply: return networks::WriteKind::kReply;
    case DeliveryKind::kHide: return networks::WriteKind::kHide;
    case DeliveryKind::kUnhide: return networks::WriteKind::kUnhide;
    case DeliveryKind::kDelete: return networks::WriteKind::kDelete;
    case DeliveryKind::kPrivateReply: return networks::WriteKind::kPrivateReply;
    case DeliveryKind::kApprove: return networks::WriteKind::kApprove;
    case DeliveryKind::kSpam: return networks::WriteKind::kSpam;
    case DeliveryKind::kBan: return networks::WriteKind::kBan;
    case DeliveryKind::kUnban: return networks::WriteKind::kUnban;
    case DeliveryKind::kMute: return networks::WriteKind::kMute;
    case DeliveryKind::kUnmute: return networks::WriteKind::kUnmute;
    case DeliveryKind::kReport: return networks::WriteKind::kReport;
    case DeliveryKind::kLock: return networks::WriteKind::kLock;
    case DeliveryKind::kUnlock: return networks::WriteKind::kUnlock;
  }
  return networks::WriteKind::kPost;
}

// A medium that we keep, as connectors read it.
class KeptContent : public networks::MediaContent {
 public:
  explicit KeptContent(MediaBytes bytes) : bytes_(std::move(bytes)) {}
  int64_t size() const override { return bytes_.size; }
  StatusOr<std::string> Read(const Call& call, int64_t offset, int64_t length) override {
    if (!bytes_.read) return Gone("only its size is known here");
    StatusOr<std::string> piece = bytes_.read(call, offset, length);
    if (piece.ok()) return piece;
    const Code code = piece.status().code();
    const bool passes = code == Code::kUnavailable || code == Code::kDeadlineExceeded;
    return passes ? MakeError(Code::kUnavailable, "MEDIA_UNAVAILABLE", std::string(piece.status().message()))
                  : Gone(std::string(piece.status().message()));
  }

 private:
  static Status Gone(const std::string& why) { return MakeError(Code::kFailedPrecondition, "MEDIA_UNAVAILABLE", why); }
  const MediaBytes bytes_;
};

networks::Media MediaOf(const Media& from) {
  networks::Media to;
  to.url = from.url;
  to.type = from.type;
  to.alt_text = from.alt_text;
  to.size_bytes = from.size_bytes;
  to.title = from.title;
  to.width = from.width;
  to.height = from.height;
  to.duration = from.duration;
  to.video_codec = from.video_codec;
  to.audio_codec = from.audio_codec;
  if (!from.media.empty()) to.content = std::make_shared<KeptContent>(MediaBytes{from.size_bytes, nullptr});
  return to;
}

networks::PostFormat FormatOf(PostFormat format) {
  switch (format) {
    case PostFormat::kPost: return networks::PostFormat::kPost;
    case PostFormat::kReel: return networks::PostFormat::kReel;
    case PostFormat::kStory: return networks::PostFormat::kStory;
  }
  return networks::PostFormat::kPost;
}

networks::Draft DraftOf(const Content& content) {
  networks::Draft draft;
  draft.text = content.text;
  draft.title = content.title;
  draft.link = content.link;
  draft.language = content.language;
  for (const Media& media : content.media) draft.media.push_back(MediaOf(media));
  draft.format = FormatOf(content.format);
  if (content.poll) draft.poll = networks::PollDraft{content.poll->options, content.poll->open_for, content.poll->multiple};
  draft.quote_remote_id = content.quote_remote_id;
  draft.tags = content.tags;
  if (content.thumbnail) draft.thumbnail = MediaOf(*content.thumbnail);
  draft.options = content.options;
  return draft;
}

networks::Write WriteOf(const Delivery& delivery) {
  networks::Write write;
  write.kind = KindOf(delivery.kind);
  write.draft = DraftOf(delivery.content);
  write.target_remote_id = delivery.target_remote_id;
  write.target_author_id = delivery.target_author_id;
  write.post_remote_id = delivery.post_remote_id;
  write.idempotency_key = IdempotencyKeyOf(delivery);
  return write;
}

networks::Account AccountOf(const std::string& channel_id, const ChannelAccess& access) {
  return {channel_id, access.remote_id, access.base_url, {access.fields}};
}

WriteResult ResultOf(networks::OutcomeKind kind) {
  switch (kind) {
    case networks::OutcomeKind::kAccepted: return WriteResult::kAccepted;
    case networks::OutcomeKind::kRefused: return WriteResult::kRefused;
    case networks::OutcomeKind::kNotSent: return WriteResult::kNotSent;
    case networks::OutcomeKind::kUnknown: return WriteResult::kUnknown;
  }
  return WriteResult::kUnknown;
}

Refusal RefusalOf(networks::ErrorClass error) {
  switch (error) {
    case networks::ErrorClass::kNone: return Refusal::kNone;
    case networks::ErrorClass::kTokenExpired: return Refusal::kTokenExpired;
    case networks::ErrorClass::kPermission: return Refusal::kPermission;
    case networks::ErrorClass::kRateLimited: return Refusal::kRateLimited;
    case networks::ErrorClass::kDuplicate: return Refusal::kDuplicate;
    case networks::ErrorClass::kNotFound: return Refusal::kNotFound;
    case networks::ErrorClass::kInvalid: return Refusal::kInvalid;
    case networks::ErrorClass::kTransient: return Refusal::kTransient;
  }
  return Refusal::kNone;
}

TextSpan::Kind SpanKindOf(networks::text::Facet::Kind kind) {
  switch (kind) {
    case networks::text::Facet::Kind::kLink: return TextSpan::Kind::kLink;
    case networks::text::Facet::Kind::kMention: return TextSpan::Kind::kMention;
    case networks::text::Facet::Kind::kTag: return TextSpan::Kind::kHashtag;
  }
  return TextSpan::Kind::kLink;
}

// What people should know of a write that was accepted; "" = nothing.
std::string Remarks(const networks::Outcome& got) {
  std::string out = got.held ? "the network shows it after somebody's approval there" : "";
  if (!got.lacking.empty()) out += (out.empty() ? "" : "; ") + got.lacking;
  return out;
}

bool HasAddress(const networks::Draft& draft) {
  const auto has = [](const networks::Media& media) { return media.content != nullptr && !media.url.empty(); };
  return std::any_of(draft.media.begin(), draft.media.end(), has) || (draft.thumbnail && has(*draft.thumbnail));
}

// The credentials or the media could not be had: nothing was sent. What is gone is refused, anything else is tried again.
WriteOutcome WithoutAccess(const Status& status) {
  WriteOutcome outcome;
  const Error error = ToError(status);
  outcome.reason = error.reason;
  outcome.message = error.message;
  const bool gone = error.code == Code::kNotFound || error.code == Code::kFailedPrecondition;
  outcome.result = gone ? WriteResult::kRefused : WriteResult::kNotSent;
  outcome.refusal = gone ? Refusal::kInvalid : Refusal::kNone;
  return outcome;
}

// What is gone stays refused; the rest says nothing of the network.
WriteOutcome WithoutMedia(const Status& status) {
  WriteOutcome outcome = WithoutAccess(status);
  outcome.ours = outcome.result == WriteResult::kNotSent;
  return outcome;
}

}  // namespace

ConnectorWriter::ConnectorWriter(const Connectors& connectors, ChannelAccessSource& access,
                                 std::set<std::string> dedupe_networks, const KeptForNetworks& kept)
    : connectors_(connectors), access_(access), dedupe_networks_(std::move(dedupe_networks)), kept_(kept) {}

Status ConnectorWriter::OpenOne(const Call& call, const Delivery& delivery, const Media& from, networks::Media& to) {
  const auto ref = ParseMediaName(from.media);
  if (!ref) return absl::OkStatus();
  if (kept_.source == nullptr || ref->workspace_id != delivery.workspace_id) return NotFound(from.media);
  PARVIS_ASSIGN_OR_RETURN(MediaBytes bytes, kept_.source->Open(call, ref->workspace_id, ref->id));
  to.content = std::make_shared<KeptContent>(std::move(bytes));
  return to.content->Read(call, 0, 1).status();
}

Status ConnectorWriter::OpenMedia(const Call& call, const Delivery& delivery, networks::Draft& draft) {
  for (size_t i = 0; i < draft.media.size(); ++i) {
    PARVIS_RETURN_IF_ERROR(OpenOne(call, delivery, delivery.content.media[i], draft.media[i]));
  }
  return draft.thumbnail ? OpenOne(call, delivery, *delivery.content.thumbnail, *draft.thumbnail) : absl::OkStatus();
}

WriteOutcome ConnectorWriter::Write(const Call& call, const Delivery& delivery) {
  const auto access = access_.GetAccess(call, delivery.workspace_id, delivery.channel_id, false);
  if (!access.ok()) return WithoutAccess(access.status());
  const auto connector = connectors_.find(access->network);
  if (connector == connectors_.end()) {
    return WithoutAccess(MakeError(Code::kNotFound, "NETWORK_UNKNOWN", "no connector for " + access->network));
  }
  networks::Write write = WriteOf(delivery);
  if (const Status opened = OpenMedia(call, delivery, write.draft); !opened.ok()) return WithoutMedia(opened);
  GiveAddresses(*connector->second, write.kind, delivery.content, kept_.addresses, write.draft);
  networks::Outcome got = connector->second->Execute(call, AccountOf(delivery.channel_id, *access), write);
  // It may have fetched a medium just when the store went away, and refused the post for that: not for good.
  if (got.kind == networks::OutcomeKind::kRefused && got.error == networks::ErrorClass::kInvalid && HasAddress(write.draft)) {
    if (const Status now = OpenMedia(call, delivery, write.draft); now.code() == Code::kUnavailable) return WithoutMedia(now);
  }
  for (std::string* text : {&got.message, &got.lacking}) *text = WithoutSignatures(std::move(*text), write.draft);
  WriteOutcome outcome;
  outcome.result = ResultOf(got.kind);
  outcome.refusal = RefusalOf(got.error);
  outcome.reason = got.reason;
  outcome.message = got.kind == networks::OutcomeKind::kAccepted ? Remarks(got) : got.message;
  outcome.remote_id = got.remote_id;
  outcome.permalink = got.permalink;
  outcome.rate = {got.rate.limit, got.rate.remaining, got.rate.reset_in, got.rate.retry_after};
  outcome.credentials_version = access->version;
  outcome.budget = got.budget;
  // So that people see it where they mend it; the pause itself is in the ledger and does not depend on this.
  if (outcome.refusal == Refusal::kTokenExpired) {
    (void)access_.ReportBroken(call, delivery.workspace_id, delivery.channel_id, *access, "TOKEN_EXPIRED", got.message);
  }
  return outcome;
}

StatusOr<std::vector<FoundItem>> ConnectorWriter::ReadBack(const Call& call, const Delivery& delivery, absl::Time since) {
  PARVIS_ASSIGN_OR_RETURN(const ChannelAccess access,
                          access_.GetAccess(call, delivery.workspace_id, delivery.channel_id, false));
  const auto connector = connectors_.find(access.network);
  if (connector == connectors_.end()) {
    return MakeError(Code::kNotFound, "NETWORK_UNKNOWN", "no connector for " + access.network);
  }
  const networks::Write write = WriteOf(delivery);
  PARVIS_ASSIGN_OR_RETURN(
      const std::vector<networks::OwnItem> items,
      connector->second->ReadBack(call, AccountOf(delivery.channel_id, access), write, since, kReadBackPage));
  std::vector<FoundItem> found;
  for (const networks::OwnItem& item : items) {
    if (!IsIdempotent(delivery.kind) && !connector->second->Matches(write, item)) continue;
    found.push_back({item.remote_id, item.permalink, item.hidden});
  }
  return found;
}

NetworkTraits ConnectorWriter::Traits(const std::string& network) const {
  NetworkTraits traits;
  const auto connector = connectors_.find(network);
  if (connector == connectors_.end()) return traits;
  const networks::Capabilities& capabilities = connector->second->capabilities();
  traits.idempotency_key = capabilities.idempotency_key;
  traits.content_dedupe = dedupe_networks_.contains(network);
  traits.settle = capabilities.settle;
  return traits;
}

std::string ConnectorWriter::BudgetOf(const std::string& network, DeliveryKind kind) const {
  const auto connector = connectors_.find(network);
  return connector == connectors_.end() ? "" : connector->second->capabilities().BudgetOf(KindOf(kind));
}

StatusOr<std::string> ConnectorWriter::CredentialsVersion(const Call& call, const std::string& workspace_id,
                                                          const std::string& channel_id) {
  PARVIS_ASSIGN_OR_RETURN(const ChannelAccess access, access_.GetAccess(call, workspace_id, channel_id, true));
  return access.version;
}

std::vector<Violation> ConnectorRules::Check(const std::string& network, DeliveryKind kind, const Content& content) const {
  const auto connector = connectors_.find(network);
  if (connector == connectors_.end()) return {};
  networks::Draft draft = DraftOf(content);
  GiveAddresses(*connector->second, KindOf(kind), content, kept_.addresses, draft);
  std::vector<Violation> violations = connector->second->Check(KindOf(kind), draft);
  TellSetting(*connector->second, content, kept_.addresses, violations);
  return violations;
}

bool ConnectorRules::AuthorIsEnough(const std::string& network, DeliveryKind kind) const {
  const auto connector = connectors_.find(network);
  return connector != connectors_.end() && connector->second->capabilities().of_author.contains(KindOf(kind));
}

std::string ConnectorRules::WhyNoThread(const std::string& network) const {
  const auto connector = connectors_.find(network);
  if (connector == connectors_.end()) return "";
  const networks::Capabilities& capabilities = connector->second->capabilities();
  return capabilities.Can(networks::Feature::kThread) ? "" : "is " + capabilities.WhyNot(networks::Feature::kThread);
}

NetworkRules::Length ConnectorRules::TextLength(const std::string& network, const std::string& text) const {
  const auto connector = connectors_.find(network);
  if (connector == connectors_.end()) return {};
  return {connector->second->TextLength(text), connector->second->capabilities().post_text_max};
}

Preview ConnectorRules::Show(const std::string& network, const Content& content) const {
  const auto connector = connectors_.find(network);
  if (connector == connectors_.end()) return {};
  networks::Appearance shown = connector->second->Show(DraftOf(content));
  Preview out;
  int points = 0;
  size_t bytes = 0;
  const auto points_until = [&](size_t end) {   // facets come in order
    for (; bytes < end; ++bytes) points += (static_cast<unsigned char>(shown.text[bytes]) & 0xc0) != 0x80;
    return points;
  };
  for (networks::text::Facet& facet : shown.facets) {
    TextSpan& span = out.spans.emplace_back();
    span.kind = SpanKindOf(facet.kind);
    span.begin = points_until(facet.begin);
    span.end = points_until(facet.end);
    span.target = std::move(facet.value);
  }
  out.title = std::move(shown.title);
  out.text = std::move(shown.text);
  out.card = std::move(shown.card);
  out.remarks = std::move(shown.remarks);
  return out;
}

namespace {

// Whether a post of nothing but the video that is made of a GIF would be taken: what is wrong with the GIF says nothing of that.
bool TakesAsVideo(const networks::Connector& connector, Content content, const networks::VideoFitTarget& to,
                  const MediaAddresses* addresses) {
  Media& media = content.media[0];
  media.type = "video/mp4";
  media.video_codec = "h264";
  media.size_bytes = to.bytes_max;
  if (to.width > 0) media.width = to.width, media.height = to.height;
  networks::Draft draft = DraftOf(content);
  GiveAddresses(connector, networks::WriteKind::kPost, content, addresses, draft);
  const std::vector<Violation> violations = connector.Check(networks::WriteKind::kPost, draft);
  return std::none_of(violations.begin(), violations.end(), [](const Violation& v) { return v.field.rfind("media", 0) == 0; });
}

}  // namespace

// By a post of nothing but the medium; what is wrong with the rest of such a post is not asked.
MediaFit ConnectorRules::Fit(const std::string& network, const MediaItem& item) const {
  MediaFit fit;
  const auto connector = connectors_.find(network);
  if (connector == connectors_.end()) {
    fit.violations.push_back({"channel", "Parvis cannot publish on " + network, "NETWORK_UNKNOWN"});
    return fit;
  }
  Media media;
  media.media = MediaName(item.workspace_id, item.id);
  media.type = item.facts.type;
  media.alt_text = item.alt_text;
  media.size_bytes = item.size_bytes;
  media.width = item.facts.width;
  media.height = item.facts.height;
  media.duration = item.facts.duration;
  media.video_codec = item.facts.video_codec;
  media.audio_codec = item.facts.audio_codec;
  Content content;
  content.media = {std::move(media)};
  networks::Draft draft = DraftOf(content);
  GiveAddresses(*connector->second, networks::WriteKind::kPost, content, kept_.addresses, draft);
  draft.media[0].frame_rate = item.facts.frame_rate;
  draft.media[0].frames = item.facts.frames;
  networks::MediaFit of_itself = networks::FitMedia(connector->second->capabilities(), draft.media[0]);
  fit.violations = std::move(of_itself.violations);
  // What a conversion does not change: the network has no such posts, or it needs a public address.
  const size_t curable = fit.violations.size();
  std::vector<Violation> of_post = connector->second->Check(networks::WriteKind::kPost, draft);
  TellSetting(*connector->second, content, kept_.addresses, of_post);
  for (Violation& violation : of_post) {
    if (violation.field.rfind("media", 0) != 0) continue;
    violation.field.erase(0, std::string_view("media[0].").size());
    const bool told = std::any_of(fit.violations.begin(), fit.violations.end(), [&](const Violation& v) { return v.reason == violation.reason; });
    if (!told) fit.violations.push_back(std::move(violation));
  }
  fit.fits = fit.violations.empty();
  const bool gif = of_itself.video && !IsVideo(item.facts);
  const bool helps = gif ? TakesAsVideo(*connector->second, content, *of_itself.video, kept_.addresses) : fit.violations.size() == curable;
  if (!helps) return fit;
  if (const auto& to = of_itself.target) fit.target = PictureTarget{to->type, to->side_max, to->bytes_max};
  if (const auto& to = of_itself.video) {
    fit.video = VideoTarget{to->copy_video, to->copy_audio, to->width, to->height, to->video_kbps, to->audio_kbps, to->bytes_max};
  }
  fit.changes = std::move(of_itself.changes);
  return fit;
}

}  // namespace parvis::publishing
