#include "inbox/transport/pages.h"

#include <charconv>

#include "platform/base/ids.h"

namespace parvis::inbox {
namespace {

Status BadToken() { return InvalidField("page_token", "PAGE_TOKEN_INVALID", "is not a token that was given out"); }

Status UnknownValue(const char* field) {
  return InvalidField(field, "UNKNOWN_VALUE", "is not a value of this version of the API");
}

constexpr size_t kWordMax = 100;   // of what is compared with a column: ids of members, languages

Status CheckWord(const char* field, const std::string& word) {
  if (word.size() <= kWordMax && word.find('\0') == std::string::npos) return absl::OkStatus();
  return InvalidField(field, "TOO_LONG", "has more than 100 bytes or a U+0000");
}

}  // namespace

StatusOr<Page> MakePage(const google::protobuf::Message& request, int size, const std::string& token, int default_size,
                        int max_size) {
  Page page;
  PARVIS_ASSIGN_OR_RETURN(page.size, rpc::PageSize(size, default_size, max_size));
  page.digest = rpc::QueryDigest(request);
  if (token.empty()) return page;
  PARVIS_ASSIGN_OR_RETURN(page.after, rpc::DecodePageToken(token, page.digest));
  if (page.after->size() != 2 || page.after->back().find('\0') != std::string::npos) return BadToken();
  return page;
}

std::vector<std::string> KeysetOf(absl::Time time, const std::string& key) {
  return {std::to_string(absl::ToUnixMicros(time)), key};
}

StatusOr<absl::Time> TimeOfKeyset(const std::vector<std::string>& keyset) {
  int64_t micros = 0;
  const std::string& text = keyset.front();
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), micros);
  // PostgreSQL's timestamps end in the year 294276, its text form as we write it in 9999.
  constexpr int64_t kMicrosMax = 250'000'000'000'000'000;
  if (error != std::errc() || end != text.data() + text.size() || micros > kMicrosMax || micros < -kMicrosMax) {
    return BadToken();
  }
  return absl::FromUnixMicros(micros);
}

StatusOr<TimePosition> TimePositionOf(const std::vector<std::string>& keyset) {
  PARVIS_ASSIGN_OR_RETURN(const absl::Time time, TimeOfKeyset(keyset));
  if (!IsUuid(keyset.back())) return BadToken();
  return TimePosition{.time = time, .id = keyset.back()};
}

StatusOr<ConversationFilter> FilterOf(const v1::ListConversationsRequest& r) {
  ConversationFilter filter;
  if (!v1::Conversation::State_IsValid(r.state())) return UnknownValue("state");
  if (!v1::Conversation::Kind_IsValid(r.kind())) return UnknownValue("kind");
  if (r.state() != v1::Conversation::STATE_UNSPECIFIED) filter.state = static_cast<State>(r.state());
  if (r.kind() != v1::Conversation::KIND_UNSPECIFIED) filter.kind = static_cast<Kind>(r.kind());
  if (!r.assignee().empty() && r.unassigned()) {
    return InvalidField("unassigned", "CONTRADICTION", "must be false when assignee is given");
  }
  PARVIS_RETURN_IF_ERROR(CheckWord("assignee", r.assignee()));
  PARVIS_RETURN_IF_ERROR(CheckWord("language", r.language()));
  if (!r.assignee().empty() || r.unassigned()) filter.assignee = r.assignee();
  filter.channel_id = NormalizeUuid(r.channel_id());
  if (filter.channel_id.empty() && !r.channel_id().empty()) {
    return InvalidField("channel_id", "NOT_AN_ID", "must be the id of a channel (a UUID)");
  }
  filter.language = r.language();
  return filter;
}

StatusOr<CaseFilter> FilterOf(const v1::ListCasesRequest& r) {
  CaseFilter filter;
  if (!v1::Case::State_IsValid(r.state())) return UnknownValue("state");
  if (r.state() != v1::Case::STATE_UNSPECIFIED) filter.state = static_cast<CaseState>(r.state());
  PARVIS_RETURN_IF_ERROR(CheckWord("owner", r.owner()));
  filter.owner = r.owner();
  return filter;
}

}  // namespace parvis::inbox
