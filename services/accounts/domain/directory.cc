#include "accounts/domain/directory.h"

#include <algorithm>

#include "accounts/domain/rules.h"
#include "accounts/domain/sign_in_gate.h"

namespace parvis::accounts {
namespace {

constexpr size_t kAccountsMax = 500;
constexpr size_t kMessageMax = 500;
constexpr int kResealBatch = 100;

bool IsReason(std::string_view text) {
  return !text.empty() && text.size() <= 63 && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  });
}

// At most `max` bytes, without cutting a character.
std::string Shortened(std::string text, size_t max) {
  if (text.size() <= max) return text;
  while (max > 0 && (static_cast<unsigned char>(text[max]) & 0xC0) == 0x80) --max;
  text.resize(max);
  return text;
}

}  // namespace

StatusOr<DirectoryStore::Opened> Directory::GetChannelCredentials(const Call& call, const std::string& channel_id) {
  PARVIS_ASSIGN_OR_RETURN(DirectoryStore::Opened opened, store_.OpenCredentials(call, channel_id));
  std::erase_if(opened.credentials, [](const auto& field) { return IsKeptBack(field.first); });
  return opened;
}

StatusOr<std::vector<Binding>> Directory::FindChannels(const Call& call, const std::string& network,
                                                       const std::vector<std::string>& remote_ids) {
  std::vector<Violation> violations;
  if (network.empty()) violations.push_back({"network", "must not be empty", "REQUIRED"});
  if (remote_ids.empty() || remote_ids.size() > kAccountsMax) {
    violations.push_back({"remote_ids", "must hold 1 to 500 ids", "COUNT"});
  }
  for (const std::string& id : remote_ids) {
    if (id.empty() || id.size() > 500 || id.find('\0') != std::string::npos) {
      violations.push_back({"remote_ids", "every id must have 1 to 500 bytes and no NUL", "REMOTE_ID"});
      break;
    }
  }
  PARVIS_RETURN_IF_ERROR(ToStatus(std::move(violations)));
  return store_.FindBindings(call, network, remote_ids);
}

StatusOr<std::vector<Binding>> Directory::ListBindings(const Call& call, const Page& page) {
  return store_.ListBindings(call, page);
}

StatusOr<ChannelState> Directory::ReportHealth(const Call& call, const HealthReport& report) {
  if (report.broken && !IsReason(report.reason)) {
    return InvalidField("reason", "REASON", "must be UPPER_SNAKE_CASE, at most 63 characters, when broken is true");
  }
  return store_.SetHealth(call, report.channel_id, report.credentials_version,
                          report.broken ? ChannelState::kBroken : ChannelState::kConnected,
                          report.broken ? report.reason : "",
                          report.broken ? Shortened(report.message, kMessageMax) : "", clock_.WallNow());
}

StatusOr<int64_t> Directory::ResealCredentials(const Call& call) {
  int64_t total = 0;
  while (true) {
    if (call.Expired(clock_)) {
      return MakeError(Code::kDeadlineExceeded, "RESEAL_UNFINISHED",
                       std::to_string(total) + " were sealed again and more are left; call again to go on");
    }
    PARVIS_ASSIGN_OR_RETURN(int done, store_.Reseal(call, kResealBatch));
    if (done == 0) return total;
    total += done;
  }
}

}  // namespace parvis::accounts
