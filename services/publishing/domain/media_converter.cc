#include "publishing/domain/media_converter.h"

#include <algorithm>

#include "publishing/domain/sha256.h"

namespace parvis::publishing {
namespace {

constexpr absl::Duration kStoreCall = absl::Seconds(30);  // one piece from or to the blob store

Status Stopped() { return MakeError(Code::kAborted, "MEDIA_STOPPED", "the conversion was ended early"); }

// What holds the claim while it is worked on; from one thread.
class Claim {
 public:
  Claim(const ConverterContext& context, const Conversion& conversion, const std::function<bool()>& stopping)
      : context_(context), conversion_(conversion), stopping_(stopping), renewed_(context.clock.Now()) {}
  // False: it is somebody else's, or this process ends. A store that is away is no reason to stop before the lease has
  // ended.
  bool GoesOn() {
    if (lost_ || stopping_()) return false;
    const Instant now = context_.clock.Now();
    if (now - renewed_ < context_.options.lease / 2) return true;
    const Status held =
        context_.conversions.HoldConversion(conversion_, context_.clock.WallNow() + context_.options.lease);
    if (held.ok()) renewed_ = now;
    lost_ = ReasonOf(held) == "MEDIA_CHANGED" || now - renewed_ >= context_.options.lease;
    return !lost_;
  }
  bool lost() const { return lost_; }

 private:
  const ConverterContext& context_;
  const Conversion& conversion_;
  const std::function<bool()>& stopping_;
  Instant renewed_;
  bool lost_ = false;
};

Call CallFor(const ConverterContext& context, const std::string& workspace_id, absl::Duration limit) {
  Call call = BackgroundCall("publishing", workspace_id);
  call.deadline = context.clock.Now() + limit;
  return call;
}

// The source as it is read here: piece by piece, each with a deadline of its own, as long as the claim holds.
StatusOr<MediaBytes> OpenSource(const ConverterContext& context, const Conversion& conversion, Claim& claim) {
  const std::string& workspace = conversion.item.workspace_id;
  PARVIS_ASSIGN_OR_RETURN(MediaBytes source, context.source.Open(CallFor(context, workspace, kStoreCall), workspace,
                                                                 conversion.item.source_id));
  source.read = [read = std::move(source.read), &context, &claim, workspace](const Call&, int64_t offset,
                                                                             int64_t length) -> StatusOr<std::string> {
    if (!claim.GoesOn()) return Stopped();
    return read(CallFor(context, workspace, kStoreCall), offset, length);
  };
  return source;
}

// Stores what was made, chunk by chunk; `item` becomes what it then is.
Status Store(const ConverterContext& context, const Conversion& conversion, Claim& claim, const MediaBytes& made,
             const MediaFacts& facts, MediaItem* item) {
  Sha256 hash;
  int number = 0;
  for (int64_t at = 0; at < made.size; ++number) {
    if (!claim.GoesOn()) return Stopped();
    const Call call = CallFor(context, item->workspace_id, kStoreCall);
    PARVIS_ASSIGN_OR_RETURN(const std::string bytes,
                            made.read(call, at, std::min<int64_t>(item->chunk_bytes, made.size - at)));
    if (bytes.empty()) return MakeError(Code::kDataLoss, "MEDIA_CUT", "what was made is shorter than it was");
    hash.Add(bytes);
    const std::string digest = Sha256::Of(bytes);
    PARVIS_RETURN_IF_ERROR(
        context.conversions.AddConvertedChunk(conversion, number, digest, static_cast<int64_t>(bytes.size())));
    PARVIS_RETURN_IF_ERROR(
        context.objects.Put(call, ChunkKey(item->workspace_id, item->id, static_cast<size_t>(number), digest), bytes));
    at += static_cast<int64_t>(bytes.size());
    if (context.observer.received) context.observer.received(static_cast<int64_t>(bytes.size()));
  }
  item->size_bytes = item->received_bytes = made.size;
  item->sha256 = hash.Finish();
  item->facts = facts;
  item->state = MediaState::kReady;
  item->expire_time = context.clock.WallNow() + context.limits.unused_keep;
  return absl::OkStatus();
}

// What a claim before this one has stored is of no use: what is made now may differ.
Status Clear(const ConverterContext& context, const Conversion& conversion, Claim& claim) {
  if (conversion.chunks.empty()) return absl::OkStatus();
  const MediaItem& item = conversion.item;
  for (size_t i = 0; i < conversion.chunks.size(); ++i) {
    if (!claim.GoesOn()) return Stopped();
    PARVIS_RETURN_IF_ERROR(context.objects.Delete(CallFor(context, item.workspace_id, kStoreCall),
                                                  ChunkKey(item.workspace_id, item.id, i, conversion.chunks[i])));
  }
  return context.conversions.DropConvertedChunks(conversion);
}

Status Make(const ConverterContext& context, const Conversion& conversion, Claim& claim, MediaItem* item) {
  PARVIS_RETURN_IF_ERROR(Clear(context, conversion, claim));
  PARVIS_ASSIGN_OR_RETURN(const MediaBytes source, OpenSource(context, conversion, claim));
  const VideoWork work = {
      .go_on = [&claim] { return claim.GoesOn(); },
      .take = [&](const MediaBytes& made,
                  const MediaFacts& facts) { return Store(context, conversion, claim, made, facts, item); }};
  return context.inspector.ConvertVideo(CallFor(context, item->workspace_id, context.options.give_up), source,
                                        conversion.target, work);
}

void Refuse(const ConverterContext& context, const std::string& reason, const std::string& why, MediaItem* item) {
  item->state = MediaState::kRefused;
  item->refusal_reason = reason;
  item->refusal = why;
  item->size_bytes = item->received_bytes = 0;  // nothing of it is ever read; what was stored of it goes with it
  item->expire_time = context.clock.WallNow() + context.limits.upload_keep;
}

}  // namespace

StatusOr<bool> ConvertNext(const ConverterContext& context, const std::function<bool()>& stopping) {
  const absl::Time now = context.clock.WallNow();
  PARVIS_ASSIGN_OR_RETURN(const std::optional<Conversion> next,
                          context.conversions.ClaimConversion(now, now + context.options.lease));
  if (!next) return false;
  Claim claim(context, *next, stopping);
  MediaItem item = next->item;
  Status status = absl::OkStatus();
  if (next->tries > context.options.tries_max) {
    Refuse(context, "MEDIA_CONVERSION_LOST",
           "whoever tried to convert it has died of it, " + std::to_string(context.options.tries_max) + " times",
           &item);
  } else {
    status = Make(context, *next, claim, &item);
    if (claim.lost() || ReasonOf(status) == "MEDIA_CHANGED") return true;
    const absl::Time ended = context.clock.WallNow();
    const bool too_late = ended - item.create_time >= context.options.give_up;
    if (!status.ok() && (IsMediaVerdict(status) || status.code() == Code::kNotFound || too_late)) {
      const Error error = ToError(status);
      Refuse(context, error.reason, error.message, &item);
    } else if (!status.ok()) {
      if (context.observer.converted) context.observer.converted(ReasonOf(status));
      PARVIS_RETURN_IF_ERROR(
          context.conversions.GiveBackConversion(*next, stopping() ? ended : ended + context.options.retry_wait));
      return true;
    }
  }
  item.update_time = context.clock.WallNow();
  if (context.observer.converted)
    context.observer.converted(item.state == MediaState::kReady ? "ready" : item.refusal_reason);
  const Status stored = context.conversions.EndConversion(*next, item);
  if (!stored.ok() && ReasonOf(stored) != "MEDIA_CHANGED") return stored;
  return true;
}

MediaConverter::MediaConverter(ConverterContext context) : context_(std::move(context)) {}

MediaConverter::~MediaConverter() { Stop(); }

void MediaConverter::Start() {
  for (int i = 0; i < context_.options.workers; ++i) threads_.emplace_back([this] { Run(); });
}

void MediaConverter::Stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  for (std::thread& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
}

// What failed (the database is away) is looked for again at the next turn.
void MediaConverter::Run() {
  const auto stopping = [this] {
    const std::lock_guard lock(mutex_);
    return stopping_;
  };
  bool more = true;
  while (true) {
    {
      std::unique_lock lock(mutex_);
      wake_.wait_for(lock, absl::ToChronoMilliseconds(more ? absl::ZeroDuration() : context_.options.every),
                     [&] { return stopping_; });
      if (stopping_) return;
    }
    const StatusOr<bool> converted = ConvertNext(context_, stopping);
    more = converted.ok() && *converted;
  }
}

}  // namespace parvis::publishing
