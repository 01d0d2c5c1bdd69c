#include "moderation/domain/lexicon.h"

#include <vector>

#include <cld2/public/compact_lang_det.h>

namespace parvis::moderation {
namespace {

constexpr std::string_view kFrenchWords[] = {
    "je",       "j ai",    "c est",      "n est", "qu il", "nous", "vous",    "est",    "sont",   "avec",
    "pour",     "pas",     "mais",       "dans",  "une",   "des",  "du",      "mon",    "votre",  "notre",
    "vos",      "bonjour", "bonsoir",    "merci", "svp",   "avez", "suis",    "aussi",  "jamais", "toujours",
    "pourquoi", "quand",   "combien",    "cette", "ça",    "elle", "ils",     "moi",    "toi",    "chez",
    "depuis",   "après",   "avant",      "être",  "avoir", "fait", "sans",    "trop",   "encore", "déjà",
    "quel",     "quelle",  "est ce que", "d un",  "d une", "s il", "j adore", "j aime", "leur",   "mes",
    "ses",      "ces",     "où",         "puis",  "donc",  "rien", "tous",    "toute"};

constexpr std::string_view kEnglishWords[] = {
    "the",    "you",    "your",  "this",  "that",  "with",   "are",    "not",   "and",     "they",   "what",  "when",
    "where",  "why",    "how",   "my",    "does",  "please", "thanks", "thank", "hello",   "never",  "very",  "it s",
    "don t",  "i m",    "i ve",  "can t", "has",   "our",    "there",  "which", "would",   "should", "could", "from",
    "just",   "been",   "still", "about", "these", "their",  "who",    "any",   "doesn t", "didn t", "won t", "isn t",
    "you re", "that s", "love",  "great", "its",   "his",    "her",    "him",   "she"};

constexpr std::string_view kAskWords[] = {"est ce que",
                                          "est ce qu",
                                          "comment",
                                          "pourquoi",
                                          "combien",
                                          "quand",
                                          "quel",
                                          "quelle",
                                          "quels",
                                          "quelles",
                                          "où est",
                                          "où sont",
                                          "où puis",
                                          "où peut",
                                          "où trouver",
                                          "y a t il",
                                          "avez vous",
                                          "pouvez vous",
                                          "peut on",
                                          "puis je",
                                          "savez vous",
                                          "quelqu un sait",
                                          "serait il possible",
                                          "how",
                                          "what time",
                                          "what is",
                                          "what s",
                                          "what are",
                                          "when",
                                          "where",
                                          "why",
                                          "which",
                                          "who",
                                          "can i",
                                          "can you",
                                          "can we",
                                          "could you",
                                          "do you",
                                          "does it",
                                          "does the",
                                          "is it",
                                          "is there",
                                          "are there",
                                          "are you",
                                          "will it",
                                          "will you",
                                          "would it",
                                          "any idea",
                                          "anyone know",
                                          "how much",
                                          "how long"};

constexpr std::string_view kComplainWords[] = {"arnaque*",
                                               "escroc*",
                                               "remboursement",
                                               "remboursez",
                                               "rembourser",
                                               "remboursé*",
                                               "inadmissible",
                                               "inacceptable",
                                               "scandaleux",
                                               "scandale",
                                               "honteux",
                                               "une honte",
                                               "lamentable",
                                               "déplorable",
                                               "catastrophique",
                                               "pas reçu",
                                               "jamais reçu",
                                               "rien reçu",
                                               "toujours rien",
                                               "ne marche pas",
                                               "ne marche plus",
                                               "ne fonctionne pas",
                                               "ne fonctionne plus",
                                               "marche pas",
                                               "fonctionne pas",
                                               "en panne",
                                               "très déçu",
                                               "très déçue",
                                               "déçu",
                                               "déçue",
                                               "déçus",
                                               "réclamation",
                                               "plainte",
                                               "porter plainte",
                                               "service client injoignable",
                                               "injoignable",
                                               "aucune réponse",
                                               "pas de réponse",
                                               "sans réponse",
                                               "mécontent*",
                                               "insatisfait*",
                                               "publicité mensongère",
                                               "défectueux",
                                               "défectueuse",
                                               "refund",
                                               "my money back",
                                               "money back",
                                               "scam",
                                               "scammed",
                                               "scammers",
                                               "rip off",
                                               "ripoff",
                                               "unacceptable",
                                               "disgrace*",
                                               "never arrived",
                                               "never received",
                                               "not received",
                                               "haven t received",
                                               "didn t receive",
                                               "still waiting",
                                               "doesn t work",
                                               "does not work",
                                               "not working",
                                               "stopped working",
                                               "won t work",
                                               "doesn t even work",
                                               "broken",
                                               "disappointed",
                                               "disappointing",
                                               "terrible service",
                                               "worst",
                                               "horrible service",
                                               "customer service is",
                                               "no reply",
                                               "no answer",
                                               "nobody answers",
                                               "no one answers",
                                               "complaint",
                                               "complain",
                                               "complaining",
                                               "faulty",
                                               "defective",
                                               "false advertising",
                                               "never again",
                                               "plus jamais",
                                               "waste of money",
                                               "awful",
                                               "médiateur",
                                               "ombudsman",
                                               "je résilie",
                                               "i am cancelling",
                                               "i m cancelling",
                                               "honteuse",
                                               "honteuses",
                                               "shameful",
                                               "insupportable",
                                               "unbearable",
                                               "facturé deux fois",
                                               "débité deux fois",
                                               "charged twice",
                                               "compensation",
                                               "dédommagement",
                                               "un geste commercial",
                                               "raccroché au nez",
                                               "hung up on me",
                                               "n arrive pas",
                                               "n est jamais arrivé",
                                               "n est jamais arrivée",
                                               "never arrives",
                                               "never came",
                                               "jamais passé",
                                               "ne répond plus",
                                               "personne ne répond",
                                               "nobody picks up",
                                               "without an answer",
                                               "still nothing",
                                               "j attends un geste"};

constexpr std::string_view kGrumbleWords[] = {
    "retard",     "en retard",   "attends",    "j attends",     "attente",    "semaines",  "cassé",       "cassée",
    "abîmé",      "abîmée",      "nul",        "nulle",         "mauvais",    "mauvaise",  "pire",        "dommage",
    "problème",   "problèmes",   "énervé*",    "marre",         "ras le bol", "cher",      "trop cher",   "franchement",
    "bug",        "bugs",        "late",       "delayed",       "delay",      "weeks",     "waiting",     "poor",
    "bad",        "useless",     "problem",    "problems",      "issue",      "issues",    "crash*",      "annoying",
    "angry",      "fed up",      "overpriced", "too expensive", "damaged",    "missing",   "wrong",       "stuck",
    "rude",       "désagréable", "refusé",     "refusée",       "refused",    "manque",    "bloqué",      "bloquée",
    "ridiculous", "pathetic",    "joke",       "shame",         "unhappy",    "not happy", "pas content*"};

constexpr std::string_view kThankWords[] = {"merci",  "mercii*",          "remercie", "remercions", "remerciements",
                                            "thanks", "thank you",        "thank u",  "thx",        "ty",
                                            "cheers", "much appreciated", "grateful", "🙏"};

constexpr std::string_view kPraiseWords[] = {"bravo",
                                             "félicitations",
                                             "génial",
                                             "géniale",
                                             "super",
                                             "parfait",
                                             "parfaite",
                                             "excellent",
                                             "excellente",
                                             "magnifique",
                                             "j adore",
                                             "on adore",
                                             "trop bien",
                                             "au top",
                                             "top",
                                             "merveilleux",
                                             "formidable",
                                             "incroyable",
                                             "meilleur",
                                             "meilleure",
                                             "love it",
                                             "love this",
                                             "i love",
                                             "we love",
                                             "great",
                                             "awesome",
                                             "amazing",
                                             "perfect",
                                             "fantastic",
                                             "brilliant",
                                             "well done",
                                             "congrats",
                                             "hats off",
                                             "chapeau",
                                             "ravi",
                                             "ravie",
                                             "ravis",
                                             "impeccable",
                                             "delighted",
                                             "lovely",
                                             "gorgeous",
                                             "so happy",
                                             "trop contente",
                                             "trop content",
                                             "congratulations",
                                             "good job",
                                             "great job",
                                             "best",
                                             "wonderful",
                                             "beautiful",
                                             "❤",
                                             "👏",
                                             "😍"};

template <size_t N>
void Add(const std::string_view (&words)[N], Clue clue, std::vector<LexiconEntry>* out) {
  for (std::string_view w : words) out->push_back({w, clue});
}

}  // namespace

std::span<const LexiconEntry> Lexicon() {
  static const auto* const entries = [] {
    auto* out = new std::vector<LexiconEntry>;
    Add(kFrenchWords, Clue::kFrench, out);
    Add(kEnglishWords, Clue::kEnglish, out);
    Add(kAskWords, Clue::kAsks, out);
    Add(kComplainWords, Clue::kComplains, out);
    Add(kGrumbleWords, Clue::kGrumbles, out);
    Add(kThankWords, Clue::kThanks, out);
    Add(kPraiseWords, Clue::kPraises, out);
    return out;
  }();
  return *entries;
}

Intent TellIntent(const Clues& clues, std::string_view text) {
  if (clues[Clue::kComplains] > 0 || clues[Clue::kGrumbles] > 1) return Intent::kComplaint;
  const bool mark = text.find('?') != std::string_view::npos || text.find("\xEF\xBC\x9F") != std::string_view::npos;
  const bool grateful = clues[Clue::kThanks] + clues[Clue::kPraises] > 0;
  if (mark) return Intent::kQuestion;
  if (clues[Clue::kAsks] > 0 && !grateful) return Intent::kQuestion;
  if (grateful && clues[Clue::kGrumbles] == 0) return Intent::kThanks;
  return Intent::kOther;
}

std::string TellLanguage(const Clues& clues, std::string_view text, uint32_t letters) {
  const int french = clues[Clue::kFrench], english = clues[Clue::kEnglish];
  if (french >= 2 && english == 0) return "fr";
  if (english >= 2 && french == 0) return "en";
  if (french >= 3 && french >= 3 * english) return "fr";
  if (english >= 3 && english >= 3 * french) return "en";
  if (letters >= 12) {
    CLD2::Language top[3];
    int percent[3], bytes = 0;
    double score[3];
    bool reliable = false;
    const CLD2::CLDHints hints = {nullptr, nullptr, 0, CLD2::UNKNOWN_LANGUAGE};
    // The checked entry: the other one reads out of bounds where the text is not UTF-8.
    int valid = 0;
    CLD2::ExtDetectLanguageSummaryCheckUTF8(text.data(), static_cast<int>(text.size()), /*is_plain_text=*/true, &hints, 0,
                                            top, percent, score, nullptr, &bytes, &reliable, &valid);
    if (valid < static_cast<int>(text.size())) reliable = false;
    if (reliable && top[0] != CLD2::UNKNOWN_LANGUAGE) {
      const std::string code = CLD2::LanguageCode(top[0]);
      if (code.size() >= 2 && code != "un") return code.substr(0, code.find('-'));
    }
  }
  if (french > english) return "fr";
  if (english > french) return "en";
  return "und";
}

}  // namespace parvis::moderation
