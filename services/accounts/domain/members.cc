#include "accounts/domain/members.h"

#include "accounts/domain/rules.h"

namespace parvis::accounts {

StatusOr<Member> Members::CreateMember(const Call& call, Member wanted, Request request) {
  std::vector<Violation> violations;
  CheckDisplayName("member.display_name", wanted.display_name, violations);
  CheckEmail("member.email", wanted.email, violations);
  CheckRoles("member.roles", wanted.roles, violations);
  PARVIS_RETURN_IF_ERROR(ToStatus(std::move(violations)));
  wanted.id = ids_.New();
  wanted.workspace_id = call.workspace_id;
  wanted.version = 1;
  wanted.create_time = wanted.update_time = clock_.WallNow();
  PARVIS_ASSIGN_OR_RETURN(Created created, store_.InsertMember(call, wanted, request));
  return store_.GetMember(call, created.id);
}

StatusOr<Member> Members::GetMember(const Call& call, const std::string& id) { return store_.GetMember(call, id); }

StatusOr<std::vector<Member>> Members::ListMembers(const Call& call, const Page& page) {
  return store_.ListMembers(call, page);
}

StatusOr<Member> Members::UpdateMember(const Call& call, const std::string& id, const MemberChange& change) {
  std::vector<Violation> violations;
  if (change.display_name) CheckDisplayName("member.display_name", *change.display_name, violations);
  if (change.email) CheckEmail("member.email", *change.email, violations);
  if (change.roles) CheckRoles("member.roles", *change.roles, violations);
  PARVIS_RETURN_IF_ERROR(ToStatus(std::move(violations)));
  PARVIS_ASSIGN_OR_RETURN(Member member, store_.GetMember(call, id));
  int64_t version = change.version != 0 ? change.version : member.version;
  if (change.display_name) member.display_name = *change.display_name;
  if (change.email) member.email = *change.email;
  if (change.roles) member.roles = *change.roles;
  member.update_time = clock_.WallNow();
  return store_.UpdateMember(call, member, version);
}

Status Members::DeleteMember(const Call& call, const std::string& id, int64_t version) {
  return store_.DeleteMember(call, id, version, clock_.WallNow());
}

}  // namespace parvis::accounts
