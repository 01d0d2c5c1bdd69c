// The control API under /control: what tests and scripts/run drive the sandbox with. Documented in ../README.md.
#pragma once

#include "sandbox/domain/audience_runs.h"
#include "sandbox/domain/oauth.h"
#include "sandbox/network/webhooks.h"
#include "sandbox/transport/web.h"

namespace parvis::sandbox {

// Thread-safe.
class Control {
 public:
  Control(Context& context, Journal& journal, Webhooks& webhooks, AudienceRuns& audiences, OAuth& oauth)
      : context_(context), journal_(journal), webhooks_(webhooks), audiences_(audiences), oauth_(oauth) {}
  net::HttpResponse Handle(const net::HttpRequest& http);

 private:
  StatusOr<Json> Route(const Request& request);
  StatusOr<Json> Accounts(const Request& request);
  StatusOr<Json> FaultRules(const Request& request);
  StatusOr<Json> LimitSizes(const Request& request);
  StatusOr<Json> Targets(const Request& request);
  StatusOr<Json> Audiences(const Request& request);
  StatusOr<Json> Comments(const Request& request);
  StatusOr<Json> Counters(const Request& request);
  StatusOr<Json> State(const Request& request);
  StatusOr<Json> Settings(const Request& request);
  StatusOr<Json> SignIns(const Request& request);   // control_oauth.cc
  StatusOr<Json> Summary();
  Json Reset();

  Context& context_;
  Journal& journal_;
  Webhooks& webhooks_;
  AudienceRuns& audiences_;
  OAuth& oauth_;
};

}  // namespace parvis::sandbox
