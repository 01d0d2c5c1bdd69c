// Kept media and networks that fetch them: who gets a public address, and what is said where there is none.
#pragma once

#include <string>
#include <vector>

#include "networks/connector.h"
#include "publishing/domain/content.h"
#include "publishing/domain/media_address.h"

namespace parvis::publishing {

// Gives those media of `draft`, which is of `content`, an address of ours that are kept here and that the network's own rules
// miss an address for. `addresses` null: there are none.
void GiveAddresses(const networks::Connector& connector, networks::WriteKind kind, const Content& content,
                   const MediaAddresses* addresses, networks::Draft& draft);

// Tells in `violations` which setting would give kept media the address that is missing.
void TellSetting(const networks::Connector& connector, const Content& content, const MediaAddresses* addresses,
                 std::vector<Violation>& violations);

// `text`, which comes from the network, without the signatures of the addresses that it was given: it is shown and kept.
std::string WithoutSignatures(std::string text, const networks::Draft& draft);

}  // namespace parvis::publishing
