// How a network tells of what happened: which events, what a call's body is, how it is signed, how a target is verified. One style
// a network, in <network>_webhooks.cc; styles.cc knows them all.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "platform/base/secret.h"
#include "platform/net/http.h"
#include "sandbox/domain/model.h"
#include "sandbox/domain/random.h"

namespace parvis::sandbox {

// What the style of a target may depend on.
struct StyleSettings {
  Secret secret;        // the key of the signature: app secret, consumer secret, hook's secret
  Secret verify_token;  // Meta
  std::string shape;    // where a network has several: X "xaa" (default) or "aaa"; WebSub "sha1", "sha256", ...
  std::string url;      // of the target
  std::string origin;   // where the sandbox itself is: "http://127.0.0.1:8090"
  std::string account;  // whose events it wants; "" = everybody's
};

struct Challenge {
  std::string query;     // added to the target's URL, without '?'
  std::string expected;  // what Answered() compares with
};

// Stateless, thread-safe.
class WebhookStyle {
 public:
  virtual ~WebhookStyle() = default;
  // Whether the network tells anybody about it at all.
  virtual bool Tells(const Notice& notice) const = 0;
  // Whether `next` may go into the call that begins with `first`; the target's batch_max bounds it besides.
  virtual bool Together(const StyleSettings& settings, const Notice& first, const Notice& next) const = 0;
  // The call's body. What is signed is what is sent.
  virtual std::string Body(const StyleSettings& settings, const std::vector<Notice>& notices, absl::Time now) const = 0;
  // What the network may start to send any day: unknown fields, verbs, event types and members.
  virtual std::string Odd(const StyleSettings& settings, const Notice& like, absl::Time now) const = 0;
  // Content type, signature and the like. `like`: one of the notices in the body.
  virtual void Dress(const StyleSettings& settings, const std::string& body, const Notice& like,
                     net::Headers* headers) const = 0;
  // nullopt: the network verifies no target, events are sent at once.
  virtual std::optional<Challenge> MakeChallenge(const StyleSettings& settings, Rng& rng) const = 0;
  virtual bool Answered(const std::string& expected, const std::string& body) const = 0;
  virtual int attempts_max() const { return 0; }   // 0: no end
  virtual bool per_account() const { return false; }   // a target is for one account's events
  virtual int batch_max() const { return 0; }      // notices in one call, whatever the target says; 0: no bound
  virtual bool Acknowledges(int http_status) const { return http_status == 200; }
};

// nullptr: the network has no webhooks.
const WebhookStyle* StyleOf(Network network);

// JSON text; `ascii`: all else escaped, as networks made with PHP or Java do.
std::string DumpJson(const nlohmann::json& json, bool ascii);

}  // namespace parvis::sandbox
