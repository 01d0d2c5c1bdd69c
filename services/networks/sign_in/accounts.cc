// Which accounts a grant opens.
#include <algorithm>

#include "networks/sign_in/oauth.h"
#include "networks/text/unicode.h"

namespace parvis::networks {
namespace {

const char kLinkedInVersion[] = "202607";

Account AccountOf(const SignInPlace& place, const Grant& grant) {
  Account account;
  account.base_url = place.base_url;
  account.credentials = grant.credentials;
  return account;
}

std::string Below(std::string base, const std::string& path) {
  while (base.ends_with('/')) base.pop_back();
  return base + path;
}

Answer Read(net::HttpClient& http, const Call& call, net::ClientRequest request) {
  Answer answer;
  answer.http = http.Send(call, std::move(request));
  if (!answer.answered()) return answer;
  answer.json = ParseJson(answer.http.body);
  answer.refusal = ClassifyTokenAnswer(answer.http, answer.json);
  answer.rate.retry_after = RetryAfter(answer.http.headers);
  return answer;
}

}  // namespace

FindAccounts ConnectorsAccount(Connector& connector) {
  return [&connector](const Call& call, const SignInPlace& place,
                      const Grant& grant) -> StatusOr<std::vector<GrantedAccount>> {
    PARVIS_ASSIGN_OR_RETURN(Identity me, connector.WhoAmI(call, AccountOf(place, grant)));
    return std::vector<GrantedAccount>{{std::move(me), grant}};
  };
}

FindAccounts FacebookPages(net::HttpClient& http) {
  return [&http](const Call& call, const SignInPlace& place,
                 const Grant& grant) -> StatusOr<std::vector<GrantedAccount>> {
    std::vector<GrantedAccount> found;
    const auto ask = [&](const std::string& after) {
      net::ClientRequest request;
      request.url = Below(place.base_url, "/me/accounts?fields=id,name,username,link,access_token&limit=100");
      if (!after.empty()) request.url += "&after=" + net::UrlEncode(after);
      request.secret_parameter = "access_token";
      request.secret_value = grant.credentials.Get("access_token");
      return Read(http, call, std::move(request));
    };
    const auto take = [&](const Answer& answer) -> StatusOr<std::string> {
      const Json& data = Member(answer.json, "data");
      if (!data.is_array() || data.size() > kPageItemsMax) return UnintelligibleRead();
      for (const Json& page : data) {
        Secret token(Text(page, "access_token"));
        if (Text(page, "id").empty() || token.empty() || found.size() >= kGrantedAccountsMax) continue;
        GrantedAccount one;
        one.identity = {Text(page, "id"), text::ToUtf8(Text(page, "name")), Text(page, "username"), Text(page, "link")};
        one.grant.credentials.fields["access_token"] = std::move(token);  // does not expire by time
        found.push_back(std::move(one));
      }
      const Json& paging = Member(answer.json, "paging");
      if (Text(paging, "next").empty() || found.size() >= kGrantedAccountsMax) return std::string();
      return Text(Member(paging, "cursors"), "after");
    };
    PARVIS_RETURN_IF_ERROR(ReadPages(AccountOf(place, grant), ask, take));
    return found;
  };
}

FindAccounts LinkedInOrganisations(net::HttpClient& http, Connector& connector) {
  return [&http, &connector](const Call& call, const SignInPlace& place,
                             const Grant& grant) -> StatusOr<std::vector<GrantedAccount>> {
    net::ClientRequest request;
    request.url = Below(place.base_url, "/rest/organizationAcls?q=roleAssignee&role=ADMINISTRATOR&state=APPROVED");
    request.headers["Linkedin-Version"] = kLinkedInVersion;
    request.headers["X-Restli-Protocol-Version"] = "2.0.0";
    request.headers["X-RestLi-Method"] = "FINDER";
    request.bearer = grant.credentials.Get("access_token");
    const Answer answer = Read(http, call, std::move(request));
    Account account = AccountOf(place, grant);
    if (!answer.ok()) return FailedRead(answer, account);
    const Json& elements = Member(answer.json, "elements");
    if (!elements.is_array() || elements.size() > kPageItemsMax) return UnintelligibleRead();
    std::vector<GrantedAccount> found;
    for (const Json& element : elements) {
      account.remote_id = Text(element, "organization");
      if (account.remote_id.empty() || found.size() >= kGrantedAccountsMax) continue;
      PARVIS_ASSIGN_OR_RETURN(Identity organisation, connector.WhoAmI(call, account));
      found.push_back({std::move(organisation), grant});
    }
    return found;
  };
}

}  // namespace parvis::networks
