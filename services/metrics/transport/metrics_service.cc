#include "metrics/transport/metrics_service.h"

#include <grpcpp/server_context.h>

#include "metrics/transport/convert.h"
#include "parvis/metrics/v1/metrics_service.grpc.pb.h"
#include "platform/rpc/resource.h"
#include "platform/rpc/unary.h"

namespace parvis::metrics {
namespace {

using Context = grpc::CallbackServerContext;
using Reactor = grpc::ServerUnaryReactor;

class MetricsServiceImpl final : public v1::MetricsService::CallbackService {
 public:
  MetricsServiceImpl(rpc::Runtime& runtime, const UseCases& use_cases) : runtime_(runtime), use_(use_cases) {}

  Reactor* QueryTimeseries(Context* context, const v1::QueryTimeseriesRequest* request,
                           v1::QueryTimeseriesResponse* response) override {
    return rpc::Unary(context, runtime_, "parvis.metrics.v1.MetricsService/QueryTimeseries", *request, *response,
                      [this](const Call& call, const auto& r, auto& out) -> Status {
                        PARVIS_ASSIGN_OR_RETURN(TimeseriesQuery query, FromProto(r));
                        PARVIS_ASSIGN_OR_RETURN(const std::vector<Point> points,
                                                metrics::QueryTimeseries(call, std::move(query), use_.steps_max, use_.rollups));
                        int64_t total = 0;
                        for (const Point& point : points) {
                          ToProto(point, *out.add_points());
                          total += point.value;
                        }
                        out.set_total(total);
                        return absl::OkStatus();
                      });
  }

  Reactor* GetCampaignReport(Context* context, const v1::GetCampaignReportRequest* request,
                             v1::CampaignReport* response) override {
    return rpc::Unary(context, runtime_, "parvis.metrics.v1.MetricsService/GetCampaignReport", *request, *response,
                      [this](const Call& call, const auto& r, auto& out) -> Status {
                        PARVIS_ASSIGN_OR_RETURN(const auto ids, rpc::ParseName("name", r.name(), "workspaces/*/campaigns/*/report"));
                        PARVIS_ASSIGN_OR_RETURN(const CampaignReport report,
                                                metrics::GetCampaignReport(call, ids[1], use_.clock, use_.reports));
                        ToProto(r.name(), report, out);
                        return absl::OkStatus();
                      });
  }

  Reactor* QueryCounters(Context* context, const v1::QueryCountersRequest* request,
                         v1::QueryCountersResponse* response) override {
    return rpc::Unary(context, runtime_, "parvis.metrics.v1.MetricsService/QueryCounters", *request, *response,
                      [this](const Call& call, const auto& r, auto& out) -> Status {
                        PARVIS_ASSIGN_OR_RETURN(CounterQuery query, FromProto(r));
                        PARVIS_ASSIGN_OR_RETURN(
                            const std::vector<CounterSeries> series,
                            metrics::QueryCounters(call, std::move(query), use_.steps_max, use_.counters));
                        for (const CounterSeries& one : series) ToProto(one, *out.add_series());
                        return absl::OkStatus();
                      });
  }

  Reactor* RecountRollups(Context* context, const v1::RecountRollupsRequest* request,
                          v1::RecountRollupsResponse* response) override {
    return rpc::Unary(context, runtime_, "parvis.metrics.v1.MetricsService/RecountRollups", *request, *response,
                      [this](const Call& call, const auto& r, auto& out) -> Status {
                        PARVIS_RETURN_IF_ERROR(rpc::ParseName("parent", r.parent(), "workspaces/*").status());
                        PARVIS_ASSIGN_OR_RETURN(const Recount recount, use_.recounts.RecountRollups(call));
                        out.set_fact_count(recount.facts);
                        out.set_rollup_count(recount.rollups);
                        out.set_changed_count(recount.changed);
                        return absl::OkStatus();
                      });
  }

 private:
  rpc::Runtime& runtime_;
  const UseCases use_;
};

}  // namespace

std::unique_ptr<grpc::Service> MakeMetricsService(rpc::Runtime& runtime, const UseCases& use_cases) {
  return std::make_unique<MetricsServiceImpl>(runtime, use_cases);
}

}  // namespace parvis::metrics
