// What Facebook answers with: objects cut down to the asked fields.
#pragma once

#include <set>
#include <string>
#include <string_view>

#include "sandbox/transport/graph_json.h"

namespace parvis::sandbox {

Json FacebookPage(const Account& account, const std::set<std::string>& fields);
struct FacebookCounts {
  int64_t comments = 0;
};
Json FacebookPost(const Item& item, const std::set<std::string>& fields, const FacebookCounts& counts);
Json FacebookComment(const Item& item, const std::set<std::string>& fields, const FacebookCounts& counts);
// A video or reel.
Json FacebookVideo(const Item& item, const std::set<std::string>& fields);

}  // namespace parvis::sandbox
