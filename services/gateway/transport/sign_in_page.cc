#include "gateway/transport/sign_in_page.h"

namespace parvis::gateway {
namespace {

constexpr char kPage[] = R"(<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Signing in</title></head>
<body><p id="what">Signing in&hellip;</p><pre id="more"></pre>
<noscript>This page needs JavaScript to hand the sign-in over.</noscript>
<script src="callback.js"></script></body></html>
)";

// To pages of this origin only; without one, a person may paste it into a tool.
constexpr char kScript[] = R"((() => {
  const query = new URLSearchParams(location.search);
  history.replaceState(null, "", location.pathname);
  const answer = {state: query.get("state"), code: query.get("code")};
  if (query.get("error")) answer.error = query.get("error");
  const what = document.getElementById("what");
  if (window.opener) {
    window.opener.postMessage({type: "parvis-sign-in", ...answer}, location.origin);
    what.textContent = "You can close this window.";
    window.close();
  } else {
    what.textContent = "Complete the sign-in where you began it, with:";
    document.getElementById("more").textContent = JSON.stringify(answer, null, 2);
  }
})();
)";

}  // namespace

std::optional<net::HttpResponse> SignInPage(const net::HttpRequest& request) {
  const bool page = request.path == "/v1/signin/callback", script = request.path == "/v1/signin/callback.js";
  if (!page && !script) return std::nullopt;
  if (request.method != "GET") return net::HttpResponse{.status = 405, .headers = {{"allow", "GET"}}, .body = ""};
  net::HttpResponse response{.status = 200, .headers = {}, .body = page ? kPage : kScript};
  response.headers = {{"content-type", page ? "text/html; charset=utf-8" : "text/javascript; charset=utf-8"},
                      {"cache-control", "no-store"},
                      {"referrer-policy", "no-referrer"},
                      {"x-content-type-options", "nosniff"},
                      {"content-security-policy",
                       "default-src 'none'; script-src 'self'; base-uri 'none'; form-action 'none'; "
                       "frame-ancestors 'none'"}};
  return response;
}

}  // namespace parvis::gateway
