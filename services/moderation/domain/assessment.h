// What moderation knows about an activity, and what it thinks of it: the domain's own words for
// parvis.moderation.v1.Assessment.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace parvis::moderation {

// Numbers as in parvis.moderation.v1.Action.
enum class Action { kUnspecified = 0, kAllow = 1, kHold = 2, kHide = 3, kDelete = 4, kEscalate = 5 };
const char* ActionName(Action action);  // "allow"

// Numbers as in parvis.moderation.v1.Intent.
enum class Intent { kUnspecified = 0, kQuestion = 1, kComplaint = 2, kThanks = 3, kOther = 4 };

// Numbers as in parvis.ingestion.v1.Activity.Kind.
enum class Kind {
  kUnspecified = 0,
  kComment = 1,
  kMention = 2,
  kMessage = 3,
  kEdit = 4,
  kRemoval = 5,
  kReaction = 6,
  kHide = 7,
  kUnhide = 8
};

// What is looked at. Views are valid during the call only.
struct Subject {
  std::string_view text;
  Kind kind = Kind::kComment;
  bool by_us = false;
  std::string_view network, channel_id, author_id, author_handle;
};

// A stretch of the original text, in bytes; never inside a character.
struct Span {
  uint32_t begin = 0, end = 0;
  std::string text;
  bool operator==(const Span&) const = default;
};

struct Reason {
  std::string rule;
  Action action = Action::kUnspecified;
  std::string explanation;
  std::vector<Span> spans;
  std::string condition;  // as listed at parvis.moderation.v1.Reason.condition; condition_names_test.cc compares
  bool operator==(const Reason&) const = default;
};

struct Verdict {
  std::string language = "und";  // ISO 639-1
  Intent intent = Intent::kUnspecified;
  Action action = Action::kAllow;
  std::vector<Reason> reasons;  // the deciding one first
  std::string policy_id;
  int64_t policy_version = 0;
  bool operator==(const Verdict&) const = default;
};

}  // namespace parvis::moderation
