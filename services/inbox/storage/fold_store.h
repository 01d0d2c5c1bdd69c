// The fold's port on PostgreSQL. Uses the stream role: a batch holds many workspaces.
#pragma once

#include "inbox/domain/fold.h"
#include "inbox/storage/write.h"
#include "platform/db/pool.h"

namespace parvis::inbox::storage {

class PgFoldStore : public FoldStore {
 public:
  // `changed` is called after every commit that wrote an event (wakes the relay and the watchers).
  PgFoldStore(db::Pool& stream, Encoders encoders, std::function<void()> changed);
  Status Apply(const StreamPositions& positions, const FoldKeys& keys,
               const std::function<void(Workset&)>& fold) override;

 private:
  Status Load(db::Tx& tx, const FoldKeys& keys, Workset& work);
  // True when it wrote an event.
  StatusOr<bool> Save(db::Tx& tx, Workset& work);

  db::Pool& stream_;
  const Encoders encoders_;
  const std::function<void()> changed_;
};

}  // namespace parvis::inbox::storage
