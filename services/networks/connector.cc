#include "networks/connector.h"

#include "networks/wire/answer.h"
#include "networks/wire/check.h"

namespace parvis::networks {
namespace {

Status NotPossible(const Connector& connector, Feature feature) {
  return MakeError(Code::kFailedPrecondition, "NOT_POSSIBLE",
                   std::string(NameOf(feature)) + " is " + connector.capabilities().WhyNot(feature));
}

}  // namespace

const Secret& Credentials::Get(std::string_view key) const {
  static const Secret* const none = new Secret;
  const auto it = fields.find(std::string(key));
  return it == fields.end() ? *none : it->second;
}

Appearance Connector::Show(const Draft& draft) const { return ShowText(TextWithLink(draft), draft, capabilities()); }

Outcome Connector::Execute(const Call& call, const Account& account, const Write& write) {
  const Capabilities& can = capabilities();
  if (!can.Can(write.kind)) return RefusedBeforeSending(ErrorClass::kInvalid, can.WhyNot(write.kind));
  if (write.kind != WriteKind::kPost && write.target_remote_id.empty()) {
    const bool of_author = can.of_author.contains(write.kind);
    if (!of_author) return RefusedBeforeSending(ErrorClass::kInvalid, "no target is named");
    if (write.target_author_id.empty()) {
      return RefusedBeforeSending(ErrorClass::kInvalid, "neither a person nor something of theirs is named");
    }
  }
  return CarryOut(call, account, write);
}

StatusOr<HandshakeAnswer> Connector::Handshake(const WebhookCall&, const std::vector<Secret>&, const Secret&) const {
  return NotPossible(*this, Feature::kWebhooks);
}

Status Connector::VerifySignature(const WebhookCall&, const std::vector<Secret>&) const {
  return NotPossible(*this, Feature::kWebhooks);
}

WebhookContent Connector::ParseWebhook(std::string_view body) const {
  WebhookContent content;
  content.unparsed.push_back({std::string(body), "UNKNOWN_SHAPE", "this network sends no webhooks"});
  return content;
}

StatusOr<Hub> Connector::FindHub(const Call&, const Account&) { return NotPossible(*this, Feature::kWebhooks); }

StatusOr<PollPage> Connector::Poll(const Call&, const Account&, const std::string&, absl::Time, int) {
  return NotPossible(*this, Feature::kPolling);
}

StatusOr<std::unique_ptr<Stream>> Connector::OpenStream(const Call&, const Account&, const std::string&) {
  return NotPossible(*this, Feature::kStream);
}

StatusOr<SharedOpening> Connector::OpenSharedStream(const Call&, const std::vector<Listener>&, const std::string&, AccountOpener) {
  return NotPossible(*this, Feature::kStream);
}

StatusOr<Measurement> Connector::Measure(const Call&, const Account&, const std::vector<std::string>&) {
  return NotPossible(*this, Feature::kPostCounts);
}

}  // namespace parvis::networks
