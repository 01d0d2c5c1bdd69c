#include "moderation/domain/normalize.h"

#include <random>

#include <gtest/gtest.h>
#include <unicode/uchar.h>
#include <unicode/uspoof.h>
#include <unicode/ustring.h>

namespace parvis::moderation {
namespace {

const Normalizer& TheNormalizer() {
  static const Normalizer* const n = new Normalizer;
  return *n;
}

std::string Words(std::string_view text) {
  NormalText out;
  TheNormalizer().Normalize(text, &out);
  return ReadableWords(out);
}

TEST(Normalize, PlainWords) {
  EXPECT_EQ(Words(""), "");
  EXPECT_EQ(Words("   "), "");
  EXPECT_EQ(Words("Bonjour, ça va ?"), "bonjour ca va");
  EXPECT_EQ(Words("L'été d’Élodie"), "l ete d elodie");
  EXPECT_EQ(Words("le CŒUR de la ville"), "le coeur de la ville");
}

TEST(Normalize, WidthStyleAccentsAndLookAlikes) {
  EXPECT_EQ(Words("ＩＤＩＯＴ"), "idiot");
  EXPECT_EQ(Words("𝒾𝒹𝒾𝑜𝓉"), "idiot");
  EXPECT_EQ(Words("ⓘⓓⓘⓞⓣ"), "idiot");
  EXPECT_EQ(Words("🅸🅳🅸🅾🆃"), "idiot");
  EXPECT_EQ(Words("ìdïôt"), "idiot");
  EXPECT_EQ(Words("i\xCC\x81"
                  "d\xCC\xB6iot"),
            "idiot");                      // combining marks
  EXPECT_EQ(Words("соnnаrd"), "connard");  // Cyrillic с, о, а
  EXPECT_EQ(Words("ϲοnnard"), "connard");  // Greek
}

TEST(Normalize, InvisibleCharacters) {
  EXPECT_EQ(Words("con\xE2\x80\x8Bnard"), "connard");  // zero width space
  EXPECT_EQ(Words("con\xC2\xADnard"), "connard");      // soft hyphen
  EXPECT_EQ(Words("con\xE2\x81\xA0nard\xEF\xB8\x8F"), "connard");
  EXPECT_EQ(Words("\xE2\x80\xAE"
                  "connard"),
            "connard");  // bidi override
}

TEST(Normalize, SeparatorsInsideWords) {
  EXPECT_EQ(Words("c.o.n.n.a.r.d"), "c o n n a r d\nconnard");
  EXPECT_EQ(Words("con-nard"), "con nard\nconnard");
  EXPECT_EQ(Words("tu es un c o n n a r d"), "tu es un c o n n a r d\nconnard");
  EXPECT_EQ(Words("c  o  n  fini"), "c o n fini\ncon");
  EXPECT_EQ(Words("il y a Paris"), "il y a paris");
}

TEST(Normalize, DigitsAndSymbolsForLetters) {
  EXPECT_EQ(Words("c0nnard"), "connard");
  EXPECT_EQ(Words("$alope").substr(5), "\nsalope");
  EXPECT_EQ(Words("sal@ud"), "sal ud\nsalaud");
  EXPECT_EQ(Words("2024"), "2024");
  EXPECT_EQ(Words("pute75"), "pute 75\nputets");
  EXPECT_EQ(Words("100€"), "100");
}

TEST(Normalize, RepeatedLettersKeepTheirCount) {
  NormalText out;
  TheNormalizer().Normalize("connnnard", &out);
  EXPECT_EQ(out.words, " conard ");
  EXPECT_EQ(out.units[3].run, 4);
  EXPECT_EQ(out.facts.longest_run, 4u);
  EXPECT_EQ(out.facts.longest_run_begin, 2u);
  EXPECT_EQ(out.facts.longest_run_end, 6u);
}

// Every character ends, alone and among others: whatever its class, somebody consumes it.
TEST(Normalize, EveryCharacterIsConsumed) {
  NormalText out;
  for (uint32_t c = 1; c < 0x110000; ++c) {
    if (c >= 0xD800 && c < 0xE000) continue;
    std::string one;
    AppendUtf8(c, &one);
    TheNormalizer().Normalize(one, &out);
    ASSERT_EQ(out.facts.code_points, 1u) << c;
    if (c < 0x3000) {
      TheNormalizer().Normalize("ab" + one + " c" + one + "d", &out);
      ASSERT_EQ(out.facts.code_points, 7u) << c;
    }
  }
}

TEST(Normalize, MaskedLetters) {
  NormalText out;
  TheNormalizer().Normalize("quel c*nnard !", &out);
  ASSERT_EQ(out.masked.size(), 1u);
  EXPECT_EQ(out.masked[0].shape, "c*nnard");
  EXPECT_EQ(out.masked[0].begin, 5u);
  EXPECT_EQ(out.masked[0].end, 12u);
}

TEST(Normalize, CountsCharacters) {
  NormalText out;
  TheNormalizer().Normalize("Été, l'ÎLE 🏝️ c'est   top", &out);
  EXPECT_EQ(out.facts.code_points, CountCodePoints("Été, l'ÎLE 🏝️ c'est   top"));
  EXPECT_EQ(out.facts.letters, 14u);
  EXPECT_EQ(out.facts.capitals, 4u);
}

// Every character that uspoof takes for one ASCII letter, we take for that letter too, and more.
TEST(Normalize, AgreesWithUspoof) {
  UErrorCode error = U_ZERO_ERROR;
  USpoofChecker* spoof = uspoof_open(&error);
  ASSERT_TRUE(U_SUCCESS(error));
  int compared = 0;
  for (UChar32 c = 0x80; c < 0x110000; ++c) {
    if (!u_isalpha(c)) continue;
    UChar in[2], out[8];
    int32_t n = 0;
    U16_APPEND_UNSAFE(in, n, c);
    error = U_ZERO_ERROR;
    const int32_t size = uspoof_getSkeleton(spoof, 0, in, n, out, 8, &error);
    if (U_FAILURE(error) || size != 1 || out[0] >= 0x80 || !u_isalpha(out[0])) continue;
    const Folded folded = TheNormalizer().tables().Of(static_cast<uint32_t>(c));
    ++compared;
    const char want = static_cast<char>(out[0] | 0x20);
    std::string own;
    AppendUtf8(static_cast<uint32_t>(c), &own);
    // What Unicode itself folds to another letter stays that letter ("ſ" is an s, though it looks like an f).
    if (folded.kind == CharClass::kLetter && !folded.disguised) continue;
    const bool same = folded.bytes == std::string(1, want) || (want == 'l' && folded.bytes == "i");
    if (!same) {
      UErrorCode fold = U_ZERO_ERROR;
      UChar folded16[8];
      const int32_t m = u_strFoldCase(folded16, 8, in, n, U_FOLD_CASE_DEFAULT, &fold);
      EXPECT_TRUE(m == 1 && folded16[0] < 0x80) << own << " is read as " << folded.bytes << ", uspoof says " << want;
    }
  }
  uspoof_close(spoof);
  EXPECT_GT(compared, 1000);
}

// Whatever the text, every unit points to whole characters of it, in order of reading.
TEST(Normalize, OffsetsAreCharacterBorders) {
  std::mt19937 random(7);
  const std::vector<std::string> pieces = {
      "a", "I",    "l", "con", "é",  "e\xCC\x81", "œ",        "ﬃ", "ß", "0",       "1",    "$",
      "@", "!",    "*", ".",   "-",  " ",         "  ",       "'", "’", "🖕",      "👍🏽", "\xE2\x80\x8B",
      "с", "中文", "🅰", "１",  "\n", "\xFF",      "\xE2\x80", "İ", "ﷺ", "\xF0\x9F"};
  for (int round = 0; round < 3000; ++round) {
    std::string text;
    for (int n = random() % 24; n > 0; --n) text += pieces[random() % pieces.size()];
    NormalText out;
    TheNormalizer().Normalize(text, &out);
    ASSERT_EQ(out.words.size(), out.units.size());
    ASSERT_GE(out.words.size(), 1u);
    EXPECT_EQ(out.words.front(), ' ');
    EXPECT_EQ(out.words.back(), ' ');
    const auto border = [&](uint32_t at) {
      return at == text.size() || (static_cast<uint8_t>(text[at]) & 0xC0) != 0x80 || text[at] == '\x80';
    };
    for (const Unit& u : out.units) {
      ASSERT_LE(u.begin, u.end) << text;
      ASSERT_LE(u.end, text.size()) << text;
      EXPECT_TRUE(border(u.begin) && border(u.end)) << text << " " << u.begin << " " << u.end;
    }
  }
}

}  // namespace
}  // namespace parvis::moderation
