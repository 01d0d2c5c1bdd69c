#include "sandbox/transport/oauth_words.h"

#include <algorithm>

#include <absl/strings/str_replace.h>

#include "sandbox/domain/cat.h"
#include "sandbox/domain/nature.h"
#include "sandbox/transport/graph_json.h"

namespace parvis::sandbox {
namespace {

struct Words {
  int status = 400;
  const char* error = "";
  const char* description = "";
};

net::HttpResponse Said(const Words& words) {
  net::HttpResponse response =
      JsonResponse(words.status, {{"error", words.error}, {"error_description", words.description}}, false);
  response.headers["Cache-Control"] = "no-store";
  return response;
}

Words XWords(OAuthEnd end) {
  switch (end) {
    case OAuthEnd::kNoApp:
    case OAuthEnd::kWrongSecret:
      return {401, "unauthorized_client", "Missing valid authorization header"};
    case OAuthEnd::kWrongRedirect:
      return {400, "invalid_request",
              "Value passed for the redirect uri did not match the uri of the authorization code."};
    case OAuthEnd::kNoVerifier:
      return {400, "invalid_request", "Missing required parameter [code_verifier]."};
    case OAuthEnd::kWrongVerifier:
      return {400, "invalid_request", "Value passed for the code verifier did not match the code challenge."};
    case OAuthEnd::kNoRefresh:
    case OAuthEnd::kRefreshUsed:
    case OAuthEnd::kRefreshEnded:
    case OAuthEnd::kNoToken:
      return {400, "invalid_request", "Value passed for the token was invalid."};
    default:
      return {400, "invalid_request", "Value passed for the authorization code was invalid."};
  }
}

// Doorkeeper's, which tells a wrong verifier from a wrong code no more than it must.
Words MastodonWords(OAuthEnd end) {
  if (end == OAuthEnd::kNoApp || end == OAuthEnd::kWrongSecret) {
    return {401, "invalid_client",
            "Client authentication failed due to unknown client, no client authentication included, or unsupported "
            "authentication method."};
  }
  return {
      400, "invalid_grant",
      "The provided authorization grant is invalid, expired, revoked, does not match the redirection URI used in the "
      "authorization request, or was issued to another client."};
}

Words GoogleWords(OAuthEnd end) {
  switch (end) {
    case OAuthEnd::kNoApp:
      return {401, "invalid_client", "The OAuth client was not found."};
    case OAuthEnd::kWrongSecret:
      return {401, "invalid_client", "Unauthorized"};
    case OAuthEnd::kWrongRedirect:
      return {400, "redirect_uri_mismatch", "Bad Request"};
    case OAuthEnd::kNoVerifier:
      return {400, "invalid_grant", "Missing code verifier."};
    case OAuthEnd::kWrongVerifier:
      return {400, "invalid_grant", "Invalid code verifier."};
    case OAuthEnd::kRefreshEnded:
      return {400, "invalid_grant", "Token has been expired or revoked."};
    default:
      return {400, "invalid_grant", "Bad Request"};
  }
}

Words LinkedinWords(OAuthEnd end) {
  switch (end) {
    case OAuthEnd::kNoApp:
    case OAuthEnd::kWrongSecret:
      return {401, "invalid_client", "Client authentication failed"};
    case OAuthEnd::kNoRefresh:
    case OAuthEnd::kRefreshUsed:
    case OAuthEnd::kRefreshEnded:
    case OAuthEnd::kNoToken:
      return {400, "invalid_grant", "The provided authorization grant or refresh token is invalid, expired or revoked"};
    default:
      return {400, "invalid_request",
              "Unable to retrieve access token: appid/redirect uri/code verifier does not match authorization code. Or "
              "authorization code expired. Or external member binding exists"};
  }
}

net::HttpResponse GraphWords(OAuthEnd end) {
  GraphError error{.http_status = 400, .code = 100};
  switch (end) {
    case OAuthEnd::kNoApp:
      error.code = 101;
      error.message = "Error validating application. Cannot get application info due to a system error.";
      break;
    case OAuthEnd::kWrongSecret:
      error.code = 1;
      error.message = "Error validating client secret.";
      break;
    case OAuthEnd::kWrongRedirect:
      error.subcode = 36008;
      error.message =
          "Error validating verification code. Please make sure your redirect_uri is identical to the one you used in "
          "the "
          "OAuth dialog request";
      break;
    case OAuthEnd::kCodeUsed:
      error.subcode = 36009;
      error.message = "This authorization code has been used.";
      break;
    case OAuthEnd::kCodeExpired:
      error.subcode = 36007;
      error.message = "This authorization code has expired.";
      break;
    case OAuthEnd::kNoToken:
      error.code = 190;
      error.message = "Invalid OAuth access token - Cannot parse access token";
      break;
    default:
      error.message = "Invalid verification code format.";
  }
  return GraphErrorResponse(error);
}

// Seconds from now, or nothing.
void AddLife(Json& json, const char* name, absl::Time now, absl::Time until) {
  if (until != absl::InfiniteFuture()) json[name] = absl::ToInt64Seconds(until - now);
}

std::string Html(std::string_view text) {
  return absl::StrReplaceAll(std::string(text),
                             {{"&", "&amp;"}, {"<", "&lt;"}, {">", "&gt;"}, {"\"", "&quot;"}, {"'", "&#39;"}});
}

net::HttpResponse HtmlPage(int status, const std::string& body) {
  net::HttpResponse response;
  response.status = status;
  response.headers["Content-Type"] = "text/html; charset=utf-8";
  response.headers["Cache-Control"] = "no-store";
  response.body =
      Cat("<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>Sandbox</title></head>\n<body>",
          body, "</body></html>\n");
  return response;
}

}  // namespace

net::HttpResponse OAuthRefusal(Network network, OAuthEnd end) {
  if (end == OAuthEnd::kFull) return GatewayError(503);
  switch (network) {
    case Network::kFacebook:
      return GraphWords(end);
    case Network::kX:
      return Said(XWords(end));
    case Network::kYoutube:
      return Said(GoogleWords(end));
    case Network::kLinkedin:
      return Said(LinkedinWords(end));
    default:
      return Said(MastodonWords(end));
  }
}

net::HttpResponse OAuthMissing(Network network, std::string_view parameter) {
  if (network == Network::kFacebook) return GraphInvalid(Cat("Missing ", parameter, " parameter."));
  const std::string description = network == Network::kX         ? Cat("Missing required parameter [", parameter, "].")
                                  : network == Network::kYoutube ? Cat("Missing required parameter: ", parameter)
                                                                 : Cat("Missing required parameter: ", parameter, ".");
  const char* error =
      parameter == "grant_type" && network != Network::kX ? "unsupported_grant_type" : "invalid_request";
  return Said({400, error, description.c_str()});
}

net::HttpResponse OAuthTooMany(Network network) {
  if (network == Network::kFacebook) {
    return GraphErrorResponse({.http_status = 400, .code = 4, .message = "(#4) Application request limit reached"});
  }
  return JsonResponse(429, {{"error", "Too many requests"}}, false);
}

net::HttpResponse OAuthGranted(Network network, const OAuthTokens& tokens, bool first) {
  Json json = {{"access_token", tokens.access}};
  AddLife(json, "expires_in", tokens.now, tokens.expires);
  if (!tokens.refresh.empty()) json["refresh_token"] = tokens.refresh;
  json["token_type"] = network == Network::kX || network == Network::kFacebook ? "bearer" : "Bearer";
  if (network != Network::kFacebook) json["scope"] = tokens.scope;
  if (network == Network::kLinkedin) {
    json["scope"] = absl::StrReplaceAll(tokens.scope, {{" ", ","}});
    json.erase("token_type");
    AddLife(json, "refresh_token_expires_in", tokens.now, tokens.refresh_expires);
  }
  if (network == Network::kMastodon && first) json["created_at"] = absl::ToUnixSeconds(tokens.now);
  net::HttpResponse response = JsonResponse(200, json, false);
  response.headers["Cache-Control"] = "no-store";
  return response;
}

std::vector<std::pair<std::string, std::string>> OAuthDenied(Network network) {
  switch (network) {
    case Network::kFacebook:
      return {{"error", "access_denied"},
              {"error_code", "200"},
              {"error_description", "Permissions error"},
              {"error_reason", "user_denied"}};
    case Network::kLinkedin:
      return {{"error", "user_cancelled_authorize"}, {"error_description", "The user cancelled the authorization"}};
    case Network::kMastodon:
      return {{"error", "access_denied"},
              {"error_description", "The resource owner or authorization server denied the request."}};
    default:
      return {{"error", "access_denied"}};
  }
}

net::HttpResponse OAuthErrorPage(std::string_view what) { return HtmlPage(400, Cat("<p>", Html(what), "</p>")); }

net::HttpResponse OAuthConsentPage(Network network, const std::string& app, const std::string& scope,
                                   const std::vector<AccountPtr>& accounts, bool several) {
  std::string body = Cat("<h1>", NameOf(network), " (sandbox)</h1>\n<p>", Html(app), " asks for: ", Html(scope),
                         "</p>\n<form method=\"post\">\n");
  for (const AccountPtr& account : accounts) {
    Append(body, "<p><label><input type=\"", several ? "checkbox" : "radio", "\" name=\"account\" value=\"",
           Html(account->id), "\"> ", Html(account->name), "</label></p>\n");
  }
  return HtmlPage(200, Cat(body, "<button name=\"decide\" value=\"allow\">Allow</button> ",
                           "<button name=\"decide\" value=\"deny\">Deny</button>\n</form>"));
}

}  // namespace parvis::sandbox
