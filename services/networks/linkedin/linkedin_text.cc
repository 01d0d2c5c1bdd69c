#include "networks/linkedin/linkedin_text.h"

#include "networks/text/unicode.h"
#include "networks/wire/check.h"
#include "networks/wire/json.h"

namespace parvis::networks {
namespace {

constexpr std::string_view kReserved = "\\|{}@[]()<>#*_~";
constexpr std::string_view kHashtag = "{hashtag|\\#|";
constexpr std::string_view kComment = "urn:li:comment:(", kUrn = "urn:li:";

std::string Escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (kReserved.find(c) != std::string_view::npos) out.push_back('\\');
    out.push_back(c);
  }
  return out;
}

bool IsWord(char c) {  // letters of any script, digits, "_"
  const auto u = static_cast<unsigned char>(c);
  return u >= 0x80 || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

// The length of "@[Name](urn:li:organization:1)" at the start of `text`; 0 = there is none.
size_t MentionAt(std::string_view text) {
  if (text.substr(0, 2) != "@[") return 0;
  const size_t name = text.find("](");
  if (name == std::string_view::npos || name == 2 || name > 300) return 0;
  const size_t end = text.find(')', name);
  if (end == std::string_view::npos) return 0;
  const std::string_view urn = text.substr(name + 2, end - name - 2);
  const size_t id = urn.rfind(':');
  const bool known = urn.substr(0, id + 1) == "urn:li:organization:" || urn.substr(0, id + 1) == "urn:li:person:";
  if (!known || id + 1 == urn.size()) return 0;
  for (const char c : urn.substr(id + 1)) {
    if (!IsWord(c) && c != '-') return 0;
  }
  return text.substr(2, name - 2).find_first_of("[]()\n") == std::string_view::npos ? end + 1 : 0;
}

}  // namespace

std::string ToLittleText(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size();) {
    if (const size_t mention = MentionAt(text.substr(i)); mention > 0) {
      const std::string_view whole = text.substr(i, mention);
      const size_t name = whole.find("](");
      out += "@[" + Escaped(whole.substr(2, name - 2)) + std::string(whole.substr(name));
      i += mention;
      continue;
    }
    const bool starts =
        text[i] == '#' && (i == 0 || (!IsWord(text[i - 1]) && text[i - 1] != '/' && text[i - 1] != '&'));
    size_t end = i + 1;
    while (starts && end < text.size() && IsWord(text[end])) ++end;
    if (starts && end > i + 1) {
      out += std::string(kHashtag) + Escaped(text.substr(i + 1, end - i - 1)) + "}";
      i = end;
      continue;
    }
    out += Escaped(text.substr(i, 1));
    ++i;
  }
  return out;
}

std::string FromLittleText(std::string_view little) {
  std::string out;
  for (size_t i = 0; i < little.size(); ++i) {
    const std::string_view rest = little.substr(i);
    if (rest.substr(0, 9) == "{hashtag|") {
      const size_t tag = rest.find('|', 9), end = rest.find('}');
      if (tag != std::string_view::npos && end != std::string_view::npos && tag < end) {
        out += "#" + FromLittleText(rest.substr(tag + 1, end - tag - 1));
        i += end;
        continue;
      }
    }
    if (const size_t name = rest.find("]("); rest.substr(0, 2) == "@[" && name != std::string_view::npos) {
      const size_t end = rest.find(')', name);
      if (end != std::string_view::npos) {
        out += FromLittleText(rest.substr(2, name - 2));
        i += end;
        continue;
      }
    }
    if (little[i] == '\\' && i + 1 < little.size() && kReserved.find(little[i + 1]) != std::string_view::npos) ++i;
    out.push_back(little[i]);
  }
  return out;
}

bool ShowsLinkAsCard(const Draft& draft) {
  return !draft.link.empty() && draft.media.empty() && !draft.poll && draft.quote_remote_id.empty();
}

std::string CommentaryOf(const Draft& draft) {
  std::string out = ShowsLinkAsCard(draft) ? draft.text : TextWithLink(draft);
  for (size_t i = 0; i < draft.tags.size(); ++i) {
    out += (i > 0 ? " #" : (out.empty() ? "#" : "\n\n#")) + draft.tags[i];
  }
  return out;
}

std::optional<CommentUrn> ParseCommentUrn(std::string_view urn) {
  if (urn.substr(0, kComment.size()) != kComment || urn.size() > 256 || urn.back() != ')') return std::nullopt;
  const std::string_view inner = urn.substr(kComment.size(), urn.size() - kComment.size() - 1);
  const size_t comma = inner.rfind(',');
  if (comma == std::string_view::npos || !IsNumber(inner.substr(comma + 1))) return std::nullopt;
  std::string object(inner.substr(0, comma));
  if (object.compare(0, kUrn.size(), kUrn) != 0) object = std::string(kUrn) + object;
  const size_t number = object.rfind(':');
  if (number < kUrn.size() || !IsNumber(std::string_view(object).substr(number + 1))) return std::nullopt;
  return CommentUrn{std::move(object), std::string(inner.substr(comma + 1))};
}

std::string OrganisationUrn(const std::string& remote_id) {
  return remote_id.compare(0, kUrn.size(), kUrn) == 0 ? remote_id : "urn:li:organization:" + remote_id;
}

std::string PostUrnIn(std::string_view text) {
  for (size_t at = text.find(kUrn); at != std::string_view::npos; at = text.find(kUrn, at + 1)) {
    for (const std::string_view kind : {std::string_view("urn:li:share:"), std::string_view("urn:li:ugcPost:")}) {
      if (text.substr(at, kind.size()) != kind) continue;
      size_t end = at + kind.size();
      while (end < text.size() && text[end] >= '0' && text[end] <= '9') ++end;
      if (IsNumber(text.substr(at + kind.size(), end - at - kind.size())))
        return std::string(text.substr(at, end - at));
    }
  }
  return "";
}

std::optional<absl::Time> TimeInId(std::string_view id) {
  if (!IsNumber(id) || id.size() > 19) return std::nullopt;
  uint64_t number = 0;
  for (const char c : id) number = number * 10 + static_cast<uint64_t>(c - '0');
  const absl::Time time = absl::FromUnixMillis(static_cast<int64_t>(number >> 22));
  const bool plausible =
      time > absl::FromUnixSeconds(1262304000) && time < absl::FromUnixSeconds(4102444800);  // 2010 to 2100
  return plausible ? std::optional<absl::Time>(time) : std::nullopt;
}

std::string LinkedInPermalink(const std::string& post_urn) {
  return "https://www.linkedin.com/feed/update/" + post_urn;
}

}  // namespace parvis::networks
