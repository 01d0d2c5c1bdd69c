// The control API's part of signing in: /oauth/apps, /oauth/settings, /oauth/{network}.
#include "sandbox/domain/nature.h"
#include "sandbox/transport/control.h"
#include "sandbox/transport/control_json.h"

namespace parvis::sandbox {
namespace {

Status Knows(Network network) {
  if (RulesOf(network) != nullptr) return absl::OkStatus();
  return InvalidField("network", "NO_OAUTH", "nobody signs in there by OAuth");
}

StatusOr<Json> AddApp(OAuth& oauth, const Request& request) {
  Reader reader(request.json);
  Network network = Network::kX;
  OAuthApp app;
  Secret secret;
  reader.NetworkName("network", &network, true);
  reader.Text("client_id", &app.id);
  reader.SecretText("client_secret", &secret);
  reader.Texts("redirect_uris", &app.redirects);
  PARVIS_RETURN_IF_ERROR(reader.Done());
  PARVIS_RETURN_IF_ERROR(Knows(network));
  if (app.id.empty() || app.id.size() > 200) return InvalidField("client_id", "OUT_OF_RANGE", "1 to 200 bytes");
  if (app.redirects.empty() || app.redirects.size() > 20) {
    return InvalidField("redirect_uris", "OUT_OF_RANGE", "1 to 20 addresses");
  }
  app.secret = secret.Reveal();
  PARVIS_RETURN_IF_ERROR(oauth.AddApp(network, app));
  return Json::object();
}

StatusOr<Json> SetLives(OAuth& oauth, const Request& request) {
  Reader reader(request.json);
  Network network = Network::kX;
  reader.NetworkName("network", &network, true);
  int64_t code = 0, access = 0, refresh = 0;
  reader.Number("code_seconds", &code);
  reader.Number("access_seconds", &access);
  reader.Number("refresh_seconds", &refresh);
  PARVIS_RETURN_IF_ERROR(reader.Done());
  PARVIS_RETURN_IF_ERROR(Knows(network));
  OAuthLives lives = oauth.LivesOf(network);
  const std::pair<int64_t, absl::Duration*> all[] = {
      {code, &lives.code}, {access, &lives.access}, {refresh, &lives.refresh}};
  for (const auto& [seconds, life] : all) {
    if (seconds < 0 || seconds > 400'000'000) return InvalidField("seconds", "OUT_OF_RANGE", "1 to 400000000");
    if (seconds > 0) *life = absl::Seconds(seconds);
  }
  oauth.SetLives(network, lives);
  return Json::object();
}

Json Shown(const OAuth& oauth, Network network) {
  Json json = {{"apps", Json::array()}, {"grants", Json::array()}, {"counts", oauth.Counts(network)}};
  for (const OAuthApp& app : oauth.Apps(network)) {
    json["apps"].push_back({{"client_id", app.id}, {"client_secret", app.secret}, {"redirect_uris", app.redirects}});
  }
  for (const OAuthRecord& record : oauth.Records(network)) {
    json["grants"].push_back({{"how", record.how},
                              {"client_id", record.app},
                              {"account", record.account},
                              {"code", record.code},
                              {"code_verifier", record.verifier},
                              {"access_token", record.access},
                              {"refresh_token", record.refresh}});
  }
  return json;
}

}  // namespace

StatusOr<Json> Control::SignIns(const Request& request) {
  const std::string& method = request.http.method;
  const std::string what = request.path.size() == 2 ? request.path[1] : "";
  if (method == "POST" && what == "apps") return AddApp(oauth_, request);
  if (method == "POST" && what == "settings") return SetLives(oauth_, request);
  const auto network = NetworkOf(what);
  if (method != "GET" || !network) {
    return MakeError(Code::kUnimplemented, "NO_SUCH_CALL", "oauth has apps, settings and the networks' names");
  }
  PARVIS_RETURN_IF_ERROR(Knows(*network));
  return Shown(oauth_, *network);
}

}  // namespace parvis::sandbox
