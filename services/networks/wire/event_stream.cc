#include "networks/wire/event_stream.h"

namespace parvis::networks {

std::vector<StreamEvent> EventStreamParser::Feed(std::string_view bytes) {
  std::vector<StreamEvent> out;
  for (const char c : bytes) {
    const bool rest_of_end = after_return_ && c == '\n';
    after_return_ = c == '\r';
    if (rest_of_end) continue;
    if (c == '\r' || c == '\n') {
      TakeLine(&out);
    } else {
      Keep(c);
    }
  }
  return out;
}

// What goes beyond the limit is forgotten at once: a line without end costs no memory.
void EventStreamParser::Keep(char c) {
  if (line_.size() + data_.size() < event_max_bytes_) {
    line_.push_back(c);
  } else {
    cut_ = true;
  }
}

void EventStreamParser::TakeLine(std::vector<StreamEvent>* out) {
  std::string_view line = line_;
  if (first_ && line.substr(0, 3) == "\xEF\xBB\xBF") line.remove_prefix(3);
  first_ = false;
  if (line.empty()) {
    if (any_data_) out->push_back({type_.empty() ? "message" : type_, std::move(data_), last_id_, cut_});
    type_.clear();
    data_.clear();
    any_data_ = cut_ = false;
  } else if (line[0] != ':') {
    const size_t colon = line.find(':');
    const std::string_view name = line.substr(0, colon);
    std::string_view value = colon == std::string_view::npos ? std::string_view() : line.substr(colon + 1);
    if (!value.empty() && value[0] == ' ') value.remove_prefix(1);
    if (name == "data") {
      if (any_data_) data_.push_back('\n');
      data_.append(value);
      any_data_ = true;
    } else if (name == "event") {
      type_ = value;
    } else if (name == "id" && value.find('\0') == std::string_view::npos) {
      last_id_ = value;
    }
  }
  line_.clear();
}

}  // namespace parvis::networks
