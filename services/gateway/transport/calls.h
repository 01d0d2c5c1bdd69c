// The two kinds of calls to a backend; neither blocks a thread. Internal to transport.
#pragma once

#include <memory>
#include <string>

#include <grpcpp/generic/generic_stub.h>

#include "gateway/transport/exchange.h"

namespace parvis::gateway {

// Both take over the exchange and answer it, whatever happens.
void StartUnary(std::unique_ptr<Exchange> exchange, grpc::GenericStub& stub, const std::string& request);
void StartStream(std::unique_ptr<Exchange> exchange, grpc::GenericStub& stub, const std::string& request);

}  // namespace parvis::gateway
