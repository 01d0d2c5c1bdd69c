// Port: where activities and what could not be understood go.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "ingestion/domain/activity.h"
#include "platform/base/call.h"
#include "platform/base/error.h"

namespace parvis::ingestion {

class ActivitySink {
 public:
  using Done = std::function<void(Status)>;
  virtual ~ActivitySink() = default;
  // Hands everything over; `done` is called once, from any thread, when all of it is safe (OK) or with the first error
  // (UNAVAILABLE; RESOURCE_EXHAUSTED when the sink is full: nothing or only a part was taken, so come again with all of
  // it). Activities of one thread keep their order. `source` says where parts come from: "facebook".
  virtual void Send(const Trace& trace, std::vector<Activity> activities, std::vector<RawPart> parts,
                    const std::string& source, Done done) = 0;
};

}  // namespace parvis::ingestion
