// Server-sent events as they come off the wire: text/event-stream of the HTML standard, section "Parsing an event stream"
// (https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream). Bounded: an event larger than
// the limit is given as one that was cut, and what follows it is read on.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace parvis::networks {

struct StreamEvent {
  std::string type;       // "message" where the stream names none
  std::string data;       // the data lines, joined by '\n'
  std::string last_id;    // of this event or the last before it that had one
  bool cut = false;       // larger than the limit: `data` is its beginning
};

class EventStreamParser {
 public:
  explicit EventStreamParser(size_t event_max_bytes = 1 << 20) : event_max_bytes_(event_max_bytes) {}
  // The events that `bytes` complete. Bytes may be parted anywhere.
  std::vector<StreamEvent> Feed(std::string_view bytes);

 private:
  void TakeLine(std::vector<StreamEvent>* out);
  void Keep(char c);

  const size_t event_max_bytes_;
  std::string line_;
  bool first_ = true;         // a byte order mark may come
  bool after_return_ = false;  // a line feed now belongs to the line's end before it
  bool any_data_ = false, cut_ = false;
  std::string type_, data_, last_id_;
};

}  // namespace parvis::networks
