// The settings of accounts.
#pragma once

#include <map>
#include <string>

#include "accounts/domain/refresh.h"
#include "networks/sign_in.h"
#include "platform/app/config.h"
#include "platform/app/process.h"
#include "platform/db/pool.h"
#include "platform/net/http_client.h"
#include "platform/rpc/server.h"

namespace parvis::accounts {

struct AccountsConfig {
  app::ProcessConfig process;
  rpc::ServerConfig rpc;
  db::PoolConfig db_api, db_stream = db::PoolConfig::ForStreams();
  net::HttpClientConfig http_client;
  std::string operator_key_file;
  std::string seal_key_file;
  std::map<std::string, std::string> network_base_urls = {{"facebook", "https://graph.facebook.com/v23.0"},
                                                          {"instagram", "https://graph.facebook.com/v23.0"},
                                                          {"x", "https://api.x.com"},
                                                          {"youtube", "https://www.googleapis.com"},
                                                          {"linkedin", "https://api.linkedin.com"}};
  std::string sign_in_redirect_uri;
  std::map<std::string, std::string> sign_in_client_ids, sign_in_client_secret_files;
  std::map<std::string, std::string> sign_in_authorize_urls, sign_in_token_urls;
  RefreshOptions refresh;

  void Declare(app::Options& o) {
    process.Declare(o);
    rpc.Declare(o);
    db_api.Declare(o, "db_api_");
    db_stream.Declare(o, "db_stream_");
    http_client.Declare(o);
    o.String("operator_key_file", &operator_key_file,
             "File with the bearer key of whoever operates the installation; empty: nobody is operator.");
    o.Required(
        "seal_key_file", &seal_key_file,
        "File with the keys that seal credentials, a line \"<key id> <base64 of 32 bytes>\" each, current first.");
    o.Map("network_base_urls", &network_base_urls,
          "Address of the API of every network that has one for all accounts.");
    o.String("sign_in_redirect_uri", &sign_in_redirect_uri,
             "Where networks send browsers back to after a sign-in, exactly as registered with them: the gateway's "
             "https://.../v1/signin/callback; empty: nobody signs in in the browser.");
    o.Map("sign_in_client_ids", &sign_in_client_ids,
          "The client id of our app on each network that people sign in to.");
    o.Map("sign_in_client_secret_files", &sign_in_client_secret_files,
          "Files with the client secrets of these apps; a network that is left out knows us as a public client.");
    o.Map("sign_in_authorize_urls", &sign_in_authorize_urls, "Sign-in pages that are not the network's own.");
    o.Map("sign_in_token_urls", &sign_in_token_urls, "Token endpoints that are not the network's own.");
    o.Duration("refresh_interval", &refresh.interval, "How often credentials that will expire are looked for.",
               absl::Milliseconds(100), absl::Minutes(10));
    o.Int("refresh_batch", &refresh.batch, "Channels that one round refreshes at most.", {1, 1000});
    o.Duration("refresh_lease", &refresh.lease,
               "How long a replica holds the channels of a round; what it cannot do in that time is left to the next.",
               absl::Minutes(2), absl::Hours(1));
  }

  std::map<std::string, networks::SignInEndpoints> Endpoints() const {
    std::map<std::string, networks::SignInEndpoints> endpoints;
    for (const auto& [network, url] : sign_in_authorize_urls) endpoints[network].authorize_url = url;
    for (const auto& [network, url] : sign_in_token_urls) endpoints[network].token_url = url;
    return endpoints;
  }
};

}  // namespace parvis::accounts
