// parvis-assess-bench: texts a second of the assessment with the starter policy ("ours") and with the empty policy
// ("against"), on one thread.
#include <cstdio>
#include <fstream>
#include <iterator>

#include "moderation/domain/assess.h"
#include "platform/testing/bench.h"

namespace parvis::moderation {
namespace {

constexpr std::string_view kTexts[] = {
    "Bonjour, où puis-je trouver cette lampe ? Je la cherche depuis des semaines.",
    "Thank you so much, it arrived today and it looks wonderful in the kitchen!",
    "Commande 4512 toujours pas reçue, je suis très déçu de votre service client.",
    "y0u are all 1d1ots, look at https://cheap.example/offer right now",
    "Magnifique 😍😍 bravo à toute l'équipe",
    "Does it come with a dimmer, and is the shade washable?",
};
constexpr absl::Duration kSlice = absl::Milliseconds(400);

class Bench {
 public:
  Bench() {
    std::ifstream file("services/moderation/policies/starter.yaml");
    const std::string source{std::istreambuf_iterator<char>(file), {}};
    auto compiled = CompiledPolicy::FromYaml(source, PolicyLimits{}, normalizer_, "source");
    if (!compiled.ok()) std::fprintf(stderr, "%s\n", ToError(compiled.status()).message.c_str());
    starter_ = compiled.ok() ? *compiled : empty_;
  }

  double Slice(bool ours) {
    const CompiledPolicy& policy = ours ? *starter_ : *empty_;
    const Instant begin = clock_.Now();
    int64_t texts = 0;
    absl::Duration took;
    do {
      for (const std::string_view text : kTexts) {
        assessor_.Assess({.text = text, .network = "facebook", .channel_id = "c", .author_id = "a", .author_handle = "h"}, policy);
        ++texts;
      }
      took = clock_.Now() - begin;
    } while (took < kSlice);
    return static_cast<double>(texts) / absl::ToDoubleSeconds(took);
  }

 private:
  RealClock clock_;
  Normalizer normalizer_;
  Assessor assessor_{normalizer_};
  std::shared_ptr<const CompiledPolicy> empty_ = CompiledPolicy::Empty(normalizer_);
  std::shared_ptr<const CompiledPolicy> starter_;
};

}  // namespace
}  // namespace parvis::moderation

int main() {
  parvis::moderation::Bench bench;
  return parvis::testing::ServeBench({{"ours", [&] { return bench.Slice(true); }},
                                      {"against", [&] { return bench.Slice(false); }}});
}
