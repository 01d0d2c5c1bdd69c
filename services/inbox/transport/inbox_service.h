// InboxService over the use cases. The only file pair of the inbox that sees gRPC.
#pragma once

#include <memory>

#include "inbox/domain/reply.h"
#include "inbox/domain/store.h"
#include "inbox/domain/watch.h"
#include "platform/base/clock.h"
#include "platform/base/ids.h"
#include "platform/rpc/server.h"

namespace grpc {
class Service;
}

namespace parvis::inbox {

struct ServiceOptions {
  int page_default = 50;
  int page_max = 200;
  absl::Duration claim_lease = absl::Minutes(5);
  absl::Duration case_due = absl::Hours(24);
  ReplyRules reply;
};

// What the service stands on; all of it outlives the service.
struct ServiceParts {
  rpc::Runtime& runtime;
  ConversationStore& store;
  WatchHub& watch;
  Ids& ids;
  const Clock& clock;
};

std::unique_ptr<grpc::Service> MakeInboxService(const ServiceParts& parts, const ServiceOptions& options);

}  // namespace parvis::inbox
