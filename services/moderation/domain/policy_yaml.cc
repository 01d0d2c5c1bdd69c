#include "moderation/domain/policy_yaml.h"

#include <charconv>
#include <initializer_list>
#include <map>
#include <set>

#include <absl/strings/str_cat.h>
#include <absl/strings/str_join.h>

#include "moderation/domain/text_tables.h"
#include "moderation/domain/yaml_tree.h"
#include "platform/base/ids.h"

namespace parvis::moderation {
namespace {

const char* TypeName(YamlNode::Type type) {
  switch (type) {
    case YamlNode::Type::kNull:
      return "nothing";
    case YamlNode::Type::kScalar:
      return "a single value";
    case YamlNode::Type::kList:
      return "a list";
    case YamlNode::Type::kMap:
      return "a map";
  }
  return "";
}

class Reader {
 public:
  Reader(const PolicyLimits& limits, Problems* problems) : limits_(limits), problems_(*problems) {}

  Policy ReadRoot(const YamlNode& root) {
    Policy policy;
    const auto keys = Members(root, "the policy", {"version", "rules"});
    if (root.type != YamlNode::Type::kMap) return policy;
    if (const YamlNode* version = Find(keys, "version"); version == nullptr) {
      problems_.Add(root.position, "MISSING_KEY", "\"version: 1\" is missing: the version of this policy language");
    } else if (Integer(*version, "version", 1, 1) == 0) {
      // reported
    }
    const YamlNode* rules = Find(keys, "rules");
    if (rules == nullptr) {
      problems_.Add(root.position, "MISSING_KEY", "\"rules\" is missing");
      return policy;
    }
    if (!Is(*rules, YamlNode::Type::kList, "rules")) return policy;
    if (rules->items.empty()) problems_.Add(rules->position, "EMPTY", "\"rules\" is empty");
    if (rules->items.size() > limits_.rules) {
      problems_.Add(rules->items[limits_.rules].position, "TOO_MANY",
                    absl::StrCat("a policy has at most ", limits_.rules, " rules; this one has ", rules->items.size()));
      return policy;
    }
    for (const YamlNode& node : rules->items) ReadRule(node, &policy);
    return policy;
  }

 private:
  using Keys = std::map<std::string, const YamlNode*>;

  static const YamlNode* Find(const Keys& keys, const std::string& key) {
    auto it = keys.find(key);
    return it == keys.end() ? nullptr : it->second;
  }

  bool Is(const YamlNode& node, YamlNode::Type type, std::string_view what) {
    if (node.type == type) return true;
    problems_.Add(node.position, "WRONG_TYPE",
                  absl::StrCat("\"", std::string(what), "\" must be ", TypeName(type), ", not ", TypeName(node.type)));
    return false;
  }

  Keys Members(const YamlNode& node, std::string_view what, std::initializer_list<const char*> known) {
    Keys out;
    if (!Is(node, YamlNode::Type::kMap, what)) return out;
    for (size_t i = 0; i < node.keys.size(); ++i) {
      const YamlNode& key = node.keys[i];
      bool found = false;
      for (const char* k : known) found = found || key.scalar == k;
      if (!found) {
        problems_.Add(key.position, "UNKNOWN_KEY",
                      absl::StrCat("\"", key.scalar, "\" is not known in ", std::string(what), "; known are ",
                                   absl::StrJoin(known, ", ")));
        continue;
      }
      out.emplace(key.scalar, &node.values[i]);
    }
    return out;
  }

  // The number, or `min - 1` with a problem added.
  int64_t Integer(const YamlNode& node, std::string_view what, int64_t min, int64_t max) {
    if (!Is(node, YamlNode::Type::kScalar, what)) return min - 1;
    int64_t value = 0;
    const char* end = node.scalar.data() + node.scalar.size();
    const auto parsed = std::from_chars(node.scalar.data(), end, value);
    if (node.quoted || parsed.ec != std::errc() || parsed.ptr != end) {
      problems_.Add(node.position, "WRONG_TYPE", absl::StrCat("\"", std::string(what), "\" must be a whole number"));
      return min - 1;
    }
    if (value < min || value > max) {
      problems_.Add(node.position, "OUT_OF_RANGE",
                    absl::StrCat("\"", std::string(what), "\" must be from ", min, " to ", max, ", not ", value));
      return min - 1;
    }
    return value;
  }

  // A list of texts; one text stands for a list of one.
  std::vector<Sourced> Texts(const YamlNode& node, std::string_view what, size_t item_bytes) {
    std::vector<Sourced> out;
    const std::vector<YamlNode> alone =
        node.type == YamlNode::Type::kScalar ? std::vector<YamlNode>{node} : std::vector<YamlNode>{};
    if (alone.empty() && !Is(node, YamlNode::Type::kList, what)) return out;
    const std::vector<YamlNode>& items = alone.empty() ? node.items : alone;
    if (items.empty()) problems_.Add(node.position, "EMPTY", absl::StrCat("\"", std::string(what), "\" is empty"));
    for (const YamlNode& item : items) {
      if (item.type != YamlNode::Type::kScalar) {
        problems_.Add(item.position, "WRONG_TYPE",
                      absl::StrCat("each of \"", std::string(what), "\" must be a text, not ", TypeName(item.type)));
      } else if (item.scalar.size() > item_bytes) {
        problems_.Add(item.position, "TOO_LONG",
                      absl::StrCat("at most ", item_bytes, " bytes; this has ", item.scalar.size()));
      } else if (item.scalar.find('\0') != std::string::npos) {
        problems_.Add(item.position, "WRONG_VALUE", "a text must not contain NUL");
      } else {
        out.push_back({item.scalar, item.position});
      }
    }
    return out;
  }

  // As Texts, for lists that are not counted over the whole policy.
  std::vector<Sourced> List(const YamlNode& node, std::string_view what, size_t item_bytes) {
    std::vector<Sourced> out = Texts(node, what, item_bytes);
    if (out.size() > limits_.list_items) {
      problems_.Add(out[limits_.list_items].position, "TOO_MANY",
                    absl::StrCat("\"", std::string(what), "\" has at most ", limits_.list_items,
                                 " items; this one has ", out.size()));
      out.resize(limits_.list_items);
    }
    return out;
  }

  std::vector<std::string> Names(const YamlNode& node, std::string_view what) {
    std::vector<std::string> out;
    for (Sourced& s : List(node, what, 256)) out.push_back(std::move(s.text));
    return out;
  }

  void ReadRule(const YamlNode& node, Policy* policy) {
    const auto keys = Members(node, "a rule", {"name", "if", "action", "reason", "priority"});
    if (node.type != YamlNode::Type::kMap) return;
    Rule rule;
    rule.position = node.position;
    ReadRuleName(Find(keys, "name"), node, &rule);
    if (const YamlNode* action = Find(keys, "action"); action == nullptr) {
      problems_.Add(node.position, "MISSING_KEY", "\"action\" is missing: allow, hold, hide, delete or escalate");
    } else if (Is(*action, YamlNode::Type::kScalar, "action")) {
      for (Action a : {Action::kAllow, Action::kHold, Action::kHide, Action::kDelete, Action::kEscalate}) {
        if (action->scalar == ActionName(a)) rule.action = a;
      }
      if (rule.action == Action::kUnspecified) {
        problems_.Add(
            action->position, "WRONG_VALUE",
            absl::StrCat("\"", action->scalar, "\" is no action; there are allow, hold, hide, delete, escalate"));
      }
    }
    if (const YamlNode* reason = Find(keys, "reason");
        reason != nullptr && Is(*reason, YamlNode::Type::kScalar, "reason")) {
      rule.reason = reason->scalar;
      if (rule.reason.size() > limits_.reason_bytes) {
        problems_.Add(reason->position, "TOO_LONG",
                      absl::StrCat("\"reason\" has at most ", limits_.reason_bytes, " bytes"));
      }
    }
    if (const YamlNode* priority = Find(keys, "priority")) {
      const int64_t value = Integer(*priority, "priority", -1000, 1000);
      rule.priority = value < -1000 ? 0 : value;
    }
    if (const YamlNode* condition = Find(keys, "if"); condition == nullptr) {
      problems_.Add(node.position, "MISSING_KEY", "\"if\" is missing: when the rule holds");
    } else {
      ReadCondition(*condition, &rule);
    }
    policy->rules.push_back(std::move(rule));
  }

  void ReadRuleName(const YamlNode* name, const YamlNode& rule_node, Rule* rule) {
    if (name == nullptr) {
      problems_.Add(rule_node.position, "MISSING_KEY", "\"name\" is missing");
      return;
    }
    if (!Is(*name, YamlNode::Type::kScalar, "name")) return;
    rule->name = name->scalar;
    bool good = !name->scalar.empty() && name->scalar.size() <= 64;
    for (char c : name->scalar) {
      good = good && ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.');
    }
    if (!good) {
      problems_.Add(name->position, "WRONG_VALUE", "a name has 1 to 64 of a-z, 0-9, '-', '_' and '.'");
    } else if (!names_.insert(name->scalar).second) {
      problems_.Add(name->position, "DUPLICATE_NAME", absl::StrCat("there is already a rule \"", name->scalar, "\""));
    }
  }

  void ReadCondition(const YamlNode& node, Rule* rule) {
    const auto keys = Members(node, "if", {"text", "author", "channel", "network"});
    if (node.type != YamlNode::Type::kMap) return;
    if (keys.empty() && node.keys.empty()) {
      problems_.Add(node.position, "NO_CONDITION", "\"if\" must have text, author, channel or network");
    }
    if (const YamlNode* text = Find(keys, "text")) ReadText(*text, rule);
    if (const YamlNode* author = Find(keys, "author")) {
      const auto inner = Members(*author, "author", {"handles", "ids"});
      if (author->type == YamlNode::Type::kMap && author->keys.empty()) {
        problems_.Add(author->position, "NO_CONDITION", "\"author\" must have handles or ids");
      }
      if (const YamlNode* handles = Find(inner, "handles")) {
        for (std::string& h : Names(*handles, "handles")) {
          rule->author_handles.push_back(AsciiLower(h.starts_with('@') ? h.substr(1) : h));
        }
      }
      if (const YamlNode* ids = Find(inner, "ids")) rule->author_ids = Names(*ids, "ids");
    }
    if (const YamlNode* channel = Find(keys, "channel")) {
      for (const Sourced& s : List(*channel, "channel", 64)) {
        if (!IsUuid(s.text))
          problems_.Add(s.position, "WRONG_VALUE", "a channel is given by its id, a UUID in small letters");
        rule->channels.push_back(s.text);
      }
    }
    if (const YamlNode* network = Find(keys, "network")) {
      for (std::string& n : Names(*network, "network")) rule->networks.push_back(AsciiLower(n));
    }
  }

  void ReadText(const YamlNode& node, Rule* rule) {
    const auto keys = Members(
        node, "text", {"words", "phrases", "except", "regex", "links", "length", "repetition", "language", "capitals"});
    if (node.type != YamlNode::Type::kMap) return;
    if (node.keys.empty()) problems_.Add(node.position, "NO_CONDITION", "\"text\" is empty");
    ReadLiterals(keys, rule);
    if (const YamlNode* regex = Find(keys, "regex")) {
      rule->regexes = Texts(*regex, "regex", limits_.regex_bytes);
      const size_t before = regexes_;
      regexes_ += rule->regexes.size();
      if (before <= limits_.regexes && regexes_ > limits_.regexes) {
        problems_.Add(regex->position, "TOO_MANY",
                      absl::StrCat("a policy has at most ", limits_.regexes, " regular expressions"));
      }
    }
    if (const YamlNode* links = Find(keys, "links")) ReadLinks(*links, rule);
    if (const YamlNode* length = Find(keys, "length")) ReadLength(*length, rule);
    if (const YamlNode* repetition = Find(keys, "repetition")) ReadRepetition(*repetition, rule);
    if (const YamlNode* capitals = Find(keys, "capitals")) ReadCapitals(*capitals, rule);
    if (const YamlNode* language = Find(keys, "language")) {
      for (const Sourced& s : List(*language, "language", 16)) {
        const bool code = s.text.size() == 2 || s.text.size() == 3;
        if (!code || s.text != AsciiLower(s.text) ||
            s.text.find_first_not_of("abcdefghijklmnopqrstuvwxyz") != std::string::npos) {
          problems_.Add(s.position, "WRONG_VALUE", "a language is an ISO 639-1 code such as \"fr\", or \"und\"");
        }
        rule->languages.push_back(s.text);
      }
    }
  }

  void ReadLiterals(const Keys& keys, Rule* rule) {
    for (auto [key, list] :
         {std::pair{"words", &rule->words}, {"phrases", &rule->phrases}, {"except", &rule->except}}) {
      const YamlNode* node = Find(keys, key);
      if (node == nullptr) continue;
      *list = Texts(*node, key, limits_.literal_bytes);
      const size_t before = literals_;
      literals_ += list->size();
      if (before <= limits_.literals && literals_ > limits_.literals) {
        problems_.Add(node->position, "TOO_MANY",
                      absl::StrCat("a policy has at most ", limits_.literals, " words and phrases"));
      }
    }
    if (!rule->except.empty() && rule->words.empty() && rule->phrases.empty() && Find(keys, "regex") == nullptr) {
      problems_.Add(Find(keys, "except")->position, "NO_CONDITION",
                    "\"except\" needs words, phrases or regex beside it");
    }
  }

  void ReadLinks(const YamlNode& node, Rule* rule) {
    const auto keys = Members(node, "links", {"min", "domains", "allow"});
    LinkCondition links;
    if (const YamlNode* min = Find(keys, "min")) links.min = std::max<int64_t>(1, Integer(*min, "min", 1, 100));
    for (auto [key, list] : {std::pair{"domains", &links.domains}, {"allow", &links.allow}}) {
      const YamlNode* domains = Find(keys, key);
      if (domains == nullptr) continue;
      for (const Sourced& s : List(*domains, key, 253)) {
        if (s.text.find_first_of("/:@ ") != std::string::npos || s.text.find('.') == std::string::npos) {
          problems_.Add(s.position, "WRONG_VALUE",
                        absl::StrCat("\"", s.text, "\" is not a domain such as \"exemple.fr\""));
        }
        list->push_back(AsciiLower(s.text.starts_with("www.") ? s.text.substr(4) : s.text));
      }
    }
    rule->links = std::move(links);
  }

  void ReadLength(const YamlNode& node, Rule* rule) {
    const auto keys = Members(node, "length", {"min", "max"});
    if (node.type == YamlNode::Type::kMap && node.keys.empty()) {
      problems_.Add(node.position, "NO_CONDITION", "\"length\" must have min or max");
    }
    LengthCondition length;
    if (const YamlNode* min = Find(keys, "min")) length.min = std::max<int64_t>(0, Integer(*min, "min", 0, 65536));
    if (const YamlNode* max = Find(keys, "max")) {
      length.max = Integer(*max, "max", 0, 65536);
      if (length.max >= 0 && length.max < length.min) {
        problems_.Add(max->position, "OUT_OF_RANGE", "\"max\" is smaller than \"min\"");
      }
    }
    rule->length = length;
  }

  void ReadRepetition(const YamlNode& node, Rule* rule) {
    const auto keys = Members(node, "repetition", {"letters", "words"});
    if (node.type == YamlNode::Type::kMap && node.keys.empty()) {
      problems_.Add(node.position, "NO_CONDITION", "\"repetition\" must have letters or words");
    }
    RepetitionCondition repetition;
    if (const YamlNode* n = Find(keys, "letters"))
      repetition.letters = static_cast<int>(Integer(*n, "letters", 3, 1000));
    if (const YamlNode* n = Find(keys, "words")) repetition.words = static_cast<int>(Integer(*n, "words", 2, 1000));
    rule->repetition = repetition;
  }

  void ReadCapitals(const YamlNode& node, Rule* rule) {
    const auto keys = Members(node, "capitals", {"percent", "letters"});
    CapitalsCondition capitals;
    if (const YamlNode* n = Find(keys, "percent"))
      capitals.share = static_cast<double>(Integer(*n, "percent", 1, 100)) / 100;
    if (const YamlNode* n = Find(keys, "letters"))
      capitals.letters = static_cast<int>(Integer(*n, "letters", 1, 10000));
    rule->capitals = capitals;
  }

  const PolicyLimits& limits_;
  Problems& problems_;
  std::set<std::string> names_;
  size_t literals_ = 0;
  size_t regexes_ = 0;
};

// Where the first byte that is not UTF-8 stands; false if all is well.
bool FindBadUtf8(std::string_view source, Position* at) {
  *at = {1, 1};
  for (size_t i = 0; i < source.size();) {
    const size_t begin = i;
    const uint32_t c = NextCodePoint(source, &i);
    if (c == 0xFFFD && source.compare(begin, i - begin, "\xEF\xBF\xBD") != 0) return true;
    if (c == '\n')
      at->line += 1, at->column = 1;
    else
      at->column += 1;
  }
  return false;
}

}  // namespace

Policy ReadPolicy(std::string_view source, const PolicyLimits& limits, Problems* problems) {
  Position bad;
  if (source.size() > limits.source_bytes) {
    problems->Add({1, 1}, "SOURCE_TOO_LARGE",
                  absl::StrCat("a policy has at most ", limits.source_bytes, " bytes; this one has ", source.size()));
    return {};
  }
  if (FindBadUtf8(source, &bad)) {
    problems->Add(bad, "SOURCE_NOT_UTF8", "this is not UTF-8");
    return {};
  }
  YamlNode root;
  if (!ReadYaml(source, limits, &root, problems)) return {};
  return Reader(limits, problems).ReadRoot(root);
}

}  // namespace parvis::moderation
