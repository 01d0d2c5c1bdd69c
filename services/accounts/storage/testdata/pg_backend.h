// The stores of accounts on a private PostgreSQL, for the contract suites.
#pragma once

#include "accounts/domain/store_contract.h"
#include "accounts/storage/pg_api_keys.h"
#include "accounts/storage/pg_channels.h"
#include "accounts/storage/pg_refreshes.h"
#include "accounts/storage/pg_sign_ins.h"
#include "accounts/storage/pg_tenants.h"
#include "platform/testing/postgres.h"

namespace parvis::accounts {

inline constexpr char kOldKey[] = "k1 AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n";

inline testing::ServiceDatabase& Database() {
  static auto* database = new testing::ServiceDatabase("accounts");
  return *database;
}

struct PgBackend {
  PgBackend() { Database().Clear(); }
  testing::ServiceDatabase& db = Database();
  Sealer sealer = *Sealer::FromText(kOldKey);
  PgTenantStore tenants{db.api(), db.stream()};
  PgMemberStore members{db.api()};
  PgApiKeyStore keys{db.api()};
  PgKeyDirectory key_directory{db.stream()};
  PgChannelStore channels{db.api(), db.stream(), sealer};
  PgSignInStore sign_ins{db.api(), sealer};
  PgRefreshStore refreshes{db.api(), db.stream(), sealer};
  Stores stores() { return {tenants, members, keys, key_directory, channels, channels, sign_ins, refreshes}; }
};

}  // namespace parvis::accounts
