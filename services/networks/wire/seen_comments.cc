#include "networks/wire/seen_comments.h"

#include <algorithm>

namespace parvis::networks {
namespace {

constexpr int64_t kPageMax = 1'000'000;

}  // namespace

uint32_t LookOf(std::string_view text) {  // FNV-1a
  uint32_t hash = 2166136261u;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 16777619u;
  return hash;
}

SeenComments::SeenComments(const Json& cursor, absl::Time since)
    : after(std::max<int64_t>(0, absl::ToUnixSeconds(since) - 1)) {
  const Json& place = Member(cursor, "a");
  if (!place.is_number_integer()) return;
  after = std::max<int64_t>(0, place.get<int64_t>());
  if (const Json& at = Member(cursor, "g"); at.is_number_integer()) {
    page = std::clamp<int64_t>(at.get<int64_t>(), 1, kPageMax);
  }
  const Json& list = Member(cursor, "w");
  for (size_t i = 0; list.is_array() && i < list.size() && i < kMax; ++i) {
    Json one = list[i];
    if (one.is_array() && one.size() == 4) one.insert(one.begin() + 2, "");  // written before the post was kept
    const bool whole = one.is_array() && one.size() == 5 && one[0].is_string() && one[1].is_string() &&
                       one[2].is_string() && one[3].is_boolean() && one[4].is_number_unsigned();
    if (!whole) continue;
    const std::string id = one[0].get<std::string>(), root = one[1].get<std::string>();
    watched.push_back(
        {id, root.empty() ? id : root, one[2].get<std::string>(), one[3].get<bool>(), one[4].get<uint32_t>()});
  }
}

Json SeenComments::Encode() const {
  Json list = Json::array();
  for (const SeenComment& one : watched) list.push_back(Json::array({one.id, one.root, one.post, one.hidden, one.look}));
  return {{"a", after}, {"g", page}, {"w", list}};
}

SeenComment* SeenComments::Find(const std::string& id) {
  const auto it = std::find_if(watched.begin(), watched.end(), [&](const SeenComment& one) { return one.id == id; });
  return it == watched.end() ? nullptr : &*it;
}

void SeenComments::Watch(SeenComment one) {
  watched.push_back(std::move(one));
  while (watched.size() > kMax) watched.pop_front();
}

void SeenComments::MoveOn(int64_t newest, int64_t next) {
  if (newest > after) {
    after = newest;
    page = 1;
  } else {
    page = std::max<int64_t>(next, 1);
  }
}

}  // namespace parvis::networks
