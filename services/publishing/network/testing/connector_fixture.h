// A ConnectorWriter between a connector and credentials in memory, for its tests.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "publishing/domain/testing/builders.h"
#include "publishing/network/connector_writer.h"

namespace parvis::publishing {

// A connector that answers what it is told and keeps what it was given.
class FakeConnector : public networks::Connector {
 public:
  const networks::Capabilities& capabilities() const override { return caps; }
  std::vector<Violation> Check(networks::WriteKind, const networks::Draft& draft) const override {
    if (!media_violation.reason.empty()) return {media_violation};
    std::vector<Violation> missing;
    for (size_t i = 0; fetches && i < draft.media.size(); ++i) {
      if (draft.media[i].url.empty()) missing.push_back({"media[" + std::to_string(i) + "].url", "is needed", "MEDIA_URL"});
    }
    if (fetches && draft.thumbnail && draft.thumbnail->url.empty()) missing.push_back({"thumbnail.url", "is needed", "MEDIA_URL"});
    if (!missing.empty()) return missing;
    if (draft.text.size() <= 5) return {};
    return {{"text", "too long", "TEXT_TOO_LONG"}};
  }
  int TextLength(std::string_view text) const override { return static_cast<int>(text.size()); }
  StatusOr<networks::Identity> WhoAmI(const Call&, const networks::Account&) override { return networks::Identity{}; }
  StatusOr<std::vector<networks::OwnItem>> ReadBack(const Call&, const networks::Account&, const networks::Write&, absl::Time,
                                                    int) override {
    return items;
  }
  bool Matches(const networks::Write& write, const networks::OwnItem& item) const override {
    return write.draft.text == item.text;
  }
  StatusOr<networks::HandshakeAnswer> Handshake(const networks::WebhookCall&, const std::vector<Secret>&,
                                                const Secret&) const override {
    return networks::HandshakeAnswer{};
  }
  Status VerifySignature(const networks::WebhookCall&, const std::vector<Secret>&) const override { return absl::OkStatus(); }
  networks::WebhookContent ParseWebhook(std::string_view) const override { return {}; }
  StatusOr<networks::PollPage> Poll(const Call&, const networks::Account&, const std::string&, absl::Time, int) override {
    return networks::PollPage{};
  }

  networks::Capabilities caps;
  Violation media_violation;
  bool fetches = false;   // every medium must have an address
  networks::Outcome outcome;
  std::vector<networks::OwnItem> items;
  networks::Account last_account;
  networks::Write last;
  int calls = 0;
  std::function<void()> on_write;   // during each write

 private:
  networks::Outcome CarryOut(const Call&, const networks::Account& account, const networks::Write& write) override {
    ++calls;
    if (on_write) on_write();
    last_account = account;
    last = write;
    return outcome;
  }
};

class FakeAccess : public ChannelAccessSource {
 public:
  StatusOr<ChannelAccess> GetAccess(const Call&, const std::string&, const std::string&, bool fresh) override {
    if (!status.ok()) return status;
    ChannelAccess access{"net", "page-1", "https://net.example", fresh ? "2" : "1", {}};
    access.fields.emplace("access_token", Secret("s3cret"));
    return access;
  }
  Status ReportBroken(const Call&, const std::string&, const std::string&, const ChannelAccess& access,
                      const std::string& reason, const std::string&) override {
    reported = access.version + " " + reason;
    return absl::OkStatus();
  }
  Status status;
  std::string reported;
};

class ConnectorWriterTest : public ::testing::Test {
 protected:
  ConnectorWriterTest() {
    auto connector = std::make_unique<FakeConnector>();
    connector_ = connector.get();
    connector_->caps.network = "net";
    connector_->caps.post_text_max = 5;
    for (int i = 0; i < networks::kFeatures; ++i) connector_->caps.Allow({static_cast<networks::Feature>(i)});
    connectors_["net"] = std::move(connector);
  }
  Delivery Reply() { return MakeReply("hi", absl::UnixEpoch()); }
  Connectors connectors_;
  FakeConnector* connector_;
  FakeAccess access_;
  ConnectorWriter writer_{connectors_, access_, {"net"}};
  const Call call_ = CallOf("m");
};

}  // namespace parvis::publishing
