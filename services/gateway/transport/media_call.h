// Media that networks fetch by signed address: piece by piece from the service that keeps them, as fast as the reader takes
// them. The gateway has no key and judges nothing: that service does. Internal to transport.
#pragma once

#include <string>

#include <grpcpp/generic/generic_stub.h>

#include "gateway/transport/call_book.h"
#include "gateway/transport/media_request.h"
#include "platform/base/clock.h"
#include "platform/net/http_server.h"

namespace parvis::gateway {

inline constexpr char kMediaPackage[] = "parvis.publishing.v1";

struct MediaLimits {
  absl::Duration piece_max;  // time of one question
  absl::Duration fetch_max;  // of all
  int piece_bytes = 0;
};

// How what is not served is answered: by an error's own status, but with one and the same answer for all that a signed address
// would show and this one does not.
net::HttpResponse MediaRefusal(const grpc::Status& status);
net::HttpResponse NoSuchMedia();

// Answers in the end, whatever happens. `host`: whose load it is. `book` and `clock` outlive it.
void StartMedia(MediaRequest request, net::Responder responder, grpc::GenericStub& stub, uint64_t host, CallBook& book,
                const MediaLimits& limits, const Clock& clock, Instant began);
// Counts one that was answered before it began.
void MeasureMedia(CallBook& book, std::string_view code, Instant began);

}  // namespace parvis::gateway
