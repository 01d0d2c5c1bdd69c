// What each network's OAuth does differently. Sources are in the README of this folder.
#include <algorithm>

#include "networks/sign_in/oauth.h"

namespace parvis::networks {
namespace {

constexpr OAuthFacts kFacts[] = {
    {.network = "x",
     .authorize_url = "https://x.com/i/oauth2/authorize",
     .token_url = "{base}/2/oauth2/token",
     .auth = ClientAuth::kBasic,
     .scopes = "tweet.read tweet.write tweet.moderate.write users.read media.write mute.read mute.write offline.access",
     .scope_separator = ' ',
     .pkce = true,
     .refreshes = true,
     .single_use = true,
     .own_app = false,
     .long_lived_exchange = nullptr,
     .extra = nullptr},
    {.network = "linkedin",
     .authorize_url = "https://www.linkedin.com/oauth/v2/authorization",
     .token_url = "https://www.linkedin.com/oauth/v2/accessToken",
     .auth = ClientAuth::kBody,
     .scopes = "r_organization_social w_organization_social rw_organization_admin",
     .scope_separator = ' ',
     .pkce = false,  // for native apps only, at an address of its own
     .refreshes = true,
     .single_use = false,
     .own_app = false,
     .long_lived_exchange = nullptr,
     .extra = nullptr},
    {.network = "youtube",
     .authorize_url = "https://accounts.google.com/o/oauth2/v2/auth",
     .token_url = "https://oauth2.googleapis.com/token",
     .auth = ClientAuth::kBody,
     .scopes = "https://www.googleapis.com/auth/youtube.force-ssl",
     .scope_separator = ' ',
     .pkce = true,
     .refreshes = true,
     .single_use = false,
     .own_app = false,
     .long_lived_exchange = nullptr,
     .extra = "access_type=offline&prompt=consent"},
    {.network = "facebook",
     .authorize_url = "https://www.facebook.com/{version}/dialog/oauth",
     .token_url = "{base}/oauth/access_token",
     .auth = ClientAuth::kBody,
     .scopes = "pages_show_list pages_read_engagement pages_manage_posts pages_manage_engagement "
               "pages_read_user_content pages_manage_metadata read_insights business_management",
     .scope_separator = ',',
     .pkce = false,
     .refreshes = false,  // page tokens of a long-lived user token do not expire by time
     .single_use = false,
     .own_app = false,
     .long_lived_exchange = "fb_exchange_token",
     .extra = nullptr},
    {.network = "mastodon",
     .authorize_url = "{base}/oauth/authorize",
     .token_url = "{base}/oauth/token",
     .auth = ClientAuth::kBody,
     .scopes = "read:accounts read:statuses read:notifications read:follows write:statuses write:media write:mutes "
               "write:blocks write:reports",
     .scope_separator = ' ',
     .pkce = true,
     .refreshes = false,
     .single_use = false,
     .own_app = true,
     .long_lived_exchange = nullptr,
     .extra = nullptr},
};

}  // namespace

const OAuthFacts* FindOAuthFacts(std::string_view network) {
  const auto found =
      std::find_if(std::begin(kFacts), std::end(kFacts), [&](const OAuthFacts& one) { return network == one.network; });
  return found == std::end(kFacts) ? nullptr : found;
}

}  // namespace parvis::networks
