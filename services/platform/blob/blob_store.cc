#include "platform/blob/blob_store.h"

namespace parvis::blob {

bool IsKey(std::string_view key) {
  if (key.empty() || key.size() > kKeyMaxBytes) return false;
  char before = '/';  // an empty segment is a '/' after a '/', or at either end
  for (const char c : key) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
    if (!letter && (c != '/' || before == '/')) return false;
    before = c;
  }
  return before != '/';
}

}  // namespace parvis::blob
