#include "moderation/domain/yaml_tree.h"

#include <set>
#include <sstream>

#include <absl/strings/str_cat.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

namespace parvis::moderation {
namespace {

// Ends the reading from inside a callback; yaml-cpp has no other way to stop.
struct Stop {};

Position At(const YAML::Mark& mark) {
  if (mark.is_null()) return {1, 1};
  return {mark.line + 1, mark.column + 1};
}

class TreeBuilder : public YAML::EventHandler {
 public:
  TreeBuilder(const PolicyLimits& limits, YamlNode* root, Problems* problems)
      : limits_(limits), root_(root), problems_(problems) {}

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    Leaf(mark, anchor, YamlNode::Type::kNull, "", false);
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
    problems_->Add(At(mark), "YAML_ALIAS", "aliases (*name) are not allowed; write the value out");
    throw Stop();
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    CheckTag(mark, tag);
    const bool quoted = tag == "!";
    const bool null = !quoted && (value == "~" || value == "null" || value.empty());
    Leaf(mark, anchor, null ? YamlNode::Type::kNull : YamlNode::Type::kScalar, value, quoted);
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    CheckTag(mark, tag);
    Open(mark, anchor, YamlNode::Type::kList);
  }
  void OnSequenceEnd() override { Close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    CheckTag(mark, tag);
    Open(mark, anchor, YamlNode::Type::kMap);
  }
  void OnMapEnd() override { Close(); }

 private:
  struct Open_ {
    YamlNode node;
    YamlNode key;
    bool has_key = false;
    std::set<std::string> keys;
  };

  void CheckTag(const YAML::Mark& mark, const std::string& tag) {
    if (tag.empty() || tag == "?" || tag == "!") return;
    problems_->Add(At(mark), "YAML_TAG", absl::StrCat("tags (", tag, ") are not allowed"));
    throw Stop();
  }

  void Count(const YAML::Mark& mark, YAML::anchor_t anchor) {
    if (anchor != 0) {
      problems_->Add(At(mark), "YAML_ALIAS", "anchors (&name) are not allowed; write the value out where it is used");
      throw Stop();
    }
    if (++nodes_ > limits_.nodes) {
      problems_->Add(At(mark), "YAML_TOO_LARGE", absl::StrCat("more than ", limits_.nodes, " values"));
      throw Stop();
    }
  }

  void Leaf(const YAML::Mark& mark, YAML::anchor_t anchor, YamlNode::Type type, const std::string& value, bool quoted) {
    Count(mark, anchor);
    YamlNode node;
    node.type = type;
    node.position = At(mark);
    node.scalar = value;
    node.quoted = quoted;
    Place(std::move(node));
  }

  void Open(const YAML::Mark& mark, YAML::anchor_t anchor, YamlNode::Type type) {
    Count(mark, anchor);
    if (static_cast<int>(stack_.size()) >= limits_.depth) {
      problems_->Add(At(mark), "YAML_TOO_DEEP", absl::StrCat("nested more than ", limits_.depth, " deep"));
      throw Stop();
    }
    stack_.emplace_back();
    stack_.back().node.type = type;
    stack_.back().node.position = At(mark);
  }

  void Close() {
    YamlNode node = std::move(stack_.back().node);
    stack_.pop_back();
    Place(std::move(node));
  }

  void Place(YamlNode node) {
    if (stack_.empty()) {
      *root_ = std::move(node);
      return;
    }
    Open_& top = stack_.back();
    if (top.node.type == YamlNode::Type::kList) {
      top.node.items.push_back(std::move(node));
    } else if (!top.has_key) {
      if (node.type == YamlNode::Type::kList || node.type == YamlNode::Type::kMap) {
        problems_->Add(node.position, "YAML_SYNTAX", "a key must be a plain word");
        throw Stop();
      }
      if (!top.keys.insert(node.scalar).second) {
        problems_->Add(node.position, "YAML_DUPLICATE_KEY",
                       absl::StrCat("\"", node.scalar, "\" stands here a second time"));
      }
      top.key = std::move(node);
      top.has_key = true;
    } else {
      top.node.keys.push_back(std::move(top.key));
      top.node.values.push_back(std::move(node));
      top.has_key = false;
    }
  }

  const PolicyLimits& limits_;
  YamlNode* root_;
  Problems* problems_;
  std::vector<Open_> stack_;
  size_t nodes_ = 0;
};

class NoEvents : public YAML::EventHandler {
 public:
  void OnDocumentStart(const YAML::Mark& mark) override {
    at = At(mark);
    throw Stop();
  }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark&, YAML::anchor_t) override {}
  void OnAlias(const YAML::Mark&, YAML::anchor_t) override {}
  void OnScalar(const YAML::Mark&, const std::string&, YAML::anchor_t, const std::string&) override {}
  void OnSequenceStart(const YAML::Mark&, const std::string&, YAML::anchor_t, YAML::EmitterStyle::value) override {}
  void OnSequenceEnd() override {}
  void OnMapStart(const YAML::Mark&, const std::string&, YAML::anchor_t, YAML::EmitterStyle::value) override {}
  void OnMapEnd() override {}
  Position at;
};

}  // namespace

bool ReadYaml(std::string_view source, const PolicyLimits& limits, YamlNode* root, Problems* problems) {
  std::istringstream stream{std::string(source)};
  NoEvents second;
  try {
    YAML::Parser parser(stream);
    TreeBuilder builder(limits, root, problems);
    if (!parser.HandleNextDocument(builder)) return true;  // empty: the root stays null
    try {
      parser.HandleNextDocument(second);
    } catch (const Stop&) {
      problems->Add(second.at, "YAML_DOCUMENTS", "a second document begins here; a policy is one document");
      return false;
    }
  } catch (const Stop&) {
    return false;
  } catch (const YAML::Exception& e) {
    problems->Add(At(e.mark), "YAML_SYNTAX", absl::StrCat("this is not YAML: ", e.msg));
    return false;
  } catch (const std::exception&) {
    problems->Add({1, 1}, "YAML_SYNTAX", "this is not YAML");
    return false;
  }
  return true;
}

}  // namespace parvis::moderation
