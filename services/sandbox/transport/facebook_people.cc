// People of Facebook: a private reply to a comment's author, and those whom a Page has blocked (facts 1.4).
#include "platform/base/ids.h"
#include "sandbox/domain/cat.h"
#include "sandbox/transport/facebook.h"
#include "sandbox/transport/facebook_json.h"

namespace parvis::sandbox {
namespace {

// A parameter that is JSON: in a form it is text, in a JSON body a member.
Json Structured(const Request& request, const char* name) {
  if (request.json.is_object() && request.json.contains(name)) return request.json.at(name);
  return Json::parse(request.Param(name), nullptr, false);
}

net::HttpResponse Invalid(std::string_view message) {
  return FacebookErrorResponse({.code = 100, .message = Cat("(#100) ", message)});
}

}  // namespace

// Once for each comment, within seven days.
net::HttpResponse Facebook::Message(const Asked& asked, Answer answer) {
  const Json recipient = Structured(asked.request, "recipient"), message = Structured(asked.request, "message");
  if (!recipient.is_object() || !recipient.contains("comment_id") || !recipient.at("comment_id").is_string()) {
    return Invalid("The parameter recipient is required");
  }
  if (!message.is_object() || !message.contains("text") || !message.at("text").is_string()) {
    return Invalid("The parameter message is required");
  }
  const ItemPtr comment = context_.world.Find(Network::kFacebook, recipient.at("comment_id").get<std::string>());
  if (comment == nullptr || comment->deleted || comment->kind != Item::Kind::kComment ||
      comment->account != asked.account->id) {
    return FacebookErrorResponse({.code = 100, .subcode = 33, .message = "Unsupported post request. Object does not exist"});
  }
  if (comment->extra.contains("private_reply")) {
    return FacebookErrorResponse({.code = 10900, .message = "(#10900) Activity already replied to"});
  }
  if (context_.clock.WallNow() - comment->created > absl::Hours(24 * 7)) {
    return FacebookErrorResponse({.code = 10, .subcode = 2018278, .message = "(#10) This message is sent outside of allowed window."});
  }
  const std::string id = "m_" + RandomHex(40);
  const auto marked = context_.world.Mark(Network::kFacebook, comment->id, "private_reply", Us(asked, answer),
                                          [&](Item& item) { item.extra["private_reply"] = message.at("text").get<std::string>(); });
  if (!marked.ok()) return Invalid(std::string(marked.status().message()));
  return JsonResponse(200, {{"recipient_id", comment->author_id}, {"message_id", id}});
}

net::HttpResponse Facebook::Block(const Asked& asked, bool block, Answer answer) {
  std::string person = asked.request.Param("user");
  if (person.empty()) person = asked.request.Param("uid");
  if (person.empty() || person.find_first_not_of("0123456789") != std::string::npos) {
    return Invalid("The parameter user is required, the id of a person");
  }
  const Status marked = context_.world.MarkPerson(Network::kFacebook, asked.account->id, person, block ? "ban" : "unban",
                                                  Us(asked, answer));
  if (!marked.ok()) return Invalid(std::string(marked.message()));
  return JsonResponse(200, block ? Json{{person, true}} : Json{{"success", true}});
}

}  // namespace parvis::sandbox
