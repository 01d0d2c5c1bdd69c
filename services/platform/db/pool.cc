#include "platform/db/pool.h"

#include <libpq-fe.h>

#include <condition_variable>
#include <mutex>

#include "platform/db/connection.h"
#include "platform/db/sqlstate.h"

namespace parvis::db {
namespace {

constexpr int kConflictTries = 4;                             // the first and three more
constexpr char kReadOnly[] = "25006";                         // SQLSTATE read_only_sql_transaction
constexpr absl::Duration kWaitSlack = absl::Seconds(3);       // for the server to cancel a statement by itself

// The role names the pool in metrics: "inbox_api".
std::string UserOf(const std::string& dsn) {
  std::string user = "unknown";
  PQconninfoOption* options = PQconninfoParse(dsn.c_str(), nullptr);
  for (PQconninfoOption* o = options; o && o->keyword; ++o) {
    if (std::string_view(o->keyword) == "user" && o->val) user = o->val;
  }
  if (options) PQconninfoFree(options);
  return user;
}

class PooledTx : public Tx {
 public:
  PooledTx(Connection& connection, Connection::Begin begin) : connection_(connection), begin_(std::move(begin)) {}
  using Tx::Query;
  StatusOr<Rows> Query(const char* sql, std::initializer_list<Param> params) override {
    return Run(sql, absl::MakeConstSpan(params.begin(), params.size()));
  }
  StatusOr<Rows> Query(const char* sql, const std::vector<Param>& params) override { return Run(sql, params); }
  StatusOr<int64_t> Copy(const char* copy_sql, std::string_view rows) override {
    if (begin_) {
      if (auto begun = Run("SELECT 1", {}); !begun.ok()) return begun.status();
    }
    if (!failure_.ok()) return failure_;
    return Noted(connection_.Copy(copy_sql, rows));
  }
  Status CopyRows(const char* copy_sql, size_t rows, const WriteRow& write) override {
    if (begin_) {
      if (auto begun = Run("SELECT 1", {}); !begun.ok()) return begun.status();
    }
    if (!failure_.ok()) return failure_;
    return failure_ = connection_.CopyRows(copy_sql, rows, write);
  }
  // The answer of the last CopyRows; then failure() tells.
  void Finish() {
    if (failure_.ok()) failure_ = connection_.FinishCopy();
  }
  bool begun() const { return !begin_; }
  const Status& failure() const { return failure_; }   // the first error of the database, OK if none

 private:
  StatusOr<Rows> Run(const char* sql, absl::Span<const Param> params) {
    if (!failure_.ok()) return failure_;   // the transaction is lost; the first error is the one that tells why
    auto rows = connection_.Query(begin_, sql, params);
    if (rows.ok() || connection_.in_transaction()) begin_.reset();
    return Noted(std::move(rows));
  }
  template <class T>
  StatusOr<T> Noted(StatusOr<T> result) {
    if (!result.ok()) failure_ = result.status();
    return result;
  }

  Connection& connection_;
  std::optional<Connection::Begin> begin_;
  Status failure_;
};

}  // namespace

void PoolConfig::Declare(app::Options& o, std::string_view prefix) {
  const std::string p(prefix);
  o.Required(p + "dsn", &dsn, "PostgreSQL connection string without the password (host, port, dbname, user).");
  o.String(p + "password_file", &password_file, "File with the password; empty for peer or trust authentication.");
  o.Int(p + "pool_size", &size, "Connections at most.", {.min = 1, .max = 200});
  o.Duration(p + "acquire_max", &acquire_max, "Longest wait for a free connection.", absl::Milliseconds(1), absl::Minutes(1));
  o.Duration(p + "statement_max", &statement_max, "Longest run of one statement.", absl::Milliseconds(10), absl::Minutes(10));
  o.Duration(p + "connect_max", &connect_max, "Longest wait for a new connection.", absl::Seconds(1), absl::Minutes(1));
  o.Duration(p + "plan_max_age", &plan_max_age, "How long a statement's plan is reused; 0 leaves it to PostgreSQL.",
             absl::ZeroDuration(), absl::Hours(1));
}

PoolConfig PoolConfig::ForStreams() {
  PoolConfig config;
  config.plan_max_age = kReusePlans;
  return config;
}

StatusOr<int64_t> Tx::Exec(const char* sql, std::initializer_list<Param> params) {
  PARVIS_ASSIGN_OR_RETURN(const Rows rows, Query(sql, params));
  return rows.affected();
}

struct Pool::Impl {
  using ConnectionPtr = std::unique_ptr<Connection>;

  Impl(const PoolConfig& c, const Clock& k, obs::Metrics& m) : config(c), clock(k), user(UserOf(c.dsn)),
      waited(m.histogram("parvis_db_pool_wait_seconds", "Time until a connection was free.", {{"role", user}})),
      in_use(m.gauge("parvis_db_pool_in_use", "Connections in use.", {{"role", user}})),
      duration(m.histogram("parvis_db_transaction_seconds", "Time of a transaction, retries included.", {{"role", user}})),
      retries(m.counter("parvis_db_transaction_retries_total", "Transactions run again after a conflict or a lost "
                        "connection.", {{"role", user}})) {}

  StatusOr<ConnectionPtr> Acquire(absl::Duration remaining) {
    const Instant before = clock.Now();
    const absl::Duration limit = std::min(config.acquire_max, remaining);
    {
      std::unique_lock lock(mutex);
      if (!free.wait_for(lock, absl::ToChronoNanoseconds(limit), [&] { return taken < config.size; })) {
        if (remaining < config.acquire_max) return TimedOut();
        return MakeError(Code::kResourceExhausted, "DB_POOL_EXHAUSTED", "every database connection is in use");
      }
      ++taken;
      in_use.Set(taken);
      waited.Observe(absl::ToDoubleSeconds(clock.Now() - before));
      if (!idle.empty()) {
        ConnectionPtr connection = std::move(idle.back());
        idle.pop_back();
        return connection;
      }
    }
    auto opened = Connection::Open(config);
    if (!opened.ok()) Release(nullptr);
    return opened;
  }

  void Release(ConnectionPtr connection) {
    {
      const std::lock_guard lock(mutex);
      in_use.Set(--taken);
      if (connection && !connection->broken()) idle.push_back(std::move(connection));
    }
    free.notify_one();
  }

  // Idle connections most likely went the way of the one that broke.
  void DropIdle() {
    std::vector<ConnectionPtr> dropped;
    const std::lock_guard lock(mutex);
    dropped.swap(idle);
  }

  enum class Next { kDone, kConflict, kLost };

  // One try. kLost: the connection broke before COMMIT was sent, so nothing can have happened.
  Status RunOnce(Connection& connection, const Call& call, bool snapshot, const Body& body, Next& next) {
    const absl::Duration left = call.Remaining(clock);
    if (left <= absl::ZeroDuration()) return TimedOut();
    const absl::Duration statement = std::min(left, config.statement_max);
    connection.set_wait_max(statement + kWaitSlack);
    PooledTx tx(connection,
                {call.workspace_id, statement, snapshot, connection.PlansAreOld(clock.Now(), config.plan_max_age)});
    Status status = body(tx);
    tx.Finish();
    if (status.ok()) status = tx.failure();   // a body may not hide that its transaction is lost
    if (connection.broken()) {
      next = Next::kLost;
      return status;
    }
    if (!tx.begun() && !connection.in_transaction()) return status;
    if (status.ok()) {
      auto tag = connection.Simple("COMMIT");
      if (tag.ok() && *tag == "COMMIT") return absl::OkStatus();
      if (tag.ok()) return MakeError(Code::kInternal, "DB_ERROR", "the transaction was rolled back at COMMIT");
      status = tag.status();
      if (connection.broken()) {
        Error error = ToError(Unavailable("the answer to COMMIT was lost, its outcome is unknown"));
        error.metadata["commit"] = "unknown";
        return ToStatus(error);
      }
      if (IsConflict(connection.state())) next = Next::kConflict;
      return status;
    }
    if (!tx.failure().ok() && IsConflict(connection.state())) next = Next::kConflict;
    if (!tx.failure().ok() && snapshot && connection.state() == kReadOnly) {
      status = MakeError(Code::kInternal, "DB_WRITE_IN_SNAPSHOT", "a transaction that only reads tried to write");
    }
    if (!connection.Simple("ROLLBACK").ok()) DropIdle();
    return status;
  }

  Status Run(const Call& call, bool snapshot, const Body& body) {
    const Instant before = clock.Now();
    Status status;
    bool reconnected = false;
    for (int tried = 0; tried < kConflictTries; ++tried) {
      const absl::Duration left = call.Remaining(clock);
      if (left <= absl::ZeroDuration()) return TimedOut();
      PARVIS_ASSIGN_OR_RETURN(ConnectionPtr connection, Acquire(left));
      Next next = Next::kDone;
      status = RunOnce(*connection, call, snapshot, body, next);
      if (connection->broken()) DropIdle();
      Release(std::move(connection));
      if (next == Next::kDone || (next == Next::kLost && reconnected)) break;
      reconnected = reconnected || next == Next::kLost;
      retries.Add();
    }
    duration.Observe(absl::ToDoubleSeconds(clock.Now() - before));
    return status;
  }

  const PoolConfig config;
  const Clock& clock;
  const std::string user;
  obs::Histogram& waited;
  obs::Gauge& in_use;
  obs::Histogram& duration;
  obs::Counter& retries;
  std::mutex mutex;
  std::condition_variable free;
  int taken = 0;
  std::vector<ConnectionPtr> idle;
};

Pool::Pool(const PoolConfig& config, const Clock& clock, obs::Metrics& metrics)
    : impl_(std::make_unique<Impl>(config, clock, metrics)) {}
Pool::~Pool() = default;

Status Pool::Run(const Call& call, const Body& body) { return impl_->Run(call, /*snapshot=*/false, body); }
Status Pool::RunSnapshot(const Call& call, const Body& body) { return impl_->Run(call, /*snapshot=*/true, body); }

Status Pool::Ping() {
  Call call = BackgroundCall("db");
  call.deadline = impl_->clock.Now() + absl::Seconds(2);
  return Run(call, [](Tx& tx) { return tx.Query("SELECT 1").status(); });
}

}  // namespace parvis::db
