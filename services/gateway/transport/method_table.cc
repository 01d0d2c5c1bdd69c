#include "gateway/transport/method_table.h"

#include <set>

#include <absl/strings/str_cat.h>

#include "platform/rpc/access.h"

namespace parvis::gateway {
namespace {

bool IsOffered(const google::protobuf::MethodDescriptor& method) {
  if (method.client_streaming()) return false;
  std::set<Role> roles = rpc::DeclaredRoles(method);
  roles.erase(Role::kService);
  return !roles.empty();
}

}  // namespace

MethodTable::MethodTable(const std::vector<std::string>& files) {
  for (const std::string& name : files) {
    const auto* file = google::protobuf::DescriptorPool::generated_pool()->FindFileByName(name);
    if (file == nullptr) continue;
    for (int s = 0; s < file->service_count(); ++s) {
      const auto& service = *file->service(s);
      for (int m = 0; m < service.method_count(); ++m) {
        const auto& method = *service.method(m);
        if (!IsOffered(method)) continue;
        Method entry{.path = absl::StrCat("/", service.full_name(), "/", method.name()),
                     .package = file->package(),
                     .service = service.full_name(),
                     .name = method.name(),
                     .stream = method.server_streaming(),
                     .request = method.input_type(),
                     .response = method.output_type()};
        methods_.emplace(entry.path, std::move(entry));
      }
    }
  }
}

const Method* MethodTable::Find(const std::string& path) const {
  const auto it = methods_.find(path);
  return it == methods_.end() ? nullptr : &it->second;
}

std::vector<std::string> MethodTable::packages() const {
  std::set<std::string> packages;
  for (const auto& [path, method] : methods_) packages.insert(method.package);
  return {packages.begin(), packages.end()};
}

}  // namespace parvis::gateway
