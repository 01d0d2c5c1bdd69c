// What Facebook and Instagram share of the Graph API: requests, errors, usage headers, pages (facts 0.4, 1.3, 1.6, 2.3).
// Credentials: access_token; app_secret if the app asks for appsecret_proof.
#pragma once

#include "networks/connector.h"
#include "networks/wire/answer.h"

namespace parvis::networks::meta {

using Fields = std::vector<std::pair<std::string, std::string>>;

// What an answer of the Graph API, or of its upload hosts, means. Subcodes are more exact than codes and win. Pure.
Refusal Classify(const net::ClientResult& http, const Json& json);
// The same for an error that is told by its subcode alone, as a container's status does; kNone when it is not known. Pure.
ErrorClass ClassOfSubcode(int64_t subcode);
int64_t SubcodeOf(const Json& json);   // of {"error":{...}}; 0 when there is none
// Usage headers are percentages and minutes. `id`: of the Page or the Instagram account. Pure.
RateState Rate(const net::Headers& headers, const std::string& id);

// "/{id}{edge}" with what is no plain id escaped.
std::string Path(const std::string& id, std::string_view edge = "");
// `path` below base_url. POST sends `fields` as a form, the others as the query; the token goes as access_token.
Answer Ask(net::HttpClient& http, const Call& call, const Account& account, const std::string& method,
           const std::string& path, Fields fields);
// A POST with one file, as multipart/form-data.
struct File {
  std::string field, name, type, bytes;
};
Answer AskWithFile(net::HttpClient& http, const Call& call, const Account& account, const std::string& path, Fields fields,
                   const File& file);

// "" at the end: facts 1.3, stop when `next` is missing, not when a page is short.
std::string NextPage(const Json& json);
// A POST that makes something: its id is `id_key`, or else "id".
Outcome Created(const Answer& answer, const Account& account, const char* id_key = "id");
// A POST or DELETE that answers {"success":..}, where nothing but `false` is a no; `id` is what was changed.
Outcome Changed(const Answer& answer, const Account& account, const std::string& id);
// A member that is an integer is taken over as `name`.
void TakeCount(const Json& value, const char* name, Counts* counts);
struct Metric {
  const char *theirs, *ours;
};
// Adds the insights of `counts->remote_id` to it. One name that does not fit refuses the whole request, so ask for what is
// known to go together. What is not there (too few viewers, too young, no permission, a bad moment) is left out: an error
// is only what concerns the account, an expired token or a spent budget.
Status AskInsights(net::HttpClient& http, const Call& call, const Account& account, const std::vector<Metric>& metrics,
                   Fields fields, Counts* counts, RateState* rate);
// What we wrote to a person since `since`, of the newest messages. READ_BACK_TOO_LONG when all that is shown is newer.
StatusOr<std::vector<OwnItem>> MessagesTo(net::HttpClient& http, const Call& call, const Account& account,
                                          const char* platform, const std::string& person, absl::Time since);

}  // namespace parvis::networks::meta
