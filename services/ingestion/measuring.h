// Measuring, put together: what main.cc starts and stops as one part.
#pragma once

#include <memory>

#include "ingestion/config.h"
#include "ingestion/network/adapters.h"
#include "platform/app/process.h"

namespace parvis::ingestion {

class Measuring {
 public:
  // Everything given outlives it.
  Measuring(const IngestionConfig& config, const Connectors& connectors, ChannelDesk& desk, db::Pool& stream,
            bus::Producer& producer, const Clock& clock, obs::Metrics& metrics, double (*uniform)());
  ~Measuring();
  // Of the consumer that follows deliveries.
  Status Ready();
  Status Start();
  void Stop(absl::Duration limit);

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace parvis::ingestion
