// Answers of a network that is not what it says it is: the classifiers take any status and any body.
#include "networks/discourse/discourse.h"
#include "networks/facebook/facebook.h"
#include "networks/ghost/ghost.h"
#include "networks/linkedin/linkedin.h"
#include "networks/linkedin/linkedin_text.h"
#include "networks/mastodon/mastodon.h"
#include "networks/nodebb/nodebb.h"
#include "networks/wordpress/wordpress.h"
#include "networks/x/x.h"

using namespace parvis;             // NOLINT: a program, not a header
using namespace parvis::networks;   // NOLINT

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 2) return 0;
  Answer answer;
  answer.http.sent = net::Sent::kAnswered;
  answer.http.http_status = 100 + (data[0] * 256 + data[1]) % 500;
  answer.http.body = std::string(reinterpret_cast<const char*>(data) + 2, size - 2);
  answer.json = ParseJson(answer.http.body);
  const Account account;
  for (const auto classify : {&ClassifyFacebook, &ClassifyX, &ClassifyWordPress, &ClassifyDiscourse, &ClassifyLinkedIn, &ClassifyNodeBb, &ClassifyMastodon,
                              &ClassifyGhost}) {
    answer.refusal = classify(answer.http, answer.json);
    if (answer.refusal.error != ErrorClass::kNone) {
      (void)FailedWrite(answer, account);
      (void)FailedRead(answer, account);
    }
  }
  (void)FacebookRate({{"X-Business-Use-Case-Usage", answer.http.body}, {"X-App-Usage", answer.http.body}}, "1");
  (void)XRate({{"x-rate-limit-reset", answer.http.body}}, absl::UnixEpoch());
  (void)DiscourseRate(answer.http, answer.json);
  (void)NodeBbRate(answer.http, answer.json);
  (void)MastodonRate({{"X-RateLimit-Reset", answer.http.body}}, absl::UnixEpoch());
  (void)LinkParameter({{"Link", answer.http.body}}, "prev", "min_id");
  (void)MastodonText(answer.json);
  (void)FromLittleText(ToLittleText(answer.http.body));
  (void)GhostToken(answer.http.body, absl::UnixEpoch());
  (void)ParseIsoTime(answer.http.body);
  return 0;
}
