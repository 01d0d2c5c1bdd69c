// Between rows and the domain's structs: the columns of a delivery, once, for every statement that reads or writes them.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "platform/base/stream.h"
#include "platform/db/pool.h"
#include "publishing/domain/ledger.h"
#include "publishing/domain/post.h"

namespace parvis::publishing {

// Encodes an event for the outbox; comes from bus/ through main.cc.
using EncodeDelivery = std::function<StreamRecord(const DeliveryChanged&)>;

// Content and variants as JSON text. Decoding never fails: what is missing stays empty.
std::string EncodeContent(const Content& content);
Content DecodeContent(std::string_view json);
std::string EncodeVariants(const std::vector<Variant>& variants);
std::vector<Variant> DecodeVariants(std::string_view json);

// Columns of a delivery in the order of ReadDelivery, of the table alias d.
extern const char kDeliveryColumns[];
Delivery ReadDelivery(const db::Rows& rows, int row);

// Inserts deliveries that are new (others are left out), their first history row and event. Returns how many.
StatusOr<int> InsertDeliveries(db::Tx& tx, const std::vector<Delivery>& deliveries, absl::Time now,
                               const std::string& actor, const EncodeDelivery& encode);

// DeliveryLedger::Apply inside a transaction.
StatusOr<std::vector<std::optional<Delivery>>> ApplyChanges(db::Tx& tx, const std::vector<Change>& changes, absl::Time now,
                                                            const EncodeDelivery& encode);

struct Step {
  std::string workspace_id, delivery_id;
  Transition transition;
};
Status InsertSteps(db::Tx& tx, const std::vector<Step>& steps);

}  // namespace parvis::publishing
