#include "moderation/domain/text_tables.h"

#include <map>
#include <unordered_map>

#include <unicode/normalizer2.h>
#include <unicode/uchar.h>
#include <unicode/unistr.h>
#include <unicode/uscript.h>
#include <unicode/uspoof.h>
#include <unicode/utf8.h>

namespace parvis::moderation {
namespace {

constexpr uint32_t kReplacement = 0xFFFD;

bool IsAsciiLetter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool IsAsciiDigit(char c) { return c >= '0' && c <= '9'; }

// Look-alikes that UTS #39 does not list because their small forms differ a little, but which people use.
constexpr std::pair<uint32_t, char> kExtraLookAlikes[] = {
    {0x43A, 'k'}, {0x43D, 'h'}, {0x442, 't'}, {0x43C, 'm'}, {0x432, 'b'}, {0x43F, 'n'},  // к н т м в п
    {0x3B7, 'n'}, {0x3C9, 'w'}, {0x3BA, 'k'}, {0x3C4, 't'}, {0x3B5, 'e'},                // η ω κ τ ε
};

// Letters drawn in circles and squares that have no compatibility decomposition.
char SquaredLetter(uint32_t c) {
  for (uint32_t start : {0x1F150u, 0x1F170u}) {
    if (c >= start && c < start + 26) return static_cast<char>('a' + (c - start));
  }
  return 0;
}

// Separators that may stand for a letter inside a word.
char StandInOfSymbol(uint32_t c) {
  switch (c) {
    case '@':
      return 'a';
    case '$':
      return 's';
    case '!':
    case '|':
    case 0xA1:
    case 0xA6:
      return kIOrL;
    case '+':
    case 0x2020:
      return 't';
    case '(':
    case '<':
    case 0xA2:
      return 'c';
    case 0x20AC:
      return 'e';
    case 0xA3:
      return 'l';
    case 0xA5:
      return 'y';
    default:
      return 0;
  }
}

bool IsApostrophe(uint32_t c) {
  return c == '\'' || c == '`' || c == 0xB4 || c == 0x2018 || c == 0x2019 || c == 0x201B || c == 0x2032 || c == 0x2BC ||
         c == 0x2B9 || c == 0xFF07 || c == 0x2BB;
}

}  // namespace

char StandInOfDigit(char digit) {
  switch (digit) {
    case '0':
      return 'o';
    case '1':
      return kIOrL;
    case '2':
      return 'z';
    case '3':
      return 'e';
    case '4':
      return 'a';
    case '5':
      return 's';
    case '6':
      return 'g';
    case '7':
      return 't';
    case '8':
      return 'b';
    case '9':
      return 'g';
    default:
      return 0;
  }
}

uint32_t NextCodePoint(std::string_view text, size_t* at) {
  const auto* s = reinterpret_cast<const uint8_t*>(text.data());
  const size_t start = *at;
  size_t i = start;
  UChar32 c;
  U8_NEXT(s, i, text.size(), c);
  if (c < 0) {
    *at = start + 1;
    return kReplacement;
  }
  *at = i;
  return static_cast<uint32_t>(c);
}

void AppendUtf8(uint32_t code_point, std::string* out) {
  uint8_t buffer[4];
  int32_t n = 0;
  U8_APPEND_UNSAFE(buffer, n, static_cast<UChar32>(code_point));
  out->append(reinterpret_cast<char*>(buffer), n);
}

size_t CountCodePoints(std::string_view text) {
  size_t n = 0;
  for (char c : text) n += (static_cast<uint8_t>(c) & 0xC0) != 0x80;
  return n;
}

std::string AsciiLower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c | 0x20);
  }
  return out;
}

class TextTables::Builder {
 public:
  explicit Builder(TextTables& out) : out_(out) {
    UErrorCode error = U_ZERO_ERROR;
    casefold_ = icu::Normalizer2::getNFKCCasefoldInstance(error);
    decompose_ = icu::Normalizer2::getNFDInstance(error);
    spoof_ = uspoof_open(&error);
    for (char c = 'a'; c <= 'z'; ++c) prototypes_.emplace(Skeleton(icu::UnicodeString(UChar32(c))), c);
    for (char c = 'A'; c <= 'Z'; ++c) {
      prototypes_.emplace(Skeleton(icu::UnicodeString(UChar32(c))), static_cast<char>(c - 'A' + 'a'));
    }
  }
  ~Builder() { uspoof_close(spoof_); }

  void Run() {
    std::map<std::vector<uint64_t>, uint16_t> known;
    std::vector<Entry> page(256);
    std::vector<uint64_t> key;
    for (uint32_t p = 0; p < kCodePoints / 256; ++p) {
      key.clear();
      for (uint32_t i = 0; i < 256; ++i) {
        page[i] = Make(p * 256 + i);
        const Entry& e = page[i];
        key.push_back(uint64_t{e.offset} << 40 | uint64_t{e.length} << 32 |
                      uint64_t{static_cast<uint8_t>(e.exact)} << 24 | uint64_t{static_cast<uint8_t>(e.stand_in)} << 16 |
                      static_cast<uint64_t>(e.kind) << 8 | e.disguised);
      }
      auto [at, fresh] = known.emplace(key, static_cast<uint16_t>(known.size()));
      if (fresh) out_.entries_.insert(out_.entries_.end(), page.begin(), page.end());
      out_.pages_[p] = at->second;
    }
  }

 private:
  Entry Make(uint32_t c) {
    const auto kind = u_charType(static_cast<UChar32>(c));
    Entry e;
    if (c < 0x80) return Ascii(static_cast<char>(c));
    if (kind == U_UNASSIGNED || kind == U_SURROGATE || kind == U_PRIVATE_USE_CHAR) return e;
    if (IsApostrophe(c)) {
      e.kind = CharClass::kApostrophe;
      return e;
    }
    if (u_hasBinaryProperty(c, UCHAR_DEFAULT_IGNORABLE_CODE_POINT) || kind == U_FORMAT_CHAR ||
        kind == U_NON_SPACING_MARK || kind == U_ENCLOSING_MARK || (c >= 0x1F3FB && c <= 0x1F3FF)) {
      e.kind = CharClass::kIgnorable;
      return e;
    }
    if (u_isUWhiteSpace(c) || kind == U_CONTROL_CHAR) {
      e.kind = CharClass::kSpace;
      return e;
    }
    if (char letter = SquaredLetter(c)) return Letters(std::string(1, letter), true);
    for (auto [look_alike, letter] : kExtraLookAlikes) {
      if (look_alike == c || static_cast<uint32_t>(u_foldCase(c, U_FOLD_CASE_DEFAULT)) == look_alike) {
        if (Resembles(c).empty()) return Letters(std::string(1, letter), true);
      }
    }
    if (char stand_in = StandInOfSymbol(c)) {
      e.stand_in = stand_in;
      return e;
    }
    return Beyond(c, kind);
  }

  // Everything beyond ASCII that has no rule of its own.
  Entry Beyond(uint32_t c, int8_t kind) {
    const bool letter = u_isalpha(c) || (U_GET_GC_MASK(c) & (U_GC_L_MASK | U_GC_N_MASK | U_GC_MC_MASK)) != 0;
    const bool symbol = (U_GET_GC_MASK(c) & (U_GC_SM_MASK | U_GC_SO_MASK)) != 0 && c != 0x2122 && c != 0x2120;
    const icu::UnicodeString folded = Strip(Casefold(icu::UnicodeString(UChar32(c))));
    std::string utf8;
    folded.toUTF8String(utf8);
    bool ascii = !utf8.empty();
    for (char b : utf8) ascii = ascii && static_cast<uint8_t>(b) < 0x80;
    if (ascii) {
      std::string kept;
      for (char b : utf8) {
        if (IsAsciiLetter(b) || IsAsciiDigit(b)) kept.push_back(b);
      }
      if (kept.empty()) return Ascii(utf8[0]);  // a full-width '!', an ellipsis
      if (kept.size() == 1 && IsAsciiDigit(kept[0])) return Ascii(kept[0]);
      if (letter || symbol) return Letters(kept, true);
    }
    if (letter || symbol) {
      const std::string alike = Resembles(c);
      if (!alike.empty()) return Letters(alike, true);
      if (letter) return Letters(utf8, false);
    }
    Entry e;
    if (kind == U_OTHER_SYMBOL || u_hasBinaryProperty(c, UCHAR_EMOJI_PRESENTATION)) {
      std::string itself;
      AppendUtf8(c, &itself);
      e = Put(itself);
      e.kind = CharClass::kEmoji;
    }
    return e;
  }

  Entry Ascii(char c) {
    Entry e;
    if (IsAsciiLetter(c)) return Letters(std::string(1, static_cast<char>(c | 0x20)), false);
    if (IsAsciiDigit(c)) {
      e = Put(std::string(1, c));
      e.kind = CharClass::kDigit;
      e.exact = c;
      e.stand_in = StandInOfDigit(c);
    } else if (c == '*') {
      e.kind = CharClass::kMask;
    } else if (IsApostrophe(static_cast<uint32_t>(c))) {
      e.kind = CharClass::kApostrophe;
    } else if (static_cast<uint8_t>(c) <= 0x20 || c == 0x7F) {
      e.kind = CharClass::kSpace;
    } else {
      e.stand_in = StandInOfSymbol(static_cast<uint32_t>(c));
    }
    return e;
  }

  // What `c` looks like, in small ASCII letters ("?" for i or l), or "".
  std::string Resembles(uint32_t c) {
    UErrorCode error = U_ZERO_ERROR;
    const auto script = uscript_getScript(static_cast<UChar32>(c), &error);
    if (script == USCRIPT_HAN || script == USCRIPT_HANGUL) return "";  // 110,000 that resemble no letter
    const icu::UnicodeString itself(static_cast<UChar32>(c));
    for (const icu::UnicodeString& form : {itself, Casefold(itself)}) {
      const icu::UnicodeString skeleton = Strip(Skeleton(form));
      if (auto one = prototypes_.find(skeleton); one != prototypes_.end()) {
        return std::string(1, one->second == 'l' ? kIOrL : one->second);
      }
      std::string utf8;
      skeleton.toUTF8String(utf8);
      std::string letters;
      for (char b : utf8) {
        if (IsAsciiLetter(b))
          letters.push_back(static_cast<char>(b | 0x20));
        else if (IsAsciiDigit(b) && utf8.size() == 1)
          letters.push_back(StandInOfDigit(b));
        else
          letters.append("#");
      }
      if (!letters.empty() && letters.size() <= 3 && letters.find('#') == std::string::npos) return letters;
    }
    return "";
  }

  Entry Letters(std::string letters, bool disguised) {
    Entry e;
    if (letters.size() == 1) e.exact = letters[0];
    for (char& c : letters) {
      if (c == 'l' || c == kIOrL) c = 'i';
    }
    const char exact = e.exact;
    e = Put(letters);
    e.exact = exact;
    e.kind = CharClass::kLetter;
    e.disguised = disguised;
    return e;
  }

  Entry Put(const std::string& bytes) {
    auto [at, fresh] = offsets_.emplace(bytes, static_cast<uint32_t>(out_.pool_.size()));
    if (fresh) out_.pool_ += bytes;
    Entry e;
    e.offset = at->second;
    e.length = static_cast<uint8_t>(bytes.size());
    return e;
  }

  icu::UnicodeString Casefold(const icu::UnicodeString& in) {
    UErrorCode error = U_ZERO_ERROR;
    return casefold_->normalize(in, error);
  }

  // Without combining marks.
  icu::UnicodeString Strip(const icu::UnicodeString& in) {
    UErrorCode error = U_ZERO_ERROR;
    const icu::UnicodeString full = decompose_->normalize(in, error);
    icu::UnicodeString out;
    for (int32_t i = 0; i < full.length(); i = full.moveIndex32(i, 1)) {
      const UChar32 c = full.char32At(i);
      const auto kind = u_charType(c);
      if (kind != U_NON_SPACING_MARK && kind != U_ENCLOSING_MARK) out.append(c);
    }
    return out;
  }

  icu::UnicodeString Skeleton(const icu::UnicodeString& in) {
    UErrorCode error = U_ZERO_ERROR;
    icu::UnicodeString out;
    uspoof_getSkeletonUnicodeString(spoof_, 0, in, out, &error);
    return out;
  }

  TextTables& out_;
  const icu::Normalizer2* casefold_ = nullptr;
  const icu::Normalizer2* decompose_ = nullptr;
  USpoofChecker* spoof_ = nullptr;
  std::map<icu::UnicodeString, char> prototypes_;
  std::unordered_map<std::string, uint32_t> offsets_;
};

TextTables::TextTables() { Builder(*this).Run(); }

}  // namespace parvis::moderation
