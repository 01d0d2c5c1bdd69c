#include "platform/obs/metrics.h"

#include <gtest/gtest.h>

#include "platform/obs/log.h"

namespace parvis::obs {
namespace {

TEST(MetricsTest, TheSameNameAndLabelsAreTheSameSeries) {
  Metrics metrics;
  Counter& a = metrics.counter("parvis_test_things_total", "Things.", {{"kind", "a"}});
  Counter& again = metrics.counter("parvis_test_things_total", "Things.", {{"kind", "a"}});
  Counter& b = metrics.counter("parvis_test_things_total", "Things.", {{"kind", "b"}});
  EXPECT_EQ(&a, &again);
  EXPECT_NE(&a, &b);
  a.Add();
  a.Add(2);
  EXPECT_EQ(a.Value(), 3);
  EXPECT_EQ(b.Value(), 0);
}

TEST(MetricsTest, Exposes) {
  Metrics metrics;
  metrics.counter("parvis_test_things_total", "Things.", {{"kind", "a"}}).Add(2);
  metrics.gauge("parvis_test_level", "Level.").Set(1.5);
  metrics.histogram("parvis_test_seconds", "Time.").Observe(0.003);
  const std::string text = metrics.Expose();
  EXPECT_NE(text.find("# HELP parvis_test_things_total Things."), std::string::npos) << text;
  EXPECT_NE(text.find("parvis_test_things_total{kind=\"a\"} 2"), std::string::npos) << text;
  EXPECT_NE(text.find("parvis_test_level 1.5"), std::string::npos) << text;
  EXPECT_NE(text.find("parvis_test_seconds_bucket{le=\"0.005\"} 1"), std::string::npos) << text;
  EXPECT_NE(text.find("parvis_test_seconds_bucket{le=\"0.0025\"} 0"), std::string::npos) << text;
  const std::vector<FamilyInfo> families = metrics.Families();
  ASSERT_EQ(families.size(), 3u);
  EXPECT_EQ(families[0].name, "parvis_test_level");
  EXPECT_EQ(families[2].type, "counter");
  EXPECT_EQ(families[2].labels, std::vector<std::string>{"kind"});
}

TEST(MetricsTest, TooManySeriesAreCountedTogether) {
  std::vector<std::string> lines;
  SetLogSink([&](std::string_view line) { lines.emplace_back(line); });
  Metrics metrics(3);
  for (int i = 0; i < 10; ++i) {
    metrics.counter("parvis_test_total", "T.", {{"id", std::to_string(i)}}).Add();
  }
  SetLogSink(nullptr);
  EXPECT_EQ(lines.size(), 1u);
  EXPECT_EQ(metrics.counter("parvis_test_total", "T.", {{"id", "77"}}).Value(), 7);
  EXPECT_NE(metrics.Expose().find("parvis_test_total{id=\"other\"} 7"), std::string::npos) << metrics.Expose();
}

}  // namespace
}  // namespace parvis::obs
