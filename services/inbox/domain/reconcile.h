// Conservation: every message and reaction that ingestion accepted is in the inbox, in a dead letter, or still on its
// way. Whatever is none of these is missing, and named.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace parvis::inbox {

// One accepted activity that makes a message or a reaction. Edits, removals and hides change what is there and are not
// counted: the inbox lets go of them when their message never comes.
struct Accepted {
  std::string workspace_id, channel_id, remote_key;
  std::string activity_id;
  bool reaction = false;
  int32_t partition = 0;  // in the topic of activities
  int64_t offset = 0;
  // The natural key: however often the networks tell of it, it is one.
  std::string Key() const { return channel_id + "/" + (reaction ? activity_id : remote_key); }
};

// How far a stage has come, by partition: everything before the offset is done.
using Progress = std::map<int32_t, int64_t>;
struct Position {
  int32_t partition = 0;
  int64_t offset = 0;
};

// What is known about the stages between ingestion and the inbox.
struct Stages {
  Progress assessed;                             // of the topic of activities, by moderation
  Progress folded;                               // of the topic of assessments, by the inbox
  std::map<std::string, Position> assessments;   // by activity id
  std::set<std::string> dead;                    // activity ids in dead letters
};

struct Tally {
  int64_t accepted = 0, stored = 0, dead = 0, in_flight = 0;
  std::vector<Accepted> missing;
  bool Balanced() const { return missing.empty(); }
};

// Explains those of `accepted` for which `stored` is false; by workspace. `stored` was asked after `stages` was read, so
// that what arrived in between is not called missing.
std::map<std::string, Tally> Reconcile(const std::vector<Accepted>& accepted, const std::vector<bool>& stored,
                                       const Stages& stages);

}  // namespace parvis::inbox
