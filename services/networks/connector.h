// A connector: what Parvis can do on one network, and its wire format. Plain code on platform/net: no database, no Kafka,
// no gRPC. One folder per network; `if network ==` exists nowhere else.
//
// All calls block the calling thread until the call's deadline at most, or until it is cancelled. Connectors are stateless and thread-safe: the
// account's data comes with every call. Nothing is ever retried in here: who calls decides, by `Outcome`.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <absl/time/time.h>

#include "networks/appearance.h"
#include "networks/capabilities.h"
#include "platform/base/call.h"
#include "platform/base/error.h"
#include "platform/base/secret.h"
#include "platform/net/http_client.h"

namespace parvis::net {
class ByteStream;
class StreamClient;
}

namespace parvis::networks {

// ---- who we are on a network ---------------------------------------------------------------------------------------

// What a person enters (or an OAuth flow brings) to connect a channel. Which keys a network needs is in
// Capabilities::credential_fields; sealed by accounts, opened only for the call.
struct Credentials {
  std::map<std::string, Secret> fields;   // facebook: access_token, app_secret, verify_token; x: access_token,
                                          // consumer_secret; wordpress: username, application_password
  const Secret& Get(std::string_view key) const;   // an empty Secret when missing
};

struct Account {
  std::string channel_id;    // ours
  std::string remote_id;     // the network's: page id, user id, site URL
  std::string base_url;      // "https://graph.facebook.com/v23.0", "https://api.x.com", "https://blog.example"
  Credentials credentials;
};

struct Identity {
  std::string remote_id, name, handle, url;
};

// ---- what can be written -------------------------------------------------------------------------------------------

// Content that is read in pieces, so that a video never is in memory as a whole. Thread-safe.
class MediaContent {
 public:
  virtual ~MediaContent() = default;
  virtual int64_t size() const = 0;
  // At most `length` bytes from `offset`; fewer only at the end. UNAVAILABLE, FAILED_PRECONDITION MEDIA_UNAVAILABLE.
  virtual StatusOr<std::string> Read(const Call& call, int64_t offset, int64_t length) = 0;
};

struct Media {
  std::string url;          // where the network (or the connector) can fetch it
  std::string type;         // "image/png", "video/mp4", "application/pdf"
  std::string alt_text;
  std::string bytes;        // content, where the network wants an upload; may be empty
  int64_t size_bytes = 0;
  std::shared_ptr<MediaContent> content;   // instead of `bytes`, for what is large; may be null
  int width = 0, height = 0;               // pixels; 0 = not known
  absl::Duration duration;                 // of a video or a GIF that moves; zero = not known
  std::string video_codec, audio_codec;    // of a video: "h264", "aac"; "" = none, or not known
  double frame_rate = 0;                   // of a video, per second; 0 = not known
  int frames = 0;                          // of a GIF: more than 1 when it moves; 0 = not known
  std::string title;                       // of a document
};

struct PollDraft {
  std::vector<std::string> options;
  absl::Duration open_for = absl::Hours(24);
  bool multiple = false;
};

enum class PostFormat { kPost, kReel, kStory };

struct Draft {
  std::string text;
  std::string title;        // where the network has titles (blogs, forums, videos)
  std::string link;
  std::vector<Media> media;
  PostFormat format = PostFormat::kPost;
  std::optional<PollDraft> poll;
  std::string quote_remote_id;        // the post that is quoted
  std::vector<std::string> tags;      // without '#'
  std::optional<Media> thumbnail;     // of a video
  std::string language;               // BCP 47; "" = not said
  std::map<std::string, std::string> options;   // Capabilities::options: "visibility", "category", ...
};

struct Write {
  WriteKind kind = WriteKind::kPost;
  Draft draft;                           // kPost, kReply, kPrivateReply; kReport: text is the reason
  std::string target_remote_id;          // what is answered, hidden, ...; kPost: our own post that this one continues
  std::string target_author_id;          // Capabilities::of_author: whom; "" = the author of the target
  std::string post_remote_id;            // our post the target hangs below; may be empty
  std::string idempotency_key;           // stable over attempts of one delivery
};

// How a write ended. kUnknown is never retried blindly.
enum class OutcomeKind { kAccepted, kRefused, kNotSent, kUnknown };
// facts 0.5: what kind of refusal.
enum class ErrorClass { kNone, kTokenExpired, kPermission, kRateLimited, kDuplicate, kNotFound, kInvalid, kTransient };

// What the network's own headers say about its budget.
struct RateState {
  std::optional<int> limit, remaining;
  std::optional<absl::Duration> reset_in;       // until the window ends, from now
  std::optional<absl::Duration> retry_after;    // authoritative when present
};

struct Outcome {
  OutcomeKind kind = OutcomeKind::kUnknown;
  ErrorClass error = ErrorClass::kNone;
  std::string reason;        // UPPER_SNAKE: TOKEN_EXPIRED, PERMISSION_DENIED, RATE_LIMITED, DUPLICATE, NOT_FOUND,
                             // REJECTED, TRANSIENT, OUTCOME_UNKNOWN, CONNECT_FAILED
  std::string message;       // what the network said, shortened, without secrets
  std::string remote_id;     // kAccepted
  std::string permalink;
  RateState rate;
  // What an accepted write lacks because a later step of it failed ("the thumbnail was refused: ..."); "" = nothing.
  std::string lacking;
  // The network took it and shows it only after somebody's approval: a queue's id may stand in remote_id until then.
  bool held = false;
  // The budget that `rate` tells of, where it is not the one of the write's kind: an upload before the post has its own.
  std::optional<std::string> budget;
};

// ---- what comes back -----------------------------------------------------------------------------------------------

// Mirrors parvis.ingestion.v1.Activity without the ids that ingestion adds.
struct Happening {
  enum class Kind { kComment, kMention, kMessage, kEdit, kRemoval, kReaction, kHide, kUnhide };
  Kind kind = Kind::kComment;
  std::string account_remote_id;   // whose channel: page id, user id; "" when known from the request
  std::string remote_id, thread, conversation, parent_remote_id, post_remote_id;
  std::string author_remote_id, author_name, author_handle;
  std::string text;                // UTF-8, HTML already turned into text
  absl::Time occurred_at;
  int64_t revision = 0;            // network's time of the change, microseconds
  bool by_us = false;
  std::string permalink;
  std::vector<std::pair<std::string, std::string>> attachments;   // (type, url)
};

// One thing in a webhook call that could not be understood; goes raw to the dead-letter topic.
struct Unparsed {
  std::string raw;       // the JSON of the part, or the whole body
  std::string reason;    // UPPER_SNAKE: NOT_JSON, UNKNOWN_SHAPE, MISSING_FIELD, TOO_DEEP, NOT_UTF8
  std::string detail;
};

struct WebhookContent {
  std::vector<Happening> happenings;
  std::vector<Unparsed> unparsed;
  int ignored = 0;       // understood and of no interest (our own posts, fields we do not follow)
  bool read_back = false;   // it says that something is there; a poll reads what
};

struct WebhookCall {
  std::string method, query, body;   // raw
  net::Headers headers;
};

// A handshake's answer, as HTTP.
struct HandshakeAnswer { int status = 200; std::string content_type, body; };

// A page of what was read back.
struct PollPage {
  std::vector<Happening> happenings;
  std::string cursor;      // where to go on; opaque; the same cursor may be read again
  bool more = false;       // another page is there now
  RateState rate;
  std::vector<Unparsed> unparsed;
};

// One of our own posts or replies, read back to settle an unknown.
struct OwnItem {
  std::string remote_id, permalink, text, parent_remote_id;
  absl::Time created_at;
  bool hidden = false;
};

// The counters of one post (or of the channel itself, under the account's remote id), as the network gives them now.
struct Counts {
  std::string remote_id;
  std::map<std::string, int64_t> values;   // by Capabilities::counters
};

// What was measured, and what the headers said of the budget meanwhile.
struct Measurement {
  std::vector<Counts> counts;
  RateState rate;
};

// A hub that tells of an account's news, by WebSub (https://www.w3.org/TR/websub/).
struct Hub {
  std::string url;          // where subscriptions are asked for
  std::string topic;        // what is subscribed to
  bool tells_all = false;   // of all that polling would find
};

// What a stream brought since the last look.
struct StreamBatch {
  std::vector<Happening> happenings;
  std::vector<Unparsed> unparsed;
  std::string cursor;   // where to go on after a loss; "" = the network keeps no place
  bool gap = false;     // something was, or may have been, missed since the cursor: read back
};

// A long-lived reader of one channel's stream. One thread at a time; closed by its end of life.
class Stream {
 public:
  virtual ~Stream() = default;
  // Blocks until something came or the call's deadline (then an empty batch: the stream lives). An error ends the stream:
  // open another from the last cursor. UNAVAILABLE STREAM_LOST, STREAM_SILENT; UNAUTHENTICATED TOKEN_EXPIRED; ...
  virtual StatusOr<StreamBatch> Next(const Call& call) = 0;
};

// One of our channels, as a shared stream knows it.
struct Listener {
  std::string channel_id, remote_id;
};

// What a shared stream brought since the last look.
struct SharedBatch {
  std::vector<std::pair<std::string, Happening>> happenings;   // with the channel that each is for
  std::map<std::string, Status> lost;   // channels that nothing is told of from here on, and why: something of theirs was missed
  std::vector<Unparsed> unparsed;
  std::string cursor;   // as StreamBatch::cursor; it stands behind what `lost` channels missed
  bool gap = false;     // for all channels
};

// A long-lived reader for many channels, where the network has one stream for all of an app, or of the world. One thread at a
// time; closed by its end of life.
class SharedStream {
 public:
  virtual ~SharedStream() = default;
  // Tells of these, too, once it has returned. Channels that cannot be told of, and why; an error concerns all of them, and the
  // stream lives as it was.
  virtual StatusOr<std::map<std::string, Status>> Add(const Call& call, const std::vector<Listener>& listeners) = 0;
  // Tells of these no more. What could not be tidied up at the network is when a stream is opened next.
  virtual void Remove(const Call& call, const std::vector<std::string>& channel_ids) = 0;
  // As Stream::Next.
  virtual StatusOr<SharedBatch> Next(const Call& call) = 0;
};

struct SharedOpening {
  std::unique_ptr<SharedStream> stream;    // null when nobody can be told of
  std::map<std::string, Status> refused;   // channels that cannot, and why
};

// The account of a channel, with its credentials, for the moment: a shared stream asks when something has come for it.
using AccountOpener = std::function<StatusOr<Account>(const Call& call, const std::string& channel_id)>;

// ---- the connector -------------------------------------------------------------------------------------------------

class Connector {
 public:
  virtual ~Connector() = default;
  virtual const Capabilities& capabilities() const = 0;

  // Every violation of the network's own rules, not only the first; empty when it may be sent. Pure. Field paths are
  // relative: "text", "title", "media[0].type". What the network cannot do at all is NOT_POSSIBLE with Capabilities::WhyNot.
  virtual std::vector<Violation> Check(WriteKind kind, const Draft& draft) const = 0;
  // Length of `text` as the network counts it.
  virtual int TextLength(std::string_view text) const = 0;
  // What readers of a post will see, as far as it can be known beforehand. Pure; a draft with violations is shown as well as
  // it goes. By default the text, the link below it, and what Capabilities::linked says can be clicked.
  virtual Appearance Show(const Draft& draft) const;

  // Asks the network who the credentials belong to. UNAUTHENTICATED TOKEN_EXPIRED, PERMISSION_DENIED, UNAVAILABLE, ...
  virtual StatusOr<Identity> WhoAmI(const Call& call, const Account& account) = 0;
  // One call to the network (or, for media, a fixed sequence of which one call has the effect; what follows it only adds to
  // it, see Outcome::lacking). Without effect and REJECTED for a kind that the network does not have, and for one that names
  // neither its target nor, where that is enough (Capabilities::of_author), a person.
  Outcome Execute(const Call& call, const Account& account, const Write& write);
  // Our own items of this kind since `since`, newest first, `limit` a request: settles unknown outcomes. All of them, for
  // what is not among them is taken for not written: RESOURCE_EXHAUSTED READ_BACK_TOO_LONG when kReadBackPagesMax requests
  // do not reach back so far. For kHide and what follows it reads the target itself: one item, or none when it is gone.
  virtual StatusOr<std::vector<OwnItem>> ReadBack(const Call& call, const Account& account, const Write& write,
                                                  absl::Time since, int limit) = 0;
  // Whether `item` is what `write` would have created (compares text as the network changes it: t.co links, white space).
  virtual bool Matches(const Write& write, const OwnItem& item) const = 0;

  // ---- by webhook; a network without them keeps these: FAILED_PRECONDITION NOT_POSSIBLE ----
  // The secret-dependent part of webhooks. `app_secrets`: the current one and, during rotation, the previous.
  virtual StatusOr<HandshakeAnswer> Handshake(const WebhookCall& call, const std::vector<Secret>& app_secrets,
                                              const Secret& verify_token) const;
  // UNAUTHENTICATED SIGNATURE_MISSING / SIGNATURE_WRONG. Over the raw bytes, in constant time.
  virtual Status VerifySignature(const WebhookCall& call, const std::vector<Secret>& app_secrets) const;
  // Never fails as a whole: what cannot be understood is in `unparsed`. Bounded work for any input. For networks whose
  // headers say what the body is, ParseCall has them; by default it is the body alone.
  virtual WebhookContent ParseWebhook(std::string_view body) const;
  virtual WebhookContent ParseCall(const WebhookCall& call) const { return ParseWebhook(call.body); }
  // Capabilities::websub: which hub tells of this account. NOT_FOUND HUB_NONE when none does.
  virtual StatusOr<Hub> FindHub(const Call& call, const Account& account);

  // ---- by reading ----
  // What happened since `cursor` ("" = from `since`), oldest first, at most `limit` (the network's page may be smaller).
  virtual StatusOr<PollPage> Poll(const Call& call, const Account& account, const std::string& cursor, absl::Time since,
                                  int limit);
  // From `cursor` on ("" = from now). FAILED_PRECONDITION NOT_POSSIBLE on a network without streams.
  virtual StatusOr<std::unique_ptr<Stream>> OpenStream(const Call& call, const Account& account, const std::string& cursor);
  // Capabilities::stream_channels_max: the same for all `listeners`. Refusals are of the app, none speaks of a channel.
  virtual StatusOr<SharedOpening> OpenSharedStream(const Call& call, const std::vector<Listener>& listeners,
                                                   const std::string& cursor, AccountOpener open);
  // The counters of these posts (at most 50; those that are gone are left out), or of the channel when the list is empty.
  virtual StatusOr<Measurement> Measure(const Call& call, const Account& account,
                                        const std::vector<std::string>& post_remote_ids);

 private:
  // Execute of a kind that the capabilities allow, with the target or person that it needs.
  virtual Outcome CarryOut(const Call& call, const Account& account, const Write& write) = 0;
};

// What streams are opened with. A process that opens none leaves it out: its connectors say that they have no stream.
struct Streaming {
  net::StreamClient* client = nullptr;   // outlives the connectors
  std::string jetstream_url;             // Bluesky's, "wss://host"; "" = none: it brings all posts of the network
  Secret x_bearer_token;                 // X's: the app's own token; empty = none
  std::string x_url = "https://api.x.com";   // where that token is shown, and nowhere else
};

// All connectors of this build, by network name. `http` outlives them.
std::map<std::string, std::unique_ptr<Connector>> MakeConnectors(net::HttpClient& http, const Clock& clock,
                                                                 const Streaming& streaming = {});

}  // namespace parvis::networks
