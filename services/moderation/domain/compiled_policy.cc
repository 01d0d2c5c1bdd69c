#include "moderation/domain/compiled_policy.h"

#include <atomic>

#include <absl/strings/str_cat.h>
#include <hs/hs.h>
#include <unicode/uscript.h>

#include "moderation/domain/compiled_regexes.h"
#include "moderation/domain/policy_yaml.h"

namespace parvis::moderation {
namespace {

constexpr size_t kForgivingLetters = 4;

// Scripts that are written without spaces between words: a border of words cannot be asked for.
bool WrittenWithoutSpaces(uint32_t c) {
  UErrorCode error = U_ZERO_ERROR;
  switch (uscript_getScript(static_cast<UChar32>(c), &error)) {
    case USCRIPT_HAN:
    case USCRIPT_HIRAGANA:
    case USCRIPT_KATAKANA:
    case USCRIPT_THAI:
    case USCRIPT_LAO:
    case USCRIPT_KHMER:
    case USCRIPT_MYANMAR:
    case USCRIPT_TIBETAN:
      return true;
    default:
      return false;
  }
}

uint32_t FirstCodePoint(std::string_view s) {
  size_t at = 0;
  return NextCodePoint(s, &at);
}

uint32_t LastCodePoint(std::string_view s) {
  size_t at = s.size();
  while (at > 0 && (static_cast<uint8_t>(s[at - 1]) & 0xC0) == 0x80) --at;
  at = at > 0 ? at - 1 : 0;
  return NextCodePoint(s, &at);
}

// What RE2 complains about, in words for the person who wrote it.
std::string RegexProblem(const re2::RE2& regex) {
  switch (regex.error_code()) {
    case re2::RE2::ErrorBadEscape:
      return absl::StrCat("unknown escape ", regex.error_arg());
    case re2::RE2::ErrorRepeatOp:
    case re2::RE2::ErrorRepeatArgument:
      return absl::StrCat("nothing to repeat: ", regex.error_arg());
    case re2::RE2::ErrorRepeatSize:
      return absl::StrCat("repeats too often: ", regex.error_arg());
    case re2::RE2::ErrorPatternTooLarge:
      return "needs too much memory";
    case re2::RE2::ErrorBadPerlOp:
      return absl::StrCat("look-around and the like are not supported: ", regex.error_arg());
    default:
      return regex.error();
  }
}

}  // namespace

CompiledPolicy::~CompiledPolicy() {
  if (database_ != nullptr) hs_free_database(database_);
}

std::shared_ptr<const CompiledPolicy> CompiledPolicy::Compile(Policy policy, const PolicyLimits& limits,
                                                              const Normalizer& normalizer, Problems* problems) {
  static std::atomic<uint64_t> serials{0};
  std::shared_ptr<CompiledPolicy> out(new CompiledPolicy);
  out->serial_ = ++serials;
  out->policy_ = std::move(policy);
  const auto lexicon = Lexicon();
  for (uint32_t i = 0; i < lexicon.size(); ++i) {
    out->AddLiteral({std::string(lexicon[i].words), {}}, Literal::Of::kLexicon, i, normalizer, problems);
  }
  for (uint32_t r = 0; r < out->policy_.rules.size(); ++r) {
    const Rule& rule = out->policy_.rules[r];
    for (const Sourced& s : rule.words) out->AddLiteral(s, Literal::Of::kRule, r, normalizer, problems);
    for (const Sourced& s : rule.phrases) out->AddLiteral(s, Literal::Of::kRule, r, normalizer, problems);
    for (const Sourced& s : rule.except) out->AddLiteral(s, Literal::Of::kException, r, normalizer, problems);
    if (rule.words.empty() && rule.phrases.empty() && rule.regexes.empty()) out->always_.push_back(r);
  }
  out->CompileRegexes(limits, problems);
  if (problems->empty()) out->CompileDatabase(problems);
  if (!problems->empty()) return nullptr;
  return out;
}

StatusOr<std::shared_ptr<const CompiledPolicy>> CompiledPolicy::FromYaml(std::string_view source,
                                                                         const PolicyLimits& limits,
                                                                         const Normalizer& normalizer,
                                                                         std::string_view field) {
  Problems problems(limits.problems);
  Policy policy = ReadPolicy(source, limits, &problems);
  auto compiled = Compile(std::move(policy), limits, normalizer, &problems);
  PARVIS_RETURN_IF_ERROR(problems.ToStatus(field));
  return compiled;
}

std::shared_ptr<const CompiledPolicy> CompiledPolicy::Empty(const Normalizer& normalizer) {
  Problems problems(1);
  return Compile(Policy{}, PolicyLimits{}, normalizer, &problems);
}

void CompiledPolicy::AddLiteral(const Sourced& source, Literal::Of of, uint32_t owner, const Normalizer& normalizer,
                                Problems* problems) {
  std::string_view text = source.text;
  Literal literal;
  literal.of = of;
  literal.owner = owner;
  if (text.starts_with('*')) literal.open_left = true, text.remove_prefix(1);
  if (text.ends_with('*')) literal.open_right = true, text.remove_suffix(1);
  NormalText normal;
  normalizer.Normalize(text, &normal);
  size_t begin = 0, end = normal.read_end;
  while (begin < end && normal.words[begin] == ' ') ++begin;
  while (end > begin && normal.words[end - 1] == ' ') --end;
  if (begin == end) {
    problems->Add(source.position, "LITERAL_EMPTY",
                  absl::StrCat("\"", source.text, "\" has no letter, digit or emoji to look for"));
    return;
  }
  literal.words = normal.words.substr(begin, end - begin);
  size_t letters = 0;
  std::string expanded;
  for (size_t i = begin; i < end; ++i) {
    literal.units.push_back({normal.units[i].exact, normal.units[i].run});
    letters += normal.words[i] != ' ';
    expanded.append(normal.units[i].run, normal.words[i]);
  }
  if ((literal.open_left || literal.open_right) && letters < 3) {
    problems->Add(source.position, "WRONG_VALUE",
                  absl::StrCat("\"", source.text,
                               "\": a word with '*' needs at least three letters, or it hits half the dictionary"));
    return;
  }
  literal.forgiving = letters >= kForgivingLetters;
  literal.no_border_left = WrittenWithoutSpaces(FirstCodePoint(literal.words));
  literal.no_border_right = WrittenWithoutSpaces(LastCodePoint(literal.words));
  if (of == Literal::Of::kRule && literal.words.find(' ') == std::string::npos) {
    by_length_[expanded.size()].push_back(static_cast<uint32_t>(literals_.size()));
  }
  literals_.push_back(std::move(literal));
}

void CompiledPolicy::CompileDatabase(Problems* problems) {
  std::vector<const char*> patterns;
  std::vector<size_t> lengths;
  std::vector<unsigned> flags, ids;
  for (size_t i = 0; i < literals_.size(); ++i) {
    patterns.push_back(literals_[i].words.data());
    lengths.push_back(literals_[i].words.size());
    flags.push_back(0);
    ids.push_back(static_cast<unsigned>(i));
    memory_bytes_ += literals_[i].words.size() * 5 + sizeof(Literal);
  }
  hs_compile_error_t* error = nullptr;
  if (hs_compile_lit_multi(patterns.data(), flags.data(), ids.data(), lengths.data(),
                           static_cast<unsigned>(patterns.size()), HS_MODE_BLOCK, nullptr, &database_,
                           &error) != HS_SUCCESS) {
    problems->Add({1, 1}, "LITERALS_TOO_MANY", absl::StrCat("the words cannot be compiled together: ", error->message));
    hs_free_compile_error(error);
    return;
  }
  size_t size = 0;
  hs_database_size(database_, &size);
  memory_bytes_ += size;
}

void CompiledPolicy::CompileRegexes(const PolicyLimits& limits, Problems* problems) {
  re2::RE2::Options options;
  options.set_log_errors(false);
  options.set_max_mem(limits.regex_memory_bytes);
  options.set_encoding(re2::RE2::Options::EncodingUTF8);
  options.set_case_sensitive(false);
  auto regexes = std::make_unique<Regexes>();
  Position last;
  re2::RE2::Options of_set = options;
  of_set.set_max_mem(8 * limits.regex_memory_bytes);
  regexes->set = std::make_unique<re2::RE2::Set>(of_set, re2::RE2::UNANCHORED);
  for (uint32_t r = 0; r < policy_.rules.size(); ++r) {
    for (const Sourced& s : policy_.rules[r].regexes) {
      last = s.position;
      auto one = std::make_unique<re2::RE2>(re2::StringPiece(s.text.data(), s.text.size()), options);
      if (!one->ok()) {
        problems->Add(s.position,
                      one->error_code() == re2::RE2::ErrorPatternTooLarge ? "REGEX_TOO_COMPLEX" : "REGEX_INVALID",
                      absl::StrCat("the regular expression is wrong: ", RegexProblem(*one)));
        continue;
      }
      if (re2::RE2::PartialMatch("", *one)) {
        problems->Add(s.position, "REGEX_MATCHES_NOTHING",
                      "the regular expression also matches an empty text, so every text");
        continue;
      }
      std::string why;
      if (regexes->set->Add(re2::StringPiece(s.text.data(), s.text.size()), &why) < 0) {
        problems->Add(s.position, "REGEX_TOO_COMPLEX", absl::StrCat("the regular expression cannot be used: ", why));
        continue;
      }
      regexes->all.push_back(std::move(one));
      regexes->rule.push_back(r);
      memory_bytes_ += 2 * limits.regex_memory_bytes;
    }
  }
  if (regexes->all.empty()) return;
  if (!regexes->set->Compile()) {
    problems->Add(last, "REGEX_TOO_COMPLEX", "the regular expressions together need too much memory");
    return;
  }
  regexes_ = std::move(regexes);
}

const std::vector<uint32_t>* CompiledPolicy::OfLength(size_t length) const {
  auto it = by_length_.find(length);
  return it == by_length_.end() ? nullptr : &it->second;
}

}  // namespace parvis::moderation
