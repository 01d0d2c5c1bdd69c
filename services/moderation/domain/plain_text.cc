#include "moderation/domain/plain_text.h"

#include <unicode/bytestream.h>
#include <unicode/edits.h>
#include <unicode/normalizer2.h>
#include <unicode/stringpiece.h>

namespace parvis::moderation {

struct PlainText::Map {
  icu::Edits edits;
};

PlainText::PlainText() : map_(new Map) {}
PlainText::~PlainText() { delete map_; }

void PlainText::Set(std::string_view text) {
  plain_.clear();
  bool ascii = true;
  for (char c : text) ascii = ascii && static_cast<uint8_t>(c) < 0x80;
  identity_ = ascii;
  if (ascii) {
    plain_.assign(text);
    for (char& c : plain_) {
      if (c >= 'A' && c <= 'Z') c = static_cast<char>(c | 0x20);
    }
    return;
  }
  UErrorCode error = U_ZERO_ERROR;
  const icu::Normalizer2* fold = icu::Normalizer2::getNFKCCasefoldInstance(error);
  map_->edits.reset();
  icu::StringByteSink<std::string> sink(&plain_, static_cast<int32_t>(text.size()));
  fold->normalizeUTF8(0, icu::StringPiece(text.data(), static_cast<int32_t>(text.size())), sink, &map_->edits, error);
}

void PlainText::Original(uint32_t begin, uint32_t end, uint32_t* original_begin, uint32_t* original_end) const {
  *original_begin = begin;
  *original_end = end;
  if (identity_) return;
  UErrorCode error = U_ZERO_ERROR;
  icu::Edits::Iterator it = map_->edits.getFineIterator();
  if (it.findDestinationIndex(static_cast<int32_t>(begin), error)) {
    const int32_t inside = static_cast<int32_t>(begin) - it.destinationIndex();
    *original_begin = static_cast<uint32_t>(it.sourceIndex() + (it.hasChange() ? 0 : inside));
  } else {
    *original_begin = static_cast<uint32_t>(it.sourceIndex());
  }
  *original_end = *original_begin;
  if (end <= begin) return;
  // The last byte that belongs to the match tells where it ends.
  if (it.findDestinationIndex(static_cast<int32_t>(end - 1), error)) {
    const int32_t inside = static_cast<int32_t>(end) - it.destinationIndex();
    *original_end = static_cast<uint32_t>(it.sourceIndex() + (it.hasChange() ? it.oldLength() : inside));
  } else {
    *original_end = static_cast<uint32_t>(it.sourceIndex());
  }
}

}  // namespace parvis::moderation
