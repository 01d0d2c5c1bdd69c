#include "platform/obs/metrics.h"

#include <cassert>
#include <mutex>
#include <set>

#include <prometheus/counter.h>
#include <prometheus/family.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include "platform/obs/degraded.h"
#include "platform/obs/log.h"

namespace parvis::obs {
namespace {

class CounterSeries : public Counter {
 public:
  explicit CounterSeries(prometheus::Counter& series) : series_(series) {}
  void Add(double by) override { series_.Increment(by); }
  double Value() const override { return series_.Value(); }

 private:
  prometheus::Counter& series_;
};

class GaugeSeries : public Gauge {
 public:
  explicit GaugeSeries(prometheus::Gauge& series) : series_(series) {}
  void Set(double value) override { series_.Set(value); }
  void Add(double by) override { series_.Increment(by); }
  double Value() const override { return series_.Value(); }

 private:
  prometheus::Gauge& series_;
};

class HistogramSeries : public Histogram {
 public:
  explicit HistogramSeries(prometheus::Histogram& series) : series_(series) {}
  void Observe(double value) override { series_.Observe(value); }

 private:
  prometheus::Histogram& series_;
};

// 100 us to 60 s, about 2.5 times apart: wide enough for a network call, fine enough for a database read.
const std::vector<double>& LatencyBuckets() {
  static const auto* const kBuckets = new std::vector<double>{
      0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60};
  return *kBuckets;
}

// One family: the prometheus object and our wrappers of its series.
template <class PrometheusSeries, class Interface>
struct Family {
  prometheus::Family<PrometheusSeries>* family = nullptr;
  std::map<Labels, std::unique_ptr<Interface>> series;
  std::unique_ptr<Interface> overflow;
};

template <class Map>
auto& At(Map& map, std::string_view name) {
  auto it = map.find(name);
  if (it == map.end()) it = map.emplace(std::string(name), typename Map::mapped_type{}).first;
  return it->second;
}

}  // namespace

struct Metrics::Impl {
  Impl(int series_max, Metrics& metrics) : series_max(series_max), degraded(metrics, clock) {}

  // Records what the family is; complains once when two call sites disagree about the type.
  bool Describe(std::string_view name, const char* type, std::string_view help, const Labels& labels) {
    FamilyInfo& info = At(families, name);
    if (info.name.empty()) {
      info.name = name;
      info.type = type;
      info.help = help;
      for (const auto& [key, value] : labels) info.labels.push_back(key);
    }
    return info.type == type;
  }

  template <class F, class Build, class Add>
  auto& Series(F& families_of_type, std::string_view name, const Labels& labels, Build build, Add add) {
    auto& family = At(families_of_type, name);
    if (family.family == nullptr) family.family = &build();
    if (const auto it = family.series.find(labels); it != family.series.end()) return *it->second;
    if (static_cast<int>(family.series.size()) < series_max) {
      return *family.series.emplace(labels, add(*family.family, labels)).first->second;
    }
    if (!family.overflow) {
      Labels other = labels;
      for (auto& [key, value] : other) value = "other";
      family.overflow = add(*family.family, other);
      Warn("metric has too many series; further ones are counted together",
           {{"metric", name}, {"series_max", series_max}});
    }
    return *family.overflow;
  }

  const int series_max;
  mutable std::mutex mutex;
  prometheus::Registry registry;
  std::map<std::string, FamilyInfo, std::less<>> families;
  std::map<std::string, Family<prometheus::Counter, Counter>, std::less<>> counters;
  std::map<std::string, Family<prometheus::Gauge, Gauge>, std::less<>> gauges;
  std::map<std::string, Family<prometheus::Histogram, Histogram>, std::less<>> histograms;
  RealClock clock;
  Degraded degraded;
};

Metrics::Metrics(int series_max) : impl_(std::make_unique<Impl>(series_max, *this)) {}
Metrics::~Metrics() = default;
Degraded& Metrics::degraded() { return impl_->degraded; }

Counter& Metrics::counter(std::string_view name, std::string_view help, const Labels& labels) {
  std::lock_guard lock(impl_->mutex);
  const bool same_type = impl_->Describe(name, "counter", help, labels);
  assert(same_type && "one metric name, two types");
  (void)same_type;
  return impl_->Series(
      impl_->counters, name, labels,
      [&]() -> auto& {
        return prometheus::BuildCounter().Name(std::string(name)).Help(std::string(help)).Register(impl_->registry);
      },
      [](auto& family, const Labels& l) -> std::unique_ptr<Counter> {
        return std::make_unique<CounterSeries>(family.Add(l));
      });
}

Gauge& Metrics::gauge(std::string_view name, std::string_view help, const Labels& labels) {
  std::lock_guard lock(impl_->mutex);
  const bool same_type = impl_->Describe(name, "gauge", help, labels);
  assert(same_type && "one metric name, two types");
  (void)same_type;
  return impl_->Series(
      impl_->gauges, name, labels,
      [&]() -> auto& {
        return prometheus::BuildGauge().Name(std::string(name)).Help(std::string(help)).Register(impl_->registry);
      },
      [](auto& family, const Labels& l) -> std::unique_ptr<Gauge> {
        return std::make_unique<GaugeSeries>(family.Add(l));
      });
}

Histogram& Metrics::histogram(std::string_view name, std::string_view help, const Labels& labels,
                              const std::vector<double>& buckets) {
  std::lock_guard lock(impl_->mutex);
  const bool same_type = impl_->Describe(name, "histogram", help, labels);
  assert(same_type && "one metric name, two types");
  (void)same_type;
  const std::vector<double>& bounds = buckets.empty() ? LatencyBuckets() : buckets;
  return impl_->Series(
      impl_->histograms, name, labels,
      [&]() -> auto& {
        return prometheus::BuildHistogram().Name(std::string(name)).Help(std::string(help)).Register(impl_->registry);
      },
      [&bounds](auto& family, const Labels& l) -> std::unique_ptr<Histogram> {
        return std::make_unique<HistogramSeries>(family.Add(l, prometheus::Histogram::BucketBoundaries(bounds)));
      });
}

std::string Metrics::Expose() const { return prometheus::TextSerializer().Serialize(impl_->registry.Collect()); }

std::vector<FamilyInfo> Metrics::Families() const {
  std::lock_guard lock(impl_->mutex);
  std::vector<FamilyInfo> out;
  for (const auto& [name, info] : impl_->families) out.push_back(info);
  return out;
}

}  // namespace parvis::obs
