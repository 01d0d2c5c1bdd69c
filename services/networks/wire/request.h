// What every connector does to a request before it adds what is its network's own.
#pragma once

#include <string>
#include <vector>

#include "networks/connector.h"
#include "networks/wire/json.h"

namespace parvis::networks {

// The address without slashes at its end.
std::string WithoutSlash(const std::string& url);
// The account's base address without slashes at its end.
std::string BaseOf(const Account& account);
// `body` as JSON, with its media type.
void SetJson(const Json& body, net::ClientRequest* request);

// A form with files (RFC 7578). The parts are not escaped: names are ours, types are those that CheckMedia
// let through, file names come from MediaFileName.
class FormData {
 public:
  void AddField(const std::string& name, const std::string& value);
  void AddFile(const std::string& name, const std::string& file, const std::string& type, const std::string& bytes);
  // Into the body, once, behind a boundary that occurs in no part.
  void MoveTo(net::ClientRequest* request);

 private:
  std::vector<std::string> parts_;
};

}  // namespace parvis::networks
