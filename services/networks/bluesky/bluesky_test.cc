#include "networks/bluesky/bluesky.h"

#include <gtest/gtest.h>

#include "networks/testing/scripted_network.h"

namespace parvis::networks {
namespace {

TEST(Bluesky, RecordKeysAreTids) {
  EXPECT_EQ(EncodeTid(0, 0), "2222222222222");
  EXPECT_EQ(EncodeTid(1700000000000000, 5), "3ke6kg3wk2227");
  EXPECT_EQ(TidOfKey("a"), TidOfKey("a"));
  EXPECT_NE(TidOfKey("a"), TidOfKey("b"));
}

TEST(Bluesky, ASecondSendingTakesTheFirstOver) {
  ScriptedNetwork network;
  Connector& connector = network.connector("bluesky");
  const Account account = network.account("bluesky", "did:plc:me");
  Write write;
  write.draft.text = "é #a";
  write.idempotency_key = "k";
  const std::string uri = "at://did:plc:me/app.bsky.feed.post/" + TidOfKey("k");
  network.NextReset();
  EXPECT_EQ(connector.Execute(network.call(), account, write).kind, OutcomeKind::kUnknown);
  network.Next(400, R"({"error":"InvalidSwap","message":"Record was at x"})");
  network.Next(200, R"({"uri":")" + uri + R"(","cid":"c","value":{"text":"é #a"}})");
  const Outcome out = connector.Execute(network.call(), account, write);
  EXPECT_EQ(out.kind, OutcomeKind::kAccepted) << out.message;
  EXPECT_EQ(out.remote_id, uri);
  const Json sent = ParseJson(network.Taken()[1].body);
  EXPECT_TRUE(sent.contains("swapRecord") && sent["swapRecord"].is_null());
  EXPECT_EQ(sent["record"]["facets"][0]["index"]["byteStart"], 3);
  network.Next(400, R"({"error":"ExpiredToken","message":"Token has expired"})");
  EXPECT_EQ(connector.Execute(network.call(), account, write).error, ErrorClass::kTokenExpired);
}

}  // namespace
}  // namespace parvis::networks
