// parvis.ingestion.v1.IngestionService.
#pragma once

#include <memory>

#include "ingestion/domain/sources.h"
#include "platform/rpc/server.h"

namespace grpc {
class Service;
}

namespace parvis::ingestion {

// `runtime`, `sources` and `clock` outlive it.
std::unique_ptr<grpc::Service> MakeIngestionService(rpc::Runtime& runtime, Sources& sources, const Clock& clock);

}  // namespace parvis::ingestion
