#include "platform/rpc/authenticator.h"

#include <openssl/evp.h>

#include <array>
#include <condition_variable>
#include <cstring>
#include <list>
#include <mutex>
#include <unordered_map>

#include <absl/strings/str_cat.h>

#include <grpcpp/grpcpp.h>

#include "parvis/platform/v1/authentication_service.grpc.pb.h"
#include "platform/obs/degraded.h"

namespace parvis::rpc {
namespace {

using Digest = std::array<unsigned char, 32>;

// Any of its bytes are as good as a hash.
struct DigestHash {
  size_t operator()(const Digest& digest) const {
    size_t hash;
    std::memcpy(&hash, digest.data(), sizeof hash);
    return hash;
  }
};

// SHA-256. OpenSSL's SHA256() looks the algorithm up by name every time; here each thread keeps a context.
Digest DigestOf(const std::string& token) {
  struct Free {
    void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
  };
  thread_local const std::unique_ptr<EVP_MD_CTX, Free> context(EVP_MD_CTX_new());
  static const EVP_MD* const sha256 = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  Digest digest{};
  unsigned int size = 0;
  if (EVP_DigestInit_ex(context.get(), sha256, nullptr) != 1 ||
      EVP_DigestUpdate(context.get(), token.data(), token.size()) != 1 ||
      EVP_DigestFinal_ex(context.get(), digest.data(), &size) != 1 || size != digest.size()) {
    std::abort();  // an equal digest for two keys would make one caller of both
  }
  return digest;
}

Principal FromProto(const platform::v1::AuthenticateResponse& response) {
  Principal principal;
  principal.workspace_id = response.workspace_id();
  principal.organization_id = response.organization_id();
  principal.member_id = response.member_id();
  principal.key_id = response.key_id();
  for (const int role : response.roles()) {
    // Role numbers its members as the proto does (access.cc asserts it). No key makes a service of its bearer.
    if (role > 0 && role <= platform::v1::ROLE_OPERATOR && role != platform::v1::ROLE_SERVICE) {
      principal.roles.insert(static_cast<Role>(role));
    }
  }
  return principal;
}

}  // namespace

void AuthenticatorConfig::Declare(app::Options& o, std::string_view prefix) {
  const auto name = [&](const char* rest) { return std::string(prefix) + rest; };
  o.Int(name("cache_max"), &cache_max, "Tokens whose owner is remembered.", {1, 1000000});
  o.Duration(name("cache_time"), &cache_time, "How long a token's owner is remembered: a revoked key works that long.",
             absl::ZeroDuration(), absl::Seconds(30));
  o.Duration(name("unknown_time"), &unknown_time, "How long a refused token is remembered.", absl::ZeroDuration(),
             absl::Seconds(30));
}

struct AccountsAuthenticator::Impl {
  struct Entry {
    bool pending = true;
    StatusOr<Principal> answer = MakeError(Code::kUnavailable, "ACCOUNTS_UNAVAILABLE", "not asked yet");
    Instant expires;
    std::list<Digest>::iterator place;  // in `order`
  };

  Impl(Client& client, const AuthenticatorConfig& config, const Clock& clock, obs::Metrics& metrics)
      : client(client),
        config(config),
        clock(clock),
        metrics(metrics),
        stub(platform::v1::AuthenticationService::NewStub(client.channel())),
        hits(metrics.counter("parvis_rpc_authentication_total", "Tokens checked, by where the answer came from.",
                             {{"from", "cache"}})),
        misses(metrics.counter("parvis_rpc_authentication_total", "Tokens checked, by where the answer came from.",
                               {{"from", "accounts"}})) {
    metrics.degraded().Declare(obs::Mode::kAccountsAway);
  }

  // Asks accounts; `remember` becomes how long the answer holds.
  StatusOr<Principal> Ask(const std::string& token, absl::Duration& remember) {
    platform::v1::AuthenticateRequest request;
    platform::v1::AuthenticateResponse response;
    request.set_token(token);
    Call call;
    call.deadline = Instant::Max();
    call.trace = Trace::New();
    const Status status = client.Invoke(
        call, [&](grpc::ClientContext& context) { return stub->Authenticate(&context, request, &response); });
    if (status.ok()) {
      remember = std::min(config.cache_time, absl::Seconds(std::max(0, response.cache_seconds())));
      return FromProto(response);
    }
    if (status.code() == Code::kUnauthenticated && ReasonOf(status).rfind("TOKEN_", 0) == 0) {
      remember = config.unknown_time;
      return status;
    }
    remember = absl::ZeroDuration();
    metrics.degraded().Note(obs::Mode::kAccountsAway, ReasonOf(status));
    return ToStatus({.code = Code::kUnavailable,
                     .reason = "ACCOUNTS_UNAVAILABLE",
                     .message = absl::StrCat("the key could not be checked: ", ToError(status).reason),
                     .retry_after = absl::Seconds(1)});
  }

  // Drops the entries used longest ago; those being asked for stay. mutex held.
  void Trim() {
    for (auto it = order.begin(); it != order.end() && static_cast<int>(entries.size()) > config.cache_max;) {
      const auto found = entries.find(*it);
      if (found->second->pending) {
        ++it;
        continue;
      }
      entries.erase(found);
      it = order.erase(it);
    }
  }

  Client& client;
  const AuthenticatorConfig config;
  const Clock& clock;
  obs::Metrics& metrics;
  std::unique_ptr<platform::v1::AuthenticationService::Stub> stub;
  obs::Counter& hits;
  obs::Counter& misses;
  std::mutex mutex;
  std::condition_variable answered;
  std::unordered_map<Digest, std::shared_ptr<Entry>, DigestHash> entries;
  std::list<Digest> order;  // used longest ago first
};

AccountsAuthenticator::AccountsAuthenticator(Client& client, const AuthenticatorConfig& config, const Clock& clock,
                                             obs::Metrics& metrics)
    : impl_(std::make_unique<Impl>(client, config, clock, metrics)) {}
AccountsAuthenticator::~AccountsAuthenticator() = default;

StatusOr<Principal> AccountsAuthenticator::Authenticate(const std::string& token) {
  const Digest digest = DigestOf(token);
  std::unique_lock lock(impl_->mutex);
  const auto [it, added] = impl_->entries.try_emplace(digest);
  if (!added) {
    const std::shared_ptr<Impl::Entry> entry = it->second;
    impl_->order.splice(impl_->order.end(), impl_->order, entry->place);
    if (entry->pending) {
      impl_->answered.wait(lock, [&] { return !entry->pending; });
      return entry->answer;
    }
    if (impl_->clock.Now() < entry->expires) {
      impl_->hits.Add();
      return entry->answer;
    }
    entry->pending = true;
  } else {
    it->second = std::make_shared<Impl::Entry>();
    it->second->place = impl_->order.insert(impl_->order.end(), digest);
    impl_->Trim();
  }
  const std::shared_ptr<Impl::Entry> entry = impl_->entries.at(digest);
  lock.unlock();
  impl_->misses.Add();
  absl::Duration remember;
  StatusOr<Principal> answer = impl_->Ask(token, remember);
  lock.lock();
  entry->answer = answer;
  entry->expires = impl_->clock.Now() + remember;
  entry->pending = false;
  lock.unlock();
  impl_->answered.notify_all();
  return answer;
}

}  // namespace parvis::rpc
