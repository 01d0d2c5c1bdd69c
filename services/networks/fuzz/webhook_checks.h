// What must hold for whatever a webhook's parser makes of any bytes.
#pragma once

#include <cstdlib>

#include "networks/connector.h"
#include "networks/text/unicode.h"

namespace parvis::networks {

inline void Require(bool condition) {
  if (!condition) abort();
}

inline void CheckContent(const WebhookContent& content) {
  for (const Happening& h : content.happenings) {
    Require(!h.remote_id.empty() && !h.thread.empty() && !h.conversation.empty());
    Require(h.text.size() <= (64 << 10) && text::IsUtf8(h.text) && h.text.find('\0') == std::string::npos);
    Require(text::IsUtf8(h.remote_id) && text::IsUtf8(h.thread) && text::IsUtf8(h.author_name));
    Require(h.revision >= 0 && h.occurred_at >= absl::UnixEpoch());
  }
  for (const Unparsed& u : content.unparsed) Require(!u.reason.empty());
  Require(content.happenings.size() <= 20001);
}

}  // namespace parvis::networks
