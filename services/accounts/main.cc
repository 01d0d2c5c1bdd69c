// parvis-accounts: who is who.
#include <grpcpp/impl/service_type.h>

#include <algorithm>

#include "accounts/config.h"
#include "accounts/domain/refresher.h"
#include "accounts/network/network_gate.h"
#include "accounts/network/sign_in_gate.h"
#include "accounts/storage/pg_api_keys.h"
#include "accounts/storage/pg_channels.h"
#include "accounts/storage/pg_refreshes.h"
#include "accounts/storage/pg_sign_ins.h"
#include "accounts/storage/pg_tenants.h"
#include "accounts/transport/services.h"
#include "platform/obs/log.h"

namespace parvis::accounts {
namespace {

// Says what is wrong, if something is.
bool CannotStart(std::initializer_list<Status> checks) {
  for (const Status& status : checks) {
    if (!status.ok()) obs::Err("accounts cannot start", {{"error", status}});
  }
  return !std::all_of(checks.begin(), checks.end(), [](const Status& status) { return status.ok(); });
}

int Run(const AccountsConfig& config) {
  app::Process process("accounts", config.process);
  RealClock clock;
  Ids ids(clock);

  StatusOr<Sealer> sealer = Sealer::FromFile(config.seal_key_file);
  StatusOr<Secret> operator_key =
      config.operator_key_file.empty() ? StatusOr<Secret>(Secret()) : ReadSecretFile(config.operator_key_file);
  auto apps = ReadApps(config.sign_in_client_ids, config.sign_in_client_secret_files);
  if (CannotStart({sealer.status(), operator_key.status(), apps.status()})) return 1;

  db::Pool api(config.db_api, clock, process.metrics());
  db::Pool stream(config.db_stream, clock, process.metrics());
  PgTenantStore tenant_store(api, stream);
  PgMemberStore member_store(api);
  PgApiKeyStore key_store(api);
  PgKeyDirectory key_directory(stream);
  PgChannelStore channel_store(api, stream, *sealer);
  PgSignInStore sign_in_store(api, *sealer);
  PgRefreshStore refresh_store(api, stream, *sealer);

  net::HttpClient http(config.http_client, clock, process.metrics());
  ConnectorGate networks(networks::MakeConnectors(http, clock), config.network_base_urls);
  NetworkSignIns gate(networks::MakeSignIns(http, clock, networks.connectors(), config.Endpoints()), *apps,
                      config.network_base_urls);
  if (CannotStart({networks.Check(), gate.Check()})) return 1;

  Tenants tenants(tenant_store, ids, clock);
  Members members(member_store, ids, clock);
  ApiKeys api_keys(key_store, member_store, HashKeySecret, ids, clock);
  Authentication authentication(key_directory, HashKeySecret, *operator_key, clock);
  Channels channels(channel_store, networks, gate, ids, clock);
  SignIns sign_ins(sign_in_store, channel_store, networks, gate, HashKeySecret, config.sign_in_redirect_uri, ids,
                   clock);
  Refresher refresher(refresh_store, gate, config.refresh, clock, RefreshReporter(process.metrics()));
  Directory directory(channel_store, clock);

  OwnAuthenticator authenticator(authentication);
  rpc::Runtime runtime("accounts", config.rpc, authenticator, clock, process.metrics());
  UseCases use_cases{tenants, members, api_keys, channels, sign_ins, directory, authentication};
  auto accounts_service = MakeAccountsService(runtime, use_cases);
  auto sign_in_service = MakeSignInService(runtime, use_cases);
  auto directory_service = MakeDirectoryService(runtime, use_cases);
  auto authentication_service = MakeAuthenticationService(runtime, use_cases);
  rpc::Server server(
      config.rpc, runtime,
      {accounts_service.get(), sign_in_service.get(), directory_service.get(), authentication_service.get()});

  process.AddReadyCheck("db_api", [&] { return api.Ping(); }, obs::Mode::kDatabaseAway);
  process.AddReadyCheck("db_stream", [&] { return stream.Ping(); }, obs::Mode::kDatabaseAway);
  return process.RunUntilSignal({
      {"refresher", [&] { return refresher.Start(), absl::OkStatus(); }, [&](absl::Duration) { refresher.Stop(); }},
      {"executor", nullptr, [&](absl::Duration) { runtime.StopExecutor(); }},
      {"grpc",
       [&]() -> Status {
         PARVIS_RETURN_IF_ERROR(server.Start());
         process.Announce("grpc", server.address());
         return absl::OkStatus();
       },
       [&](absl::Duration limit) { server.Stop(limit); }},
  });
}

}  // namespace
}  // namespace parvis::accounts

int main(int argc, char** argv) {
  return parvis::accounts::Run(parvis::app::Load<parvis::accounts::AccountsConfig>("accounts", argc, argv));
}
