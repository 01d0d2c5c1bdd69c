// The authorization servers of X, Mastodon, YouTube (Google), LinkedIn and Facebook: the page on which a person agrees,
// and the token endpoints. A consent is what a person would do: GET the page, POST its form (`decide`, `account`) to
// the same URL.
#pragma once

#include <string>
#include <vector>

#include "sandbox/domain/oauth.h"
#include "sandbox/transport/web.h"

namespace parvis::sandbox {

// Thread-safe: all state is the OAuth's and the World's.
class OAuthFace : public Face {
 public:
  OAuthFace(Context& context, OAuth& oauth, Network network) : context_(context), oauth_(oauth), network_(network) {}
  Reply Handle(const net::HttpRequest& http) override;

 private:
  struct Client {
    OAuthEnd end = OAuthEnd::kDone;
    std::string id;
  };
  net::HttpResponse Authorize(const Request& request);
  net::HttpResponse Decide(const Request& request, OAuthConsent consent);
  // "" or why there is not even a way back.
  std::string WhyNot(const Request& request, OAuthConsent& consent) const;
  Reply Token(const Request& request);
  net::HttpResponse Grant(const Request& request, const Client& client, const std::string& type);
  net::HttpResponse Revoke(const Request& request);
  net::HttpResponse RegisterApp(const Request& request);
  Client Authenticate(const Request& request) const;
  net::HttpResponse Refuse(OAuthEnd end);

  Context& context_;
  OAuth& oauth_;
  const Network network_;
};

// Below what the networks' own faces have, so before them.
std::vector<Served> MakeOAuthFaces(Context& context, OAuth& oauth);

}  // namespace parvis::sandbox
