#include "sandbox/transport/control_json.h"

#include <algorithm>

#include <absl/strings/str_replace.h>

#include "sandbox/domain/cat.h"
#include "sandbox/domain/nature.h"

namespace parvis::sandbox {

Reader::Reader(Json json) : json_(json.is_null() ? Json::object() : std::move(json)) {
  if (!json_.is_object()) {
    status_ = InvalidField("body", "NOT_AN_OBJECT", "send a JSON object with Content-Type: application/json");
    json_ = Json::object();
  }
}

const Json* Reader::Find(const char* name) {
  seen_.emplace_back(name);
  auto it = json_.find(name);
  return it == json_.end() || it->is_null() ? nullptr : &*it;
}

void Reader::Wrong(const char* name, const char* what) {
  if (status_.ok()) status_ = InvalidField(name, "WRONG_TYPE", what);
}

void Reader::Text(const char* name, std::string* field) {
  if (const Json* value = Find(name)) {
    if (value->is_string())
      *field = value->get<std::string>();
    else
      Wrong(name, "must be a string");
  }
}
void Reader::Number(const char* name, double* field) {
  if (const Json* value = Find(name)) {
    if (value->is_number())
      *field = value->get<double>();
    else
      Wrong(name, "must be a number");
  }
}
void Reader::Number(const char* name, int64_t* field) {
  if (const Json* value = Find(name)) {
    if (value->is_number_integer())
      *field = value->get<int64_t>();
    else
      Wrong(name, "must be an integer");
  }
}
void Reader::Number(const char* name, int* field) {
  int64_t wide = *field;
  Number(name, &wide);
  if (wide < INT32_MIN || wide > INT32_MAX) return Wrong(name, "is out of range");
  *field = static_cast<int>(wide);
}
void Reader::Number(const char* name, uint64_t* field) {
  if (const Json* value = Find(name)) {
    if (value->is_number_unsigned())
      *field = value->get<uint64_t>();
    else
      Wrong(name, "must be an integer that is not negative");
  }
}
void Reader::Bool(const char* name, bool* field) {
  if (const Json* value = Find(name)) {
    if (value->is_boolean())
      *field = value->get<bool>();
    else
      Wrong(name, "must be true or false");
  }
}
void Reader::Millis(const char* name, absl::Duration* field) {
  int64_t millis = absl::ToInt64Milliseconds(*field);
  Number(name, &millis);
  *field = absl::Milliseconds(millis);
}
void Reader::Texts(const char* name, std::vector<std::string>* field) {
  const Json* value = Find(name);
  if (value == nullptr) return;
  if (!value->is_array()) return Wrong(name, "must be an array of strings");
  field->clear();
  for (const Json& text : *value) {
    if (!text.is_string()) return Wrong(name, "must be an array of strings");
    field->push_back(text.get<std::string>());
  }
}
Json Reader::Take(const char* name) {
  const Json* value = Find(name);
  return value == nullptr ? Json() : *value;
}

void Reader::SecretText(const char* name, Secret* field) {
  std::string value, file;
  Text(name, &value);
  const std::string file_name = std::string(name) + "_file";
  Text(file_name.c_str(), &file);
  if (!file.empty()) {
    auto secret = ReadSecretFile(file);
    if (secret.ok())
      *field = std::move(*secret);
    else if (status_.ok())
      status_ = secret.status();
  } else if (!value.empty()) {
    *field = Secret(std::move(value));
  }
}

void Reader::NetworkName(const char* name, Network* field, bool required) {
  std::string text;
  Text(name, &text);
  if (text.empty() && !required) return;
  const auto network = NetworkOf(text);
  if (network)
    *field = *network;
  else if (status_.ok())
    status_ = InvalidField(name, "UNKNOWN_NETWORK", Cat("one of ", NetworkNames()));
}

Status Reader::Done() {
  if (!status_.ok()) return status_;
  for (const auto& [name, value] : json_.items()) {
    if (std::ranges::find(seen_, name) == seen_.end()) return InvalidField(name, "UNKNOWN_FIELD", "is not known here");
  }
  return absl::OkStatus();
}

StatusOr<FaultRule> ReadFault(const Json& json) {
  Reader reader(json);
  FaultRule rule;
  std::string kind, network;
  reader.Text("kind", &kind);
  reader.Text("network", &network);
  reader.Text("account", &rule.account);
  reader.Text("operation", &rule.operation);
  reader.Number("probability", &rule.probability);
  reader.Number("count", &rule.count);
  reader.Number("skip", &rule.skip);
  reader.Number("seed", &rule.seed);
  reader.Millis("delay_ms", &rule.delay);
  reader.Number("http_status", &rule.http_status);
  PARVIS_RETURN_IF_ERROR(reader.Done());
  const auto fault = FaultKindOf(kind);
  if (!fault) return InvalidField("kind", "UNKNOWN_FAULT", Cat("one of ", FaultKindNames()));
  rule.kind = *fault;
  if (!network.empty()) {
    rule.network = NetworkOf(network);
    if (!rule.network) return InvalidField("network", "UNKNOWN_NETWORK", Cat("one of ", NetworkNames()));
  }
  return rule;
}

namespace {

void ReadTargetSettings(Reader& reader, WebhookTarget& target) {
  reader.Number("batch_max", &target.batch_max);
  reader.Number("duplicate_ratio", &target.duplicate_ratio);
  reader.Number("reorder_ratio", &target.reorder_ratio);
  reader.Number("odd_ratio", &target.odd_ratio);
  reader.Number("broken_ratio", &target.broken_ratio);
  reader.Millis("late_ms", &target.late);
  reader.Number("late_ratio", &target.late_ratio);
  reader.Bool("paused", &target.paused);
  reader.Number("attempts_max", &target.attempts_max);
  reader.Millis("retry_min_ms", &target.retry_min);
  reader.Millis("retry_max_ms", &target.retry_max);
  reader.Millis("challenge_every_ms", &target.challenge_every);
}

}  // namespace

StatusOr<WebhookTarget> ReadTarget(const Json& json) {
  Reader reader(json);
  WebhookTarget target;
  reader.NetworkName("network", &target.network, true);
  reader.Text("account", &target.account);
  reader.Text("url", &target.style.url);
  for (const char* name : {"secret", "app_secret", "consumer_secret"}) reader.SecretText(name, &target.style.secret);
  reader.SecretText("verify_token", &target.style.verify_token);
  reader.Text("shape", &target.style.shape);
  reader.Number("lanes", &target.lanes);
  reader.Bool("threads_in_order", &target.threads_in_order);
  reader.Number("seed", &target.seed);
  ReadTargetSettings(reader, target);
  PARVIS_RETURN_IF_ERROR(reader.Done());
  return target;
}

Status ChangeTarget(const Json& json, WebhookTarget& target) {
  Reader reader(json);
  WebhookTarget changed = target;
  reader.Text("shape", &changed.style.shape);
  ReadTargetSettings(reader, changed);
  PARVIS_RETURN_IF_ERROR(reader.Done());
  if (changed.batch_max < 1 || changed.batch_max > 1000) return InvalidField("batch_max", "OUT_OF_RANGE", "1 to 1000");
  target = std::move(changed);
  return absl::OkStatus();
}

namespace {

// [{"network": "x", "id": "1"}, ...]
Status ReadIds(const Json& json, const char* field, std::vector<std::pair<Network, std::string>>* out) {
  if (json.is_null()) return absl::OkStatus();
  if (!json.is_array() || json.size() > 1000) return InvalidField(field, "WRONG_TYPE", "at most 1000 of {network, id}");
  for (const Json& one : json) {
    Reader reader(one);
    Network network = Network::kFacebook;
    std::string id;
    reader.NetworkName("network", &network, true);
    reader.Text("id", &id);
    PARVIS_RETURN_IF_ERROR(reader.Done());
    out->emplace_back(network, id);
  }
  return absl::OkStatus();
}

}  // namespace

StatusOr<AudienceRequest> ReadAudience(const Json& json) {
  Reader reader(json);
  AudienceRequest request;
  AudiencePlan& plan = request.plan;
  reader.Number("seed", &plan.seed);
  reader.Number("count", &plan.count);
  reader.Number("rate", &request.rate);
  reader.Number("french", &plan.mix.french);
  reader.Number("mention_share", &plan.mention_share);
  reader.Number("edit_ratio", &plan.edit_ratio);
  reader.Number("removal_ratio", &plan.removal_ratio);
  reader.Number("people", &plan.people);
  reader.Number("long_text_max", &plan.long_text_max);
  reader.Texts("texts", &plan.texts);
  Reader threads(reader.Take("threads"));
  threads.Number("reply_share", &plan.reply_share);
  threads.Number("hot_share", &plan.hot_share);
  threads.Number("hot", &plan.hot_threads);
  PARVIS_RETURN_IF_ERROR(threads.Done());
  if (const Json kinds = reader.Take("kinds"); !kinds.is_null()) {
    if (!kinds.is_object()) return InvalidField("kinds", "WRONG_TYPE", "an object of weights by kind");
    std::fill(std::begin(plan.mix.weights), std::end(plan.mix.weights), 0);
    for (const auto& [name, weight] : kinds.items()) {
      const auto kind = TextKindOf(name);
      if (!kind || !weight.is_number())
        return InvalidField("kinds", "UNKNOWN_KIND", Cat(name, " is no kind with a weight"));
      plan.mix.weights[static_cast<int>(*kind)] = weight.get<double>();
    }
  }
  PARVIS_RETURN_IF_ERROR(ReadIds(reader.Take("accounts"), "accounts", &request.accounts));
  PARVIS_RETURN_IF_ERROR(ReadIds(reader.Take("posts"), "posts", &request.posts));
  PARVIS_RETURN_IF_ERROR(reader.Done());
  for (const std::string& text : plan.texts) {
    if (text.empty() || text.size() > 60'000)
      return InvalidField("texts", "OUT_OF_RANGE", "texts have 1 to 60000 bytes");
  }
  return request;
}

Json ToJson(const Account& account, std::string_view base_url) {
  static constexpr std::string_view kStates[] = {"valid", "expired", "revoked"};
  Json json = {{"network", NameOf(account.network)},
               {"remote_id", account.id},
               {"name", account.name},
               {"handle", account.handle},
               {"token_state", kStates[static_cast<int>(account.token_state)]}};
  const Nature& nature = NatureOf(account.network);
  json["base_url"] = Cat(base_url, absl::StrReplaceAll(std::string(nature.base_path),
                                                       {{"{id}", account.id}, {"{handle}", account.handle}}));
  for (const auto& [name, value] : nature.credentials(account)) json[name] = value;
  if (nature.holds) {
    json["utc_offset_minutes"] = account.utc_offset_minutes;
    json["hold_comments"] = account.hold_comments;
  }
  return json;
}

Json ToJson(const FaultRule& rule) {
  return {{"id", rule.id},
          {"kind", NameOf(rule.kind)},
          {"network", rule.network ? NameOf(*rule.network) : ""},
          {"account", rule.account},
          {"operation", rule.operation},
          {"probability", rule.probability},
          {"count", rule.count},
          {"skip", rule.skip},
          {"seed", rule.seed},
          {"delay_ms", absl::ToInt64Milliseconds(rule.delay)},
          {"http_status", rule.http_status},
          {"struck", rule.struck}};
}

Json ToJson(const WebhookStats& stats) {
  return {{"id", stats.id},
          {"network", NameOf(stats.network)},
          {"account", stats.account},
          {"url", stats.url},
          {"verified", stats.verified},
          {"paused", stats.paused},
          {"events", stats.events},
          {"acked", stats.acked},
          {"pending", stats.pending},
          {"dropped", stats.dropped},
          {"requests", stats.requests},
          {"failures", stats.failures},
          {"duplicates", stats.duplicates},
          {"reordered", stats.reordered},
          {"challenges", stats.challenges},
          {"challenges_failed", stats.challenges_failed},
          {"oddities", stats.oddities},
          {"oddities_refused", stats.oddities_refused}};
}

Json ToJson(const AudienceStatus& status) {
  return {{"id", status.id},
          {"state", status.state},
          {"error", status.error},
          {"count", status.count},
          {"written", status.progress.written},
          {"edits", status.progress.edits},
          {"removals", status.progress.removals},
          {"skipped", status.progress.skipped},
          {"elapsed_ms", absl::ToInt64Milliseconds(status.elapsed)}};
}

Json ToJson(const Item& item) {
  static constexpr std::string_view kKinds[] = {"post", "comment", "mention", "media"};
  const auto size = item.extra.find("size");   // of a medium that was sent, where the network keeps it
  return {{"network", NameOf(item.network)},
          {"kind", kKinds[static_cast<int>(item.kind)]},
          {"account", item.account},
          {"remote_id", item.id},
          {"parent", item.parent},
          {"post", item.post},
          {"thread", item.thread},
          {"thread_seq", item.thread_seq},
          {"author", item.author_id},
          {"author_name", item.author_name},
          {"by_us", item.by_us},
          {"text", item.text},
          {"title", item.title},
          {"status", item.status},
          {"link", item.link},
          {"media", item.media},
          {"size", size == item.extra.end() ? "" : size->second},
          {"hidden", item.hidden},
          {"deleted", item.deleted},
          {"edited", item.edited},
          {"created", absl::FormatTime("%Y-%m-%dT%H:%M:%E6SZ", item.created, absl::UTCTimeZone())}};
}

}  // namespace parvis::sandbox
