#include "gateway/transport/envelope.h"

#include <gtest/gtest.h>

namespace parvis::gateway {
namespace {

TEST(EnvelopeTest, RoundTrip) {
  EXPECT_EQ(MakeEnvelope(0, "ab"), std::string("\0\0\0\0\2ab", 7));
  EXPECT_EQ(MakeEnvelope(kEnvelopeEndStream, ""), std::string("\2\0\0\0\0", 5));
  EXPECT_EQ(*ReadOneEnvelope(MakeEnvelope(0, "ab"), 10), "ab");
  const std::string large(70000, 'x');
  EXPECT_EQ(*ReadOneEnvelope(MakeEnvelope(0, large), 100000), large);
}

TEST(EnvelopeTest, Refusals) {
  const auto reason = [](std::string_view body) { return ReasonOf(ReadOneEnvelope(body, 10).status()); };
  EXPECT_EQ(reason(""), "ENVELOPE_MISSING");
  EXPECT_EQ(reason(std::string_view("\0\0\0", 3)), "ENVELOPE_TRUNCATED");
  EXPECT_EQ(reason(MakeEnvelope(0, "abc").substr(0, 6)), "ENVELOPE_TRUNCATED");
  EXPECT_EQ(reason(MakeEnvelope(0, "abc") + "x"), "ENVELOPE_EXTRA");
  EXPECT_EQ(reason(MakeEnvelope(0, "a") + MakeEnvelope(0, "b")), "ENVELOPE_EXTRA");
  EXPECT_EQ(reason(MakeEnvelope(kEnvelopeEndStream, "a")), "ENVELOPE_FLAGS");
  EXPECT_EQ(reason(MakeEnvelope(kEnvelopeCompressed, "a")), "COMPRESSION");
  EXPECT_EQ(reason(MakeEnvelope(0, "12345678901")), "MESSAGE_TOO_LARGE");
  EXPECT_EQ(reason(std::string_view("\0\xff\xff\xff\xff", 5)), "MESSAGE_TOO_LARGE");
}

}  // namespace
}  // namespace parvis::gateway
