#include "gateway/transport/codec.h"

#include <gtest/gtest.h>

#include "gateway/transport/json_check.h"
#include "parvis/platform/rpctest/v1/echo_service.pb.h"

namespace parvis::gateway {
namespace {

using rpctest::v1::EchoRequest;
using rpctest::v1::EchoResponse;

StatusOr<EchoRequest> Decode(std::string_view json, DecodeLimits limits = {}) {
  PARVIS_ASSIGN_OR_RETURN(std::string wire, DecodeRequest(Encoding::kJson, json, *EchoRequest::descriptor(), limits));
  EchoRequest request;
  EXPECT_TRUE(request.ParseFromString(wire));
  return request;
}

TEST(ContentTypeTest, KnownOnesInAnyCase) {
  EXPECT_EQ(ParseContentType("application/json")->ContentType(), "application/json");
  EXPECT_EQ(ParseContentType("Application/JSON; Charset=UTF-8")->ContentType(), "application/json");
  EXPECT_EQ(ParseContentType("application/proto")->ContentType(), "application/proto");
  EXPECT_EQ(ParseContentType("application/connect+json")->ContentType(), "application/connect+json");
  EXPECT_EQ(ParseContentType("application/connect+proto")->ContentType(), "application/connect+proto");
  for (const char* other :
       {"", "text/plain", "application/json; charset=latin-1", "application/grpc", "application/jsonx"}) {
    EXPECT_FALSE(ParseContentType(other)) << other;
  }
}

TEST(CodecTest, JsonBothWays) {
  const auto request =
      Decode(R"({"text":"né 🙂","bigNumber":"9007199254740993","kind":"KIND_LOUD","blob":"AQI=","names":["a"]})");
  ASSERT_TRUE(request.ok()) << request.status();
  EXPECT_EQ(request->text(), "né 🙂");
  EXPECT_EQ(request->big_number(), 9007199254740993);
  EXPECT_EQ(request->kind(), EchoRequest::KIND_LOUD);
  EXPECT_EQ(request->blob(), "\x01\x02");
  EchoResponse response;
  response.set_big_number(9007199254740993);
  response.set_kind(EchoRequest::KIND_LOUD);
  const auto json = EncodeResponse(Encoding::kJson, response.SerializeAsString(), *EchoResponse::descriptor());
  ASSERT_TRUE(json.ok());
  EXPECT_EQ(*json,
            R"({"text":"","workspace":"","member":"","service":"","traceId":"","remainingMillis":"0","sequence":"0",)"
            R"("kind":"KIND_LOUD","bigNumber":"9007199254740993"})");
}

TEST(CodecTest, AnEmptyBodyIsAnEmptyMessage) {
  EXPECT_TRUE(Decode("").ok());
  EXPECT_TRUE(Decode(" \n").ok());
  EXPECT_TRUE(Decode("{}").ok());
}

TEST(CodecTest, WrongFieldsAreNamed) {
  const auto field = [](std::string_view json) {
    const Error error = ToError(Decode(json).status());
    EXPECT_EQ(error.code, Code::kInvalidArgument) << json;
    return error.violations.empty()
               ? error.reason
               : error.reason + " " + error.violations[0].field + " " + error.violations[0].description;
  };
  EXPECT_EQ(field(R"({"noSuch":1})"), "UNKNOWN_FIELD noSuch is not a field of this request");
  EXPECT_EQ(field(R"({"thing":{"inside":{"nope":1}}})"),
            "UNKNOWN_FIELD thing.inside.nope is not a field of this request");
  EXPECT_EQ(field(R"({"bigNumber":"abc"})"), "WRONG_VALUE big_number must be a whole number of 64 bits, not \"abc\"");
  EXPECT_EQ(field(R"({"bigNumber":{}})"), "WRONG_VALUE big_number must not be an object");
  EXPECT_EQ(field(R"({"kind":"KIND_X"})"),
            "WRONG_VALUE kind must be a parvis.rpctest.v1.EchoRequest.Kind, not \"KIND_X\"");
  EXPECT_EQ(field(R"({"text":5})"), "WRONG_VALUE text must be a string, not 5");
  EXPECT_EQ(field(R"({"names":["a",{}]})"), "WRONG_VALUE names must not be an object");
  EXPECT_EQ(field(R"({"thing":[1]})"), "WRONG_VALUE thing must not be a list");
  EXPECT_EQ(field(R"({"count":1.5})"), "WRONG_VALUE count must be a whole number of 32 bits, not 1.5");
  EXPECT_EQ(field(R"({"blob":"***"})"), "WRONG_VALUE blob must be bytes in base64, not \"***\"");
}

TEST(CodecTest, WhatIsNotJson) {
  for (const char* bad : {"[]",
                          "\"x\"",
                          "{",
                          "{\"text\":",
                          "{\"text\":\"a\",}",
                          "{text:\"a\"}",
                          "{'text':'a'}",
                          "{\"text\":\"a\"} x",
                          "{\"text\":\"a\" \"b\"}",
                          "{\"count\":01}",
                          "{\"count\":1.}",
                          "{\"count\":-}",
                          "{\"text\":\"\\x\"}",
                          "{\"text\":\"\\u12g4\"}",
                          "{\"text\":\"a\nb\"}",
                          "{\"text\":tru}",
                          "{\"text\":\"a}",
                          "nul",
                          "{]",
                          "[}",
                          "{,}",
                          "{\"text\":\"\\ud800\"}"}) {
    EXPECT_EQ(ReasonOf(Decode(bad).status()), "NOT_JSON") << bad;
  }
  EXPECT_NE(ToError(Decode("{\"a\" 1}").status()).message.find("at byte 5"), std::string::npos);
}

TEST(CodecTest, NotUtf8TooDeepTooLarge) {
  EXPECT_EQ(ReasonOf(Decode("{\"text\":\"\xff\"}").status()), "NOT_UTF8");
  EXPECT_EQ(ReasonOf(Decode("{\"text\":\"\xed\xa0\x80\"}").status()), "NOT_UTF8");
  std::string deep;
  for (int i = 0; i < 100000; ++i) deep += "{\"thing\":";
  EXPECT_EQ(ReasonOf(Decode(deep).status()), "TOO_DEEP");
  EXPECT_EQ(ReasonOf(Decode(std::string(101, ' '), {.message_max_bytes = 100}).status()), "MESSAGE_TOO_LARGE");
  EXPECT_TRUE(Decode(R"({"thing":{"inside":{}}})", {.json_depth_max = 3}).ok());
  EXPECT_EQ(ReasonOf(Decode(R"({"thing":{"inside":{"inside":{}}}})", {.json_depth_max = 3}).status()), "TOO_DEEP");
}

TEST(CodecTest, NulIsTextLikeAnyOther) {
  const auto request = Decode(R"({"text":"a\u0000b"})");
  ASSERT_TRUE(request.ok());
  EXPECT_EQ(request->text(), std::string("a\0b", 3));
}

TEST(CodecTest, BinaryIsChecked) {
  EchoRequest request;
  request.set_text("x");
  EXPECT_EQ(*DecodeRequest(Encoding::kProto, request.SerializeAsString(), *EchoRequest::descriptor(), {}),
            request.SerializeAsString());
  EXPECT_EQ(ReasonOf(DecodeRequest(Encoding::kProto, "\xff\xff", *EchoRequest::descriptor(), {}).status()),
            "NOT_PROTO");
  EXPECT_EQ(ReasonOf(EncodeResponse(Encoding::kJson, "\xff\xff", *EchoResponse::descriptor()).status()),
            "BAD_RESPONSE");
}

TEST(JsonErrorTest, AnythingElseIsStillAnError) {
  for (const char* complaint : {"", "(", "()", "(a", "x", ": ", ": y", "(a): ", "Cannot find field."}) {
    EXPECT_EQ(JsonError(complaint).code(), Code::kInvalidArgument) << complaint;
  }
}

}  // namespace
}  // namespace parvis::gateway
