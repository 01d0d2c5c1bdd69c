#include "moderation/domain/normalize.h"

#include "moderation/domain/word_writer.h"

namespace parvis::moderation {
namespace {

// Buffers that live as long as the thread, so that a text costs no allocation.
struct Workspace {
  std::vector<Cell> chunk;
  std::vector<Cell> spaced;  // letters that stand alone, one after the other
  std::string readings;      // what goes after the line feeds
  std::vector<Unit> reading_units;
};

class Pass {
 public:
  Pass(const TextTables& tables, std::string_view text, NormalText* out, Workspace* w)
      : tables_(tables),
        text_(text),
        out_(*out),
        w_(*w),
        plain_(&out->words, &out->units, &out->facts),
        further_(&w->readings, &w->reading_units, &out->facts) {}

  void Run() {
    w_.spaced.clear();
    w_.readings.clear();
    w_.reading_units.clear();
    plain_.Mark(' ');
    size_t at = 0;
    while (at < text_.size()) {
      if (!FastWord(&at)) SlowChunk(&at);
      SkipGap(&at);
    }
    FlushSpaced();
    out_.read_end = out_.words.size();
    out_.words += w_.readings;
    out_.units.insert(out_.units.end(), w_.reading_units.begin(), w_.reading_units.end());
  }

 private:
  static bool Small(uint8_t c) { return c >= 'a' && c <= 'z'; }
  static bool Capital(uint8_t c) { return c >= 'A' && c <= 'Z'; }
  static bool Blank(uint8_t c) { return c <= 0x20; }

  // The ordinary case: two or more ASCII letters, then perhaps one mark of punctuation, then a blank or the end.
  bool FastWord(size_t* at) {
    const size_t start = *at;
    size_t i = start;
    uint32_t capitals = 0;
    while (i < text_.size()) {
      const uint8_t c = text_[i];
      if (Capital(c)) {
        if (c == 'I' && i > start && Small(text_[i - 1])) return false;
        ++capitals;
      } else if (!Small(c)) {
        break;
      }
      ++i;
    }
    if (i - start < 2) return false;
    size_t end = i;
    if (i < text_.size()) {
      const uint8_t c = text_[i];
      if (c == ',' || c == '.' || c == '!' || c == '?' || c == ';' || c == ':' || c == ')') ++i;
      if (i < text_.size() && !Blank(text_[i])) {
        if (i != end || text_[i] != '\'') return false;
      }
    }
    FlushSpaced();
    for (size_t k = start; k < end; ++k) plain_.Ascii(text_[k], static_cast<uint32_t>(k));
    plain_.EndWord();
    out_.facts.letters += end - start;
    out_.facts.capitals += capitals;
    out_.facts.code_points += i - start;
    *at = i;
    return true;
  }

  // Everything up to a blank or an apostrophe.
  void SlowChunk(size_t* at) {
    w_.chunk.clear();
    size_t i = *at;
    bool after_small = false;
    while (i < text_.size()) {
      const size_t begin = i;
      const uint32_t c = NextCodePoint(text_, &i);
      const Folded folded = tables_.Of(c);
      if (folded.kind == CharClass::kSpace || folded.kind == CharClass::kApostrophe) {
        i = begin;
        break;
      }
      ++out_.facts.code_points;
      if (folded.kind == CharClass::kIgnorable) {
        if (!w_.chunk.empty()) w_.chunk.back().end = static_cast<uint32_t>(i);
        continue;
      }
      if (folded.kind == CharClass::kLetter) {
        ++out_.facts.letters;
        if (c < 0x80 && Capital(static_cast<uint8_t>(c)))
          ++out_.facts.capitals;
        else if (c >= 0xC0 && c <= 0xDE)
          ++out_.facts.capitals;
      }
      w_.chunk.push_back({folded, static_cast<uint32_t>(begin), static_cast<uint32_t>(i), c == 'I' && after_small});
      after_small = c < 0x80 && Small(static_cast<uint8_t>(c));
    }
    *at = i;
    if (!w_.chunk.empty()) Chunk();
  }

  // Blanks and apostrophes between chunks; remembers how wide the gap was, for letters that are spaced out.
  void SkipGap(size_t* at) {
    uint32_t width = 0;
    while (*at < text_.size()) {
      const uint8_t b = text_[*at];
      if (Blank(b) || b == '\'') {
        ++*at, ++width, ++out_.facts.code_points;
        continue;
      }
      if ((b >= '0' && b <= '9') || Capital(b) || Small(b)) break;
      size_t i = *at;
      const CharClass kind = tables_.Of(NextCodePoint(text_, &i)).kind;
      if (kind != CharClass::kSpace && kind != CharClass::kApostrophe && kind != CharClass::kIgnorable) break;
      if (kind != CharClass::kIgnorable) ++width;
      ++out_.facts.code_points;
      *at = i;
    }
    gap_ = width;
  }

  void Chunk() {
    const std::vector<Cell>& cells = w_.chunk;
    size_t words = 0, letters = 0;
    bool mask = false;
    for (const Cell& c : cells) {
      words += IsWord(c);
      letters += c.folded.kind == CharClass::kLetter;
      mask = mask || c.folded.kind == CharClass::kMask;
    }
    TrackSpaced(words);
    bool further = PlainReading(letters > 0);
    if (letters == 0) return;
    if (mask) Masked();
    if (further && !LooksLikeAddress()) JoinedReading(cells, true);
  }

  // Writes the words of the chunk as anybody would read them. True if another reading may show more.
  bool PlainReading(bool has_letters) {
    const std::vector<Cell>& cells = w_.chunk;
    size_t pieces = 0;
    bool further = false;
    for (size_t i = 0; i < cells.size();) {
      const Cell& c = cells[i];
      if (c.folded.kind == CharClass::kEmoji) {
        plain_.Plain(c);
        if (i + 1 == cells.size() || cells[i + 1].folded.bytes != c.folded.bytes) plain_.EndWord();
        further = further || has_letters;
        ++i;
        continue;
      }
      if (!IsWord(c)) {
        const bool inside = i > 0 && i + 1 < cells.size() && IsWord(cells[i - 1]) && IsWord(cells[i + 1]);
        const bool ahead = i == 0 && cells.size() > 1 && IsWord(cells[1]) && AtAnEnd(c.folded.stand_in);
        const bool behind = i > 0 && i + 1 == cells.size() && c.folded.stand_in == 's';
        further = further || (c.folded.stand_in != 0 && inside) || ahead || behind;
        ++i;
        continue;
      }
      size_t end = i;
      bool letter = false;
      for (; end < cells.size() && IsWord(cells[end]); ++end)
        letter = letter || cells[end].folded.kind == CharClass::kLetter;
      further = Piece(i, end, letter) || further;
      ++pieces;
      i = end;
    }
    return further || (pieces > 1 && has_letters);
  }

  // One unbroken row of letters and digits. Two and more digits at an end are a number of their own ("pute75").
  bool Piece(size_t begin, size_t end, bool letter) {
    const std::vector<Cell>& cells = w_.chunk;
    if (!letter) {
      for (size_t i = begin; i < end; ++i) plain_.Plain(cells[i]);
      plain_.EndWord();
      return false;
    }
    size_t head = begin, tail = end;
    while (cells[head].folded.kind == CharClass::kDigit) ++head;
    while (cells[tail - 1].folded.kind == CharClass::kDigit) --tail;
    if (head - begin < 2) head = begin;
    if (end - tail < 2) tail = end;
    for (size_t i = begin; i < end; ++i) {
      if ((i == head && head != begin) || (i == tail && tail != end)) plain_.EndWord();
      if (i >= head && i < tail)
        plain_.Reading(cells[i]);
      else
        plain_.Plain(cells[i]);
    }
    plain_.EndWord();
    return head != begin || tail != end;
  }

  // All letters of `cells` as one word, digits and symbols read as letters.
  void JoinedReading(const std::vector<Cell>& cells, bool symbols) {
    OpenReading();
    for (size_t i = 0; i < cells.size(); ++i) {
      const Cell& c = cells[i];
      if (IsWord(c)) {
        further_.Reading(c);
      } else if (symbols && c.folded.stand_in != 0) {
        const bool before = i > 0 && (IsWord(cells[i - 1]) || cells[i - 1].folded.stand_in != 0);
        const bool after = i + 1 < cells.size() && (IsWord(cells[i + 1]) || cells[i + 1].folded.stand_in != 0);
        const bool ahead = i == 0 && AtAnEnd(c.folded.stand_in);
        const bool behind = i + 1 == cells.size() && c.folded.stand_in == 's';
        if ((before && after) || ahead || behind) {
          further_.Reading(c);
        }
      }
    }
    further_.EndWord();
  }

  // Letters that stand alone with equal gaps: "c o n n a r d".
  void TrackSpaced(size_t words) {
    const Cell* only = nullptr;
    if (words == 1) {
      for (const Cell& c : w_.chunk) {
        if (IsWord(c)) only = &c;
      }
    } else if (words == 0 && w_.chunk.size() == 1 && w_.chunk[0].folded.stand_in != 0) {
      only = &w_.chunk[0];
    }
    if (only == nullptr || (w_.spaced.size() > 1 && gap_ != spaced_gap_)) FlushSpaced();
    if (only == nullptr) return;
    if (w_.spaced.size() == 1) spaced_gap_ = gap_;
    w_.spaced.push_back(*only);
  }

  void FlushSpaced() {
    // A mark at an end ends the sentence: "c o n !".
    while (!w_.spaced.empty() && !IsWord(w_.spaced.back())) w_.spaced.pop_back();
    if (w_.spaced.empty()) return;
    if (w_.spaced.size() >= 3) {
      size_t letters = 0;
      for (const Cell& c : w_.spaced) letters += c.folded.kind == CharClass::kLetter;
      if (letters >= 2) {
        OpenReading();
        for (const Cell& c : w_.spaced) further_.Reading(c);
        further_.EndWord();
      }
    }
    w_.spaced.clear();
  }

  // "c*nnard": at least one letter shown, and a mask between letters or after them.
  void Masked() {
    const std::vector<Cell>& cells = w_.chunk;
    size_t i = 0;
    while (i < cells.size()) {
      if (cells[i].folded.kind != CharClass::kLetter) {
        ++i;
        continue;
      }
      MaskedWord word{cells[i].begin, 0, ""};
      bool mask = false;
      for (; i < cells.size() && (IsWord(cells[i]) || cells[i].folded.kind == CharClass::kMask); ++i) {
        if (cells[i].folded.kind == CharClass::kMask) {
          mask = true;
          word.shape.push_back('*');
        } else if (cells[i].folded.kind == CharClass::kDigit) {
          word.shape.push_back(Searched(cells[i].folded.stand_in));
        } else {
          word.shape.append(cells[i].folded.bytes);
        }
        word.end = cells[i].end;
      }
      if (mask && word.shape.size() >= 3 && out_.masked.size() < 16) out_.masked.push_back(std::move(word));
    }
  }

  bool LooksLikeAddress() const {
    const std::vector<Cell>& c = w_.chunk;
    const std::string_view raw = text_.substr(c.front().begin, c.back().end - c.front().begin);
    return raw.find("://") != std::string_view::npos;
  }

  // "$alope", "@ss": symbols that people put at the beginning of a word.
  static bool AtAnEnd(char stand_in) { return stand_in == 's' || stand_in == 'a'; }

  void OpenReading() {
    further_.Mark('\n');
    further_.Mark(' ');
    ++out_.facts.readings;
  }

  const TextTables& tables_;
  const std::string_view text_;
  NormalText& out_;
  Workspace& w_;
  WordWriter plain_, further_;
  uint32_t gap_ = 0;
  uint32_t spaced_gap_ = 0;
};

}  // namespace

void NormalText::Clear() {
  words.clear();
  units.clear();
  masked.clear();
  read_end = 0;
  facts = TextFacts{};
}

void Normalizer::Normalize(std::string_view text, NormalText* out) const {
  thread_local Workspace workspace;
  out->Clear();
  Pass(tables_, text, out, &workspace).Run();
}

std::string ReadableWords(const NormalText& text) {
  std::string out;
  for (size_t i = 0; i < text.words.size(); ++i) {
    const char c = text.words[i];
    const char readable = c == 'i' && text.units[i].exact == 'l' ? 'l' : c;
    const int times = text.units[i].run == 2 && static_cast<uint8_t>(c) < 0x80 ? 2 : 1;
    if (c == ' ' && (out.empty() || out.back() == '\n')) continue;
    if (c == '\n' && !out.empty() && out.back() == ' ') out.pop_back();
    out.append(times, readable);
  }
  while (!out.empty() && (out.back() == ' ' || out.back() == '\n')) out.pop_back();
  return out;
}

}  // namespace parvis::moderation
