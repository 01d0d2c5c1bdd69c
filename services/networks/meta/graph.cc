#include "networks/meta/graph.h"

#include "networks/wire/request.h"
#include "networks/wire/signature.h"

namespace parvis::networks::meta {
namespace {

void Prove(const Account& account, Fields* fields) {
  const Secret& app_secret = account.credentials.Get("app_secret");
  if (app_secret.empty()) return;
  const Secret& token = account.credentials.Get("access_token");
  fields->emplace_back("appsecret_proof", ToHex(HmacSha256(app_secret.Reveal(), token.Reveal())));
}

Answer Sent(net::HttpClient& http, const Call& call, const Account& account, net::ClientRequest request) {
  Answer answer;
  answer.http = http.Send(call, std::move(request));
  if (!answer.answered()) return answer;
  answer.json = ParseJson(answer.http.body);
  answer.refusal = Classify(answer.http, answer.json);
  answer.rate = Rate(answer.http.headers, account.remote_id);
  return answer;
}

}  // namespace

std::string Path(const std::string& id, std::string_view edge) {
  return "/" + net::UrlEncode(id) + std::string(edge);
}

Answer Ask(net::HttpClient& http, const Call& call, const Account& account, const std::string& method,
           const std::string& path, Fields fields) {
  net::ClientRequest request;
  request.method = method;
  request.url = BaseOf(account) + path;
  Prove(account, &fields);
  const std::string encoded = net::FormEncode(fields);
  if (method == "POST") {
    request.headers["Content-Type"] = "application/x-www-form-urlencoded";
    request.body = encoded;
  } else if (!encoded.empty()) {
    request.url += "?" + encoded;
  }
  request.secret_parameter = "access_token";
  request.secret_value = account.credentials.Get("access_token");
  return Sent(http, call, account, std::move(request));
}

Answer AskWithFile(net::HttpClient& http, const Call& call, const Account& account, const std::string& path, Fields fields,
                   const File& file) {
  net::ClientRequest request;
  request.method = "POST";
  request.url = BaseOf(account) + path;
  Prove(account, &fields);
  FormData form;
  for (const auto& [name, value] : fields) form.AddField(name, value);
  form.AddFile(file.field, file.name, file.type, file.bytes);
  form.MoveTo(&request);
  // As the last query parameter: the body is no form.
  request.secret_parameter = "access_token";
  request.secret_value = account.credentials.Get("access_token");
  return Sent(http, call, account, std::move(request));
}

std::string NextPage(const Json& json) {
  const Json& paging = Member(json, "paging");
  if (Text(paging, "next").empty()) return "";
  return Text(Member(paging, "cursors"), "after");
}

Outcome Created(const Answer& answer, const Account& account, const char* id_key) {
  if (!answer.ok()) return FailedWrite(answer, account);
  Outcome out;
  out.remote_id = Text(answer.json, id_key);
  if (out.remote_id.empty()) out.remote_id = Text(answer.json, "id");
  if (out.remote_id.empty()) return UnclearWrite(answer);
  out.kind = OutcomeKind::kAccepted;
  out.permalink = Text(answer.json, "permalink_url");
  out.rate = answer.rate;
  return out;
}

Outcome Changed(const Answer& answer, const Account& account, const std::string& id) {
  Outcome out = SettledWrite(answer, account, id);
  if (out.kind != OutcomeKind::kAccepted || Member(answer.json, "success") != Json(false)) return out;
  out = RefusedBeforeSending(ErrorClass::kInvalid, "the network answered success: false");
  out.rate = answer.rate;
  return out;
}

void TakeCount(const Json& value, const char* name, Counts* counts) {
  if (value.is_number_integer()) counts->values[name] = value.get<int64_t>();
}

}  // namespace parvis::networks::meta
