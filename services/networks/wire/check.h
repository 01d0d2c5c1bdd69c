// The rules that all networks share, checked the same way; every violation is added, not only the first.
#pragma once

#include <string>
#include <vector>

#include "networks/connector.h"

namespace parvis::networks {

// What the network cannot do at all: the kind, and every part of the draft that would be lost (pictures, video, format, poll,
// quote, tags, thumbnail, options; a title or link without a field of its own is left out or goes into the text). NOT_POSSIBLE with the reason of the capabilities; OPTION_UNKNOWN, OPTION_VALUE, POLL_*.
void CheckPossible(WriteKind kind, const Draft& draft, const Capabilities& capabilities, std::vector<Violation>* out);
// Text: needed (unless media may stand alone), UTF-8 without NUL, at most `max` (0 = no limit); `length` is what the network
// would count, appended link included.
void CheckText(const Draft& draft, int length, int max, const char* unit, bool media_suffices, std::vector<Violation>* out);
// The title: there when a post needs one (Capabilities::needs_title), UTF-8, at most Capabilities::title_max code points.
// `what`: "a topic", for the message.
void CheckTitle(WriteKind kind, const Draft& draft, const Capabilities& capabilities, const char* what, std::vector<Violation>* out);
// Count, types, sizes, pixels, durations and addresses of the media, by `capabilities`; what is not known of them is not judged.
void CheckMedia(const Draft& draft, const Capabilities& capabilities, std::vector<Violation>* out);
// An absolute http(s) URL without blanks.
void CheckLink(const Draft& draft, std::vector<Violation>* out);
// A draft that is shown as `text`, with what can be clicked in it, its title where the network has titles, and remarks that the
// capabilities imply.
Appearance ShowText(std::string text, const Draft& draft, const Capabilities& capabilities);
// The same for a page of a blog: paragraphs in which nothing becomes a link by itself, and the link in one of its own.
Appearance ShowPage(const Draft& draft, const Capabilities& capabilities);
// Text and, where a network has no field for the link of this draft, the link on a line of its own.
std::string TextWithLink(const Draft& draft);

}  // namespace parvis::networks
