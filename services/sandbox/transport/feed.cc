#include "sandbox/transport/feed.h"

#include <algorithm>
#include <cstdio>

#include <absl/time/clock.h>

#include "sandbox/domain/cat.h"
#include "sandbox/network/feed_rss.h"

namespace parvis::sandbox {
namespace {

std::string Iso(absl::Time time) { return FeedTime("%Y-%m-%dT%H:%M:%E3SZ", time); }

std::string ETagOf(std::string_view body) {  // FNV-1a
  uint64_t hash = 14695981039346656037ull;
  for (const char c : body) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211ull;
  char text[24];
  std::snprintf(text, sizeof text, "\"%016llx\"", static_cast<unsigned long long>(hash));
  return text;
}

std::string Atom(const FeedShown& shown) {
  std::string out =
      Cat("<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<feed xmlns=\"http://www.w3.org/2005/Atom\" xml:base=\"",
          shown.page, "/\">\n<title>", Xml(shown.site->name), "</title>\n<id>tag:", Xml(shown.site->id),
          ",2026:feed</id>\n<updated>", Iso(shown.changed), "</updated>\n<link rel=\"self\" href=\"", shown.url,
          "\"/>\n<link rel=\"hub\" href=\"", shown.hub, "\"/>\n<link href=\"", shown.page, "\"/>\n");
  for (const ItemPtr& item : shown.items) {
    // The address is relative to xml:base, as many feeds have it.
    Append(out, "<entry>\n<title>", Xml(item->title), "</title>\n<id>", Xml(item->id), "</id>\n<link href=\"items/",
           item->id.substr(item->id.rfind(':') + 1), "\"/>\n<author><name>", Xml(item->author_name),
           "</name></author>\n<published>", Iso(item->created), "</published>\n<updated>", Iso(item->changed),
           "</updated>\n<content type=\"html\">", Xml(Html(item->text)), "</content>\n</entry>\n");
  }
  return out + "</feed>\n";
}

Json JsonFeed(const FeedShown& shown) {
  Json items = Json::array();
  for (const ItemPtr& item : shown.items) {
    Json one = {{"id", item->id},
                {"url", shown.LinkOf(*item)},
                {"content_html", Html(item->text)},
                {"date_published", Iso(item->created)},
                {"authors", Json::array({{{"name", item->author_name}}})}};
    if (!item->title.empty()) one["title"] = item->title;
    if (item->edited) one["date_modified"] = Iso(item->changed);
    items.push_back(std::move(one));
  }
  return {{"version", "https://jsonfeed.org/version/1.1"},
          {"title", shown.site->name},
          {"home_page_url", shown.page},
          {"feed_url", shown.url},
          {"hubs", Json::array({{{"type", "WebSub"}, {"url", shown.hub}}})},
          {"items", std::move(items)}};
}

net::HttpResponse Plain(int status, std::string_view text) {
  net::HttpResponse response;
  response.status = status;
  response.headers["Content-Type"] = "text/plain; charset=utf-8";
  response.body = Cat(text, "\n");
  return response;
}

// If-None-Match goes before If-Modified-Since (RFC 9110 §13.2.2), and compares weakly.
bool NotModified(const net::Headers& headers, const std::string& etag, absl::Time changed) {
  const auto match = headers.find("If-None-Match");
  if (match != headers.end()) return match->second == "*" || match->second.find(etag) != std::string::npos;
  const auto since = headers.find("If-Modified-Since");
  absl::Time time;
  std::string error;
  return since != headers.end() && absl::ParseTime(kHttpTime, since->second, &time, &error) &&
         absl::ToUnixSeconds(changed) <= absl::ToUnixSeconds(time);
}

}  // namespace

Reply FeedFace::Handle(const net::HttpRequest& http) {
  const StatusOr<Request> read = ReadRequest(http, "/feed");
  if (!read.ok()) return {Plain(400, "Bad Request")};
  const Request& request = *read;
  const std::string format = request.path.size() > 1 ? request.path[1] : "rss";
  const AccountPtr site = request.path.empty() || request.path.size() > 2
                              ? nullptr
                              : context_.world.FindAccount(Network::kFeed, request.path[0]);
  if (site == nullptr || (format != "rss" && format != "atom" && format != "json")) return {Plain(404, "Not Found")};
  if (http.method != "GET" && http.method != "HEAD") {
    net::HttpResponse refused = Plain(405, "Method Not Allowed");
    refused.headers["Allow"] = "GET, HEAD";
    return {refused};
  }
  const auto limited = [] {
    net::HttpResponse response = Plain(429, "Too Many Requests");
    response.headers["Retry-After"] = "2";
    return response;
  };
  return UnderFaults(context_, Network::kFeed, site->id, "list",
                     {.limited = limited, .forbidden = [] { return Plain(403, "Forbidden"); }},
                     [&](Answer answer) { return Show(request, site, format, answer); });
}

net::HttpResponse FeedFace::Show(const Request& request, const AccountPtr& site, const std::string& format,
                                 Answer answer) {
  const std::string page = Cat(request.base_url, "/feed/", site->id);
  FeedShown shown{site, page, page, Cat(request.base_url, kFeedHub), {}, absl::UnixEpoch()};
  if (format != "rss") shown.url += "/" + format;
  ListOptions options{.limit = answer == Answer::kEmptyPage ? 0 : kFeedItems};
  options.filter = [](const Item& item) { return !item.deleted && !item.hidden; };
  if (options.limit > 0)
    shown.items = context_.world.Read(Network::kFeed, World::List::kInbox, site->id, options).items;
  for (const ItemPtr& item : shown.items) shown.changed = std::max(shown.changed, item->changed);
  net::HttpResponse response;
  if (format == "json") {
    response = JsonResponse(200, JsonFeed(shown), false);
    response.headers["Content-Type"] = "application/feed+json";
  } else {
    response.headers["Content-Type"] =
        format == "atom" ? "application/atom+xml; charset=utf-8" : "application/rss+xml; charset=UTF-8";
    response.body = format == "atom" ? Atom(shown) : Rss(shown);
  }
  const std::string etag = ETagOf(response.body);
  if (answer == Answer::kEmptyPage) return response;  // an empty page is no state that one could ask for again
  if (NotModified(request.http.headers, etag, shown.items.empty() ? absl::InfiniteFuture() : shown.changed)) {
    response = net::HttpResponse();
    response.status = 304;
  }
  response.headers["ETag"] = etag;
  if (!shown.items.empty()) response.headers["Last-Modified"] = FeedTime(kHttpTime, shown.changed);
  return response;
}

}  // namespace parvis::sandbox
