#include "gateway/transport/backends.h"

#include <grpcpp/channel.h>

namespace parvis::gateway {

Backends::Backends(const std::map<std::string, std::string>& addresses, rpc::ClientConfig client, const Clock& clock,
                   obs::Metrics& metrics) {
  for (const auto& [package, address] : addresses) {
    client.address = address;
    Backend& backend = backends_[package];
    backend.client = std::make_unique<rpc::Client>("gateway", client, clock, metrics);
    backend.stub = std::make_unique<grpc::GenericStub>(backend.client->channel());
    (void)backend.client->channel()->GetState(/*try_to_connect=*/true);  // the first call need not wait for it
  }
}

Backends::~Backends() = default;

grpc::GenericStub* Backends::Find(const std::string& package) const {
  const auto it = backends_.find(package);
  return it == backends_.end() ? nullptr : it->second.stub.get();
}

}  // namespace parvis::gateway
