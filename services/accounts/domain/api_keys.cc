#include "accounts/domain/api_keys.h"

#include <algorithm>

#include "accounts/domain/rules.h"

namespace parvis::accounts {
namespace {

constexpr size_t kIdHex = 32;
constexpr size_t kSecretHex = 64;

bool IsHex(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

std::string WithoutDashes(std::string_view uuid) {
  std::string hex;
  std::copy_if(uuid.begin(), uuid.end(), std::back_inserter(hex), [](char c) { return c != '-'; });
  return hex;
}

Status Unauthenticated(std::string_view reason, std::string_view message) {
  return MakeError(Code::kUnauthenticated, reason, message);
}

}  // namespace

std::optional<KeyParts> ParseKey(std::string_view token) {
  if (token.size() != 3 + kIdHex + 1 + kSecretHex || token.substr(0, 3) != "pv_") return std::nullopt;
  std::string_view id = token.substr(3, kIdHex), secret = token.substr(3 + kIdHex + 1);
  if (token[3 + kIdHex] != '_' || !IsHex(id) || !IsHex(secret)) return std::nullopt;
  std::string uuid(id);
  for (size_t dash : {20, 16, 12, 8}) uuid.insert(dash, "-");
  return KeyParts{std::move(uuid), Secret(std::string(secret))};
}

StatusOr<NewApiKey> ApiKeys::CreateApiKey(const Call& call, ApiKey wanted, Request request) {
  std::vector<Violation> violations;
  CheckDisplayName("api_key.display_name", wanted.display_name, violations);
  if (!wanted.roles.empty()) CheckRoles("api_key.roles", wanted.roles, violations);
  wanted.create_time = clock_.WallNow();
  if (wanted.expire_time && *wanted.expire_time <= wanted.create_time) {
    violations.push_back({"api_key.expire_time", "must lie in the future", "TIME_PASSED"});
  }
  PARVIS_RETURN_IF_ERROR(ToStatus(std::move(violations)));
  PARVIS_ASSIGN_OR_RETURN(Member member, members_.GetMember(call, wanted.member_id));
  if (wanted.roles.empty()) wanted.roles = member.roles;
  for (Role role : wanted.roles) {
    if (!AnyImplies(member.roles, role)) {
      return InvalidField("api_key.roles", "ROLE_NOT_HELD",
                          std::string("the member does not hold the role ") + RoleName(role));
    }
  }
  wanted.id = ids_.New();
  wanted.workspace_id = call.workspace_id;
  Secret secret(RandomHex(kSecretHex));
  PARVIS_ASSIGN_OR_RETURN(Created created, store_.InsertApiKey(call, wanted, hash_(secret), request));
  if (created.replayed) {
    Error error{.code = Code::kAlreadyExists,
                .reason = "KEY_ALREADY_CREATED",
                .message =
                    "this request has created its key before, and a key's secret is shown only once; revoke that "
                    "key and create another with a new request_id"};
    error.metadata["name"] = "workspaces/" + call.workspace_id + "/apiKeys/" + created.id;
    return parvis::ToStatus(error);
  }
  return NewApiKey{wanted, Secret("pv_" + WithoutDashes(wanted.id) + "_" + secret.Reveal())};
}

StatusOr<ApiKey> ApiKeys::GetApiKey(const Call& call, const std::string& id) { return store_.GetApiKey(call, id); }

StatusOr<std::vector<ApiKey>> ApiKeys::ListApiKeys(const Call& call, const Page& page) {
  return store_.ListApiKeys(call, page);
}

StatusOr<ApiKey> ApiKeys::RevokeApiKey(const Call& call, const std::string& id) {
  return store_.RevokeApiKey(call, id, clock_.WallNow());
}

StatusOr<Principal> Authentication::Authenticate(std::string_view token) {
  Principal principal;
  if (!operator_key_.empty() && operator_key_.Equals(token)) {
    principal.key_id = "operator";
    principal.roles = {Role::kOperator};
    return principal;
  }
  std::optional<KeyParts> parts = ParseKey(token);
  if (!parts) return Unauthenticated("TOKEN_UNKNOWN", "the key is not known");
  PARVIS_ASSIGN_OR_RETURN(std::optional<KeyDirectory::Entry> found, keys_.FindKey(parts->key_id));
  if (!found || !ConstantTimeEquals(found->hash, hash_(parts->secret))) {
    return Unauthenticated("TOKEN_UNKNOWN", "the key is not known");
  }
  if (found->key.revoke_time) return Unauthenticated("TOKEN_REVOKED", "the key has been revoked");
  if (found->key.expire_time && *found->key.expire_time <= clock_.WallNow()) {
    return Unauthenticated("TOKEN_EXPIRED", "the key has expired");
  }
  for (Role role : found->key.roles) {
    if (AnyImplies(found->member_roles, role)) principal.roles.insert(role);
  }
  if (principal.roles.empty()) return Unauthenticated("TOKEN_REVOKED", "the key's member holds none of its roles");
  principal.workspace_id = found->key.workspace_id;
  principal.organization_id = found->organization_id;
  principal.member_id = found->key.member_id;
  principal.key_id = found->key.id;
  return principal;
}

}  // namespace parvis::accounts
