// parvis-networks: prints docs/reference/networks.md, what Parvis can do on which network, from the connectors' capabilities.
#include <cstdio>
#include <string>
#include <vector>

#include "networks/connector.h"
#include "platform/net/stream_client.h"

namespace parvis::networks {
namespace {

using Connectors = std::map<std::string, std::unique_ptr<Connector>>;

const char* Sign(Stance stance) {
  switch (stance) {
    case Stance::kPossible: return "yes";
    case Stance::kNotInApi: return "–";
    case Stance::kNotBuilt: return "not built";
  }
  return "";
}

std::string Words(std::string_view name) {
  std::string out(name);
  for (char& c : out) {
    if (c == '_') c = ' ';
  }
  return out;
}

std::string Limit(const Capabilities& c) {
  if (!c.Can(Feature::kText)) return "–";
  if (c.post_text_max == 0) return "none";
  constexpr const char* kUnits[] = {"characters", "weighted characters", "bytes", "graphemes"};
  return std::to_string(c.post_text_max) + " " + kUnits[static_cast<int>(c.text_unit)];
}

// One table per group: features down, networks across.
std::string Overview(const Connectors& connectors) {
  std::string out, group;
  for (int i = 0; i < kFeatures; ++i) {
    const Feature feature = static_cast<Feature>(i);
    if (group != GroupOf(feature)) {
      group = GroupOf(feature);
      std::string head = "\n### " + group + "\n\n| |", line = "|---|";
      for (const auto& [name, connector] : connectors) {
        head += " " + connector->capabilities().display_name + " |";
        line += "---|";
      }
      out += head + "\n" + line + "\n";
    }
    out += "| " + Words(NameOf(feature)) + " |";
    for (const auto& [name, connector] : connectors) {
      out += std::string(" ") + Sign(connector->capabilities().Of(feature).stance) + " |";
    }
    out += "\n";
  }
  return out;
}

std::string Megabytes(int64_t bytes) {
  char text[40];
  std::snprintf(text, sizeof text, "%.4g MB", static_cast<double>(bytes) / 1e6);
  return text;
}

std::string Span(absl::Duration duration) {
  char text[40];
  std::snprintf(text, sizeof text, "%g s", absl::ToDoubleSeconds(duration));
  return text;
}

std::string Either(const std::vector<std::string>& names) {
  std::string out;
  for (const std::string& name : names) out += (out.empty() ? "" : " or ") + name;
  return out;
}

// What checks of media go by: "pictures at most 5 MB, 8192 pixels a side".
std::string MediaLimits(const Capabilities& c) {
  std::vector<std::string> limits;
  const auto add = [&limits](const char* what, const std::string& limit) { limits.push_back(std::string(what) + limit); };
  if (c.Can(Feature::kImage)) {
    if (c.media_max_bytes > 0) add("pictures up to ", Megabytes(c.media_max_bytes));
    if (c.gif_max_bytes > 0) add("GIFs up to ", Megabytes(c.gif_max_bytes));
    if (c.picture_side_max > 0) add("pictures up to ", std::to_string(c.picture_side_max) + " pixels a side");
    if (c.picture_pixels_max > 0) add("pictures up to ", std::to_string(c.picture_pixels_max) + " pixels in all");
  }
  if (c.Can(Feature::kVideo) || c.Can(Feature::kReel)) {
    if (c.video_max_bytes > 0) add("videos up to ", Megabytes(c.video_max_bytes));
    if (c.video_pixels_max > 0) add("videos up to ", std::to_string(c.video_pixels_max) + " pixels a frame");
    if (c.video_width_max > 0) add("videos up to ", std::to_string(c.video_width_max) + " pixels wide");
    if (!c.video_codecs.empty()) add("videos encoded as ", Either(c.video_codecs));
    if (!c.audio_codecs.empty()) add("their sound as ", Either(c.audio_codecs));
    if (c.video_duration_min > absl::ZeroDuration()) add("videos from ", Span(c.video_duration_min));
    if (c.video_duration_max > absl::ZeroDuration()) add("videos up to ", Span(c.video_duration_max));
  }
  if (c.Can(Feature::kDocument) && c.document_max_bytes > 0) add("documents up to ", Megabytes(c.document_max_bytes));
  std::string out;
  for (const std::string& limit : limits) out += (out.empty() ? "\n- Limits of media: " : ", ") + limit;
  return out.empty() ? "" : out + ".";
}

std::string Details(const Capabilities& c) {
  std::string out = "\n## " + c.display_name + " (`" + c.network + "`)\n\n- Text of a post: " + Limit(c) + ".";
  if (c.media_max > 0) {
    out += "\n- Media: at most " + std::to_string(c.media_max) + ":";
    for (const std::string& type : c.media_types) out += " `" + type + "`";
    out += "." + MediaLimits(c);
  }
  if (c.Can(Feature::kWebhooks)) {
    out += c.webhooks_bring_comments ? "\n- Webhooks bring comments; polling is only to be sure."
                                     : "\n- What comes in is polled; webhooks do not bring it.";
  }
  if (!c.counters.empty()) {
    out += "\n- Counters:";
    for (const std::string& counter : c.counters) out += " `" + counter + "`";
    out += ".";
  }
  for (const Option& option : c.options) {
    out += "\n- Option `" + option.name + "`: " + option.about;
    for (const std::string& value : option.values) out += " `" + value + "`";
    out += ".";
  }
  if (!c.credential_fields.empty()) {
    out += "\n- Signs in with:";
    for (const std::string& field : c.credential_fields) out += " `" + field + "`";
    out += ".";
  }
  out += c.idempotency_key ? "\n- An unknown outcome may be sent again: the network knows our key.\n"
                           : "\n- An unknown outcome is settled by reading back, never sent again blindly.\n";
  out += "\n| not possible | why | source |\n|---|---|---|\n";
  const auto add = [&out](std::string_view name, const Support& support) {
    out += "| " + Words(name) + " | " + (support.stance == Stance::kNotBuilt ? "not built: " : "not in the API: ") +
           support.because + " | " + support.source + " |\n";
  };
  for (const auto& [feature, support] : c.features) {
    if (support.stance != Stance::kPossible) add(NameOf(feature), support);
  }
  for (const auto& [kind, support] : c.missing) add(NameOf(kind), support);
  return out;
}

std::string Page(const Connectors& connectors) {
  std::string out =
      "# Networks\n\nWhat Parvis does on each network. **–**: the network's API does not offer it. *not built*: it does, and Parvis does "
      "not use it. The same values check drafts and explain refusals (NOT_POSSIBLE).\n";
  out += Overview(connectors);
  for (const auto& [name, connector] : connectors) out += Details(connector->capabilities());
  return out;
}

}  // namespace
}  // namespace parvis::networks

int main() {
  parvis::RealClock clock;
  parvis::obs::Metrics metrics;
  parvis::net::HttpClient http({}, clock, metrics);
  parvis::net::StreamClient streams({}, clock, metrics);
  // What can be had, not what is asked.
  const parvis::networks::Streaming streaming{&streams, "wss://jetstream2.us-east.bsky.network", parvis::Secret("-")};
  std::fputs(parvis::networks::Page(parvis::networks::MakeConnectors(http, clock, streaming)).c_str(), stdout);
  return 0;
}
