#include "platform/testing/postgres.h"

#include <libpq-fe.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <fstream>

#include "platform/db/migrations.h"
#include "platform/testing/wait.h"

namespace parvis::testing {
namespace {

constexpr char kBin[] = "/usr/lib/postgresql/15/bin/";

[[noreturn]] void Die(const std::string& why) {
  std::fprintf(stderr, "parvis_testing: %s\n", why.c_str());
  std::abort();
}

}  // namespace

Postgres& Postgres::Shared() {
  static Postgres postgres;
  return postgres;
}

Postgres::Postgres(bool durable, const std::string& settings)
    : server_(std::make_unique<Server>("pg", SIGQUIT, /*as_postgres=*/true)) {
  const std::string data = server_->folder() + "/data";
  const std::string log = server_->folder() + "/log";
  if (RunCommand({std::string(kBin) + "initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C",
                  "--no-sync", "--no-instructions"}, log, true) != 0) {
    Die("initdb failed (is postgresql-15 installed?): " + server_->LogTail());
  }
  port_ = FreePort();
  std::ofstream conf(data + "/postgresql.conf", std::ios::app);
  conf << "listen_addresses = '127.0.0.1'\nport = " << port_ << "\nunix_socket_directories = '" << server_->folder()
       << "'\nmax_connections = 120\nshared_buffers = 64MB\nmax_wal_size = 512MB\nwal_level = minimal\nmax_wal_senders = 0\n"
       << "jit = off\n";
  if (!durable) conf << "fsync = off\nsynchronous_commit = off\nfull_page_writes = off\n";
  conf << settings << "\n";
  conf.close();
  Launch();
}

Postgres::~Postgres() = default;

void Postgres::Launch() {
  if (auto started = server_->Start({std::string(kBin) + "postgres", "-D", server_->folder() + "/data"}); !started.ok()) {
    Die(started.ToString());
  }
  const std::string dsn = Dsn();
  const bool up = WaitFor([&] { return !server_->Running() || PQping(dsn.c_str()) == PQPING_OK; }, absl::Seconds(60));
  if (!up || !server_->Running()) Die("PostgreSQL does not start: " + server_->LogTail());
}

std::string Postgres::Dsn(const std::string& database, const std::string& user) const {
  return "host=127.0.0.1 port=" + std::to_string(port_) + " dbname=" + database + " user=" + user;
}

void Postgres::Script(const std::string& sql, const std::string& database) const {
  PGconn* conn = PQconnectdb(Dsn(database).c_str());
  PQsetNoticeProcessor(conn, [](void*, const char*) {}, nullptr);
  PGresult* result = PQexec(conn, sql.c_str());
  const auto status = PQresultStatus(result);
  if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) Die(std::string(PQerrorMessage(conn)) + " in " + sql);
  PQclear(result);
  PQfinish(conn);
}

void Postgres::Kill() { server_->Signal(SIGKILL); }
void Postgres::Stop() { server_->Signal(SIGQUIT); }
void Postgres::Pause() { server_->Signal(SIGSTOP); }
void Postgres::Resume() { server_->Signal(SIGCONT); }
void Postgres::Start() {
  // After SIGKILL the children notice by themselves; until then the shared memory is taken and the start is refused.
  const std::string dsn = Dsn();
  WaitFor([&] {
    if (!server_->Running() && !server_->Start({std::string(kBin) + "postgres", "-D", server_->folder() + "/data"}).ok()) {
      return false;
    }
    return PQping(dsn.c_str()) == PQPING_OK;
  }, absl::Seconds(60));
  if (!server_->Running()) Die("PostgreSQL does not start again: " + server_->LogTail());
}

ServiceDatabase::ServiceDatabase(const std::string& service, const std::string& folder, Postgres& postgres)
    : service_(service), postgres_(postgres) {
  static std::atomic<int> count{0};
  database_ = service + "_" + std::to_string(++count);
  postgres_.Script("CREATE DATABASE " + database_);
  const auto role = [&](const std::string& name, const std::string& attributes) {
    postgres_.Script("DO $$BEGIN IF NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = '" + name + "') THEN CREATE ROLE " +
                     name + " LOGIN " + attributes + "; END IF; ALTER ROLE " + name + " SET search_path = " + service +
                     "; END$$");
  };
  role(service + "_owner", "");
  role(service + "_api", "");
  role(service + "_stream", "BYPASSRLS");
  postgres_.Script("REVOKE CREATE ON SCHEMA public FROM PUBLIC; CREATE SCHEMA " + service + " AUTHORIZATION " + service +
                   "_owner", database_);
  const std::string path = folder.empty() ? "services/" + service + "/storage/schema" : folder;
  const auto migrated = db::Migrate({.dsn = OwnerConfig().dsn, .schema = service,
                                     .folder = path.starts_with("/") ? path : Checkout() + "/" + path});
  if (!migrated.ok()) Die("migrations of " + service + ": " + migrated.status().ToString());
  api_ = std::make_unique<db::Pool>(ApiConfig(), clock_, metrics_);
  stream_ = std::make_unique<db::Pool>(StreamConfig(), clock_, metrics_);
}

ServiceDatabase::~ServiceDatabase() {
  api_.reset();
  stream_.reset();
  PGconn* conn = PQconnectdb(postgres_.Dsn().c_str());   // the test may have stopped the server
  PQclear(PQexec(conn, ("DROP DATABASE IF EXISTS " + database_ + " WITH (FORCE)").c_str()));
  PQfinish(conn);
}

db::PoolConfig ServiceDatabase::Config(const char* suffix, db::PoolConfig config) const {
  config.dsn = postgres_.Dsn(database_, service_ + suffix);
  config.size = 6;
  return config;
}

void ServiceDatabase::Script(const std::string& sql) const {
  postgres_.Script("SET search_path = " + service_ + ";" + sql, database_);
}

int64_t ServiceDatabase::Number(const std::string& select) const {
  PGconn* conn = PQconnectdb((postgres_.Dsn(database_)).c_str());
  PQclear(PQexec(conn, ("SET search_path = " + service_).c_str()));
  PGresult* result = PQexec(conn, select.c_str());
  if (PQresultStatus(result) != PGRES_TUPLES_OK || PQntuples(result) < 1) Die(std::string(PQerrorMessage(conn)) + select);
  const int64_t value = std::atoll(PQgetvalue(result, 0, 0));
  PQclear(result);
  PQfinish(conn);
  return value;
}

void ServiceDatabase::Clear() const {
  Script("DO $$DECLARE t record; BEGIN FOR t IN SELECT c.oid::regclass AS name FROM pg_class c WHERE c.relnamespace = '" +
         service_ + "'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relname <> "
         "'schema_migrations' LOOP EXECUTE format('TRUNCATE %s RESTART IDENTITY CASCADE', t.name); END LOOP; END$$");
}

}  // namespace parvis::testing
