// What every connector does the same way, before its own code is asked.
#include "networks/connector.h"

#include <gtest/gtest.h>

#include "networks/media_fit.h"
#include "networks/testing/scripted_network.h"

namespace parvis::networks {
namespace {

Outcome Execute(ScriptedNetwork& network, const std::string& name, const Write& write) {
  return network.connector(name).Execute(network.call(), network.account(name, "1"), write);
}

TEST(Connector, WithoutTheTargetThatItNeedsAWriteIsRefusedUnsent) {
  ScriptedNetwork network;
  for (const auto& [name, connector] : network.connectors()) {
    for (int i = 0; i < kWriteKinds; ++i) {
      Write write{.kind = static_cast<WriteKind>(i)};
      if (write.kind == WriteKind::kPost || !connector->capabilities().Can(write.kind)) continue;
      SCOPED_TRACE(name + " " + std::string(NameOf(write.kind)));
      const Outcome nobody = Execute(network, name, write);
      EXPECT_EQ(nobody.kind, OutcomeKind::kRefused);
      EXPECT_EQ(nobody.error, ErrorClass::kInvalid);
      write.target_author_id = "7";
      const bool enough = connector->capabilities().of_author.contains(write.kind);
      const Outcome person = Execute(network, name, write);
      EXPECT_EQ(person.message == "no target is named", !enough) << person.message;
      EXPECT_TRUE(network.Taken().empty() || enough);
    }
  }
}

TEST(Connector, WhatIsNotPossibleIsSaidBeforeWhatIsMissing) {
  ScriptedNetwork network;
  for (const auto& [name, connector] : network.connectors()) {
    const Capabilities& can = connector->capabilities();
    for (int i = 0; i < kWriteKinds; ++i) {
      const WriteKind kind = static_cast<WriteKind>(i);
      if (can.Can(kind)) continue;
      EXPECT_EQ(Execute(network, name, Write{.kind = kind}).message, can.WhyNot(kind)) << name << " " << NameOf(kind);
      const std::vector<Violation> violations = connector->Check(kind, {});
      ASSERT_FALSE(violations.empty()) << name << " " << NameOf(kind);
      EXPECT_EQ(violations[0].description, std::string(NameOf(kind)) + " is " + can.WhyNot(kind)) << name;
      EXPECT_EQ(violations[0].reason, "NOT_POSSIBLE") << name;
    }
  }
  EXPECT_TRUE(network.Taken().empty());
}

TEST(Connector, AGifStaysOneWhereTheNetworkTakesItElseItBecomesAVideo) {
  ScriptedNetwork network;
  const auto fit = [&](const std::string& name, int64_t bytes) {
    const Media gif{.type = "image/gif", .size_bytes = bytes, .width = 400, .height = 300, .duration = absl::Seconds(6), .frames = 60};
    return FitMedia(network.connectors().at(name)->capabilities(), gif);
  };
  EXPECT_TRUE(fit("x", 14 << 20).fits) << "shown as an animated GIF";
  EXPECT_TRUE(fit("x", 16 << 20).video.has_value());
  for (const char* name : {"instagram", "youtube"}) {
    EXPECT_FALSE(fit(name, 1 << 20).fits) << name;
    EXPECT_TRUE(fit(name, 1 << 20).video.has_value()) << name;
  }
  EXPECT_FALSE(fit("bluesky", 3 << 20).video.has_value()) << "no videos there, yet";
}

}  // namespace
}  // namespace parvis::networks
