#include "moderation/storage/reasons_json.h"

#include <nlohmann/json.hpp>

namespace parvis::moderation {

std::string WithoutNul(std::string text) {
  for (size_t at = 0; (at = text.find('\0', at)) != std::string::npos;) text.replace(at, 1, "\xEF\xBF\xBD");
  return text;
}

std::string ReasonsToJson(const std::vector<Reason>& reasons) {
  nlohmann::json out = nlohmann::json::array();
  for (const Reason& r : reasons) {
    nlohmann::json spans = nlohmann::json::array();
    for (const Span& s : r.spans) spans.push_back({{"begin", s.begin}, {"end", s.end}, {"text", WithoutNul(s.text)}});
    out.push_back({{"rule", r.rule},
                   {"action", static_cast<int>(r.action)},
                   {"explanation", WithoutNul(r.explanation)},
                   {"condition", r.condition},
                   {"spans", std::move(spans)}});
  }
  return out.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::vector<Reason> ReasonsFromJson(std::string_view json) {
  std::vector<Reason> out;
  const nlohmann::json list = nlohmann::json::parse(json, nullptr, /*allow_exceptions=*/false);
  if (!list.is_array()) return out;
  for (const nlohmann::json& item : list) {
    if (!item.is_object()) continue;
    Reason r;
    r.rule = item.value("rule", "");
    r.action = static_cast<Action>(item.value("action", 0));
    r.explanation = item.value("explanation", "");
    r.condition = item.value("condition", "");
    for (const nlohmann::json& span : item.value("spans", nlohmann::json::array())) {
      r.spans.push_back({span.value("begin", 0u), span.value("end", 0u), span.value("text", "")});
    }
    out.push_back(std::move(r));
  }
  return out;
}

}  // namespace parvis::moderation
