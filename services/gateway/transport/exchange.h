// One call through the gateway: how it is answered, whatever happens. Internal to transport.
#pragma once

#include <memory>
#include <mutex>
#include <string>

#include <grpcpp/client_context.h>
#include <grpcpp/support/byte_buffer.h>

#include "gateway/transport/codec.h"
#include "gateway/transport/method_table.h"
#include "platform/base/call.h"
#include "platform/net/http_server.h"

namespace parvis::gateway {

class CallBook;

// What is known of a call once its URL and Content-Type are.
struct Exchange {
  Exchange(net::Responder r, const Method& m, Format f, CallBook& b, Instant at)
      : responder(std::move(r)), method(m), format(f), book(b), began(at) {}

  // Unary: the whole answer. Stream: begins the answer if need be, then the end-of-stream message. Counts the call;
  // once.
  void Fail(const grpc::Status& status);
  void Succeed(std::string body);  // unary
  void BeginStream();
  void EndStream(const grpc::Status& status);

  const net::Responder responder;
  const Method& method;
  const Format format;
  CallBook& book;
  const Instant began;
  Trace trace;
  std::string authorization;
  uint64_t key = 0;  // hash of the key, or of the host of a caller without one
  // Whose load it is: the workspace that the key was found to belong to, else the key alone.
  uint64_t tenant = 0;
  bool ask_tenant = false;  // it is not known whose key it is
  absl::Duration timeout = absl::InfiniteDuration();
  bool capped = false;     // the timeout is ours, not the caller's
  bool streaming = false;  // BeginStream was called

 private:
  net::Headers CommonHeaders() const;
};

std::string ToString(const grpc::ByteBuffer& buffer);
grpc::ByteBuffer ToBuffer(const std::string& bytes);

// Deadline (which no step of the wall clock moves), key and trace of the call to the backend, and the question whose
// key it is.
void Prepare(const Exchange& exchange, grpc::ClientContext& context);

// After a call that asked: remembers which tenant the backend found the key to belong to. A key that was served without
// a word about that (a backend of an earlier release) is a tenant of its own.
void LearnTenant(const Exchange& exchange, const grpc::ClientContext& context, const grpc::Status& status);

}  // namespace parvis::gateway
