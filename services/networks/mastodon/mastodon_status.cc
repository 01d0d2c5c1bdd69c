#include "networks/mastodon/mastodon_status.h"

#include <algorithm>

#include "networks/mastodon/mastodon_roots.h"
#include "networks/text/unicode.h"
#include "networks/wire/webhook_json.h"

namespace parvis::networks {
namespace {

bool MentionsUs(const Json& status, const std::string& me) {
  const Json& mentions = Member(status, "mentions");
  return mentions.is_array() &&
         std::any_of(mentions.begin(), mentions.end(), [&](const Json& mention) { return Text(mention, "id") == me; });
}

void TakeAttachments(const Json& status, Happening* h) {
  const Json& media = Member(status, "media_attachments");
  for (size_t i = 0; media.is_array() && i < media.size() && i < 16; ++i) {
    const std::string url = CleanText(media[i], "url", 2048);
    if (!url.empty()) h->attachments.emplace_back(CleanText(media[i], "type"), url);
  }
}

std::optional<Happening> HappeningOf(const Json& status, const Account& account, const MastodonRoots& roots) {
  Happening h;
  h.account_remote_id = account.remote_id;
  h.remote_id = CleanText(status, "id");
  const auto created = ParseIsoTime(Text(status, "created_at"));
  const Json& author = Member(status, "account");
  h.author_remote_id = CleanText(author, "id");
  if (h.remote_id.empty() || h.author_remote_id.empty() || !created) return std::nullopt;
  h.author_handle = CleanText(author, "acct", 1024);
  h.author_name = CleanText(author, "display_name", 1024);
  if (h.author_name.empty()) h.author_name = h.author_handle;
  h.by_us = h.author_remote_id == account.remote_id;
  h.parent_remote_id = CleanText(status, "in_reply_to_id");
  h.thread = h.conversation = roots.RootOf(h.remote_id);
  if (h.thread != h.remote_id && roots.AuthorOf(h.thread) == account.remote_id) {
    h.post_remote_id = h.thread;
  } else if (roots.AuthorOf(h.parent_remote_id) == account.remote_id) {
    h.post_remote_id = h.parent_remote_id;
  }
  // Whoever is answered: what hangs below our post is a comment, also where people answer each other.
  const bool answer = !h.parent_remote_id.empty();
  h.kind = Text(status, "visibility") == "direct" ? Happening::Kind::kMessage
           : answer || h.by_us                    ? Happening::Kind::kComment
                                                  : Happening::Kind::kMention;
  const std::string warning = CleanText(status, "spoiler_text", 4096), content = MastodonText(status);
  h.text = text::CutBytes(warning.empty()   ? content
                          : content.empty() ? warning
                                            : warning + "\n\n" + content,
                          kHappeningTextMax);
  h.occurred_at = *created;
  h.revision = RevisionOf(h.occurred_at);
  h.permalink = CleanText(status, "url", 2048);
  TakeAttachments(status, &h);
  return h;
}

}  // namespace

Unparsed UnreadMastodon(const Json& item, const char* why) { return {Dump(item), "MISSING_FIELD", why}; }

bool NamesUs(const Json& status, const Account& account) {
  return MentionsUs(status, account.remote_id) && Text(Member(status, "account"), "id") != account.remote_id;
}

void TakeMastodonNotification(const Json& notification, const Account& account, std::vector<MastodonTaken>* taken,
                              std::vector<Unparsed>* unparsed) {
  const std::string type = Text(notification, "type");
  const Json& status = Member(notification, "status");
  if (type != "mention" && type != "quote" && type != "update") return;  // the server knows no such filter
  if (!status.is_object()) {
    unparsed->push_back(UnreadMastodon(notification, "a notification without its status"));
  } else if (type != "update" || NamesUs(status, account)) {
    taken->push_back({status, type == "update"});
  }
}

void TakeMastodonOwn(const Json& status, std::vector<MastodonTaken>* taken) {
  const bool answers = !Text(status, "in_reply_to_id").empty() || Text(status, "visibility") == "direct";
  if (answers && !Member(status, "reblog").is_object()) taken->push_back({status, false});
}

Status MastodonConnector::AddHappenings(const Call& call, const Account& account,
                                        const std::vector<MastodonTaken>& taken, PollPage* page) {
  std::vector<Json> statuses;
  for (const MastodonTaken& one : taken) statuses.push_back(one.status);
  MastodonRoots roots;
  PARVIS_RETURN_IF_ERROR(FindRoots(call, account, statuses, &roots, page));
  for (const auto& [status, edited] : taken) {
    auto happening = HappeningOf(status, account, roots);
    const auto when = ParseIsoTime(Text(status, "edited_at"));
    if (!happening || (edited && !when)) {
      page->unparsed.push_back(UnreadMastodon(status, "a status without id, author or time"));
      continue;
    }
    if (edited) {
      happening->kind = Happening::Kind::kEdit;
      happening->occurred_at = *when;
      happening->revision = RevisionOf(*when);
    }
    page->happenings.push_back(*std::move(happening));
  }
  return absl::OkStatus();
}

}  // namespace parvis::networks
