#include "publishing/network/public_media.h"

#include <algorithm>

namespace parvis::publishing {
namespace {

constexpr char kNoAddress[] = "MEDIA_URL";   // what connectors call it

void Give(const MediaAddresses& addresses, const Media& from, networks::Media& to) {
  if (const auto ref = ParseMediaName(from.media)) to.url = addresses.Of(*ref);
}

void TakeOut(const networks::Media& media, std::string& text) {
  constexpr std::string_view kParameter = "&signature=";
  const size_t at = media.url.find(kParameter);
  if (at == std::string::npos) return;
  const std::string signature = media.url.substr(at + kParameter.size());
  for (size_t found; !signature.empty() && (found = text.find(signature)) != std::string::npos;) {
    text.replace(found, signature.size(), "...");
  }
}

}  // namespace

void GiveAddresses(const networks::Connector& connector, networks::WriteKind kind, const Content& content,
                   const MediaAddresses* addresses, networks::Draft& draft) {
  if (addresses == nullptr || !addresses->usable() || !connector.capabilities().fetches_media) return;
  for (const Violation& violation : connector.Check(kind, draft)) {
    if (violation.reason != kNoAddress) continue;
    for (size_t i = 0; i < draft.media.size(); ++i) {
      if (violation.field == "media[" + std::to_string(i) + "].url") Give(*addresses, content.media[i], draft.media[i]);
    }
    if (violation.field == "thumbnail.url" && draft.thumbnail) Give(*addresses, *content.thumbnail, *draft.thumbnail);
  }
}

void TellSetting(const networks::Connector& connector, const Content& content, const MediaAddresses* addresses,
                 std::vector<Violation>& violations) {
  if ((addresses != nullptr && addresses->usable()) || !connector.capabilities().fetches_media) return;
  const bool kept = std::any_of(content.media.begin(), content.media.end(), [](const Media& media) { return !media.media.empty(); }) ||
                    (content.thumbnail && !content.thumbnail->media.empty());
  if (!kept) return;
  for (Violation& violation : violations) {
    if (violation.reason != kNoAddress) continue;
    violation.description += "; what is uploaded here gets one where this installation has the setting media_public_url";
  }
}

std::string WithoutSignatures(std::string text, const networks::Draft& draft) {
  for (const networks::Media& media : draft.media) TakeOut(media, text);
  if (draft.thumbnail) TakeOut(*draft.thumbnail, text);
  return text;
}

}  // namespace parvis::publishing
