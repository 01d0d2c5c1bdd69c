// Where each proto package is served: one channel each.
#pragma once

#include <map>
#include <memory>
#include <string>

#include <grpcpp/generic/generic_stub.h>

#include "platform/base/clock.h"
#include "platform/base/error.h"
#include "platform/obs/metrics.h"
#include "platform/rpc/client.h"

namespace parvis::gateway {

class Backends {
 public:
  // `addresses`: package -> gRPC address; `client`: everything else about the channels.
  Backends(const std::map<std::string, std::string>& addresses, rpc::ClientConfig client, const Clock& clock,
           obs::Metrics& metrics);
  ~Backends();
  // nullptr when nobody serves the package. Thread-safe.
  grpc::GenericStub* Find(const std::string& package) const;

 private:
  struct Backend {
    std::unique_ptr<rpc::Client> client;
    std::unique_ptr<grpc::GenericStub> stub;
  };
  std::map<std::string, Backend> backends_;
};

}  // namespace parvis::gateway
