#include "ingestion/network/adapters.h"

#include <algorithm>

#include <absl/strings/ascii.h>

#include "platform/obs/log.h"

namespace parvis::ingestion {
namespace {

Kind FromNetworkKind(networks::Happening::Kind kind) {
  using From = networks::Happening::Kind;
  switch (kind) {
    case From::kComment:
      return Kind::kComment;
    case From::kMention:
      return Kind::kMention;
    case From::kMessage:
      return Kind::kMessage;
    case From::kEdit:
      return Kind::kEdit;
    case From::kRemoval:
      return Kind::kRemoval;
    case From::kReaction:
      return Kind::kReaction;
    case From::kHide:
      return Kind::kHide;
    case From::kUnhide:
      return Kind::kUnhide;
  }
  return Kind::kComment;
}

}  // namespace

Happening FromNetwork(networks::Happening&& from) {
  Happening to;
  to.kind = FromNetworkKind(from.kind);
  to.account = std::move(from.account_remote_id);
  to.remote_id = std::move(from.remote_id);
  to.thread = std::move(from.thread);
  to.conversation = std::move(from.conversation);
  to.parent_remote_id = std::move(from.parent_remote_id);
  to.post_remote_id = std::move(from.post_remote_id);
  to.author_remote_id = std::move(from.author_remote_id);
  to.author_name = std::move(from.author_name);
  to.author_handle = std::move(from.author_handle);
  to.text = std::move(from.text);
  to.occurred_at = from.occurred_at;
  to.revision = from.revision;
  to.by_us = from.by_us;
  to.permalink = std::move(from.permalink);
  to.attachments = std::move(from.attachments);
  return to;
}

std::vector<Happening> FromNetwork(std::vector<networks::Happening>&& happenings) {
  std::vector<Happening> to;
  to.reserve(happenings.size());
  for (networks::Happening& happening : happenings) to.push_back(FromNetwork(std::move(happening)));
  return to;
}

std::vector<RawPart> FromNetwork(std::vector<networks::Unparsed>&& parts) {
  std::vector<RawPart> to;
  to.reserve(parts.size());
  for (networks::Unparsed& part : parts) {
    to.push_back({std::move(part.raw), std::move(part.reason), std::move(part.detail)});
  }
  return to;
}

std::string HostOf(std::string_view url) {
  const size_t scheme = url.find("://");
  if (scheme == std::string_view::npos) return "";
  url.remove_prefix(scheme + 3);
  url = url.substr(0, url.find_first_of("/?#"));
  if (const size_t at = url.rfind('@'); at != std::string_view::npos) url.remove_prefix(at + 1);
  return absl::AsciiStrToLower({url.data(), std::min<size_t>(url.size(), 255)});
}

bool ConnectorReader::SharesBudget(const std::string& network) const {
  auto it = connectors_.find(network);
  return it != connectors_.end() && it->second->capabilities().reads_share_budget;
}

bool ConnectorReader::HearsByWebhook(const std::string& network) const {
  auto it = connectors_.find(network);
  return it != connectors_.end() && it->second->capabilities().webhooks_bring_comments;
}

bool ConnectorReader::CanRead(const std::string& network) const {
  auto it = connectors_.find(network);
  return it != connectors_.end() && it->second->capabilities().Can(networks::Feature::kPolling);
}

StatusOr<networks::Account> OpenAccount(ChannelDesk& desk, const Call& call, const Binding& binding) {
  PARVIS_ASSIGN_OR_RETURN(OpenedChannel opened, desk.Open(call, binding));
  return networks::Account{.channel_id = binding.channel_id,
                           .remote_id = opened.remote_id,
                           .base_url = opened.base_url,
                           .credentials = networks::Credentials{std::move(opened.credentials)}};
}

StatusOr<networks::Connector*> ConnectorOf(const Connectors& connectors, const std::string& network) {
  auto it = connectors.find(network);
  if (it != connectors.end()) return it->second.get();
  return MakeError(Code::kFailedPrecondition, "NETWORK_UNKNOWN", "this build does not have the network");
}

void TellBroken(ChannelDesk& desk, const Call& call, const Source& source, const Status& why) {
  const Error error = ToError(why);
  Status reported = desk.ReportBroken(call, source.binding, source.credentials_version, error.reason, error.message);
  if (reported.ok()) return;
  obs::Log(obs::Level::kWarning, call, "could not tell accounts of refused credentials", {{"error", reported}});
}

StatusOr<ReadPage> ConnectorReader::Read(const Call& call, const Source& source, const std::string& cursor,
                                         absl::Time since, int limit) {
  PARVIS_ASSIGN_OR_RETURN(networks::Connector * connector, ConnectorOf(connectors_, source.network));
  PARVIS_ASSIGN_OR_RETURN(const networks::Account account, OpenAccount(desk_, call, source.binding));
  PARVIS_ASSIGN_OR_RETURN(networks::PollPage page, connector->Poll(call, account, cursor, since, limit));
  return ReadPage{.happenings = FromNetwork(std::move(page.happenings)),
                  .unparsed = FromNetwork(std::move(page.unparsed)),
                  .cursor = std::move(page.cursor),
                  .more = page.more,
                  .rate = {page.rate.remaining, page.rate.reset_in, page.rate.retry_after},
                  .host = HostOf(account.base_url)};
}

void ConnectorReader::ReportBroken(const Call& call, const Source& source, const Status& why) {
  TellBroken(desk_, call, source, why);
}

}  // namespace parvis::ingestion
