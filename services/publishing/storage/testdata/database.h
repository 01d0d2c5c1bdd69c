// The database that the storage tests share, and a stand-in for the event's encoding.
#pragma once

#include <string>

#include "platform/base/stream.h"
#include "platform/testing/postgres.h"
#include "publishing/domain/delivery.h"

namespace parvis::publishing {

inline testing::ServiceDatabase& Database() {
  static testing::ServiceDatabase database("publishing");
  return database;
}

inline StreamRecord EncodeForTest(const DeliveryChanged& changed) {
  return {"parvis.publishing.delivery.v1", changed.delivery.channel_id,
          changed.delivery.id + " " + std::to_string(changed.delivery.sequence) + " " + StateName(changed.delivery.state), {}};
}

}  // namespace parvis::publishing
