// Private replies to the author of a comment, and the conversations in which they are read again (facts 1.4).
#include "platform/base/ids.h"
#include "sandbox/domain/cat.h"
#include "sandbox/transport/graph.h"

namespace parvis::sandbox {
namespace {

constexpr size_t kMessageMax = 2000;  // characters of a message, from memory (Instagram: 1000 bytes)

}  // namespace

// Once for each comment, within seven days.
net::HttpResponse Graph::Message(const Asked& asked, Answer answer) {
  const Json recipient = GraphStructured(asked.request, "recipient"),
             message = GraphStructured(asked.request, "message");
  if (!recipient.is_object() || !recipient.contains("comment_id") || !recipient.at("comment_id").is_string()) {
    return GraphInvalid("The parameter recipient is required");
  }
  if (!message.is_object() || !message.contains("text") || !message.at("text").is_string()) {
    return GraphInvalid("The parameter message is required");
  }
  const std::string text = message.at("text").get<std::string>();
  if (text.empty() || CodePoints(text) > kMessageMax)
    return GraphInvalid("Length of param message[text] is out of range");
  const ItemPtr comment = Find(asked, recipient.at("comment_id").get<std::string>());
  if (comment == nullptr || comment->kind != Item::Kind::kComment) {
    return GraphErrorResponse(
        {.code = 100, .subcode = 33, .message = "Unsupported post request. Object does not exist"});
  }
  if (comment->extra.contains("private_reply")) {
    return GraphErrorResponse({.code = 10900, .message = "(#10900) Activity already replied to"});
  }
  if (context_.clock.WallNow() - comment->created > absl::Hours(24 * 7)) {
    return GraphErrorResponse(
        {.code = 10, .subcode = 2018278, .message = "(#10) This message is sent outside of allowed window."});
  }
  const std::string id = "m_" + RandomHex(40);
  const auto marked =
      context_.world.Mark(product_.network, comment->id, "private_reply", Us(asked, answer), [&](Item& item) {
        item.extra["private_reply"] = text;
        item.extra["private_reply_id"] = id;
        item.extra["private_reply_time"] = GraphTime(context_.clock.WallNow());
      });
  if (!marked.ok()) return GraphFailed(marked.status());
  return JsonResponse(200, {{"recipient_id", comment->author_id}, {"message_id", id}});
}

// `user_id` names the person; messages only as a field. Newest first.
net::HttpResponse Graph::Conversations(const Asked& asked) {
  if (asked.Param("platform") != product_.platform) return GraphInvalid("Param platform is not one of this account's");
  const std::string person = asked.Param("user_id");
  if (person.empty()) return GraphInvalid("Sandbox: conversations are listed by user_id only");
  const std::string fields = asked.Param("fields"), detail = GraphFieldDetail(fields, "messages");
  const auto page = context_.world.Read(product_.network, World::List::kInbox, asked.account->id,
                                        {.limit = GraphDetailLimit(detail, 25), .filter = [&](const Item& item) {
                                           return item.author_id == person && item.extra.contains("private_reply_id");
                                         }});
  if (page.items.empty()) return JsonResponse(200, {{"data", Json::array()}});
  Json messages = Json::array();
  for (const ItemPtr& item : page.items) {
    messages.push_back(GraphOnly({{"id", item->extra.at("private_reply_id")},
                                  {"message", item->extra.at("private_reply")},
                                  {"from", {{"id", asked.account->id}, {"name", asked.account->name}}},
                                  {"to", {{"data", {{{"id", person}}}}}},
                                  {"created_time", item->extra.at("private_reply_time")}},
                                 GraphFields(GraphDetailFields(detail))));
  }
  Json conversation = {{"id", Cat("t_", person)},
                       {"updated_time", page.items[0]->extra.at("private_reply_time")},
                       {"messages", {{"data", std::move(messages)}}}};
  return JsonResponse(200, {{"data", {GraphOnly(std::move(conversation), GraphFields(fields))}}});
}

}  // namespace parvis::sandbox
