#include "sandbox/domain/graphemes.h"

#include <memory>

#include <unicode/ubrk.h>
#include <unicode/utext.h>

namespace parvis::sandbox {

size_t Graphemes(std::string_view text) {
  UErrorCode error = U_ZERO_ERROR;
  const std::unique_ptr<UText, UText* (*)(UText*)> opened(
      utext_openUTF8(nullptr, text.data(), static_cast<int64_t>(text.size()), &error), utext_close);
  const std::unique_ptr<UBreakIterator, void (*)(UBreakIterator*)> breaks(
      ubrk_open(UBRK_CHARACTER, "", nullptr, 0, &error), ubrk_close);
  if (U_SUCCESS(error)) ubrk_setUText(breaks.get(), opened.get(), &error);
  if (U_FAILURE(error)) return text.size();
  size_t n = 0;
  while (ubrk_next(breaks.get()) != UBRK_DONE) ++n;
  return n;
}

}  // namespace parvis::sandbox
