// Reading the control API's requests: every member is checked, unknown ones are refused by name.
#pragma once

#include <string>
#include <vector>

#include "sandbox/domain/audience_runs.h"
#include "sandbox/network/webhooks.h"
#include "sandbox/transport/web.h"

namespace parvis::sandbox {

// Takes members out of a JSON object and keeps the first thing that is wrong.
class Reader {
 public:
  explicit Reader(Json json);
  void Text(const char* name, std::string* field);
  void Number(const char* name, double* field);
  void Number(const char* name, int64_t* field);
  void Number(const char* name, int* field);
  void Number(const char* name, uint64_t* field);
  void Bool(const char* name, bool* field);
  void Millis(const char* name, absl::Duration* field);
  void Texts(const char* name, std::vector<std::string>* field);
  // The member as JSON (null when it is missing).
  Json Take(const char* name);
  bool Has(const char* name) const { return json_.contains(name); }
  // A value, or the content of the file that `name`_file names.
  void SecretText(const char* name, Secret* field);
  void NetworkName(const char* name, Network* field, bool required);
  void Wrong(const char* name, const char* what);
  // INVALID_ARGUMENT for what was wrong or is left over.
  Status Done();

 private:
  const Json* Find(const char* name);
  Json json_;
  std::vector<std::string> seen_;
  Status status_;
};

StatusOr<FaultRule> ReadFault(const Json& json);
StatusOr<WebhookTarget> ReadTarget(const Json& json);
// Changes only what is named.
Status ChangeTarget(const Json& json, WebhookTarget& target);
StatusOr<AudienceRequest> ReadAudience(const Json& json);

Json ToJson(const Account& account, std::string_view base_url);
Json ToJson(const FaultRule& rule);
Json ToJson(const WebhookStats& stats);
Json ToJson(const AudienceStatus& status);
Json ToJson(const Item& item);

}  // namespace parvis::sandbox
