// What a network will show of a draft: the text with everything that Parvis or the network adds to it. Plain data.
#pragma once

#include <string>
#include <vector>

#include "networks/text/facets.h"

namespace parvis::networks {

struct Appearance {
  std::string title, text;             // plain, as it is read there; UTF-8
  std::vector<text::Facet> facets;     // of `text`: what can be clicked, in order
  std::string card;                    // the address whose card stands below the text; "" = none
  std::vector<std::string> remarks;    // what people would not expect: "a link counts 23", "no caption is shown"
};

}  // namespace parvis::networks
