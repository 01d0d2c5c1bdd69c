#include "tests/sim/life.h"

#include "inbox/domain/claim.h"
#include "inbox/domain/reply.h"

namespace parvis::sim {
namespace {

constexpr absl::Duration kOrderEvery = absl::Milliseconds(5);
constexpr absl::Duration kCommentEvery = absl::Milliseconds(20);
constexpr int kTries = 8;

int64_t Hash(const std::string& text) {
  uint64_t hash = 0xcbf29ce484222325ULL;
  for (const unsigned char c : text) hash = (hash ^ c) * 0x100000001b3ULL;
  return static_cast<int64_t>(hash >> 1);
}

}  // namespace

void Life::Begin() {
  for (int channel = 0; channel < static_cast<int>(scene_.network.channels().size()); ++channel) {
    threads_.push_back({channel, scene_.network.AddComment(channel, "")});
    ++comments_;
  }
  Customers();
  Orders();
  Trouble();
}

// ---- customers -----------------------------------------------------------------------------------------------------

void Life::Customers() {
  if (over()) return;
  const int what = sim_.random.Below(20);
  if (what < 14) {
    Thread thread = sim_.random.Of(threads_);
    if (what < 7) {
      thread.channel = sim_.random.Below(static_cast<int>(scene_.network.channels().size()));
      thread.name = scene_.network.AddComment(thread.channel, "");
      threads_.push_back(thread);
    } else {
      scene_.network.AddComment(thread.channel, thread.name);
    }
    ++comments_;
    if (sim_.random.Chance(0.7)) BeginSession();
  } else if (what < 17) {
    scene_.network.EditComment();
  } else if (what < 18) {
    scene_.network.RemoveComment();
  }
  sim_.scheduler.After(sim_.random.Around(kCommentEvery * sim_.faults.pace), nullptr, [this] { Customers(); });
}

// ---- orders of other services and of campaigns ----------------------------------------------------------------------

void Life::Orders() {
  if (over()) return;
  const int channel = sim_.random.Below(static_cast<int>(scene_.network.channels().size()));
  sim_.random.Chance(0.7) ? OrderCommand(channel) : OrderPost(channel);
  sim_.scheduler.After(sim_.random.Around(kOrderEvery * sim_.faults.pace), nullptr, [this] { Orders(); });
}

// Moderation and engagement write to Kafka directly, at least once.
void Life::OrderCommand(int number) {
  const Item* const target = scene_.network.SomeComment(number);
  if (!target) return;
  const SimChannel& channel = scene_.network.channels()[static_cast<size_t>(number)];
  publishing::DeliveryCommand command;
  const int order = next_order_++;
  command.command_id = "moderation/" + std::to_string(order);
  command.workspace_id = channel.workspace_id;
  command.channel_id = channel.id;
  const int kind = sim_.random.Below(10);
  command.kind = kind < 5   ? publishing::DeliveryKind::kReply
                 : kind < 8 ? publishing::DeliveryKind::kHide
                 : kind < 9 ? publishing::DeliveryKind::kUnhide
                            : publishing::DeliveryKind::kDelete;
  command.target_remote_id = target->remote_id;
  command.thread = target->thread;
  if (command.kind == publishing::DeliveryKind::kReply) command.text = "order " + std::to_string(order);
  command.requested_by = "moderation";
  command.requested_time = absl::FromUnixSeconds(1'800'000'000) + absl::Nanoseconds(sim_.scheduler.now());
  command.expire_time = command.requested_time + (sim_.random.Chance(0.2) ? absl::Seconds(20) : absl::Minutes(60));
  const int partition = publishing::PartitionOf(publishing::ShardOf(channel.id), kPartitions);
  const Record record = std::make_shared<Payload>(std::move(command));
  scene_.bus.Append(Topic::kCommands, partition, record);
  if (sim_.Fault(sim_.faults.produce_twice)) scene_.bus.Append(Topic::kCommands, partition, record);
  --left_;
}

// A person schedules a post: a transaction of the API, here always successful.
void Life::OrderPost(int number) {
  const SimChannel& channel = scene_.network.channels()[static_cast<size_t>(number)];
  const absl::Time now = absl::FromUnixSeconds(1'800'000'000) + absl::Nanoseconds(sim_.scheduler.now());
  publishing::Delivery d;
  const int order = next_order_++;
  d.workspace_id = channel.workspace_id;
  d.channel_id = channel.id;
  d.network = channel.network;
  d.id = UuidOfName("post/" + std::to_string(order));
  d.kind = publishing::DeliveryKind::kPost;
  d.content.text = "post " + std::to_string(order);
  d.due_time = d.ready_time = now + sim_.random.Around(absl::Seconds(3));
  d.expire_time = d.due_time + (sim_.random.Chance(0.2) ? absl::Seconds(20) : absl::Minutes(60));
  d.lane = publishing::LaneOf(d);
  scene_.ledger.Insert({d}, now, "member");
  --left_;
}

// ---- members -------------------------------------------------------------------------------------------------------

struct Life::Session {
  Call call;
  std::string conversation, request_id;
  int64_t token = 0;
  int tries = 0;
};

void Life::Request(const std::shared_ptr<Session>& session, std::function<Status(InboxPort&)> ask,
                   std::function<void(const Status&)> then) {
  if (++session->tries > kTries) {
    --requests_;
    return;
  }
  const auto again = [this, session, ask, then] { Request(session, ask, then); };
  InboxReplica* const replica =
      scene_.inbox[static_cast<size_t>(sim_.random.Below(static_cast<int>(scene_.inbox.size())))].get();
  if (!replica->up() || replica->dying()) return sim_.scheduler.After(absl::Seconds(1), nullptr, again);
  // The request may vanish with the process: who asked waits no longer than this.
  const auto answered = std::make_shared<bool>(false);
  sim_.scheduler.After(absl::Seconds(5), nullptr, [answered, again] {
    if (!*answered) again();
  });
  replica->After(sim_.random.Around(absl::Milliseconds(5)), [this, replica, answered, ask, then, again] {
    const Status status = ask(replica->port());
    if (*answered || replica->dying()) return;  // too late: it asks a second time already
    if (status.code() == Code::kUnavailable || status.code() == Code::kNotFound) return;
    *answered = true;
    then(status);
  });
}

void Life::BeginSession() {
  const Thread& thread = sim_.random.Of(threads_);
  const SimChannel& channel = scene_.network.channels()[static_cast<size_t>(thread.channel)];
  const auto session = std::make_shared<Session>();
  session->call.principal.workspace_id = session->call.workspace_id = channel.workspace_id;
  session->call.principal.member_id = "member" + std::to_string(sim_.random.Below(6));
  session->call.principal.roles = {Role::kModerator};
  session->call.deadline = Instant::Max();
  session->conversation = inbox::ConversationId(channel.workspace_id, channel.id, thread.name);
  session->request_id = UuidOfName("request/" + std::to_string(next_session_++));
  ++requests_;
  sim_.scheduler.After(sim_.random.Around(absl::Seconds(2)), nullptr, [this, session] { AskClaim(session); });
}

void Life::AskClaim(const std::shared_ptr<Session>& session) {
  Request(
      session,
      [this, session](InboxPort& port) -> Status {
        port.token_in_hand = 0;
        PARVIS_ASSIGN_OR_RETURN(const inbox::Conversation c,
                                inbox::ClaimConversation(port, session->call, session->conversation,
                                                         sim_.random.Between(absl::Seconds(2), absl::Seconds(30))));
        session->token = c.claim.token;
        return absl::OkStatus();
      },
      [this, session](const Status& status) {
        sim_.Note("member", "claims", Hash(session->conversation) % 1000000, status.ok() ? session->token : -1);
        if (!status.ok()) {
          --requests_;
          return;
        }
        session->tries = 0;
        // Thinks; sometimes longer than the claim lasts.
        sim_.scheduler.After(sim_.random.Around(absl::Seconds(4)), nullptr, [this, session] { AskReply(session); });
      });
}

void Life::AskReply(const std::shared_ptr<Session>& session) {
  Request(
      session,
      [session](InboxPort& port) -> Status {
        port.token_in_hand = session->token;
        const auto reply = inbox::Reply(port, session->call,
                                        {.conversation_id = session->conversation,
                                         .text = "answer " + session->request_id.substr(0, 8),
                                         .target_message_id = "",
                                         .request_id = session->request_id,
                                         .claim_token = session->token},
                                        {});
        port.token_in_hand = 0;
        return reply.status();
      },
      [this, session](const Status& status) {
        sim_.Note("member", "replies", Hash(session->conversation) % 1000000, status.ok() ? session->token : -1);
        if (status.ok()) {
          --left_;
          ++replies_;
        }
        session->tries = 0;
        if (status.ok() && sim_.random.Chance(0.7)) return AskRelease(session);
        --requests_;
      });
}

void Life::AskRelease(const std::shared_ptr<Session>& session) {
  Request(
      session,
      [session](InboxPort& port) {
        port.token_in_hand = 0;
        return inbox::ReleaseConversation(port, session->call, session->conversation, session->token).status();
      },
      [this](const Status&) { --requests_; });
}

}  // namespace parvis::sim
