#include "gateway/transport/media_call.h"

#include <algorithm>
#include <memory>
#include <mutex>

#include <absl/strings/match.h>
#include <absl/strings/str_cat.h>

#include "gateway/transport/connect_error.h"
#include "gateway/transport/exchange.h"
#include "parvis/platform/v1/content.pb.h"
#include "platform/rpc/grpc_time.h"

namespace parvis::gateway {
namespace {

using platform::v1::FetchContentRequest;
using platform::v1::FetchContentResponse;

const Method& FetchMethod() {
  static const auto* const method = new Method{.path = "/parvis.publishing.v1.MediaContentService/FetchContent",
                                               .package = kMediaPackage,
                                               .service = "parvis.publishing.v1.MediaContentService",
                                               .name = "FetchContent"};
  return *method;
}

Status NoRoom(CallBook::Room room) {
  const bool host = room != CallBook::Room::kFull;
  return ToStatus({.code = host ? Code::kResourceExhausted : Code::kUnavailable,
                   .reason = host ? "TOO_MANY_STREAMS_OF_HOST" : "TOO_MANY_STREAMS",
                   .message = host ? "this host fetches as much at once as it may" : "the gateway takes no more streams now",
                   .retry_after = absl::Seconds(2)});
}

Status Stopping() {
  return ToStatus({.code = Code::kUnavailable,
                   .reason = "SHUTTING_DOWN",
                   .message = "the gateway stops; try again",
                   .retry_after = absl::Seconds(1)});
}

// What protects the reader's browser, too: the content is somebody's upload.
net::Headers CommonHeaders() {
  return {{"x-content-type-options", "nosniff"}, {"content-security-policy", "default-src 'none'; sandbox"}};
}

// One fetch: asks what there is, answers the head, and then asks for the next piece whenever the one before has gone out. Kept
// alive by its own reference until Finish.
class MediaCall : public std::enable_shared_from_this<MediaCall> {
 public:
  MediaCall(MediaRequest request, net::Responder responder, grpc::GenericStub& stub, CallBook& book, const MediaLimits& limits,
            const Clock& clock, Instant began)
      : request_(std::move(request)),
        responder_(std::move(responder)),
        stub_(stub),
        book_(book),
        limits_(limits),
        clock_(clock),
        began_(began) {}

  void Start(uint64_t host) {
    const std::weak_ptr<MediaCall> weak = weak_from_this();
    const auto cancel = [weak] {
      if (const auto alive = weak.lock()) alive->Cancel();
    };
    const CallBook::Room room = book_.EnterStream(this, host, host, cancel);
    if (room != CallBook::Room::kEntered) {
      const grpc::Status refusal = OwnError(NoRoom(room));
      book_.NoteShed(ReasonOf(NoRoom(room)));
      responder_.Send(MediaRefusal(refusal));
      MeasureMedia(book_, ConnectCode(refusal.error_code()), began_);
      return;
    }
    self_ = shared_from_this();
    responder_.OnGone(cancel);
    Ask(0, 0);
  }

 private:
  enum class Phase { kAsking, kDraining, kOver };

  // The reader has left, or the gateway stops.
  void Cancel() {
    {
      std::lock_guard lock(mutex_);
      cancelled_ = true;
      if (phase_ == Phase::kAsking && context_ != nullptr) context_->TryCancel();
      if (phase_ != Phase::kDraining) return;  // the answer, or who asks next, sees it
      phase_ = Phase::kOver;
    }
    Finish("canceled");
    responder_.Abort();
  }

  void Ask(int64_t offset, int64_t length) {
    FetchContentRequest wanted;
    wanted.set_name(request_.name);
    wanted.set_expires(request_.expires);
    wanted.set_signature(request_.signature);
    wanted.set_offset(offset);
    wanted.set_length(static_cast<int32_t>(length));
    const auto context = std::make_shared<grpc::ClientContext>();
    context->set_deadline(rpc::DeadlineIn(limits_.piece_max));
    question_ = ToBuffer(wanted.SerializeAsString());
    answer_.Clear();
    {
      std::lock_guard lock(mutex_);
      context_ = context;
      if (cancelled_) context->TryCancel();
    }
    stub_.UnaryCall(context.get(), FetchMethod().path, {}, &question_, &answer_,
                    [self = shared_from_this(), context](grpc::Status status) { self->OnAnswer(status); });
  }

  bool Cancelled() {
    std::lock_guard lock(mutex_);
    return cancelled_;
  }

  void OnAnswer(const grpc::Status& status) {
    book_.NoteBackend(status, FetchMethod().package);
    FetchContentResponse got;
    const bool readable = status.ok() && got.ParseFromString(ToString(answer_));
    if (Cancelled()) {
      Finish("canceled");
      return begun_ ? responder_.Abort() : responder_.Send(MediaRefusal(OwnError(Stopping())));
    }
    if (!begun_ && !status.ok()) {
      Finish(ConnectCode(status.error_code()));
      return responder_.Send(MediaRefusal(FromBackend(status, FetchMethod().package)));
    }
    if (!begun_ && readable) return Begin(got);
    const auto size = static_cast<int64_t>(got.content().size());
    const bool late = clock_.Now() - began_ > limits_.fetch_max;
    if (!readable || late || size == 0 || size > left_) {
      Finish(late ? "deadline_exceeded" : status.ok() ? "internal" : ConnectCode(status.error_code()));
      return responder_.Abort();  // what has gone out is not the whole, and the reader can tell
    }
    Pass(std::move(*got.mutable_content()));
  }

  void Begin(const FetchContentResponse& got) {
    begun_ = true;
    const int64_t size = got.size_bytes();
    const std::string etag = absl::StrCat("\"", got.sha256(), "\"");
    Part part{0, size};
    const bool ranged = request_.range && (request_.if_range.empty() || request_.if_range == etag);
    if (ranged) {
      const std::optional<Part> wanted = PartOf(*request_.range, size);
      if (!wanted) {
        net::Headers headers = CommonHeaders();
        headers["content-range"] = absl::StrCat("bytes */", size);
        Finish("out_of_range");
        return responder_.Send({.status = 416, .headers = std::move(headers), .body = ""});
      }
      part = *wanted;
    }
    net::Headers headers = CommonHeaders();
    headers["content-type"] = got.type();
    const bool shown = absl::StartsWith(got.type(), "image/") || absl::StartsWith(got.type(), "video/");
    headers["content-disposition"] = shown ? "inline" : "attachment";
    headers["accept-ranges"] = "bytes";
    headers["etag"] = etag;
    const int64_t lasts = std::max<int64_t>(0, request_.expires - absl::ToUnixSeconds(clock_.WallNow()));
    headers["cache-control"] = absl::StrCat("private, max-age=", lasts);
    if (ranged) {
      headers["content-range"] = absl::StrCat("bytes ", part.offset, "-", part.offset + part.length - 1, "/", size);
    }
    responder_.BeginStream(
        {.status = ranged ? 206 : 200, .headers = std::move(headers), .body = "", .stream_bytes = part.length});
    offset_ = part.offset;
    left_ = part.length;
    if (request_.head || left_ == 0) {
      Finish("ok");
      return responder_.End();
    }
    Ask(offset_, std::min<int64_t>(left_, limits_.piece_bytes));
  }

  void Pass(std::string content) {
    offset_ += static_cast<int64_t>(content.size());
    left_ -= static_cast<int64_t>(content.size());
    if (!responder_.Write(std::move(content))) return Finish("canceled");
    if (left_ == 0) {
      Finish("ok");
      return responder_.End();
    }
    bool over;
    {
      std::lock_guard lock(mutex_);
      over = cancelled_;
      phase_ = over ? Phase::kOver : Phase::kDraining;
    }
    if (over) {
      Finish("canceled");
      return responder_.Abort();
    }
    responder_.OnDrained([weak = weak_from_this()] {
      if (const auto alive = weak.lock()) alive->Next();
    });
  }

  void Next() {
    {
      std::lock_guard lock(mutex_);
      if (phase_ != Phase::kDraining) return;
      phase_ = Phase::kAsking;
    }
    Ask(offset_, std::min<int64_t>(left_, limits_.piece_bytes));
  }

  // Before the last word to the reader: whoever has it finds the place free. The callers hold a reference.
  void Finish(std::string_view code) {
    MeasureMedia(book_, code, began_);
    const std::shared_ptr<MediaCall> self = std::move(self_);
    book_.Leave(this);
  }

  const MediaRequest request_;
  const net::Responder responder_;
  grpc::GenericStub& stub_;
  CallBook& book_;
  const MediaLimits limits_;
  const Clock& clock_;
  const Instant began_;
  // Of whoever has the turn: the answer of a question, or the connection that has taken all.
  grpc::ByteBuffer question_, answer_;
  bool begun_ = false;
  int64_t offset_ = 0, left_ = 0;
  std::mutex mutex_;
  Phase phase_ = Phase::kAsking;
  bool cancelled_ = false;
  std::shared_ptr<grpc::ClientContext> context_;
  std::shared_ptr<MediaCall> self_;
};

}  // namespace

net::HttpResponse NoSuchMedia() {
  const grpc::Status status =
      OwnError(MakeError(Code::kNotFound, "NOT_FOUND", "there is nothing here, or not any more"));
  net::Headers headers = CommonHeaders();
  headers["content-type"] = "application/json";
  headers["cache-control"] = "no-store";
  return {.status = 404, .headers = std::move(headers), .body = RenderError(status).json};
}

net::HttpResponse MediaRefusal(const grpc::Status& status) {
  switch (status.error_code()) {
    case grpc::StatusCode::NOT_FOUND:
    case grpc::StatusCode::INVALID_ARGUMENT:
    case grpc::StatusCode::UNIMPLEMENTED:  // of a release before this one
      return NoSuchMedia();
    default:
      break;
  }
  ConnectError error = RenderError(status);
  net::Headers headers = CommonHeaders();
  headers["content-type"] = "application/json";
  headers["cache-control"] = "no-store";
  if (error.retry_after_seconds) headers["retry-after"] = absl::StrCat(*error.retry_after_seconds);
  return {.status = error.http_status, .headers = std::move(headers), .body = std::move(error.json)};
}

void MeasureMedia(CallBook& book, std::string_view code, Instant began) { book.Measure(&FetchMethod(), code, began); }

void StartMedia(MediaRequest request, net::Responder responder, grpc::GenericStub& stub, uint64_t host, CallBook& book,
                const MediaLimits& limits, const Clock& clock, Instant began) {
  std::make_shared<MediaCall>(std::move(request), std::move(responder), stub, book, limits, clock, began)->Start(host);
}

}  // namespace parvis::gateway
