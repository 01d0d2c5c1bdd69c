// Messages <-> the nouns of the domain.
#pragma once

#include "ingestion/domain/sources.h"
#include "parvis/ingestion/v1/source.pb.h"

namespace parvis::ingestion {

void ToProto(const Source& from, absl::Time now, v1::Source& to);

}  // namespace parvis::ingestion
