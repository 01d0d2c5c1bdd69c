// A private PostgreSQL for tests, and a service's schema in a database of its own. Needs the Debian package
// postgresql-15; as root, the server runs as user postgres.
#pragma once

#include <memory>
#include <string>

#include "platform/base/clock.h"
#include "platform/db/pool.h"
#include "platform/obs/metrics.h"
#include "platform/testing/server.h"

namespace parvis::testing {

class Postgres {
 public:
  // The server of this test binary, started on first use and ended with it. A test that needs other settings or kills
  // the server makes one of its own. Aborts the process with a message when the server does not start.
  static Postgres& Shared();
  // `durable`: with fsync, for tests that kill it. `settings`: lines of postgresql.conf.
  explicit Postgres(bool durable = false, const std::string& settings = "");
  ~Postgres();

  int port() const { return port_; }
  // "host=127.0.0.1 port=... dbname=... user=..."; everybody is trusted, there is no password.
  std::string Dsn(const std::string& database = "postgres", const std::string& user = "postgres") const;
  // Runs statements as the superuser; aborts the test binary when they fail.
  void Script(const std::string& sql, const std::string& database = "postgres") const;

  void Kill();      // SIGKILL to the postmaster and waits until its children are gone
  void Start();     // after Kill or Stop: the same data, the same port
  void Stop();      // immediate shutdown
  void Pause();     // SIGSTOP to the postmaster (no new connections)
  void Resume();

 private:
  void Launch();
  int port_ = 0;
  std::unique_ptr<Server> server_;
};

// Service `service` as the installation has it: roles <service>_owner, _api (row-level security), _stream (BYPASSRLS)
// with search_path = <service>, and its migrations applied, in a new database of `postgres`.
//   testing::ServiceDatabase db("inbox");
//   InboxStore store(db.api());
class ServiceDatabase {
 public:
  // `folder` is relative to the checkout; "" means services/<service>/storage/schema.
  explicit ServiceDatabase(const std::string& service, const std::string& folder = "",
                           Postgres& postgres = Postgres::Shared());
  ~ServiceDatabase();   // drops the database

  db::Pool& api() { return *api_; }
  db::Pool& stream() { return *stream_; }
  const Clock& clock() const { return clock_; }
  obs::Metrics& metrics() { return metrics_; }
  db::PoolConfig ApiConfig() const { return Config("_api"); }
  db::PoolConfig StreamConfig() const { return Config("_stream", db::PoolConfig::ForStreams()); }
  db::PoolConfig OwnerConfig() const { return Config("_owner"); }
  const std::string& database() const { return database_; }
  // As the superuser, in the service's schema: for looking behind the curtain.
  void Script(const std::string& sql) const;
  int64_t Number(const std::string& select) const;     // first column of the first row
  // Empties every table of the schema but schema_migrations, for the next test.
  void Clear() const;

 private:
  db::PoolConfig Config(const char* suffix, db::PoolConfig config = {}) const;
  const std::string service_;
  std::string database_;
  Postgres& postgres_;
  RealClock clock_;
  obs::Metrics metrics_;
  std::unique_ptr<db::Pool> api_, stream_;
};

}  // namespace parvis::testing
