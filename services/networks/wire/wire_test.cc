#include <gtest/gtest.h>

#include <fstream>
#include <map>

#include "networks/facebook/facebook.h"
#include "networks/wire/answer.h"
#include "networks/wire/check.h"
#include "networks/wire/request.h"
#include "networks/wire/signature.h"
#include "networks/wordpress/wordpress.h"
#include "networks/x/x.h"

namespace parvis::networks {
namespace {

Json Vectors() {
  std::ifstream in("services/networks/testdata/signatures.json");
  return Json::parse(in)["cases"];
}

std::string FromHex(const std::string& hex) {
  std::string out;
  for (size_t i = 0; i + 1 < hex.size(); i += 2)
    out.push_back(static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16)));
  return out;
}

TEST(Signature, AgreesWithTheVectors) {
  int checked = 0;
  for (const Json& test : Vectors()) {
    const std::string what = test["what"];
    if (what == "HMAC-SHA-256") {
      const std::string key = test.contains("key") ? test["key"].get<std::string>() : FromHex(test["key_hex"]);
      EXPECT_EQ(ToHex(HmacSha256(key, test["message"].get<std::string>())), test["hex"]);
    } else if (what == "CRC response") {
      EXPECT_EQ("sha256=" + ToBase64(HmacSha256(test["secret"].get<std::string>(), test["message"].get<std::string>())),
                test["response_json"]["response_token"]);
    } else if (what == "appsecret_proof") {
      EXPECT_EQ(ToHex(HmacSha256(test["app_secret"].get<std::string>(), test["access_token"].get<std::string>())),
                test["appsecret_proof"]);
    } else if (test.contains("body_utf8")) {
      const Encoding encoding = test["network"] == "x" ? Encoding::kBase64 : Encoding::kHex;
      const std::vector<Secret> secrets = {Secret("another"), Secret(test["secret"].get<std::string>())};
      const std::string body = test["body_utf8"], header = test["header"];
      EXPECT_TRUE(CheckSha256Signature(header, encoding, body, secrets).ok()) << what;
      EXPECT_EQ(ReasonOf(CheckSha256Signature(header, encoding, body + " ", secrets)), "SIGNATURE_WRONG") << what;
      EXPECT_EQ(ReasonOf(CheckSha256Signature(header, encoding, body, {Secret("another")})), "SIGNATURE_WRONG") << what;
      if (test.contains("negative")) {
        for (const auto& [why, wrong] : test["negative"].items()) {
          EXPECT_EQ(ReasonOf(CheckSha256Signature(wrong.get<std::string>(), encoding, body, secrets)),
                    "SIGNATURE_WRONG")
              << why;
        }
      }
    } else {
      continue;
    }
    ++checked;
  }
  EXPECT_GE(checked, 7);
}

TEST(Signature, NeedsAHeaderAndASecret) {
  EXPECT_EQ(ReasonOf(CheckSha256Signature("", Encoding::kHex, "x", {Secret("s")})), "SIGNATURE_MISSING");
  // RFC 4231 §4.7: a key longer than a block.
  EXPECT_EQ(ToHex(HmacSha256(std::string(131, '\xaa'), "Test Using Larger Than Block-Size Key - Hash Key First")),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
  const std::string by_empty_key = "sha256=" + ToHex(HmacSha256("", "x"));
  EXPECT_EQ(ReasonOf(CheckSha256Signature(by_empty_key, Encoding::kHex, "x", {Secret("")})), "SIGNATURE_MISSING");
  EXPECT_EQ(ReasonOf(CheckSha256Signature(by_empty_key, Encoding::kHex, "x", {Secret(""), Secret("s")})),
            "SIGNATURE_WRONG");
  const std::string right = ToHex(HmacSha256("s", "x"));
  EXPECT_EQ(ReasonOf(CheckSha256Signature(right, Encoding::kHex, "x", {Secret("s")})), "SIGNATURE_WRONG");
  EXPECT_EQ(ReasonOf(CheckSha256Signature("sha1=" + right, Encoding::kHex, "x", {Secret("s")})), "SIGNATURE_WRONG");
  EXPECT_EQ(ReasonOf(CheckSha256Signature("sha256=" + right.substr(1), Encoding::kHex, "x", {Secret("s")})),
            "SIGNATURE_WRONG");
}

struct ErrorCase {
  int status;
  const char* body;
  ErrorClass error;
};

template <class Classify>
void CheckTable(const std::vector<ErrorCase>& cases, Classify classify) {
  for (const ErrorCase& test : cases) {
    net::ClientResult http;
    http.sent = net::Sent::kAnswered;
    http.http_status = test.status;
    http.body = test.body;
    EXPECT_EQ(ReasonName(classify(http, ParseJson(http.body)).error), std::string(ReasonName(test.error)))
        << test.status << " " << test.body;
  }
}

TEST(Errors, OfFacebook) {
  CheckTable({{200, R"({"id":"1"})", ErrorClass::kNone},
              {400, R"({"error":{"code":190,"error_subcode":463,"message":"expired"}})", ErrorClass::kTokenExpired},
              {400, R"({"error":{"code":190,"error_subcode":460}})", ErrorClass::kTokenExpired},
              {400, R"({"error":{"code":190}})", ErrorClass::kTokenExpired},
              {401, R"({"error":{"code":102,"error_subcode":467}})", ErrorClass::kTokenExpired},
              {400, R"({"error":{"code":10}})", ErrorClass::kPermission},
              {403, R"({"error":{"code":200}})", ErrorClass::kPermission},
              {403, R"({"error":{"code":299}})", ErrorClass::kPermission},
              {400, R"({"error":{"code":4}})", ErrorClass::kRateLimited},
              {400, R"({"error":{"code":17}})", ErrorClass::kRateLimited},
              {400, R"({"error":{"code":32}})", ErrorClass::kRateLimited},
              {400, R"({"error":{"code":613}})", ErrorClass::kRateLimited},
              {400, R"({"error":{"code":80001,"error_subcode":2446079}})", ErrorClass::kRateLimited},
              {400, R"({"error":{"code":506}})", ErrorClass::kDuplicate},
              {400, R"({"error":{"code":1,"error_subcode":1366051}})", ErrorClass::kDuplicate},
              {400, R"({"error":{"code":1,"error_subcode":1390008}})", ErrorClass::kRateLimited},
              {400, R"({"error":{"code":1,"error_subcode":1366046}})", ErrorClass::kInvalid},
              {400, R"({"error":{"code":100,"error_subcode":33}})", ErrorClass::kNotFound},
              {404, R"({"error":{"code":803}})", ErrorClass::kNotFound},
              {400, R"({"error":{"code":100}})", ErrorClass::kInvalid},
              {500, R"({"error":{"code":1}})", ErrorClass::kTransient},
              {500, R"({"error":{"code":2}})", ErrorClass::kTransient},
              {400, R"({"error":{"code":12345,"is_transient":true}})", ErrorClass::kTransient},
              {200, R"({"error":{"code":190}})", ErrorClass::kTokenExpired},
              {503, "<html>", ErrorClass::kTransient},
              {429, "", ErrorClass::kRateLimited},
              {404, "", ErrorClass::kNotFound},
              {302, "", ErrorClass::kInvalid},
              {400, R"({"error":"text"})", ErrorClass::kInvalid}},
             ClassifyFacebook);
}

TEST(Errors, OfX) {
  CheckTable(
      {{201, R"({"data":{"id":"1"}})", ErrorClass::kNone},
       {401, R"({"type":"about:blank","status":401})", ErrorClass::kTokenExpired},
       {403, R"({"type":"https://api.x.com/2/problems/client-forbidden","detail":"x"})", ErrorClass::kPermission},
       {403, R"({"type":"https://api.x.com/2/problems/not-authorized-for-resource"})", ErrorClass::kPermission},
       {403, R"({"type":"about:blank","detail":"You are not allowed to create a Tweet with duplicate content."})",
        ErrorClass::kDuplicate},
       {403, R"({"errors":[{"code":187,"message":"Status is a duplicate."}]})", ErrorClass::kDuplicate},
       {403, R"({"type":"about:blank","detail":"no"})", ErrorClass::kPermission},
       {429, R"({"errors":[{"code":88,"message":"Rate limit exceeded"}]})", ErrorClass::kRateLimited},
       {429, R"({"type":"https://api.x.com/2/problems/rate-limit-exceeded"})", ErrorClass::kRateLimited},
       {429, "", ErrorClass::kRateLimited},
       {429, R"({"type":"https://api.x.com/2/problems/usage-capped"})", ErrorClass::kPermission},
       {402, R"({"title":"CreditsDepleted"})", ErrorClass::kPermission},
       {404, "{}", ErrorClass::kNotFound},
       {200, R"({"errors":[{"type":"https://api.x.com/2/problems/resource-not-found"}]})", ErrorClass::kNotFound},
       {200, R"({"errors":[{"type":"https://api.x.com/2/problems/not-authorized-for-resource"}]})",
        ErrorClass::kPermission},
       {200, R"({"errors":[{"title":"x"}]})", ErrorClass::kNotFound},
       {200, R"({"data":[{"id":"1"}],"errors":[{"type":"https://api.x.com/2/problems/resource-not-found"}]})",
        ErrorClass::kNone},
       {400, R"({"type":"https://api.x.com/2/problems/invalid-request"})", ErrorClass::kInvalid},
       {500, "", ErrorClass::kTransient},
       {502, "<html>", ErrorClass::kTransient},
       {503, "", ErrorClass::kTransient},
       {504, "", ErrorClass::kTransient}},
      ClassifyX);
}

TEST(Errors, OfWordPress) {
  CheckTable({{201, R"({"id":1})", ErrorClass::kNone},
              {401, R"({"code":"incorrect_password"})", ErrorClass::kTokenExpired},
              {401, R"({"code":"rest_not_logged_in"})", ErrorClass::kTokenExpired},
              {401, R"({"code":"rest_cannot_create"})", ErrorClass::kTokenExpired},
              {401, R"({"code":"rest_forbidden_context"})", ErrorClass::kTokenExpired},
              {403, R"({"code":"rest_cannot_edit"})", ErrorClass::kPermission},
              {403, R"({"code":"rest_comment_closed"})", ErrorClass::kInvalid},
              {400, R"({"code":"comment_flood"})", ErrorClass::kRateLimited},
              {409, R"({"code":"comment_duplicate"})", ErrorClass::kDuplicate},
              {404, R"({"code":"rest_post_invalid_id"})", ErrorClass::kNotFound},
              {404, R"({"code":"rest_comment_invalid_id"})", ErrorClass::kNotFound},
              {410, R"({"code":"rest_already_trashed"})", ErrorClass::kNotFound},
              {400, R"({"code":"rest_comment_content_invalid"})", ErrorClass::kInvalid},
              {500, R"({"code":"internal_server_error"})", ErrorClass::kTransient},
              {503, "<html>maintenance", ErrorClass::kTransient}},
             ClassifyWordPress);
}

// Which end of a write may be tried again is decided here and nowhere else.
TEST(Errors, EndsOfAWrite) {
  Account account;
  account.credentials.fields["access_token"] = Secret("EAAB-secret");
  const auto answered = [](int status, ErrorClass error) {
    Answer answer;
    answer.http.sent = net::Sent::kAnswered;
    answer.http.http_status = status;
    answer.refusal = {error, "Malformed token EAAB-secret\nnext line"};
    return answer;
  };
  for (const ErrorClass error : {ErrorClass::kTokenExpired, ErrorClass::kPermission, ErrorClass::kRateLimited,
                                 ErrorClass::kDuplicate, ErrorClass::kNotFound, ErrorClass::kInvalid}) {
    const Outcome out = FailedWrite(answered(400, error), account);
    EXPECT_EQ(out.kind, OutcomeKind::kRefused);
    EXPECT_EQ(out.reason, ReasonName(error));
    EXPECT_EQ(out.message, "Malformed token *** next line");
  }
  EXPECT_EQ(FailedWrite(answered(504, ErrorClass::kTransient), account).kind, OutcomeKind::kUnknown);
  EXPECT_EQ(FailedWrite(answered(504, ErrorClass::kTransient), account).reason, "OUTCOME_UNKNOWN");
  EXPECT_EQ(FailedWrite(answered(504, ErrorClass::kTransient), account, false).kind, OutcomeKind::kNotSent);
  Answer lost;
  lost.http.sent = net::Sent::kMaybe;
  lost.http.status = MakeError(Code::kUnavailable, "CONNECTION_LOST", "lost");
  EXPECT_EQ(FailedWrite(lost, account).kind, OutcomeKind::kUnknown);
  EXPECT_EQ(FailedWrite(lost, account, false).kind, OutcomeKind::kNotSent);
  lost.http.sent = net::Sent::kNo;
  EXPECT_EQ(FailedWrite(lost, account).kind, OutcomeKind::kNotSent);
  EXPECT_EQ(FailedWrite(lost, account).reason, "CONNECT_FAILED");
  lost.http.status = MakeError(Code::kPermissionDenied, "ADDRESS_REFUSED", "private");
  EXPECT_EQ(FailedWrite(lost, account).kind, OutcomeKind::kRefused);
}

TEST(Errors, EndsOfARead) {
  const Account account;
  const auto reason = [&](ErrorClass error, Code code) {
    Answer answer;
    answer.http.sent = net::Sent::kAnswered;
    answer.refusal = {error, "why"};
    answer.rate.retry_after = absl::Seconds(7);
    const Status status = FailedRead(answer, account);
    EXPECT_EQ(status.code(), code);
    EXPECT_EQ(ToError(status).retry_after, absl::Seconds(7));
    return ReasonOf(status);
  };
  EXPECT_EQ(reason(ErrorClass::kTokenExpired, Code::kUnauthenticated), "TOKEN_EXPIRED");
  EXPECT_EQ(reason(ErrorClass::kPermission, Code::kPermissionDenied), "PERMISSION_DENIED");
  EXPECT_EQ(reason(ErrorClass::kRateLimited, Code::kResourceExhausted), "RATE_LIMITED");
  EXPECT_EQ(reason(ErrorClass::kNotFound, Code::kNotFound), "NOT_FOUND");
  EXPECT_EQ(reason(ErrorClass::kInvalid, Code::kFailedPrecondition), "REJECTED");
  EXPECT_EQ(reason(ErrorClass::kTransient, Code::kUnavailable), "TRANSIENT");
}

TEST(Errors, MessagesOfNetworksSteerNoTerminalAndTellNoSecret) {
  const Credentials credentials{{{"access_token", Secret("s3cret-token")}, {"username", Secret("anna")}}};
  const std::string message = SafeMessage(std::string_view("a\x1b[31m\0b\r\n\x7f.", 12), credentials);
  EXPECT_EQ(message.find_first_of(std::string_view("\x1b\0\r\n\x7f", 5)), std::string::npos) << message;
  EXPECT_EQ(SafeMessage("anna's s3cret-token is bad", credentials), "anna's *** is bad");
}

TEST(Rates, AreReadFromTheHeaders) {
  const RateState facebook = FacebookRate(
      {{"X-App-Usage", R"({"call_count":28,"total_time":25,"total_cputime":30})"},
       {"X-Business-Use-Case-Usage",
        R"({"7":[{"type":"pages","call_count":95,"total_cputime":1,"total_time":1,"estimated_time_to_regain_access":0}],
                                                "8":[{"call_count":100,"estimated_time_to_regain_access":90}]})"}},
      "7");
  EXPECT_EQ(facebook.limit, 100);
  EXPECT_EQ(facebook.remaining, 5);
  EXPECT_FALSE(facebook.retry_after.has_value());
  const RateState full = FacebookRate(
      {{"X-Business-Use-Case-Usage", R"({"7":[{"call_count":140,"estimated_time_to_regain_access":3}]})"}}, "7");
  EXPECT_EQ(full.remaining, 0);
  EXPECT_EQ(full.retry_after, absl::Minutes(3));
  EXPECT_FALSE(FacebookRate({{"X-App-Usage", "garbage"}}, "7").retry_after.has_value());

  const absl::Time now = absl::FromUnixSeconds(1'700'000'000);
  const RateState x = XRate(
      {{"x-rate-limit-limit", "100"}, {"x-rate-limit-remaining", "0"}, {"x-rate-limit-reset", "1700000900"}}, now);
  EXPECT_EQ(x.limit, 100);
  EXPECT_EQ(x.remaining, 0);
  EXPECT_EQ(x.reset_in, absl::Minutes(15));
  EXPECT_EQ(XRate({{"x-rate-limit-reset", "1600000000"}}, now).reset_in, absl::ZeroDuration());
  EXPECT_FALSE(XRate({{"x-rate-limit-remaining", "-1"}, {"x-rate-limit-reset", "soon"}}, now).remaining.has_value());
  EXPECT_EQ(XRate({{"Retry-After", "9"}}, now).retry_after, absl::Seconds(9));
}

TEST(Rates, OfSeveralAnswersTheTightestIsKept) {
  RateState rate;
  const auto said = [&](std::optional<int> remaining, std::optional<absl::Duration> retry_after = std::nullopt) {
    Answer answer;
    answer.rate.remaining = remaining;
    answer.rate.retry_after = retry_after;
    TakeRate(answer, &rate);
    return rate.remaining.value_or(-1);
  };
  EXPECT_EQ(said(7), 7);
  EXPECT_EQ(said(std::nullopt), 7) << "an answer that says nothing";
  EXPECT_EQ(said(9), 9) << "the latest";
  EXPECT_EQ(said(0), 0);
  EXPECT_EQ(said(9), 0) << "one of the budgets is used up";
  rate = {};
  EXPECT_EQ(said(5, absl::Seconds(3)), 5);
  EXPECT_EQ(said(9), 5);
}

TEST(Wire, TimesAreParsed) {
  const absl::Time time = absl::FromUnixSeconds(1'700'000'000);
  for (const char* text : {"2023-11-14T22:13:20+0000", "2023-11-14T22:13:20Z", "2023-11-14T22:13:20.000Z",
                           "2023-11-14T22:13:20", "2023-11-14T23:13:20+01:00", "2023-11-14T21:13:20-0100"}) {
    EXPECT_EQ(ParseIsoTime(text), time) << text;
  }
  for (const char* text : {"", "2023", "2023-11-14 22:13", "yesterday, some time ago", "2023-99-14T22:13:20Z"})
    EXPECT_FALSE(ParseIsoTime(text)) << text;
  EXPECT_EQ(FormatIsoTime(time), "2023-11-14T22:13:20Z");
  EXPECT_EQ(XPostTime("Tue Nov 14 22:13:20 +0000 2023", ""), time);
  EXPECT_EQ(XPostTime("2023-11-14T22:13:20.987Z", ""), time);
  // A real snowflake, whole seconds: 2018-10-10T20:19:24Z.
  EXPECT_EQ(XPostTime("", "1050118621198921728"), absl::FromUnixSeconds(1539202764));
  EXPECT_FALSE(XPostTime("", "20"));
  EXPECT_FALSE(XPostTime("", "12345678901x"));
}

// Also a matter of time: with a parser that looks back, this test would take an hour.
TEST(Wire, AMillionSmallValuesAreRefusedAndManyAreReadAtOnce) {
  std::string many = "[{}";
  for (int i = 0; i < 100'000; ++i) many += ",{}";
  EXPECT_EQ(ParseJson(many + "]").size(), 100'001u);
  for (int i = 0; i < 900'000; ++i) many += ",{}";
  EXPECT_TRUE(ParseJson(many + "]").is_discarded());
  EXPECT_EQ(Text(ParseJson(R"({"a":"\"[[[,,,{\\"})"), "a"), "\"[[[,,,{\\");
}

TEST(Wire, AStatusAloneTellsTheClass) {
  const std::map<int, ErrorClass> expected = {
      {200, ErrorClass::kNone},        {204, ErrorClass::kNone},      {304, ErrorClass::kInvalid},  {400, ErrorClass::kInvalid},
      {401, ErrorClass::kTokenExpired}, {403, ErrorClass::kPermission}, {404, ErrorClass::kNotFound}, {408, ErrorClass::kTransient},
      {410, ErrorClass::kNotFound},    {422, ErrorClass::kInvalid},   {429, ErrorClass::kRateLimited}, {503, ErrorClass::kTransient}};
  for (const auto& [status, error] : expected) EXPECT_EQ(ClassOfStatus(status), error) << status;
}

TEST(Wire, BaseAddressesLoseTheirSlashes) {
  Account account;
  for (const char* url : {"https://a.example/b", "https://a.example/b/", "https://a.example/b//"}) {
    account.base_url = url;
    EXPECT_EQ(BaseOf(account), "https://a.example/b");
  }
  account.base_url = "";
  EXPECT_EQ(BaseOf(account), "");
}

TEST(Wire, NumbersAreIdsOf64Bits) {
  EXPECT_TRUE(IsNumber("18446744073709551615"));
  for (const char* text : {"", "-1", "1.0", "1 ", "123456789012345678901", "٣"}) EXPECT_FALSE(IsNumber(text)) << text;
}

TEST(Wire, NoPartOfAFormContainsItsBoundary) {
  const auto boundary_of = [](FormData form) {
    net::ClientRequest request;
    form.MoveTo(&request);
    const std::string type = request.headers["Content-Type"];
    return std::pair(type.substr(type.find('=') + 1), request.body);
  };
  FormData form;
  form.AddField("a", "1");
  form.AddFile("files[]", "picture-1.png", "image/png", "bytes");
  const auto [boundary, body] = boundary_of(form);
  EXPECT_EQ(body, "--" + boundary + "\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n--" + boundary +
                      "\r\nContent-Disposition: form-data; name=\"files[]\"; filename=\"picture-1.png\"\r\n"
                      "Content-Type: image/png\r\n\r\nbytes\r\n--" + boundary + "--\r\n");
  form.AddField("hostile", "\r\n--" + boundary + "\r\nContent-Disposition: form-data; name=\"b\"\r\n\r\n2");
  const auto [other, longer] = boundary_of(form);
  size_t found = 0;
  for (size_t at = 0; (at = longer.find(other, at)) != std::string::npos; at += other.size()) ++found;
  EXPECT_EQ(found, 4u) << longer;   // three parts and the end
}

TEST(Wire, TitlesAreCheckedWhereTheyAreNeeded) {
  Capabilities capabilities;
  capabilities.needs_title = true;
  capabilities.title_max = 3;
  const auto reasons = [&](WriteKind kind, const std::string& title) {
    Draft draft;
    draft.title = title;
    std::vector<Violation> found;
    CheckTitle(kind, draft, capabilities, "a topic", &found);
    return found.empty() ? "" : found[0].reason;
  };
  EXPECT_EQ(reasons(WriteKind::kPost, "été"), "");
  EXPECT_EQ(reasons(WriteKind::kPost, " "), "TITLE_MISSING");
  EXPECT_EQ(reasons(WriteKind::kReply, ""), "");
  EXPECT_EQ(reasons(WriteKind::kReply, "étés"), "TITLE_TOO_LONG");
  EXPECT_EQ(reasons(WriteKind::kReply, "\xff"), "TEXT_NOT_UTF8");
}

TEST(Wire, JsonIsBounded) {
  EXPECT_TRUE(ParseJson(std::string(100000, '[')).is_discarded());
  EXPECT_TRUE(ParseJson(std::string(200, '[') + std::string(200, ']')).is_discarded());
  EXPECT_TRUE(ParseJson("{\"a\":\"\xff\"}").is_discarded());
  EXPECT_TRUE(ParseJson("").is_discarded());
  EXPECT_EQ(Text(ParseJson(R"({"a":9007199254740993,"b":"x","c":1.5,"d":null})"), "a"), "9007199254740993");
  EXPECT_EQ(Text(ParseJson("[1]"), "a"), "");
}

TEST(Wire, MembersOfAnotherTypeAreNone) {
  const Json json = ParseJson(R"({"number":-7,"text":"8","half":0.5,"yes":true,"no":false,"one":1})");
  EXPECT_EQ(NumberOf(json, "number"), -7);
  for (const char* key : {"text", "half", "yes", "missing"}) EXPECT_EQ(NumberOf(json, key), 0) << key;
  EXPECT_EQ(NumberOf(Json::array({1}), "number"), 0);
  EXPECT_TRUE(IsTrue(json, "yes"));
  for (const char* key : {"no", "one", "text", "missing"}) EXPECT_FALSE(IsTrue(json, key)) << key;
}

}  // namespace
}  // namespace parvis::networks
