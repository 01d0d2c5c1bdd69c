// People of Facebook whom a Page has blocked (facts 1.4).
#include "sandbox/transport/facebook.h"

namespace parvis::sandbox {
namespace {

bool IsPerson(const std::string& id) { return !id.empty() && id.find_first_not_of("0123456789") == std::string::npos; }

}  // namespace

net::HttpResponse Facebook::Block(const Asked& asked, bool block, Answer answer) {
  std::string person = asked.Param("user");
  if (person.empty()) person = asked.Param("uid");
  if (!IsPerson(person)) return GraphInvalid("The parameter user is required, the id of a person");
  const Status marked = context_.world.MarkPerson(Network::kFacebook, asked.account->id, person,
                                                  block ? "ban" : "unban", Us(asked, answer));
  if (!marked.ok()) return GraphFailed(marked);
  return JsonResponse(200, block ? Json{{person, true}} : Json{{"success", true}});
}

// Whether this one person is blocked.
net::HttpResponse Facebook::Blocked(const Asked& asked) {
  std::string person = asked.Param("user");
  if (person.empty()) person = asked.Param("uid");
  if (!IsPerson(person)) return GraphInvalid("Sandbox: blocked people are asked for by user only");
  Json data = Json::array();
  if (context_.world.IsMarked(Network::kFacebook, asked.account->id, person, "ban"))
    data.push_back({{"id", person}, {"name", "A person"}});
  return JsonResponse(200, {{"data", std::move(data)}});
}

}  // namespace parvis::sandbox
