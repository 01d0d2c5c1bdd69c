// The organisation, who may act for it, and its figures (facts 5.3).
#include "sandbox/domain/cat.h"
#include "sandbox/domain/linkedin_urns.h"
#include "sandbox/domain/nature.h"
#include "sandbox/transport/linkedin.h"
#include "sandbox/transport/linkedin_json.h"

namespace parvis::sandbox {
namespace {

constexpr size_t kSharesMax = 200;

int64_t NumberIn(const Item& item, const std::string& name) {
  return ReadNumber(Extra(item, name), 0, 0, INT64_MAX).value_or(0);
}

struct Figures {
  int64_t impressions = 0, unique = 0, clicks = 0, likes = 0, comments = 0, shares = 0;
  void Add(const Item& post, int64_t below) {
    impressions += NumberIn(post, "impressions");
    unique += NumberIn(post, "unique_impressions");
    clicks += NumberIn(post, "clicks");
    likes += NumberIn(post, "likes");
    shares += NumberIn(post, "shares");
    comments += below;
  }
  Json Statistics() const {
    const double all = static_cast<double>(clicks + likes + comments + shares);
    return {{"impressionCount", impressions},
            {"uniqueImpressionsCount", unique},
            {"clickCount", clicks},
            {"likeCount", likes},
            {"commentCount", comments},
            {"shareCount", shares},
            {"engagement", impressions > 0 ? all / static_cast<double>(impressions) : 0.0}};
  }
};

}  // namespace

net::HttpResponse Linkedin::Organization(const Asked& asked) {
  const std::string number = asked.At(1);
  const AccountPtr account = context_.world.FindAccount(Network::kLinkedin, Cat("urn:li:organization:", number));
  if (account == nullptr) return LinkedinGone(number);
  Json json = {{"id", LinkedinNumber(account->id)},
               {"$URN", account->id},
               {"localizedName", account->name},
               {"vanityName", account->handle},
               {"primaryOrganizationType", "NONE"}};
  if (account->id == asked.account->id) {  // its administrators see more
    json["name"] = {{"localized", {{"en_US", account->name}}},
                    {"preferredLocale", {{"country", "US"}, {"language", "en"}}}};
    json["defaultLocale"] = {{"country", "US"}, {"language", "en"}};
    json["organizationStatus"] = "OPERATING";
  }
  return JsonResponse(200, json, false);
}

// How many follow it: of the sandbox's own making, the same as long as the account lives.
net::HttpResponse Linkedin::NetworkSize(const Asked& asked) {
  if (asked.request.Param("edgeType") != "COMPANY_FOLLOWED_BY_MEMBER") {
    return LinkedinRefusal({.message = "Parameter 'edgeType' is invalid", .code = "ILLEGAL_ARGUMENT"});
  }
  const AccountPtr account = context_.world.FindAccount(Network::kLinkedin, asked.At(1));
  if (account == nullptr) return LinkedinGone(asked.At(1));
  return JsonResponse(200, {{"firstDegreeSize", 1000 + LinkedinNumber(account->id) % 9000}}, false);
}

net::HttpResponse Linkedin::Acls(const Asked& asked, Answer answer) {
  const Request& request = asked.request;
  const auto paging = ReadPaging(request, 100);
  if (request.Param("q") != "roleAssignee" || !paging) {
    return LinkedinRefusal({.message = "Invalid query parameters passed to request", .code = "ILLEGAL_ARGUMENT"});
  }
  Json elements = Json::array();
  const bool fits =
      request.Param("role", "ADMINISTRATOR") == "ADMINISTRATOR" && request.Param("state", "APPROVED") == "APPROVED";
  if (fits && paging->start == 0 && paging->count > 0) {
    elements.push_back({{"role", "ADMINISTRATOR"},
                        {"state", "APPROVED"},
                        {"organization", asked.account->id},
                        {"roleAssignee", NatureOf(Network::kLinkedin).person_id(Cat("admin of ", asked.account->id))}});
  }
  return LinkedinPage(request, *paging, fits ? 1 : 0, std::move(elements), answer == Answer::kEmptyPage);
}

// Of the whole organisation, or of each post that `shares` and `ugcPosts` name. Figures nobody has set are 0.
net::HttpResponse Linkedin::ShareStatistics(const Asked& asked) {
  const Request& request = asked.request;
  if (request.Param("q") != "organizationalEntity" || request.Param("organizationalEntity").empty()) {
    return LinkedinRefusal({.message = "Invalid query parameters passed to request", .code = "ILLEGAL_ARGUMENT"});
  }
  if (request.Param("organizationalEntity") != asked.account->id) {
    return LinkedinRefusal(
        {.status = 403, .message = "Viewer is not an administrator", .code = "ACCESS_DENIED", .service_code = 100});
  }
  Json elements = Json::array();
  bool asked_for_posts = false;
  const std::pair<const char*, const char*> kinds[] = {{"shares", "urn:li:share:"}, {"ugcPosts", "urn:li:ugcPost:"}};
  for (const auto& [name, prefix] : kinds) {
    const auto urns = LinkedinList(asked.query, name);
    if (!urns || urns->size() > kSharesMax) {
      return LinkedinRefusal({.message = Cat("Parameter '", name, "' is invalid"), .code = "ILLEGAL_ARGUMENT"});
    }
    asked_for_posts = asked_for_posts || !urns->empty();
    for (const std::string& urn : *urns) {
      if (!urn.starts_with(prefix)) {
        return LinkedinRefusal({.message = Cat("Parameter '", name, "' is invalid"), .code = "ILLEGAL_ARGUMENT"});
      }
      const ItemPtr post = Find(urn);
      if (post == nullptr || post->account != asked.account->id) continue;  // what is not there is left out
      Figures figures;
      figures.Add(*post, CommentsBelow(*post, true));
      elements.push_back({{"organizationalEntity", asked.account->id},
                          {std::string(name) == "shares" ? "share" : "ugcPost", post->id},
                          {"totalShareStatistics", figures.Statistics()}});
    }
  }
  if (!asked_for_posts) {
    Figures figures;
    const Page page =
        context_.world.Read(Network::kLinkedin, World::List::kPosts, asked.account->id, {.limit = 100'000});
    for (const ItemPtr& post : page.items) figures.Add(*post, CommentsBelow(*post, true));
    elements.push_back({{"organizationalEntity", asked.account->id}, {"totalShareStatistics", figures.Statistics()}});
  }
  const size_t total = elements.size();
  return LinkedinPage(request, {0, static_cast<int64_t>(total)}, total, std::move(elements), false);
}

}  // namespace parvis::sandbox
