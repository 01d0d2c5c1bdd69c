#include "accounts/storage/channel_rows.h"

#include <optional>

namespace parvis::accounts {
namespace {

void PutText(std::string_view text, std::string& out) {
  for (int shift : {24, 16, 8, 0}) out.push_back(static_cast<char>((text.size() >> shift) & 0xFF));
  out.append(text);
}

std::optional<std::string> TakeText(std::string_view& in) {
  if (in.size() < 4) return std::nullopt;
  size_t length = 0;
  for (int i = 0; i < 4; ++i) length = length << 8 | static_cast<unsigned char>(in[i]);
  in.remove_prefix(4);
  if (length > in.size()) return std::nullopt;
  std::string text(in.substr(0, length));
  in.remove_prefix(length);
  return text;
}

}  // namespace

Channel ToChannel(const db::Rows& rows, int row) {
  return {.id = rows.Text(row, 1),
          .workspace_id = rows.Text(row, 0),
          .network = rows.Text(row, 2),
          .remote_id = rows.Text(row, 3),
          .base_url = rows.Text(row, 4),
          .display_name = rows.Text(row, 5),
          .handle = rows.Text(row, 6),
          .url = rows.Text(row, 7),
          .state = StateFromName(rows.View(row, 8)),
          .state_reason = rows.Text(row, 9),
          .state_message = rows.Text(row, 10),
          .credentials_version = rows.Int(row, 11),
          .create_time = rows.Time(row, 12),
          .update_time = rows.Time(row, 13),
          .credentials_expire_time = rows.MaybeTime(row, 14),
          .refresh_time = rows.MaybeTime(row, 15)};
}

const char* StateName(ChannelState state) {
  switch (state) {
    case ChannelState::kConnected:
      return "connected";
    case ChannelState::kBroken:
      return "broken";
    case ChannelState::kDisconnected:
      return "disconnected";
  }
  return "broken";
}

ChannelState StateFromName(std::string_view name) {
  if (name == "connected") return ChannelState::kConnected;
  return name == "disconnected" ? ChannelState::kDisconnected : ChannelState::kBroken;
}

Secret PackCredentials(const CredentialFields& credentials) {
  std::string packed;
  for (const auto& [field, secret] : credentials) {
    PutText(field, packed);
    PutText(secret.Reveal(), packed);
  }
  return Secret(std::move(packed));
}

StatusOr<CredentialFields> UnpackCredentials(const Secret& packed) {
  CredentialFields credentials;
  std::string_view in = packed.Reveal();
  while (!in.empty()) {
    std::optional<std::string> field = TakeText(in);
    std::optional<std::string> value = field ? TakeText(in) : std::nullopt;
    if (!value) return MakeError(Code::kInternal, "CREDENTIALS_UNREADABLE", "opened credentials have a wrong form");
    credentials[*field] = Secret(std::move(*value));
  }
  return credentials;
}

std::string SealedFor(std::string_view workspace_id, std::string_view channel_id) {
  return std::string(workspace_id) + "|" + std::string(channel_id);
}

}  // namespace parvis::accounts
