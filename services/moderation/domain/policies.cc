#include "moderation/domain/policies.h"

#include <absl/strings/str_cat.h>

namespace parvis::moderation {
namespace {

Status TooMany(std::string_view reason, int limit, std::string_view message) {
  Error error{Code::kResourceExhausted, std::string(reason), std::string(message), {}, {}, {}};
  error.metadata["limit"] = absl::StrCat(limit);
  return ToStatus(error);
}

}  // namespace

Status PoliciesTooMany(const PolicyQuota& quota) {
  return TooMany("POLICIES_TOO_MANY", quota.policies,
                 absl::StrCat("a workspace has at most ", quota.policies,
                              " policies; change one that is no longer used instead of creating another"));
}

Status VersionsTooMany(const PolicyQuota& quota) {
  return TooMany("POLICY_VERSIONS_TOO_MANY", quota.versions,
                 absl::StrCat("a policy has at most ", quota.versions,
                              " versions; create another policy with the new rules and activate it"));
}

Status Policies::Check(const std::optional<std::string>& display_name, const std::optional<std::string>& source) const {
  std::vector<Violation> violations;
  if (display_name) {
    const size_t length = CountCodePoints(*display_name);
    if (length == 0) {
      violations.push_back({"policy.display_name", "must not be empty", "EMPTY"});
    } else if (length > kDisplayNameMax) {
      violations.push_back({"policy.display_name",
                            absl::StrCat("has ", length, " characters, at most ", kDisplayNameMax, " are allowed"),
                            "TOO_LONG"});
    } else if (display_name->find('\0') != std::string::npos) {
      violations.push_back({"policy.display_name", "must not contain NUL", "WRONG_VALUE"});
    }
  }
  if (source) {
    auto compiled = CompiledPolicy::FromYaml(*source, limits_, normalizer_, "policy.source");
    if (!compiled.ok()) {
      if (violations.empty()) return compiled.status();
      for (Violation& v : ToError(compiled.status()).violations) violations.push_back(std::move(v));
    }
  }
  return violations.empty() ? absl::OkStatus() : InvalidFields(std::move(violations));
}

StatusOr<PolicyRecord> Policies::Create(const Call& call, const std::string& display_name, const std::string& source,
                                        const std::string& request_id) {
  PARVIS_RETURN_IF_ERROR(Check(display_name, source));
  PolicyRecord policy;
  policy.id = ids_.New();
  policy.display_name = display_name;
  policy.source = source;
  policy.version = 1;
  policy.revision = 1;
  policy.create_time = policy.update_time = clock_.WallNow();
  return store_.Create(call, policy, call.principal.member_id, request_id);
}

StatusOr<PolicyRecord> Policies::Update(const Call& call, const std::string& id, const PolicyChange& change) {
  PARVIS_RETURN_IF_ERROR(Check(change.display_name, change.source));
  return store_.Update(call, id, change, call.principal.member_id, clock_.WallNow());
}

StatusOr<PolicyRecord> Policies::Activate(const Call& call, const std::string& id, int64_t version) {
  if (version < 0) return InvalidField("version", "OUT_OF_RANGE", "must be 0 (the latest) or a version's number");
  return store_.Activate(call, id, version, call.principal.member_id, clock_.WallNow());
}

StatusOr<std::vector<TestedText>> Policies::Test(const Call& call, const std::optional<std::string>& source,
                                                 const std::string& id, const std::vector<Subject>& texts) {
  if (texts.empty()) return InvalidField("texts", "EMPTY", "needs at least one text");
  if (texts.size() > kTestTextsMax) {
    return InvalidField("texts", "TOO_MANY", absl::StrCat("at most ", kTestTextsMax, " texts, not ", texts.size()));
  }
  std::vector<Violation> violations;
  for (size_t i = 0; i < texts.size(); ++i) {
    if (texts[i].text.size() > kTextBytesMax) {
      violations.push_back(
          {absl::StrCat("texts[", i, "].text"),
           absl::StrCat("has ", texts[i].text.size(), " bytes, at most ", kTextBytesMax, " are allowed"), "TOO_LONG"});
    }
  }
  if (!violations.empty()) return InvalidFields(std::move(violations));
  std::string yaml;
  if (source) {
    yaml = *source;
  } else {
    PARVIS_ASSIGN_OR_RETURN(PolicyRecord policy, store_.Get(call, id));
    yaml = std::move(policy.source);
  }
  PARVIS_ASSIGN_OR_RETURN(auto compiled, CompiledPolicy::FromYaml(yaml, limits_, normalizer_, "source"));
  Assessor assessor(normalizer_);
  std::vector<TestedText> out;
  for (const Subject& text : texts) {
    Verdict verdict = assessor.Assess(text, *compiled);
    out.push_back({std::move(verdict), ReadableWords(assessor.normal())});
  }
  return out;
}

}  // namespace parvis::moderation
