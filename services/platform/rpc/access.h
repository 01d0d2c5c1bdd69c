// Who may call what: the access option of a method and the workspaces that a request names, both by descriptor.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <vector>

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include "platform/base/call.h"
#include "platform/base/error.h"

namespace parvis::rpc {

struct MethodAccess {
  std::string service;    // "parvis.inbox.v1.InboxService"
  std::string method;     // "Reply"
  std::set<Role> roles;   // any one is enough
  bool anyone = false;    // nobody is asked for a key: the method checks what the request itself proves
  bool accounts = false;  // of parvis.accounts.*: its use cases check the organisation themselves
};

// The roles that a method declares; empty when it declares none.
std::set<Role> DeclaredRoles(const google::protobuf::MethodDescriptor& method);
// Whether it declares that anyone may call it.
bool DeclaresAnyone(const google::protobuf::MethodDescriptor& method);

// Names of the methods of `service` (full name) that declare neither; the service's own name if it is unknown.
std::vector<std::string> MethodsWithoutRole(std::string_view service);

// Every workspace id that a resource name in `request` mentions, as written. Bounded in depth; names in deeper messages
// than kNameDepthMax are reported as the id "?", which is nobody's.
inline constexpr int kNameDepthMax = 16;
std::set<std::string> WorkspacesNamed(const google::protobuf::Message& request);

// Finds methods by their gRPC path without leading slash ("parvis.inbox.v1.InboxService/Reply"). Thread-safe; looks
// each up once. nullptr for a method that does not exist or declares nobody.
class AccessTable {
 public:
  const MethodAccess* Find(std::string_view path);

 private:
  std::shared_mutex mutex_;
  std::map<std::string, std::unique_ptr<MethodAccess>, std::less<>> methods_;
};

// The checks after authentication; fills call.workspace_id. PERMISSION_DENIED ROLE_MISSING, WORKSPACE_MISMATCH. Nothing is
// refused where anyone may call: the workspace is the one that is named.
Status CheckAccess(const MethodAccess& access, const google::protobuf::Message& request, Call& call);

}  // namespace parvis::rpc
