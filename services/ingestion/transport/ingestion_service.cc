#include "ingestion/transport/ingestion_service.h"

#include <grpcpp/server_context.h>

#include "ingestion/transport/convert.h"
#include "parvis/ingestion/v1/ingestion_service.grpc.pb.h"
#include "platform/base/ids.h"
#include "platform/rpc/resource.h"
#include "platform/rpc/unary.h"

namespace parvis::ingestion {
namespace {

constexpr int kPageDefault = 100;
constexpr int kPageMax = 1000;

using Context = grpc::CallbackServerContext;
using Reactor = grpc::ServerUnaryReactor;

class IngestionServiceImpl final : public v1::IngestionService::CallbackService {
 public:
  IngestionServiceImpl(rpc::Runtime& runtime, Sources& sources, const Clock& clock)
      : runtime_(runtime), sources_(sources), clock_(clock) {}

  Reactor* GetSource(Context* context, const v1::GetSourceRequest* request, v1::Source* response) override {
    return rpc::Unary(context, runtime_, "parvis.ingestion.v1.IngestionService/GetSource", *request, *response,
                      [this](const Call& call, const v1::GetSourceRequest& r, v1::Source& out) -> Status {
                        PARVIS_ASSIGN_OR_RETURN(auto ids, rpc::ParseName("name", r.name(), "workspaces/*/sources/*"));
                        PARVIS_ASSIGN_OR_RETURN(Source source, sources_.GetSource(call, ids[1]));
                        ToProto(source, clock_.WallNow(), out);
                        return absl::OkStatus();
                      });
  }

  Reactor* ListSources(Context* context, const v1::ListSourcesRequest* request,
                       v1::ListSourcesResponse* response) override {
    return rpc::Unary(context, runtime_, "parvis.ingestion.v1.IngestionService/ListSources", *request, *response,
                      [this](const Call& call, const v1::ListSourcesRequest& r, v1::ListSourcesResponse& out) {
                        return DoListSources(call, r, out);
                      });
  }

  Reactor* BackfillSource(Context* context, const v1::BackfillSourceRequest* request, v1::Source* response) override {
    return rpc::Unary(context, runtime_, "parvis.ingestion.v1.IngestionService/BackfillSource", *request, *response,
                      [this](const Call& call, const v1::BackfillSourceRequest& r, v1::Source& out) -> Status {
                        PARVIS_RETURN_IF_ERROR(rpc::CheckRequestId(r.request_id()));
                        PARVIS_ASSIGN_OR_RETURN(auto ids, rpc::ParseName("name", r.name(), "workspaces/*/sources/*"));
                        if (!r.has_from_time()) return InvalidField("from_time", "REQUIRED", "must be set");
                        const absl::Time from =
                            absl::FromUnixSeconds(r.from_time().seconds()) + absl::Nanoseconds(r.from_time().nanos());
                        PARVIS_ASSIGN_OR_RETURN(Source source, sources_.Backfill(call, ids[1], from));
                        ToProto(source, clock_.WallNow(), out);
                        return absl::OkStatus();
                      });
  }

 private:
  Status DoListSources(const Call& call, const v1::ListSourcesRequest& r, v1::ListSourcesResponse& out) {
    PARVIS_RETURN_IF_ERROR(rpc::ParseName("parent", r.parent(), "workspaces/*").status());
    PARVIS_ASSIGN_OR_RETURN(int size, rpc::PageSize(r.page_size(), kPageDefault, kPageMax));
    const std::string digest = rpc::QueryDigest(r);
    std::string after;
    if (!r.page_token().empty()) {
      PARVIS_ASSIGN_OR_RETURN(auto keyset, rpc::DecodePageToken(r.page_token(), digest));
      if (keyset.size() != 1 || !IsUuid(keyset[0])) {
        return InvalidField("page_token", "PAGE_TOKEN_INVALID", "is not a token that was given out");
      }
      after = keyset[0];
    }
    PARVIS_ASSIGN_OR_RETURN(std::vector<Source> sources, sources_.ListSources(call, after, size + 1));
    if (static_cast<int>(sources.size()) > size) {
      sources.resize(size);
      out.set_next_page_token(rpc::EncodePageToken(digest, {sources.back().binding.channel_id}));
    }
    for (const Source& source : sources) ToProto(source, clock_.WallNow(), *out.add_sources());
    return absl::OkStatus();
  }

  rpc::Runtime& runtime_;
  Sources& sources_;
  const Clock& clock_;
};

}  // namespace

std::unique_ptr<grpc::Service> MakeIngestionService(rpc::Runtime& runtime, Sources& sources, const Clock& clock) {
  return std::make_unique<IngestionServiceImpl>(runtime, sources, clock);
}

}  // namespace parvis::ingestion
