// BlobStore in a folder of a local disk (or a volume that several replicas mount): an object is a file below `folder`,
// at the path that its key is. Writes go to a file in `folder`/.partial, which is synced, renamed and whose new folder
// is synced: after a crash an object is there as a whole or as it was. Keys cannot leave the folder, symbolic links
// inside it are not followed.
//
// A file system has one name for a file or a folder: a key that is another one's beginning up to a '/' is refused
// (BLOB_KEY).
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "platform/base/clock.h"
#include "platform/blob/blob_store.h"

namespace parvis::blob {

struct FolderStoreOptions {
  std::string folder;
  // Nothing is written when less would be free afterwards: a full disk stops whatever else lives on it, too.
  int64_t free_min_bytes = int64_t{256} << 20;
};

class FolderStore : public BlobStore {
 public:
  // Makes the folder (0700) if it is missing and removes what crashed writes left an hour ago. FAILED_PRECONDITION
  // BLOB_FOLDER.
  static StatusOr<std::unique_ptr<FolderStore>> Open(const FolderStoreOptions& options, const Clock& clock);
  ~FolderStore() override;
  Status Put(const Call& call, const std::string& key, std::string_view bytes) override;
  StatusOr<std::string> Read(const Call& call, const std::string& key, int64_t offset, int64_t length) override;
  Status Delete(const Call& call, const std::string& key) override;
  Status Ping(const Call& call) override;

 private:
  FolderStore(const FolderStoreOptions& options, const Clock& clock, int root, int partial);
  Status PutOnce(const std::string& key, const std::string& part);
  Status WritePart(const std::string& name, std::string_view bytes);
  Status CheckSpace(int64_t bytes) const;
  Status NotThere(const std::string& key) const;
  void Sweep();
  const FolderStoreOptions options_;
  const Clock& clock_;
  const int root_, partial_;  // descriptors of the folder and of its .partial
};

}  // namespace parvis::blob
