// From ingestion's settings to what the connectors open streams with.
#pragma once

#include <string>

#include "networks/connector.h"

namespace parvis::ingestion {

// FAILED_PRECONDITION when the file cannot be read; "" = X's stream is not opened. `client` outlives the result.
inline StatusOr<networks::Streaming> MakeStreaming(net::StreamClient& client, const std::string& jetstream_url,
                                                   const std::string& x_bearer_token_file,
                                                   const std::string& x_stream_url) {
  networks::Streaming streaming{&client, jetstream_url, Secret(), x_stream_url};
  if (!x_bearer_token_file.empty()) {
    PARVIS_ASSIGN_OR_RETURN(streaming.x_bearer_token, ReadSecretFile(x_bearer_token_file));
  }
  return streaming;
}

}  // namespace parvis::ingestion
