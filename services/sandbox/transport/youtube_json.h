// What YouTube's answers are made of.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sandbox/transport/web.h"

namespace parvis::sandbox {

// Google's error with one entry of errors[] (facts 4.4). `location`: the parameter it is about, or "".
net::HttpResponse YoutubeError(int status, std::string_view domain, std::string_view reason, std::string_view message,
                               std::string_view location = "");
net::HttpResponse YoutubeMissing(std::string_view reason, std::string_view what);  // 404 videoNotFound, ...
net::HttpResponse YoutubeForbidden(std::string_view message);                      // 403 forbidden
// 400 of the layer before the API: unknown parameters and members.
net::HttpResponse YoutubeUnknownName(std::string_view name, bool in_query);

std::string YoutubeTime(absl::Time time);  // whole seconds
std::string YoutubeHtml(std::string_view text);
// "a,b" as its parts, empty ones left out.
std::vector<std::string> YoutubeList(std::string_view text);
bool Has(const std::vector<std::string>& parts, std::string_view part);

// A list's answer; `position`: where the next page begins, or -1. Tokens are never the same twice.
Json YoutubePage(const char* kind, Json items, int64_t total, int64_t limit, int64_t position);
std::string YoutubeToken(int64_t position);
// -1 for no token; nullopt for what is none of ours.
std::optional<int64_t> YoutubePosition(const std::string& token);
std::string YoutubeUploads(std::string_view channel);  // the playlist of a channel's uploads

// What is wrong with a video's metadata, or nullopt. Members that the API does not know are refused.
std::optional<net::HttpResponse> CheckYoutubeVideo(const Json& video, const std::vector<std::string>& parts,
                                                   absl::Time now);

}  // namespace parvis::sandbox
