// YouTube's Data API v3, facts 4: /youtube/youtube/v3/..., /youtube/upload/youtube/v3/{videos,thumbnails/set}.
#pragma once

#include <atomic>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "sandbox/transport/web.h"

namespace parvis::sandbox {

// Thread-safe. Everything is the World's but the uploads under way.
class Youtube : public Face {
 public:
  explicit Youtube(Context& context) : context_(context) {}
  Reply Handle(const net::HttpRequest& http) override;

 private:
  using Query = std::map<std::string, std::string>;
  struct Asked {
    const Request& request;
    AccountPtr account;
    Query query;                     // of the URL alone
    std::vector<std::string> parts;  // of `part`
  };
  using Perform = net::HttpResponse (Youtube::*)(const Asked&, Answer);
  struct Call {
    std::string_view operation;
    const char* bucket;  // of the quota
    int cost;            // units
    Perform perform = nullptr;
    std::string_view known;  // parameters, between blanks; all others are refused
    std::string_view parts;  // likewise; "" = the method has no parts
  };
  struct Upload {
    AccountPtr account;
    Json video;  // the metadata
    std::vector<std::string> parts;
    int64_t size = -1;  // -1: not told
    int64_t arrived = 0;
    uint64_t hash = 0;  // of what arrived, in order
    int pieces = 0;
    bool broken = false;  // what arrived begins with "broken"
    std::string made;     // the video's id, when all has arrived
  };

  static Call CallOf(const Request& request, const std::vector<std::string>& path, bool bytes);
  static Call CommentCallOf(const Request& request, const std::string& what);
  static Call VideoCallOf(const Request& request, const std::string& what);
  // nullopt: right. Unknown parameters, missing and unknown parts.
  std::optional<net::HttpResponse> WrongParameters(Asked& asked, const Call& call) const;
  AccountPtr AccountOf(const net::HttpRequest& http) const;
  Reply Guarded(Asked& asked, const Call& call);
  net::HttpResponse TooMuch(bool quota) const;

  // youtube_videos.cc
  net::HttpResponse Channels(const Asked& asked, Answer);
  net::HttpResponse Playlist(const Asked& asked, Answer answer);
  net::HttpResponse Videos(const Asked& asked, Answer);
  net::HttpResponse UpdateVideo(const Asked& asked, Answer answer);
  net::HttpResponse DeleteVideo(const Asked& asked, Answer answer);
  net::HttpResponse SetThumbnail(const Asked& asked, Answer answer);
  Json ShownVideo(const Item& video, const std::vector<std::string>& parts, const std::string& base) const;

  // youtube_upload.cc
  net::HttpResponse StartUpload(const Asked& asked, Answer);
  Reply Session(const Request& request, const Query& query);
  net::HttpResponse Piece(const Request& request, const std::string& id, Answer answer);
  net::HttpResponse Finish(const Request& request, Upload& upload, Answer answer);

  // youtube_comments.cc
  net::HttpResponse Threads(const Asked& asked, Answer answer);
  net::HttpResponse ThreadsById(const Asked& asked, const std::string& ids) const;
  net::HttpResponse Comments(const Asked& asked, Answer answer);
  net::HttpResponse NewThread(const Asked& asked, Answer answer);
  net::HttpResponse NewReply(const Asked& asked, Answer answer);
  net::HttpResponse EditComment(const Asked& asked, Answer answer);
  net::HttpResponse DeleteComment(const Asked& asked, Answer answer);
  net::HttpResponse Moderate(const Asked& asked, Answer answer);
  net::HttpResponse Write(const Asked& asked, Answer answer, const std::string& parent, const Json& text, bool thread);
  Json ShownComment(const Asked& asked, const Item& comment, bool with_status) const;
  Json ShownThread(const Asked& asked, const Item& top, bool with_status, const std::string& status) const;
  ItemPtr FindComment(const std::string& id) const;  // nullptr when it is gone
  ItemPtr FindVideo(const std::string& id) const;

  WriteContext Us(const Account& account, const std::string& digest, Answer answer) const;

  Context& context_;
  std::atomic<uint64_t> refusals_{0};
  std::mutex mutex_;                       // one piece at a time
  std::map<std::string, Upload> uploads_;  // by upload_id; bounded
};

}  // namespace parvis::sandbox
