#include <cstdlib>

#include "networks/text/html.h"
#include "networks/text/tweet.h"
#include "networks/text/unicode.h"

namespace text = parvis::networks::text;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const std::string plain = text::ToUtf8(input);
  if (!text::IsUtf8(plain) || !text::IsUtf8(text::CutBytes(plain, size / 2))) abort();
  if (text::IsUtf8(plain) && !text::IsUtf8(text::HtmlToText(plain, true))) abort();
  (void)text::HtmlToText(input, false);
  (void)text::WeightedLength(input);
  (void)text::Graphemes(input);
  (void)text::ForComparison(input);
  return 0;
}
