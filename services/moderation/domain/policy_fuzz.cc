// Whatever the bytes: reading and compiling a policy ends with a policy or with errors that say where.
#include <cstdlib>

#include "moderation/domain/compiled_policy.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace parvis::moderation;  // NOLINT: one function
  static const auto* const normalizer = new Normalizer;
  PolicyLimits limits;
  limits.source_bytes = 16 << 10;
  limits.regex_memory_bytes = 1 << 16;
  const auto policy = CompiledPolicy::FromYaml(std::string_view(reinterpret_cast<const char*>(data), size), limits,
                                               *normalizer, "source");
  if (policy.ok()) return *policy == nullptr ? abort(), 0 : 0;
  const parvis::Error error = parvis::ToError(policy.status());
  if (error.violations.empty() || error.violations.size() > limits.problems) abort();
  for (const auto& v : error.violations) {
    if (v.reason.empty() || v.description.rfind("line ", 0) != 0) abort();
  }
  return 0;
}
