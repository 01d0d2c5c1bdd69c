// Use cases: members of a workspace.
#pragma once

#include <string>
#include <vector>

#include "accounts/domain/types.h"
#include "platform/base/clock.h"
#include "platform/base/error.h"
#include "platform/base/ids.h"

namespace parvis::accounts {

// Port: where members are kept. All in `call.workspace_id`. Thread-safe; blocks.
class MemberStore {
 public:
  virtual ~MemberStore() = default;
  // ALREADY_EXISTS EMAIL_TAKEN; FAILED_PRECONDITION REQUEST_ID_REUSED; NOT_FOUND when the workspace does not exist.
  virtual StatusOr<Created> InsertMember(const Call& call, const Member& made, const Request& request) = 0;
  virtual StatusOr<Member> GetMember(const Call& call, const std::string& id) = 0;
  virtual StatusOr<std::vector<Member>> ListMembers(const Call& call, const Page& page) = 0;
  // Writes display_name, email, roles and update_time if the stored version is `version`, which it raises; ABORTED
  // ETAG_MISMATCH otherwise. FAILED_PRECONDITION LAST_OWNER when the member is the last owner and would be none any
  // more, also when two such changes run at once. ALREADY_EXISTS EMAIL_TAKEN. NOT_FOUND.
  virtual StatusOr<Member> UpdateMember(const Call& call, const Member& changed, int64_t version) = 0;
  // Removes the member and revokes the member's keys at `now`. `version` 0: whatever it is. Errors as UpdateMember.
  virtual Status DeleteMember(const Call& call, const std::string& id, int64_t version, absl::Time now) = 0;
};

// What may be changed; unset stays as it is. `version` 0: whatever the version is.
struct MemberChange {
  std::optional<std::string> display_name, email;
  std::optional<std::set<Role>> roles;
  int64_t version = 0;
};

class Members {
 public:
  Members(MemberStore& store, Ids& ids, const Clock& clock) : store_(store), ids_(ids), clock_(clock) {}

  StatusOr<Member> CreateMember(const Call& call, Member wanted, Request request);
  StatusOr<Member> GetMember(const Call& call, const std::string& id);
  StatusOr<std::vector<Member>> ListMembers(const Call& call, const Page& page);
  StatusOr<Member> UpdateMember(const Call& call, const std::string& id, const MemberChange& change);
  Status DeleteMember(const Call& call, const std::string& id, int64_t version);

 private:
  MemberStore& store_;
  Ids& ids_;
  const Clock& clock_;
};

}  // namespace parvis::accounts
