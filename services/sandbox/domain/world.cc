#include "sandbox/domain/world.h"

#include "sandbox/domain/cat.h"
#include "sandbox/domain/nature.h"

#include <algorithm>

namespace parvis::sandbox {

namespace {

// The network's word for what the journal calls an added item.
std::string KindOfNew(const Item& item) {
  switch (item.kind) {
    case Item::Kind::kPost:
      return "post";
    case Item::Kind::kMedia:
      return "media";
    case Item::Kind::kMention:
      return "mention";
    case Item::Kind::kComment:
      return item.by_us ? "reply" : "comment";
  }
  return "unknown";
}

// The text with its t.co links replaced by what they stand for; "" when it has none.
std::string Expanded(const NewItem& item) {
  if (item.urls.empty()) return "";
  std::string text = item.text;
  for (const auto& [link, url] : item.urls) {
    const size_t at = text.find(link);
    if (at != std::string::npos) text.replace(at, link.size(), url);
  }
  return text;
}

}  // namespace

World::World(const WorldLimits& limits, const Clock& clock, Journal& journal)
    : limits_(limits), clock_(clock), journal_(journal) {
  // A sandbox that was started again must not give old ids to new things: numbers begin at the time of the start.
  const int64_t seconds = absl::ToUnixSeconds(clock.WallNow()) - 1'600'000'000;
  last_number_ = seconds * 20'000;
  last_account_ = seconds * 100;
}

void World::Listen(Listener listener) { listeners_.push_back(std::move(listener)); }

std::string World::KeyOf(Network network, std::string_view id) {
  std::string key(1, static_cast<char>('0' + static_cast<int>(network)));
  key += id;
  return key;
}

std::string World::TextKey(Network network, std::string_view account, std::string_view parent, std::string_view text) {
  std::string key = KeyOf(network, account);
  key += '\n';
  key += parent;
  key += '\n';
  key += text;
  return key;
}

std::string World::NewId(const NewItem& item, const Item* parent, const Item* post) {
  if (!item.id.empty()) return item.id;
  const absl::Time now = clock_.WallNow();
  last_snowflake_ = std::max(last_snowflake_ + 1, absl::ToUnixMillis(now) << 16);
  IdSeed seed{.kind = item.kind, .account = item.account, .author = item.author_id, .media = item.media,
              .number = ++last_number_, .snowflake = last_snowflake_, .now = now};
  if (post != nullptr) seed.post = post->id;
  if (parent != nullptr) seed.parent = parent->id;
  return NatureOf(item.network).item_id(seed);
}

// Finds where the new item hangs and fills in id, parent, post and thread.
Status World::Place(const NewItem& item, Item& placed) {
  const Item* parent = nullptr;
  if (!item.parent.empty()) {
    auto it = items_.find(KeyOf(item.network, item.parent));
    if (it == items_.end() || it->second->deleted) return NotFound(item.parent);
    parent = it->second.get();
  } else if (item.kind == Item::Kind::kComment) {
    return InvalidField("parent", "REQUIRED", "a comment needs what it answers");
  }
  const Item* post = parent;
  if (parent != nullptr && parent->kind != Item::Kind::kPost) {
    auto it = items_.find(KeyOf(item.network, parent->post));
    post = it == items_.end() ? nullptr : it->second.get();
  }
  placed.id = NewId(item, parent, post);
  if (!item.id.empty() && items_.contains(KeyOf(item.network, item.id))) {
    return MakeError(Code::kAlreadyExists, "ID_TAKEN", "there is " + item.id + " already");
  }
  if (parent == nullptr) {
    if (item.kind == Item::Kind::kPost) placed.post = placed.id;
    placed.thread = item.kind == Item::Kind::kMedia ? "" : placed.id;
    return absl::OkStatus();
  }
  placed.parent = parent->id;
  placed.post = post == nullptr ? parent->post : post->id;
  const Nature& nature = NatureOf(item.network);
  if (nature.conversations) {
    placed.thread = parent->thread;
  } else if (parent->kind == Item::Kind::kPost) {
    placed.thread = placed.id;  // a top-level comment is a thread of its own
  } else {
    placed.thread = parent->thread;
    if (nature.two_levels) placed.parent = parent->thread;
  }
  return absl::OkStatus();
}

std::vector<std::string>& World::IndexOf(Network network, List list, std::string_view id) {
  return indexes_[static_cast<int>(list)][KeyOf(network, id)];
}

void World::AddToIndexes(const Item& item) {
  auto add = [&](List list, std::string_view id) { IndexOf(item.network, list, id).push_back(item.id); };
  if (item.kind == Item::Kind::kMedia) return add(List::kMedia, item.account);
  if (item.kind == Item::Kind::kPost) add(List::kPosts, item.account);
  if (item.by_us) add(List::kOwn, item.account);
  if (item.kind == Item::Kind::kPost) return;
  add(List::kInbox, item.account);
  const std::string& below = NatureOf(item.network).conversations ? item.thread : item.post;
  if (item.kind == Item::Kind::kComment) add(List::kComments, below);
  if (!item.parent.empty()) add(List::kChildren, item.parent);
}

StatusOr<ItemPtr> World::Create(const NewItem& item, const WriteContext& context) {
  std::lock_guard lock(mutex_);
  if (static_cast<int64_t>(items_.size()) >= limits_.items_max) {
    return MakeError(Code::kResourceExhausted, "WORLD_FULL", "The sandbox holds too many items; reset it.");
  }
  if (!accounts_.contains(KeyOf(item.network, item.account))) return NotFound(item.account);
  auto placed = std::make_shared<Item>();
  PARVIS_RETURN_IF_ERROR(Place(item, *placed));
  const absl::Time now = clock_.WallNow();
  placed->network = item.network;
  placed->kind = item.kind;
  placed->account = item.account;
  placed->author_id = item.author_id;
  placed->author_name = item.author_name;
  placed->author_handle = item.author_handle;
  placed->by_us = item.by_us;
  placed->text = item.text;
  placed->title = item.title;
  placed->link = item.link;
  placed->status = item.status;
  placed->urls = item.urls;
  placed->media = item.media;
  placed->extra = item.extra;
  placed->published = item.published;
  placed->created = placed->changed = item.created == absl::InfinitePast() ? now : item.created;
  const bool in_thread = item.kind == Item::Kind::kComment || item.kind == Item::Kind::kMention;
  const std::string thread_key = KeyOf(item.network, placed->thread);
  if (in_thread) placed->thread_seq = thread_seqs_[thread_key] + 1;
  if (const auto number = NatureOf(item.network).number; number != nullptr) {
    const auto parent = items_.find(KeyOf(item.network, placed->parent));
    number(*placed, placed->parent.empty() || parent == items_.end() ? nullptr : parent->second.get());
  }

  JournalEntry entry{.time = now,
                     .network = item.network,
                     .account = item.account,
                     .kind = KindOfNew(*placed),
                     .by = context.by,
                     .remote_id = placed->id,
                     .parent = placed->parent,
                     .post = placed->post,
                     .thread = placed->thread,
                     .thread_seq = placed->thread_seq,
                     .author = item.author_id,
                     .text = item.written.empty() ? item.text : item.written,
                     .expanded = item.written.empty() ? Expanded(item) : "",
                     .status = item.status,
                     .label = context.label,
                     .language = context.language,
                     .digest = context.digest,
                     .answered = context.answered};
  PARVIS_RETURN_IF_ERROR(journal_.Append(std::move(entry)).status());
  if (in_thread) thread_seqs_[thread_key] = placed->thread_seq;
  ItemPtr shared = placed;
  items_.emplace(KeyOf(item.network, shared->id), shared);
  AddToIndexes(*shared);
  if (item.by_us) {
    written_[TextKey(item.network, item.account, item.parent, item.written.empty() ? item.text : item.written)] = {
        now, shared->id};
  }
  Tell(Notice::Kind::kAdd, shared, context, now, KindOfNew(*shared));
  return shared;
}

void World::Tell(Notice::Kind kind, const ItemPtr& item, const WriteContext& context, absl::Time time,
                 std::string_view deed) {
  if (listeners_.empty()) return;
  auto account = accounts_.find(KeyOf(item->network, item->account));
  if (account == accounts_.end()) return;
  const bool own = context.actor_id.empty();
  const Notice notice{kind, item, account->second, own ? item->author_id : context.actor_id,
                      own ? item->author_name : context.actor_name, time, std::string(deed)};
  for (const Listener& listener : listeners_) listener(notice);
}

StatusOr<ItemPtr> World::Change(Network network, std::string_view id, std::optional<Notice::Kind> notice, const char* kind,
                                const WriteContext& context, const std::function<void(Item&)>& change, std::string text,
                                std::string status) {
  std::lock_guard lock(mutex_);
  auto it = items_.find(KeyOf(network, id));
  if (it == items_.end() || it->second->deleted) return NotFound(id);
  auto changed = std::make_shared<Item>(*it->second);
  // Where times are told in whole seconds, nobody edits within a second of writing: so a change of the audience is
  // always in a later second than what it changes, however fast the audience is made to run.
  const bool whole_seconds = NatureOf(network).whole_seconds && context.by == "audience";
  const absl::Duration least = whole_seconds ? absl::Seconds(1) : absl::Microseconds(1);
  const absl::Time now = std::max(clock_.WallNow(), changed->changed + least);
  change(*changed);
  changed->changed = now;
  JournalEntry entry{.time = now,
                     .network = network,
                     .account = changed->account,
                     .kind = kind,
                     .by = context.by,
                     .remote_id = changed->id,
                     .parent = changed->parent,
                     .post = changed->post,
                     .thread = changed->thread,
                     .thread_seq = changed->thread_seq,
                     .author = context.actor_id.empty() ? changed->author_id : context.actor_id,
                     .text = std::move(text),
                     .status = std::move(status),
                     .label = context.label,
                     .language = context.language,
                     .digest = context.digest,
                     .answered = context.answered};
  PARVIS_RETURN_IF_ERROR(journal_.Append(std::move(entry)).status());
  it->second = changed;
  if (notice) Tell(*notice, it->second, context, now, kind);
  return it->second;
}

StatusOr<ItemPtr> World::SetHidden(Network network, std::string_view id, bool hidden, const WriteContext& context) {
  return Change(
      network, id, hidden ? Notice::Kind::kHide : Notice::Kind::kUnhide, hidden ? "hide" : "unhide", context,
      [&](Item& item) { item.hidden = hidden; }, "", "");
}

StatusOr<ItemPtr> World::SetStatus(Network network, std::string_view id, std::string_view status,
                                   const WriteContext& context) {
  const bool shown = status == "approved";
  const char* kind = status == "trash" ? "delete" : shown ? "unhide" : "hide";
  return Change(
      network, id, shown ? Notice::Kind::kUnhide : Notice::Kind::kHide, kind, context,
      [&](Item& item) {
        item.status = status;
        item.hidden = !shown;
      },
      "", std::string(status));
}

StatusOr<ItemPtr> World::Edit(Network network, std::string_view id, const std::string& text,
                              const WriteContext& context) {
  return Change(
      network, id, Notice::Kind::kEdit, "edit", context,
      [&](Item& item) {
        item.text = text;
        item.edited = true;
      },
      text, "");
}

StatusOr<ItemPtr> World::EditPost(Network network, std::string_view id, const std::function<void(Item&)>& change,
                                  const WriteContext& context) {
  return Change(
      network, id, Notice::Kind::kEdit, "edit", context,
      [&](Item& item) {
        change(item);
        item.edited = true;
      },
      "", "");
}

StatusOr<ItemPtr> World::Delete(Network network, std::string_view id, const WriteContext& context) {
  return Change(
      network, id, Notice::Kind::kRemove, context.by == "audience" ? "removal" : "delete", context,
      [](Item& item) { item.deleted = true; }, "", "");
}

StatusOr<ItemPtr> World::Mark(Network network, std::string_view id, const char* kind, const WriteContext& context,
                              const std::function<void(Item&)>& change) {
  return Change(network, id, std::nullopt, kind, context, change, "", "");
}

Status World::MarkPerson(Network network, std::string_view account, std::string_view person, const std::string& kind,
                         const WriteContext& context) {
  std::lock_guard lock(mutex_);
  if (!accounts_.contains(KeyOf(network, account))) return NotFound(account);
  PARVIS_RETURN_IF_ERROR(journal_
                             .Append({.time = clock_.WallNow(),
                                      .network = network,
                                      .account = std::string(account),
                                      .kind = kind,
                                      .by = context.by,
                                      .remote_id = std::string(person),
                                      .digest = context.digest,
                                      .answered = context.answered})
                             .status());
  const auto mark = [&](std::string_view what) { return Cat(KeyOf(network, account), "\n", person, "\n", what); };
  if (kind.starts_with("un")) {
    marks_.erase(mark(kind.substr(2)));
  } else {
    marks_.insert(mark(kind));
  }
  return absl::OkStatus();
}

bool World::IsMarked(Network network, std::string_view account, std::string_view person, const std::string& kind) const {
  std::lock_guard lock(mutex_);
  return marks_.contains(Cat(KeyOf(network, account), "\n", person, "\n", kind));
}

StatusOr<ItemPtr> World::SetExtra(Network network, std::string_view id, const std::map<std::string, std::string>& extra) {
  std::lock_guard lock(mutex_);
  auto it = items_.find(KeyOf(network, id));
  if (it == items_.end() || it->second->deleted) return NotFound(id);
  auto changed = std::make_shared<Item>(*it->second);
  for (const auto& [name, value] : extra) changed->extra[name] = value;
  it->second = changed;
  return it->second;
}

void World::RefuseDuplicates(bool refuse) {
  std::lock_guard lock(mutex_);
  refuse_duplicates_ = refuse;
}

ItemPtr World::FindDuplicate(Network network, std::string_view account, std::string_view parent, std::string_view text,
                             absl::Time since) const {
  std::lock_guard lock(mutex_);
  if (!refuse_duplicates_) return nullptr;
  auto it = written_.find(TextKey(network, account, parent, text));
  if (it == written_.end() || it->second.time < since) return nullptr;
  auto item = items_.find(KeyOf(network, it->second.id));
  return item == items_.end() || item->second->deleted ? nullptr : item->second;
}

}  // namespace parvis::sandbox
