// The journal: every accepted write and every action of the audience, in the order of acceptance. It is the judge in
// tests and in scripts/run, so an entry exists exactly when the sandbox's state has changed.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "platform/base/error.h"
#include "sandbox/domain/model.h"

namespace parvis::sandbox {

// How an accepted write is answered: decided (by the faults) before it is accepted.
enum class Answer {
  kOk,
  kReset,
  kGatewayTimeout,
  kGarbage,
  kEmptyPage,  // only of lists: an empty page with a cursor to go on at
};
std::string_view NameOf(Answer answer);  // "ok", "reset", "504", "garbage", "empty_page"

struct JournalEntry {
  int64_t seq = 0;  // set by Append: 1, 2, 3 ... without gaps
  absl::Time time;
  Network network = Network::kFacebook;
  std::string account;
  std::string kind;  // post, reply, hide, unhide, delete, media | comment, mention, edit, removal
  std::string by;    // "us" (through the network's API), "audience", "control"
  std::string remote_id, parent, post, thread;
  int64_t thread_seq = 0;
  std::string author;    // network's id of who did it
  std::string text;      // as written; of the audience: as shown
  std::string expanded;  // X, by the audience: the text with its links as they were written, if it has any
  std::string status;    // blog: status asked for; else ""
  std::string label;     // audience: question, thanks, complaint, insult, spam, obfuscated, emoji, long, replay
  std::string language;  // audience: fr, en, or ""
  std::string digest;    // of the request: method, path and body
  Answer answered = Answer::kOk;
};

// One line of NDJSON, without line feed.
std::string ToLine(const JournalEntry& entry);
// Appends `text` as a JSON string. The text must be UTF-8.
void AppendJson(std::string_view text, std::string& out);

// Thread-safe.
class Journal {
 public:
  // Called for every line, in order, before the entry counts. An error refuses the entry.
  using Sink = std::function<Status(std::string_view line)>;
  Journal(int64_t entries_max, Sink sink);

  // The sequence number. RESOURCE_EXHAUSTED JOURNAL_FULL, or the sink's error.
  StatusOr<int64_t> Append(JournalEntry entry);

  // Lines with seq > after, each ended by a line feed; at most `limit` lines and about `bytes_max` bytes.
  std::string Read(int64_t after, int64_t limit, int64_t bytes_max) const;
  int64_t last_seq() const;

  struct Count {
    Network network = Network::kFacebook;
    std::string account, kind, by, answered;
    int64_t count = 0;
  };
  std::vector<Count> Summary() const;  // sorted by its members
  // Forgets everything; numbering goes on, so that a reader's position stays valid.
  void Reset();

 private:
  using Key = std::tuple<Network, std::string, std::string, std::string, std::string>;
  const int64_t entries_max_;
  const Sink sink_;
  mutable std::mutex mutex_;
  int64_t first_seq_ = 1;
  std::deque<std::string> lines_;
  std::map<Key, int64_t> counts_;
};

}  // namespace parvis::sandbox
