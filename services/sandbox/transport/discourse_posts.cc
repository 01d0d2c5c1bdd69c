// Topics, replies, edits, removals and uploads.
#include <absl/strings/ascii.h>

#include "sandbox/domain/cat.h"
#include "sandbox/domain/forum.h"
#include "sandbox/transport/discourse.h"
#include "sandbox/transport/discourse_json.h"

namespace parvis::sandbox {
namespace {

constexpr size_t kRawMin = 20, kRawMax = 32'000, kTitleMin = 15, kTitleMax = 255;  // site settings (facts 0.3)
constexpr absl::Duration kMemory = absl::Minutes(2);  // the same call is answered as the first was
constexpr std::string_view kModeratedCategory = "7";  // all that is written there waits for approval

std::string Trimmed(std::string text) {
  absl::StripAsciiWhitespace(&text);
  return text;
}

void CheckRaw(const std::string& raw, std::vector<std::string>& errors) {
  const size_t length = CodePoints(raw);
  if (length < kRawMin) errors.push_back(Cat("Body is too short (minimum is ", kRawMin, " characters)"));
  if (length > kRawMax) {
    errors.push_back(Cat("Body is limited to ", kRawMax, " characters; you entered ", length, "."));
  }
}

void CheckTitle(const std::string& title, std::vector<std::string>& errors) {
  const size_t length = CodePoints(title);
  if (length == 0) errors.push_back("Title can't be blank");
  if (length < kTitleMin) errors.push_back(Cat("Title is too short (minimum is ", kTitleMin, " characters)"));
  if (length > kTitleMax) errors.push_back(Cat("Title is too long (maximum is ", kTitleMax, " characters)"));
}

bool IsExternalId(const std::string& id) {
  return id.size() <= 50 &&
         std::ranges::all_of(id, [](unsigned char c) { return absl::ascii_isalnum(c) || c == '_' || c == '-'; });
}

std::string Field(const Request& request, const char* object, const char* name) {
  if (request.json.is_object() && request.json.contains(object) && request.json.at(object).is_object()) {
    const Json& inner = request.json.at(object);
    if (inner.contains(name) && inner.at(name).is_string()) return inner.at(name).get<std::string>();
    return "";
  }
  return request.Param(Cat(object, "[", name, "]"));  // forms
}

}  // namespace

net::HttpResponse Discourse::CreatePost(const Asked& asked, Answer answer) {
  if (Trimmed(asked.request.Param("raw")).empty()) return DiscourseMissing("raw");
  return asked.request.Param("topic_id").empty() ? CreateTopic(asked, answer) : CreateReply(asked, answer);
}

net::HttpResponse Discourse::Stored(const Asked& asked, const StatusOr<ItemPtr>& item) {
  if (!item.ok()) {
    if (item.status().code() == Code::kNotFound) return DiscourseNotFound();
    return DiscourseError(503, "", "The site is in read only mode.");
  }
  if (!InQueue(**item)) return DiscourseAnswer(Shown(asked, **item, true));
  const ItemPtr first = context_.world.Find(Network::kDiscourse, (*item)->post);
  return DiscourseAnswer({{"action", "enqueued"},
                          {"success", true},
                          {"pending_count", Queue(asked, kQueued).size()},
                          {"reason", "category"},
                          {"pending_post", DiscoursePending(**item, first.get())}});
}

net::HttpResponse Discourse::CreateTopic(const Asked& asked, Answer answer) {
  const Request& request = asked.request;
  const World& world = context_.world;
  const std::string raw = Trimmed(request.Param("raw")), title = Trimmed(request.Param("title"));
  const std::string external = request.Param("external_id"), category = request.Param("category", "1");
  const bool message = request.Param("archetype") == "private_message";
  const ItemPtr before =
      world.FindDuplicate(Network::kDiscourse, asked.forum->id, "", raw, context_.clock.WallNow() - kMemory);
  if (before != nullptr && before->title == title && Extra(*before, "external_id") == external)
    return Stored(asked, before);

  std::vector<std::string> errors;
  CheckTitle(title, errors);
  CheckRaw(raw, errors);
  const auto taken = [&](const std::function<bool(const Item&)>& filter) {
    return !world.Read(Network::kDiscourse, World::List::kPosts, asked.forum->id, {.limit = 1, .filter = filter})
                .items.empty();
  };
  if (!message && taken([&](const Item& item) { return item.title == title && !InQueue(item); })) {
    errors.push_back("Title has already been used");
  }
  if (!IsExternalId(external)) errors.push_back("External is invalid");
  if (!external.empty() &&
      taken([&](const Item& item) { return Extra(item, "external_id") == external && !InQueue(item); })) {
    errors.push_back("External has already been taken");
  }
  if (category != "1" && category != "4" && category != kModeratedCategory) errors.push_back("Category is invalid");
  if (message && request.Param("target_recipients").empty()) errors.push_back("You must select a valid user.");
  if (!errors.empty()) return DiscourseInvalid(errors);

  absl::Time created = absl::InfinitePast();
  if (const std::string text = request.Param("created_at"); !text.empty()) {
    if (!absl::ParseTime(absl::RFC3339_full, text, &created, nullptr)) {
      return DiscourseError(400, "invalid_parameters", "You supplied invalid parameters to the request: created_at");
    }
  }
  const bool held = category == kModeratedCategory && !message;
  std::map<std::string, std::string> extra = {{"category_id", category}};
  if (!external.empty()) extra["external_id"] = external;
  if (message) extra["recipients"] = request.Param("target_recipients");
  return Stored(asked, context_.world.Create({.network = Network::kDiscourse,
                                              .account = asked.forum->id,
                                              .author_id = asked.forum->id,
                                              .author_name = asked.forum->name,
                                              .author_handle = asked.forum->handle,
                                              .text = raw,
                                              .title = title,
                                              .status = held      ? std::string(kQueued)
                                                        : message ? "private"
                                                                  : "",
                                              .extra = extra,
                                              .by_us = true,
                                              .published = !held && !message,
                                              .created = created},
                                             Us(asked, answer)));
}

net::HttpResponse Discourse::CreateReply(const Asked& asked, Answer answer) {
  const Request& request = asked.request;
  const std::string raw = Trimmed(request.Param("raw"));
  const ItemPtr first = TopicOf(asked, request.Param("topic_id"));
  if (first == nullptr || first->deleted || Extra(*first, "archived") == "true") {
    return DiscourseInvalid(
        {"Something has gone wrong. Perhaps this topic was closed or deleted while you were looking at it?"});
  }
  // A number that no post has is passed over in silence: the reply is one to the topic.
  ItemPtr parent = first;
  const int64_t number = ForumValue(request.Param("reply_to_post_number"));
  if (number > 1) {
    for (const ItemPtr& post : StreamOf(first)) {
      if (ForumValue(Extra(*post, "post_number")) == number) parent = post;
    }
  }
  const ItemPtr before = context_.world.FindDuplicate(Network::kDiscourse, asked.forum->id, parent->id, raw,
                                                      context_.clock.WallNow() - kMemory);
  if (before != nullptr) return Stored(asked, before);
  std::vector<std::string> errors;
  CheckRaw(raw, errors);
  if (!errors.empty()) return DiscourseInvalid(errors);
  std::map<std::string, std::string> extra;
  if (number == 1) extra["to_first"] = "true";
  const bool held = Extra(*first, "category_id") == kModeratedCategory;
  return Stored(asked, context_.world.Create({.network = Network::kDiscourse,
                                              .kind = Item::Kind::kComment,
                                              .account = asked.forum->id,
                                              .parent = parent->id,
                                              .author_id = asked.forum->id,
                                              .author_name = asked.forum->name,
                                              .author_handle = asked.forum->handle,
                                              .text = raw,
                                              .status = held ? std::string(kQueued) : "",
                                              .extra = extra,
                                              .by_us = true},
                                             Us(asked, answer)));
}

net::HttpResponse Discourse::EditPost(const Asked& asked, Answer answer) {
  const std::string raw = Trimmed(Field(asked.request, "post", "raw"));
  const ItemPtr post = PostOf(asked, asked.path[1]);
  if (raw.empty()) return DiscourseMissing("post");
  if (post == nullptr || post->deleted) return DiscourseNotFound();
  std::vector<std::string> errors;
  CheckRaw(raw, errors);
  if (!errors.empty()) return DiscourseAnswer({{"errors", errors}}, 422);
  ItemPtr shown = post;
  if (raw != post->text) {  // the same text again is no revision
    const std::string reason = Field(asked.request, "post", "edit_reason");
    const auto edited = context_.world.EditPost(
        Network::kDiscourse, post->id,
        [&](Item& item) {
          item.text = raw;
          item.extra["edit_reason"] = reason;
        },
        Us(asked, answer));
    if (!edited.ok()) return Stored(asked, edited);
    shown = *edited;
  }
  return DiscourseAnswer({{"post", Shown(asked, *shown, true)}});
}

net::HttpResponse Discourse::Rename(const Asked& asked, Answer answer) {
  const ItemPtr first = TopicOf(asked, asked.path[2]);
  if (first == nullptr || first->deleted) return DiscourseNotFound();
  const std::string title = Trimmed(asked.request.Param("title", first->title));
  std::vector<std::string> errors;
  CheckTitle(title, errors);
  if (!errors.empty()) return DiscourseAnswer({{"errors", errors}}, 422);
  const auto edited = context_.world.EditPost(
      Network::kDiscourse, first->id, [&](Item& item) { item.title = title; }, Us(asked, answer));
  if (!edited.ok()) return Stored(asked, edited);
  return DiscourseAnswer({{"basic_topic",
                           {{"id", ForumNumber(asked.path[2])},
                            {"title", title},
                            {"fancy_title", title},
                            {"slug", ForumSlug(title)},
                            {"posts_count", StreamOf(first).size()}}}});
}

// Of a post or, by its number, of a topic.
net::HttpResponse Discourse::DeletePost(const Asked& asked, Answer answer) {
  const ItemPtr post = asked.path[0] == "t" ? TopicOf(asked, asked.path[1]) : PostOf(asked, asked.path[1]);
  if (post == nullptr) return DiscourseNotFound();
  if (post->deleted) return DiscourseForbidden();
  const auto marked = context_.world.SetExtra(Network::kDiscourse, post->id, {{"removed_by_staff", "true"}});
  if (!marked.ok()) return DiscourseNotFound();
  const auto deleted = context_.world.Delete(Network::kDiscourse, post->id, Us(asked, answer));
  if (!deleted.ok()) return Stored(asked, deleted);
  net::HttpResponse response;
  response.status = 200;
  response.headers["Content-Type"] = "text/plain; charset=utf-8";
  return response;
}

net::HttpResponse Discourse::Upload(const Asked& asked, Answer answer) {
  const Request& request = asked.request;
  if (request.Param("upload_type", request.Param("type")).empty()) return DiscourseMissing("upload_type");
  const Part* file = nullptr;
  for (const Part& part : request.parts) {
    if (part.name == "file" || part.name == "files[]") file = &part;
  }
  if (file == nullptr || file->body.empty()) return DiscourseMissing("file");
  const size_t dot = file->filename.rfind('.');
  const std::string extension = dot == std::string::npos ? "" : absl::AsciiStrToLower(file->filename.substr(dot + 1));
  static const std::set<std::string> kExtensions = {"jpg", "jpeg", "png", "gif", "heic", "heif", "webp", "avif"};
  if (!kExtensions.contains(extension)) {
    return DiscourseAnswer(
        {{"errors",
          {"Sorry, the file you are trying to upload is not authorized (authorized extensions: jpg, jpeg, "
           "png, gif, heic, heif, webp, avif)."}}},
        422);
  }
  const auto media = context_.world.Create({.network = Network::kDiscourse,
                                            .kind = Item::Kind::kMedia,
                                            .account = asked.forum->id,
                                            .author_id = asked.forum->id,
                                            .title = file->filename,
                                            .media = file->content_type,
                                            .by_us = true},
                                           Us(asked, answer));
  if (!media.ok()) return Stored(asked, media);
  const std::string name = Cat("u", (*media)->id, ".", extension);
  return DiscourseAnswer({{"id", ForumNumber((*media)->id)},
                          {"url", Cat(asked.base, "/uploads/default/original/1X/", name)},
                          {"original_filename", file->filename},
                          {"filesize", file->body.size()},
                          {"width", 1200},
                          {"height", 800},
                          {"thumbnail_width", 690},
                          {"thumbnail_height", 460},
                          {"extension", extension},
                          {"short_url", Cat("upload://", name)},
                          {"short_path", Cat("/uploads/short-url/", name)},
                          {"retain_hours", nullptr},
                          {"human_filesize", Cat(file->body.size() / 1024, " KB")}});
}

}  // namespace parvis::sandbox
