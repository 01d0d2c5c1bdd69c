// The settings of accounts.
#pragma once

#include <map>
#include <string>

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
  }
};

}  // namespace parvis::accounts
