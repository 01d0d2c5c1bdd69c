// Any bytes in the topics of activities and assessments: what is taken has its ids and a kind that this version knows, and
// assessing it ends; all else is refused with a reason. The envelope's headers may be any bytes, too.
#include <cstdint>
#include <cstdlib>

#include "moderation/bus/codec.h"
#include "moderation/domain/assess.h"
#include "platform/base/ids.h"
#include "platform/bus/envelope.h"

namespace {

void CheckRefusal(const parvis::Status& status) {
  if (status.code() != parvis::Code::kInvalidArgument || parvis::ReasonOf(status).empty()) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace parvis;              // NOLINT: one function
  using namespace parvis::moderation;  // NOLINT
  static const auto* const normalizer = new Normalizer;
  static const auto* const policy = new std::shared_ptr<const CompiledPolicy>(*CompiledPolicy::FromYaml(
      "version: 1\nrules: [{name: a, if: {text: {words: [idiot]}}, action: hide}]", PolicyLimits{}, *normalizer, "source"));
  static auto* const assessor = new Assessor(*normalizer);
  const std::string bytes(reinterpret_cast<const char*>(data), size);

  StreamRecord record;
  record.payload = bytes;
  record.headers = {{"ce_time", bytes.substr(0, 40)}, {"traceparent", bytes.substr(size / 2, 60)}, {"ce_id", bytes.substr(0, 20)}};
  (void)bus::ReadEnvelope(record);
  const auto assessed = ReadAssessed(record);
  if (assessed.ok()) {
    if (!IsUuid(assessed->workspace_id) || assessed->remote_id.empty()) std::abort();
  } else {
    CheckRefusal(assessed.status());
  }

  moderation::v1::Assessment assessment;
  ingestion::v1::Activity* const activity = assessment.mutable_activity();
  if (!activity->ParseFromString(bytes)) return 0;
  if (const Status status = CheckActivity(*activity); !status.ok()) {
    CheckRefusal(status);
    return 0;
  }
  Fill(assessor->Assess(ToSubject(*activity), **policy), &assessment);
  if (!assessment.has_activity() || assessment.action() == moderation::v1::ACTION_UNSPECIFIED) std::abort();
  return 0;
}
