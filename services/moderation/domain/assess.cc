#include "moderation/domain/assess.h"

#include <algorithm>

#include <hs/hs.h>

#include "moderation/domain/compiled_regexes.h"
#include "moderation/domain/plain_text.h"

namespace parvis::moderation {
namespace {

constexpr size_t kSpansMax = 10;       // of one reason
constexpr size_t kReasonsMax = 20;
constexpr size_t kHitsMax = 20'000;    // of one text; a longer list tells nothing new
constexpr size_t kLinksMax = 100;
constexpr int kRegexSpansMax = 3;      // of one regex

struct Hit {
  uint32_t literal, from, to;
};

struct Stretch {
  uint32_t begin, end;
  auto operator<=>(const Stretch&) const = default;
};

bool IsText(const Subject& s) {
  return !s.by_us && (s.kind == Kind::kComment || s.kind == Kind::kMention || s.kind == Kind::kMessage || s.kind == Kind::kEdit);
}

std::string Lower(std::string_view s) {
  std::string out(s);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c | 0x20);
  }
  return out;
}

bool Has(const std::vector<std::string>& list, std::string_view item) {
  return std::find(list.begin(), list.end(), item) != list.end();
}

bool SameLetter(char text, char literal) {
  if (text == literal) return true;
  const auto i_or_l = [](char c) { return c == 'i' || c == 'l'; };
  return (text == kIOrL && i_or_l(literal)) || (literal == kIOrL && i_or_l(text));
}

// Whether a letter that stands `text` times in a row can be meant where a literal has it `literal` times: as often, three
// times and more (nobody writes so by spelling), or doubled if the word is long enough to be told from others.
bool SameRun(char exact, uint32_t text, uint32_t literal, bool forgiving) {
  if (text == literal) return true;
  if (exact >= '0' && exact <= '9') return false;
  if (text > literal && text >= 3) return true;
  return forgiving && text == 2 && literal == 1;
}

}  // namespace

struct Assessor::Impl {
  explicit Impl(const Normalizer& n) : normalizer(n) {}
  ~Impl() {
    if (scratch != nullptr) hs_free_scratch(scratch);
  }

  const Normalizer& normalizer;
  NormalText normal;
  PlainText plain;
  hs_scratch_t* scratch = nullptr;
  uint64_t scratch_of = 0;
  std::vector<Hit> hits;
  std::vector<std::vector<Stretch>> literal_hits, regex_hits, exceptions;   // by rule
  std::vector<uint32_t> touched;                                            // rules with any of them
  std::vector<uint8_t> seen;                                                // lexicon entries
  std::vector<uint32_t> seen_list;
  std::vector<Link> links;
  bool links_found = false;
  std::vector<int> regex_ids;

  // The text and policy at hand.
  const Subject* subject = nullptr;
  const CompiledPolicy* policy = nullptr;
  std::string language;

  void Scan();
  bool Stands(const Literal& literal, uint32_t from, uint32_t to) const;
  Clues TakeHits();
  void MaskedWords();
  void Regexes();
  void RegexHits(size_t id);
  void Touch(uint32_t rule);
  bool Holds(uint32_t index, Reason* reason);
  bool Says(uint32_t index, const Rule& rule, Reason* reason);
  bool LinksHold(const LinkCondition& condition, std::vector<Stretch>* spans);
  bool Repeats(const RepetitionCondition& condition, std::vector<Stretch>* spans) const;
  bool RepeatsWords(int times, std::vector<Stretch>* spans) const;
  void Quote(std::vector<Stretch> stretches, Reason* reason) const;
};

void Assessor::Impl::Scan() {
  hits.clear();
  if (scratch_of != policy->serial()) {
    if (hs_alloc_scratch(policy->database(), &scratch) != HS_SUCCESS) return;
    scratch_of = policy->serial();
  }
  struct Context {
    Impl* self;
  } context{this};
  hs_scan(policy->database(), normal.words.data(), static_cast<unsigned>(normal.words.size()), 0, scratch,
          [](unsigned id, unsigned long long, unsigned long long to, unsigned, void* raw) -> int {
            Impl& self = *static_cast<Context*>(raw)->self;
            const Literal& literal = self.policy->literals()[id];
            const uint32_t from = static_cast<uint32_t>(to - literal.words.size());
            if (self.Stands(literal, from, static_cast<uint32_t>(to))) {
              self.hits.push_back({id, from, static_cast<uint32_t>(to)});
            }
            return self.hits.size() >= kHitsMax ? 1 : 0;
          },
          &context);
}

// Whether what was found is the literal: borders of words, i and l kept apart, letters repeated as they may be.
bool Assessor::Impl::Stands(const Literal& literal, uint32_t from, uint32_t to) const {
  if (!literal.open_left && !literal.no_border_left && normal.words[from - 1] != ' ') return false;
  if (!literal.open_right && !literal.no_border_right && normal.words[to] != ' ') return false;
  for (uint32_t i = from; i < to; ++i) {
    const Unit& u = normal.units[i];
    const LiteralUnit& l = literal.units[i - from];
    if (!SameLetter(u.exact, l.exact)) return false;
    const bool open = (i == from && literal.open_left) || (i + 1 == to && literal.open_right);
    if (!(open && u.run >= l.run) && !SameRun(l.exact, u.run, l.run, literal.forgiving)) return false;
  }
  return true;
}

void Assessor::Impl::Touch(uint32_t rule) {
  if (literal_hits[rule].empty() && regex_hits[rule].empty() && exceptions[rule].empty()) touched.push_back(rule);
}

// Sorts the hits into rules, and counts the lexicon's.
Clues Assessor::Impl::TakeHits() {
  const size_t rules = policy->policy().rules.size();
  if (literal_hits.size() < rules) literal_hits.resize(rules), regex_hits.resize(rules), exceptions.resize(rules);
  for (uint32_t rule : touched) {
    literal_hits[rule].clear(), regex_hits[rule].clear(), exceptions[rule].clear();
  }
  touched.clear();
  const auto lexicon = Lexicon();
  seen.resize(lexicon.size());
  Clues clues;
  for (const Hit& hit : hits) {
    const Literal& literal = policy->literals()[hit.literal];
    if (literal.of == Literal::Of::kLexicon) {
      if (seen[literal.owner]) continue;
      seen[literal.owner] = 1;
      seen_list.push_back(literal.owner);
      ++clues[lexicon[literal.owner].clue];
      continue;
    }
    // Of "encul*" the whole word is quoted.
    uint32_t from = hit.from, to = hit.to;
    while (literal.open_left && normal.words[from - 1] != ' ') --from;
    while (literal.open_right && normal.words[to] != ' ') ++to;
    const Stretch stretch{normal.units[from].begin, normal.units[to - 1].end};
    Touch(literal.owner);
    (literal.of == Literal::Of::kRule ? literal_hits : exceptions)[literal.owner].push_back(stretch);
  }
  for (uint32_t entry : seen_list) seen[entry] = 0;
  seen_list.clear();
  return clues;
}

// "c*nnard": as long as a literal, every letter shown is its, and half of them are shown.
void Assessor::Impl::MaskedWords() {
  for (const MaskedWord& word : normal.masked) {
    const std::vector<uint32_t>* candidates = policy->OfLength(word.shape.size());
    const auto shown = static_cast<size_t>(
        std::count_if(word.shape.begin(), word.shape.end(), [](char c) { return c != '*'; }));
    if (candidates == nullptr || shown < 2 || 2 * shown < word.shape.size()) continue;
    for (uint32_t id : *candidates) {
      const Literal& literal = policy->literals()[id];
      size_t at = 0;
      bool same = true;
      for (size_t i = 0; i < literal.words.size() && same; ++i) {
        for (uint32_t n = 0; n < literal.units[i].run && same; ++n, ++at) {
          same = word.shape[at] == '*' || word.shape[at] == literal.words[i];
        }
      }
      if (!same) continue;
      Touch(literal.owner);
      literal_hits[literal.owner].push_back({word.begin, word.end});
    }
  }
}

void Assessor::Impl::Regexes() {
  const CompiledPolicy::Regexes* regexes = policy->regexes();
  if (regexes == nullptr) return;
  plain.Set(subject->text);
  const re2::StringPiece text(plain.view().data(), plain.view().size());
  regex_ids.clear();
  re2::RE2::Set::ErrorInfo error{};
  if (!regexes->set->Match(text, &regex_ids, &error)) {
    if (error.kind == re2::RE2::Set::kNoError) return;
    // The automaton of all together outgrew its memory on this text: one by one.
    regex_ids.clear();
    for (size_t i = 0; i < regexes->all.size(); ++i) {
      if (re2::RE2::PartialMatch(text, *regexes->all[i])) regex_ids.push_back(static_cast<int>(i));
    }
  }
  std::sort(regex_ids.begin(), regex_ids.end());
  for (int id : regex_ids) RegexHits(static_cast<size_t>(id));
}

void Assessor::Impl::RegexHits(size_t id) {
  const CompiledPolicy::Regexes& regexes = *policy->regexes();
  const std::string_view view = plain.view();
  const re2::StringPiece text(view.data(), view.size());
  size_t at = 0;
  for (int n = 0; n < kRegexSpansMax && at <= view.size(); ++n) {
    re2::StringPiece match;
    if (!regexes.all[id]->Match(text, at, view.size(), re2::RE2::UNANCHORED, &match, 1)) break;
    const auto begin = static_cast<uint32_t>(match.data() - view.data());
    const auto end = static_cast<uint32_t>(begin + match.size());
    Stretch stretch{};
    plain.Original(begin, end, &stretch.begin, &stretch.end);
    Touch(regexes.rule[id]);
    regex_hits[regexes.rule[id]].push_back(stretch);
    at = match.empty() ? end + 1 : end;
    while (at < view.size() && (static_cast<uint8_t>(view[at]) & 0xC0) == 0x80) ++at;
  }
}

// Puts the very words into the reason: sorted, overlapping ones as one.
void Assessor::Impl::Quote(std::vector<Stretch> stretches, Reason* reason) const {
  std::sort(stretches.begin(), stretches.end());
  std::vector<Stretch> merged;
  for (const Stretch& s : stretches) {
    if (s.end <= s.begin) continue;
    if (!merged.empty() && s.begin < merged.back().end) merged.back().end = std::max(merged.back().end, s.end);
    else merged.push_back(s);
  }
  for (size_t i = 0; i < merged.size() && i < kSpansMax; ++i) {
    reason->spans.push_back({merged[i].begin, merged[i].end,
                             std::string(subject->text.substr(merged[i].begin, merged[i].end - merged[i].begin))});
  }
}

bool Assessor::Impl::Says(uint32_t index, const Rule& rule, Reason* reason) {
  if (rule.words.empty() && rule.phrases.empty() && rule.regexes.empty()) return true;
  const auto excepted = [&](const Stretch& s) {
    for (const Stretch& e : exceptions[index]) {
      if (e.begin <= s.begin && s.end <= e.end) return true;
    }
    return false;
  };
  std::vector<Stretch> found;
  for (const auto* list : {&literal_hits[index], &regex_hits[index]}) {
    for (const Stretch& s : *list) {
      if (!excepted(s)) found.push_back(s);
    }
    if (!found.empty() && reason->condition.empty()) reason->condition = list == &literal_hits[index] ? "literal" : "regex";
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
  const TextFacts& facts = normal.facts;
  if (condition.letters > 0 && static_cast<int>(facts.longest_run) >= condition.letters) {
    spans->push_back({facts.longest_run_begin, facts.longest_run_end});
    return true;
  }
  return condition.words > 0 && RepeatsWords(condition.words, spans);
}

bool Assessor::Impl::RepeatsWords(int times, std::vector<Stretch>* spans) const {
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

bool Assessor::Impl::Holds(uint32_t index, Reason* reason) {
  const Rule& rule = policy->policy().rules[index];
  const TextFacts& facts = normal.facts;
  if (!rule.channels.empty() && !Has(rule.channels, subject->channel_id)) return false;
  if (!rule.networks.empty() && !Has(rule.networks, subject->network)) return false;
  if (!rule.author_handles.empty() || !rule.author_ids.empty()) {
    const bool by_handle = !subject->author_handle.empty() && Has(rule.author_handles, Lower(subject->author_handle));
    const bool by_id = !subject->author_id.empty() && Has(rule.author_ids, subject->author_id);
    if (!by_handle && !by_id) return false;
  }
  if (!rule.languages.empty() && !Has(rule.languages, language)) return false;
  if (rule.length) {
    const auto length = static_cast<int64_t>(facts.code_points);
    if (length < rule.length->min || length > rule.length->max) return false;
  }
  if (rule.capitals && (static_cast<int>(facts.letters) < rule.capitals->letters ||
                        facts.capitals < rule.capitals->share * facts.letters)) return false;
  std::vector<Stretch> linked, repeated;
  if (!Says(index, rule, reason)) return false;
  if (rule.links && !LinksHold(*rule.links, &linked)) return false;
  if (rule.repetition && !Repeats(*rule.repetition, &repeated)) return false;

  if (!linked.empty() && reason->condition.empty()) reason->condition = "link";
  if (!repeated.empty() && reason->condition.empty()) reason->condition = "repetition";
  linked.insert(linked.end(), repeated.begin(), repeated.end());
  Quote(std::move(linked), reason);
  if (reason->condition.empty()) {
    reason->condition = rule.length ? "length" : rule.capitals ? "capitals" : !rule.languages.empty() ? "language"
                        : !rule.author_handles.empty() || !rule.author_ids.empty() ? "author" : "channel";
  }
  reason->rule = rule.name;
  reason->action = rule.action;
  reason->explanation = rule.reason;
  return true;
}

Assessor::Assessor(const Normalizer& normalizer) : impl_(std::make_unique<Impl>(normalizer)) {}
Assessor::~Assessor() = default;

const NormalText& Assessor::normal() const { return impl_->normal; }

Verdict Assessor::Assess(const Subject& subject, const CompiledPolicy& policy) {
  Verdict verdict;
  Impl& i = *impl_;
  if (!IsText(subject)) {
    i.normal.Clear();
    return verdict;
  }
  i.subject = &subject;
  i.policy = &policy;
  i.links_found = false;
  i.normalizer.Normalize(subject.text, &i.normal);
  i.Scan();
  const Clues clues = i.TakeHits();
  i.MaskedWords();
  i.Regexes();
  i.language = TellLanguage(clues, subject.text, i.normal.facts.letters);
  verdict.language = i.language;
  verdict.intent = TellIntent(clues, subject.text);

  std::vector<uint32_t> candidates = i.touched;
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
  if (!hideable && (verdict.action == Action::kHide || verdict.action == Action::kDelete)) verdict.action = Action::kHold;
  return verdict;
}

}  // namespace parvis::moderation
