#include "networks/wire/request.h"

#include <algorithm>

namespace parvis::networks {

std::string WithoutSlash(const std::string& url) {
  const size_t end = url.find_last_not_of('/');
  return end == std::string::npos ? "" : url.substr(0, end + 1);
}

std::string BaseOf(const Account& account) { return WithoutSlash(account.base_url); }

void SetJson(const Json& body, net::ClientRequest* request) {
  request->headers["Content-Type"] = "application/json";
  request->body = Dump(body);
}

void FormData::AddField(const std::string& name, const std::string& value) {
  parts_.push_back("Content-Disposition: form-data; name=\"" + name + "\"\r\n\r\n" + value);
}

void FormData::AddFile(const std::string& name, const std::string& file, const std::string& type, const std::string& bytes) {
  parts_.push_back("Content-Disposition: form-data; name=\"" + name + "\"; filename=\"" + file + "\"\r\nContent-Type: " + type +
                   "\r\n\r\n" + bytes);
}

void FormData::MoveTo(net::ClientRequest* request) {
  std::string boundary = "parvis-7d1f4f6a9c2b4e0f";
  const auto occurs = [&](const std::string& part) { return part.find(boundary) != std::string::npos; };
  while (std::any_of(parts_.begin(), parts_.end(), occurs)) boundary += 'x';
  size_t size = boundary.size() + 6;
  for (const std::string& part : parts_) size += part.size() + boundary.size() + 6;
  request->body.clear();
  request->body.reserve(size);
  for (std::string& part : parts_) {
    request->body.append("--").append(boundary).append("\r\n").append(part).append("\r\n");
    std::string().swap(part);
  }
  request->body.append("--").append(boundary).append("--\r\n");
  request->headers["Content-Type"] = "multipart/form-data; boundary=" + boundary;
}

}  // namespace parvis::networks
