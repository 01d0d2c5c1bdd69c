#include "moderation/domain/assess.h"

#include <algorithm>

#include "moderation/domain/links.h"
#include "moderation/domain/matcher.h"
#include "moderation/domain/text_tables.h"

namespace parvis::moderation {
namespace {

constexpr size_t kSpansMax = 10;  // of one reason
constexpr size_t kReasonsMax = 20;
constexpr size_t kLinksMax = 100;

bool IsText(const Subject& s) {
  return !s.by_us &&
         (s.kind == Kind::kComment || s.kind == Kind::kMention || s.kind == Kind::kMessage || s.kind == Kind::kEdit);
}

bool Has(const std::vector<std::string>& list, std::string_view item) {
  return std::find(list.begin(), list.end(), item) != list.end();
}

}  // namespace

struct Assessor::Impl {
  explicit Impl(const Normalizer& normalizer) : matcher(normalizer) {}

  Matcher matcher;
  std::vector<Link> links;
  bool links_found = false;

  // The text and policy at hand.
  const Subject* subject = nullptr;
  const CompiledPolicy* policy = nullptr;
  std::string language;

  bool Holds(uint32_t index, Reason* reason);
  bool Applies(const Rule& rule) const;
  bool Says(uint32_t index, const Rule& rule, Reason* reason);
  bool LinksHold(const LinkCondition& condition, std::vector<Stretch>* spans);
  bool Repeats(const RepetitionCondition& condition, std::vector<Stretch>* spans) const;
  bool RepeatsWords(int times, std::vector<Stretch>* spans) const;
  void Quote(std::vector<Stretch> stretches, Reason* reason) const;
};

// Puts the very words into the reason: sorted, overlapping ones as one.
void Assessor::Impl::Quote(std::vector<Stretch> stretches, Reason* reason) const {
  std::sort(stretches.begin(), stretches.end());
  std::vector<Stretch> merged;
  for (const Stretch& s : stretches) {
    if (s.end <= s.begin) continue;
    if (!merged.empty() && s.begin < merged.back().end)
      merged.back().end = std::max(merged.back().end, s.end);
    else
      merged.push_back(s);
  }
  for (size_t i = 0; i < merged.size() && i < kSpansMax; ++i) {
    reason->spans.push_back({merged[i].begin, merged[i].end,
                             std::string(subject->text.substr(merged[i].begin, merged[i].end - merged[i].begin))});
  }
}

bool Assessor::Impl::Says(uint32_t index, const Rule& rule, Reason* reason) {
  if (rule.words.empty() && rule.phrases.empty() && rule.regexes.empty()) return true;
  const RuleHits& hits = matcher.of(index);
  const auto excepted = [&](const Stretch& s) {
    for (const Stretch& e : hits.exceptions) {
      if (e.begin <= s.begin && s.end <= e.end) return true;
    }
    return false;
  };
  std::vector<Stretch> found;
  for (const auto* list : {&hits.literals, &hits.regexes}) {
    for (const Stretch& s : *list) {
      if (!excepted(s)) found.push_back(s);
    }
    if (!found.empty() && reason->condition.empty()) reason->condition = list == &hits.literals ? "literal" : "regex";
  }
  if (found.empty()) return false;
  Quote(std::move(found), reason);
  return true;
}

bool Assessor::Impl::LinksHold(const LinkCondition& condition, std::vector<Stretch>* spans) {
  if (!links_found) FindLinks(subject->text, kLinksMax, &links);
  links_found = true;
  const auto within = [](const std::string& host, const std::vector<std::string>& domains) {
    return std::any_of(domains.begin(), domains.end(), [&](const std::string& d) { return HostIsWithin(host, d); });
  };
  for (const Link& link : links) {
    if (!condition.domains.empty() && !within(link.host, condition.domains)) continue;
    if (within(link.host, condition.allow)) continue;
    spans->push_back({link.begin, link.end});
  }
  return static_cast<int>(spans->size()) >= condition.min;
}

bool Assessor::Impl::Repeats(const RepetitionCondition& condition, std::vector<Stretch>* spans) const {
  const TextFacts& facts = matcher.normal().facts;
  if (condition.letters > 0 && static_cast<int>(facts.longest_run) >= condition.letters) {
    spans->push_back({facts.longest_run_begin, facts.longest_run_end});
    return true;
  }
  return condition.words > 0 && RepeatsWords(condition.words, spans);
}

bool Assessor::Impl::RepeatsWords(int times, std::vector<Stretch>* spans) const {
  const NormalText& normal = matcher.normal();
  const std::string_view words = std::string_view(normal.words).substr(0, normal.read_end);
  std::string_view last;
  uint32_t begin = 0;
  int row = 0;
  size_t at = 1;
  while (at < words.size()) {
    const size_t end = std::min(words.find(' ', at), words.size());
    const std::string_view word = words.substr(at, end - at);
    if (word == last) {
      ++row;
    } else {
      row = 1;
      last = word;
      begin = normal.units[at].begin;
    }
    // One emoji several times in a row is one word with a run.
    const int run = static_cast<uint8_t>(word[0]) >= 0x80 && row == 1 ? normal.units[at].run : row;
    if (run >= times) {
      spans->push_back({begin, normal.units[end - 1].end});
      return true;
    }
    at = end + 1;
  }
  return false;
}

// The conditions that quote nothing.
bool Assessor::Impl::Applies(const Rule& rule) const {
  const TextFacts& facts = matcher.normal().facts;
  if (!rule.channels.empty() && !Has(rule.channels, subject->channel_id)) return false;
  if (!rule.networks.empty() && !Has(rule.networks, subject->network)) return false;
  if (!rule.author_handles.empty() || !rule.author_ids.empty()) {
    const bool by_handle = !subject->author_handle.empty() && Has(rule.author_handles, AsciiLower(subject->author_handle));
    const bool by_id = !subject->author_id.empty() && Has(rule.author_ids, subject->author_id);
    if (!by_handle && !by_id) return false;
  }
  if (!rule.languages.empty() && !Has(rule.languages, language)) return false;
  if (rule.length) {
    const auto length = static_cast<int64_t>(facts.code_points);
    if (length < rule.length->min || length > rule.length->max) return false;
  }
  if (!rule.capitals) return true;
  return static_cast<int>(facts.letters) >= rule.capitals->letters &&
         facts.capitals >= rule.capitals->share * facts.letters;
}

bool Assessor::Impl::Holds(uint32_t index, Reason* reason) {
  const Rule& rule = policy->policy().rules[index];
  std::vector<Stretch> linked, repeated;
  if (!Applies(rule) || !Says(index, rule, reason)) return false;
  if (rule.links && !LinksHold(*rule.links, &linked)) return false;
  if (rule.repetition && !Repeats(*rule.repetition, &repeated)) return false;

  const bool author = !rule.author_handles.empty() || !rule.author_ids.empty();
  if (reason->condition.empty()) {
    reason->condition = !linked.empty()           ? "link"
                        : !repeated.empty()       ? "repetition"
                        : rule.length             ? "length"
                        : rule.capitals           ? "capitals"
                        : !rule.languages.empty() ? "language"
                        : author                  ? "author"
                                                  : "channel";
  }
  linked.insert(linked.end(), repeated.begin(), repeated.end());
  Quote(std::move(linked), reason);
  reason->rule = rule.name;
  reason->action = rule.action;
  reason->explanation = rule.reason;
  return true;
}

Assessor::Assessor(const Normalizer& normalizer) : impl_(std::make_unique<Impl>(normalizer)) {}
Assessor::~Assessor() = default;

const NormalText& Assessor::normal() const { return impl_->matcher.normal(); }

Verdict Assessor::Assess(const Subject& subject, const CompiledPolicy& policy) {
  Verdict verdict;
  Impl& i = *impl_;
  if (!IsText(subject)) {
    i.matcher.Forget();
    return verdict;
  }
  i.subject = &subject;
  i.policy = &policy;
  i.links_found = false;
  const Clues clues = i.matcher.Search(subject.text, policy);
  i.language = TellLanguage(clues, subject.text, i.matcher.normal().facts.letters);
  verdict.language = i.language;
  verdict.intent = TellIntent(clues, subject.text);

  std::vector<uint32_t> candidates = i.matcher.rules();
  candidates.insert(candidates.end(), policy.always().begin(), policy.always().end());
  std::sort(candidates.begin(), candidates.end());
  const std::vector<Rule>& rules = policy.policy().rules;
  std::stable_sort(candidates.begin(), candidates.end(),
                   [&](uint32_t a, uint32_t b) { return rules[a].priority > rules[b].priority; });
  for (uint32_t rule : candidates) {
    Reason reason;
    if (!i.Holds(rule, &reason)) continue;
    verdict.reasons.push_back(std::move(reason));
    if (verdict.reasons.size() >= kReasonsMax) break;
  }
  if (verdict.reasons.empty()) return verdict;
  verdict.action = verdict.reasons.front().action;
  const bool hideable = subject.kind == Kind::kComment || subject.kind == Kind::kEdit;
  if (!hideable && (verdict.action == Action::kHide || verdict.action == Action::kDelete))
    verdict.action = Action::kHold;
  return verdict;
}

}  // namespace parvis::moderation
