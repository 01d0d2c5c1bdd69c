// What the tests of every connector begin with: its connector on a scripted network, an account there, and a write of each kind.
#pragma once

#include <string>
#include <vector>

#include "networks/testing/scripted_network.h"

namespace parvis::networks {

class ConnectorTest : public ::testing::Test {
 protected:
  // `target`: what Of's writes answer, hide, ...; `path`: of the account's base address.
  ConnectorTest(const std::string& name, const std::string& remote_id, const std::string& target = "", const std::string& path = "")
      : connector(network.connector(name)), account(network.account(name, remote_id, path)), target_(target) {}

  Write Of(WriteKind kind, const std::string& text = "") const {
    Write write;
    write.kind = kind;
    write.draft.text = text;
    if (connector.capabilities().needs_title) write.draft.title = "A title that is long enough";
    write.idempotency_key = "key-1";
    if (kind != WriteKind::kPost) write.target_remote_id = target_;
    return write;
  }
  Outcome Execute(const Write& write) { return connector.Execute(network.call(), account, write); }
  // Why the draft would be refused.
  std::vector<std::string> Reasons(const Draft& draft, WriteKind kind = WriteKind::kPost) const {
    std::vector<std::string> out;
    for (const Violation& violation : connector.Check(kind, draft)) out.push_back(violation.reason);
    return out;
  }
  // A line for each request since the last look: "GET /path?query".
  std::string Asked() {
    std::string out;
    for (const auto& request : network.Taken()) out += request.method + " " + request.target + "\n";
    return out;
  }

  ScriptedNetwork network;
  Connector& connector;
  Account account;

 private:
  const std::string target_;
};

}  // namespace parvis::networks
