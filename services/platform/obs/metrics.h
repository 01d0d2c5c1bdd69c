// Metrics for Prometheus, on prometheus-cpp. Names: parvis_<area>_<what>_<base unit>[_total]; never an id as a label.
// Every family is created once with its help text; asking again for the same name and labels gives the same series.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace prometheus {
class Registry;
}

namespace parvis::obs {

class Degraded;

using Labels = std::map<std::string, std::string>;

class Counter {
 public:
  virtual ~Counter() = default;
  virtual void Add(double by = 1) = 0;
  virtual double Value() const = 0;
};
class Gauge {
 public:
  virtual ~Gauge() = default;
  virtual void Set(double value) = 0;
  virtual void Add(double by) = 0;
  virtual double Value() const = 0;
};
class Histogram {
 public:
  virtual ~Histogram() = default;
  virtual void Observe(double value) = 0;
};

// What docs/reference/metrics.md is generated from.
struct FamilyInfo {
  std::string name, type, help;
  std::vector<std::string> labels;
};

// Owns all series; series live as long as it does. Thread-safe. Creating more than `series_max` series of one family is
// refused: the caller gets one shared overflow series labelled "other", and a warning is logged once.
class Metrics {
 public:
  explicit Metrics(int series_max = 1000);
  ~Metrics();
  Counter& counter(std::string_view name, std::string_view help, const Labels& labels = {});
  Gauge& gauge(std::string_view name, std::string_view help, const Labels& labels = {});
  // Default buckets: latency in seconds, 100 us to 60 s.
  Histogram& histogram(std::string_view name, std::string_view help, const Labels& labels = {},
                       const std::vector<double>& buckets = {});
  std::string Expose() const;                // Prometheus text format 0.0.4
  std::vector<FamilyInfo> Families() const;  // sorted by name
  // What this process can no longer do (degraded.h); here, because whoever notices it has the metrics at hand.
  Degraded& degraded();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace parvis::obs
