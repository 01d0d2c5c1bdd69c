#include "gateway/transport/codec.h"

#include <google/protobuf/message.h>
#include <google/protobuf/util/json_util.h>

#include <absl/strings/ascii.h>
#include <absl/strings/str_cat.h>
#include <absl/strings/str_split.h>

#include "gateway/transport/json_check.h"

namespace parvis::gateway {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::Message;

std::unique_ptr<Message> NewMessage(const Descriptor& type) {
  return std::unique_ptr<Message>(google::protobuf::MessageFactory::generated_factory()->GetPrototype(&type)->New());
}

}  // namespace

std::string_view Format::ContentType() const {
  if (stream) return encoding == Encoding::kJson ? "application/connect+json" : "application/connect+proto";
  return encoding == Encoding::kJson ? "application/json" : "application/proto";
}

std::optional<Format> ParseContentType(std::string_view header) {
  const std::vector<std::string> parts = absl::StrSplit(absl::string_view(header.data(), header.size()), ';');
  const std::string type = absl::AsciiStrToLower(absl::StripAsciiWhitespace(parts[0]));
  for (size_t i = 1; i < parts.size(); ++i) {
    const std::string parameter = absl::AsciiStrToLower(absl::StripAsciiWhitespace(parts[i]));
    if (parameter.empty()) continue;
    if (parameter != "charset=utf-8" && parameter != "charset=\"utf-8\"") return std::nullopt;
  }
  if (type == "application/json") return Format{Encoding::kJson, false};
  if (type == "application/proto") return Format{Encoding::kProto, false};
  if (type == "application/connect+json") return Format{Encoding::kJson, true};
  if (type == "application/connect+proto") return Format{Encoding::kProto, true};
  return std::nullopt;
}

StatusOr<std::string> DecodeRequest(Encoding encoding, std::string_view body, const Descriptor& type,
                                    const DecodeLimits& limits) {
  if (body.size() > limits.message_max_bytes) {
    return MakeError(
        Code::kInvalidArgument, "MESSAGE_TOO_LARGE",
        absl::StrCat("the message has ", body.size(), " bytes, at most ", limits.message_max_bytes, " are allowed"));
  }
  const std::unique_ptr<Message> message = NewMessage(type);
  if (encoding == Encoding::kProto) {
    if (!message->ParseFromArray(body.data(), static_cast<int>(body.size()))) {
      return MakeError(Code::kInvalidArgument, "NOT_PROTO", absl::StrCat("the body is not a ", type.full_name()));
    }
    return std::string(body);
  }
  if (absl::StripAsciiWhitespace(absl::string_view(body.data(), body.size())).empty()) return std::string();
  PARVIS_RETURN_IF_ERROR(CheckJson(body, limits.json_depth_max));
  const auto parsed = google::protobuf::util::JsonStringToMessage({body.data(), body.size()}, message.get());
  if (!parsed.ok()) return JsonError(std::string(parsed.message().data(), parsed.message().size()));
  return message->SerializeAsString();
}

StatusOr<std::string> EncodeResponse(Encoding encoding, std::string wire, const Descriptor& type) {
  if (encoding == Encoding::kProto) return wire;
  const std::unique_ptr<Message> message = NewMessage(type);
  google::protobuf::util::JsonPrintOptions options;
  options.always_print_primitive_fields = true;
  std::string json;
  if (!message->ParseFromString(wire) || !google::protobuf::util::MessageToJsonString(*message, &json, options).ok()) {
    return MakeError(Code::kInternal, "BAD_RESPONSE", "the service's answer could not be read");
  }
  return json;
}

}  // namespace parvis::gateway
