#include "platform/rpc/access.h"

#include <algorithm>
#include <unordered_map>

#include <absl/strings/str_cat.h>
#include <google/api/resource.pb.h>

#include "parvis/platform/v1/access.pb.h"
#include "platform/base/ids.h"

namespace parvis::rpc {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

constexpr std::string_view kWorkspaces = "workspaces/";

// Role and parvis.platform.v1.Role number their members alike.
static_assert(static_cast<int>(Role::kOperator) == platform::v1::ROLE_OPERATOR);
static_assert(static_cast<int>(Role::kService) == platform::v1::ROLE_SERVICE);
static_assert(static_cast<int>(Role::kAnalyst) == platform::v1::ROLE_ANALYST);

bool IsNameField(const FieldDescriptor& field) {
  if (field.cpp_type() != FieldDescriptor::CPPTYPE_STRING) return false;
  return field.name() == "name" || field.name() == "names" || field.name() == "parent" ||
         field.options().HasExtension(google::api::resource_reference);
}

void AddName(std::string_view name, std::set<std::string>& out) {
  if (name.substr(0, kWorkspaces.size()) != kWorkspaces) return;
  name.remove_prefix(kWorkspaces.size());
  const std::string_view workspace = name.substr(0, name.find('/'));
  // Nearly always there is only one, named again and again.
  if (out.size() == 1 && *out.begin() == workspace) return;
  out.emplace(workspace);
}

// The fields of a type that hold names, or messages that may: found once, and for each thread, so that nothing is
// locked.
struct NamingField {
  const FieldDescriptor* field;
  bool is_name;  // else a message
};
const std::vector<NamingField>& NamingFieldsOf(const Descriptor& type) {
  thread_local std::unordered_map<const Descriptor*, std::vector<NamingField>> known;  // generated types: bounded
  const auto [it, added] = known.try_emplace(&type);
  if (!added) return it->second;
  for (int i = 0; i < type.field_count(); ++i) {
    const FieldDescriptor& field = *type.field(i);
    const bool is_name = IsNameField(field);
    if (is_name || field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) it->second.push_back({&field, is_name});
  }
  return it->second;
}

void Walk(const Message& message, int depth, std::set<std::string>& out) {
  if (depth > kNameDepthMax) {
    out.insert("?");
    return;
  }
  const Reflection& reflection = *message.GetReflection();
  for (const auto& [which, is_name] : NamingFieldsOf(*message.GetDescriptor())) {
    const FieldDescriptor& field = *which;
    if (is_name) {
      if (!field.is_repeated()) {
        std::string scratch;
        AddName(reflection.GetStringReference(message, &field, &scratch), out);
        continue;
      }
      for (int k = 0; k < reflection.FieldSize(message, &field); ++k) {
        std::string scratch;
        AddName(reflection.GetRepeatedStringReference(message, &field, k, &scratch), out);
      }
    } else {
      if (!field.is_repeated()) {
        if (reflection.HasField(message, &field)) Walk(reflection.GetMessage(message, &field), depth + 1, out);
        continue;
      }
      for (int k = 0; k < reflection.FieldSize(message, &field); ++k) {
        Walk(reflection.GetRepeatedMessage(message, &field, k), depth + 1, out);
      }
    }
  }
}

Status Mismatch() {
  return MakeError(Code::kPermissionDenied, "WORKSPACE_MISMATCH",
                   "the request names a workspace that the credentials do not belong to");
}

}  // namespace

std::set<Role> DeclaredRoles(const google::protobuf::MethodDescriptor& method) {
  std::set<Role> roles;
  for (const int role : method.options().GetExtension(platform::v1::access).roles()) {
    if (role > platform::v1::ROLE_UNSPECIFIED && role <= platform::v1::ROLE_OPERATOR)
      roles.insert(static_cast<Role>(role));
  }
  return roles;
}

bool DeclaresAnyone(const google::protobuf::MethodDescriptor& method) {
  return method.options().GetExtension(platform::v1::access).anyone();
}

std::vector<std::string> MethodsWithoutRole(std::string_view service) {
  const auto* descriptor = google::protobuf::DescriptorPool::generated_pool()->FindServiceByName(std::string(service));
  if (descriptor == nullptr) return {std::string(service)};
  std::vector<std::string> without;
  for (int i = 0; i < descriptor->method_count(); ++i) {
    const auto& method = *descriptor->method(i);
    if (DeclaredRoles(method).empty() && !DeclaresAnyone(method)) without.push_back(method.full_name());
  }
  return without;
}

std::set<std::string> WorkspacesNamed(const Message& request) {
  std::set<std::string> out;
  Walk(request, 0, out);
  return out;
}

const MethodAccess* AccessTable::Find(std::string_view path) {
  {
    const std::shared_lock lock(mutex_);
    if (const auto it = methods_.find(path); it != methods_.end()) return it->second.get();
  }
  const std::unique_lock lock(mutex_);
  const auto [it, added] = methods_.try_emplace(std::string(path));
  if (!added) return it->second.get();
  const size_t slash = path.find('/');
  if (slash == std::string_view::npos) return nullptr;
  const std::string service(path.substr(0, slash)), method(path.substr(slash + 1));
  const auto* descriptor =
      google::protobuf::DescriptorPool::generated_pool()->FindMethodByName(absl::StrCat(service, ".", method));
  if (descriptor == nullptr) return nullptr;
  std::set<Role> roles = DeclaredRoles(*descriptor);
  const bool anyone = DeclaresAnyone(*descriptor);
  if (roles.empty() && !anyone) return nullptr;
  it->second = std::make_unique<MethodAccess>(
      MethodAccess{service, method, std::move(roles), anyone, service.rfind("parvis.accounts.", 0) == 0});
  return it->second.get();
}

Status CheckAccess(const MethodAccess& access, const Message& request, Call& call) {
  const Principal& who = call.principal;
  const bool allowed =
      std::any_of(access.roles.begin(), access.roles.end(), [&](Role needed) { return who.Has(needed); });
  if (!allowed && !access.anyone) {
    Error error{.code = Code::kPermissionDenied, .reason = "ROLE_MISSING"};
    for (const Role role : access.roles) {
      absl::StrAppend(&error.metadata["roles"], error.metadata["roles"].empty() ? "" : ",", RoleName(role));
    }
    error.message = absl::StrCat(access.method, " needs the role ", error.metadata["roles"]);
    return ToStatus(error);
  }
  const std::set<std::string> named = WorkspacesNamed(request);
  if (named.size() == 1 && !who.workspace_id.empty() && *named.begin() == who.workspace_id) {
    call.workspace_id = who.workspace_id;  // nearly always; the rest is for other spellings and other callers
    return absl::OkStatus();
  }
  if (named.size() == 1) call.workspace_id = NormalizeUuid(*named.begin());
  const bool anywhere = who.roles.count(Role::kService) != 0 || who.roles.count(Role::kOperator) != 0;
  if (anywhere || access.anyone) return absl::OkStatus();
  if (who.workspace_id.empty()) return named.empty() || access.accounts ? absl::OkStatus() : Mismatch();
  for (const std::string& workspace : named) {
    if (NormalizeUuid(workspace) != who.workspace_id) return Mismatch();
  }
  call.workspace_id = who.workspace_id;
  return absl::OkStatus();
}

}  // namespace parvis::rpc
