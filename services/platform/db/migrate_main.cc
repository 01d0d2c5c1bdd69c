// parvis-migrate: applies one service's migrations, as the schema's owner. Exit status 0 when the schema is up to date.
//   parvis-migrate --dsn "host=127.0.0.1 port=5432 dbname=parvis user=inbox_owner" --schema inbox
//                  --folder services/inbox/storage/schema [--password_file FILE]
#include <cstdio>
#include <map>
#include <string>

#include "platform/db/migrations.h"

int main(int argc, char** argv) {
  parvis::db::MigrationConfig config;
  const std::map<std::string, std::string*> flags = {{"dsn", &config.dsn}, {"password_file", &config.password_file},
                                                     {"schema", &config.schema}, {"folder", &config.folder}};
  for (int i = 1; i < argc; ++i) {
    std::string flag = argv[i];
    std::string value;
    const size_t equals = flag.find('=');
    if (equals != std::string::npos) {
      value = flag.substr(equals + 1);
      flag.resize(equals);
    } else if (i + 1 < argc) {
      value = argv[++i];
    }
    const auto known = flag.starts_with("--") ? flags.find(flag.substr(2)) : flags.end();
    if (known == flags.end()) {
      std::fprintf(stderr, "unknown flag %s; there are --dsn, --password_file, --schema and --folder\n", flag.c_str());
      return 2;
    }
    *known->second = value;
  }
  if (config.dsn.empty() || config.schema.empty() || config.folder.empty()) {
    std::fprintf(stderr, "usage: parvis-migrate --dsn DSN --schema NAME --folder FOLDER [--password_file FILE]\n");
    return 2;
  }
  const auto applied = parvis::db::Migrate(config);
  if (!applied.ok()) {
    const parvis::Error error = parvis::ToError(applied.status());
    std::fprintf(stderr, "parvis-migrate: %s: %s: %s\n", config.schema.c_str(), error.reason.c_str(), error.message.c_str());
    return 1;
  }
  std::printf("%s: %d migration%s applied\n", config.schema.c_str(), *applied, *applied == 1 ? "" : "s");
  return 0;
}
