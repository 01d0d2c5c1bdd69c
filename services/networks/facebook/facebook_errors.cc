#include "networks/facebook/facebook.h"
#include "networks/meta/graph.h"

namespace parvis::networks {

Refusal ClassifyFacebook(const net::ClientResult& http, const Json& json) { return meta::Classify(http, json); }

RateState FacebookRate(const net::Headers& headers, const std::string& page_id) { return meta::Rate(headers, page_id); }

}  // namespace parvis::networks
