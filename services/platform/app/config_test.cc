#include "platform/app/config.h"

#include <gtest/gtest.h>

namespace parvis::app {
namespace {

struct Fixture {
  int64_t page_max = 200;
  int threads = 8;
  bool tls = false;
  std::string name = "parvis";
  std::string mode = "fast";
  std::string address = "127.0.0.1:0";
  std::string key_file;
  absl::Duration wait = absl::Seconds(5);
  std::vector<std::string> hosts;
  std::map<std::string, std::string> backends;
  Options options;

  Fixture() {
    options.Int("page_max", &page_max, "Largest page.", {.min = 1, .max = 1000});
    options.Int("threads", &threads, "Threads.");
    options.Bool("tls", &tls, "Whether to use TLS.");
    options.String("name", &name, "A | name.");
    options.Choice("mode", &mode, "Mode.", {"fast", "safe"});
    options.Address("address", &address, "Address.");
    options.Required("key_file", &key_file, "Key file.");
    options.Duration("wait", &wait, "Wait.", absl::Milliseconds(1), absl::Hours(1));
    options.List("hosts", &hosts, "Hosts.");
    options.Map("backends", &backends, "Backends.");
  }
  Status Run(std::vector<std::string> args, std::map<std::string, std::string> environment = {}) {
    environment.emplace("PARVIS_INBOX_KEY_FILE", "/key");
    return Parse("inbox", options, args, environment);
  }
  std::vector<Violation> Wrong(std::vector<std::string> args, std::map<std::string, std::string> environment = {}) {
    return ToError(Run(std::move(args), std::move(environment))).violations;
  }
};

TEST(ConfigTest, DefaultsThenEnvironmentThenFlags) {
  Fixture f;
  ASSERT_TRUE(
      f.Run({"--page_max=7", "--threads", "3", "--tls", "--hosts=a, b,,c", "--backends=x=1:2,y=3", "--wait=250ms",
             "--mode=safe", "--address=[::1]:80"},
            {{"PARVIS_INBOX_PAGE_MAX", "9"}, {"PARVIS_INBOX_NAME", "n"}, {"HOME", "/"}, {"PARVIS_OTHER_X", "1"}})
          .ok());
  EXPECT_EQ(f.page_max, 7);
  EXPECT_EQ(f.threads, 3);
  EXPECT_TRUE(f.tls);
  EXPECT_EQ(f.name, "n");
  EXPECT_EQ(f.mode, "safe");
  EXPECT_EQ(f.wait, absl::Milliseconds(250));
  EXPECT_EQ(f.hosts, (std::vector<std::string>{"a", "b", "c"}));
  EXPECT_EQ(f.backends, (std::map<std::string, std::string>{{"x", "1:2"}, {"y", "3"}}));
  EXPECT_EQ(f.key_file, "/key");
}

TEST(ConfigTest, EveryMistakeIsListedAtOnce) {
  Fixture f;
  const std::vector<Violation> wrong = f.Wrong({"--page_max=0", "--threads=many", "--tls=maybe", "--nope=1", "stray",
                                                "--wait=5", "--mode=x", "--address=1.2.3.4", "--backends=a"},
                                               {{"PARVIS_INBOX_NOPE", "1"}, {"PARVIS_INBOX_KEY_FILE", ""}});
  std::map<std::string, std::string> by_field;
  for (const Violation& v : wrong) by_field[v.field] = v.description;
  EXPECT_EQ(by_field.size(), 11u);
  EXPECT_EQ(by_field["--page_max"], "must be 1 to 1000");
  EXPECT_EQ(by_field["--threads"], "must be a whole number");
  EXPECT_EQ(by_field["--tls"], "must be true or false");
  EXPECT_EQ(by_field["--nope"], "is not a flag of this service; see --help");
  EXPECT_EQ(by_field["stray"], "is not a flag; flags are written --name=value");
  EXPECT_EQ(by_field["--wait"], "must be a duration such as 250ms, 5s, 10m or 24h");
  EXPECT_EQ(by_field["--mode"], "must be one of fast, safe");
  EXPECT_EQ(by_field["--address"], "must be host:port, with a port from 0 to 65535");
  EXPECT_EQ(by_field["--backends"], "must be a list of name=value, separated by commas");
  EXPECT_EQ(by_field["PARVIS_INBOX_NOPE"], "is not a variable of this service; see --help");
  EXPECT_EQ(by_field["--key_file"], "is required (or PARVIS_INBOX_KEY_FILE)");
}

TEST(ConfigTest, Bounds) {
  EXPECT_EQ(Fixture().Wrong({"--page_max=1001"}).at(0).description, "must be 1 to 1000");
  EXPECT_EQ(Fixture().Wrong({"--threads=99999999999"}).at(0).description, "must be 0 to 2147483647");
  EXPECT_EQ(Fixture().Wrong({"--wait=2h"}).at(0).description, "must be at most 1h");
  EXPECT_EQ(Fixture().Wrong({"--wait=0s"}).at(0).description, "must be at least 1ms");
  EXPECT_EQ(Fixture().Wrong({"--wait=inf"}).at(0).description, "must be a duration such as 250ms, 5s, 10m or 24h");
  EXPECT_EQ(Fixture().Wrong({"--address=h:70000"}).size(), 1u);
  EXPECT_EQ(Fixture().Wrong({"--address=::1:80"}).at(0).description, "an IPv6 address needs brackets: [::1]:8080");
  EXPECT_EQ(Fixture().Wrong({"--backends=a=1,a=2"}).at(0).description, "names 'a' twice");
}

TEST(ConfigTest, AFlagWithoutValueOrGivenTwice) {
  EXPECT_EQ(Fixture().Wrong({"--page_max"}).at(0).description, "needs a value");
  EXPECT_EQ(Fixture().Wrong({"--page_max", "--tls"}).at(0).description, "needs a value");
  EXPECT_EQ(Fixture().Wrong({"--page_max=1", "--page_max=2"}).at(0).description, "is given twice");
}

TEST(ConfigTest, WrongValuesLeaveTheDefault) {
  Fixture f;
  f.Wrong({"--page_max=0", "--wait=x", "--backends=a=1,b"});
  EXPECT_EQ(f.page_max, 200);
  EXPECT_EQ(f.wait, absl::Seconds(5));
  EXPECT_TRUE(f.backends.empty());
}

TEST(ConfigTest, ReferenceRows) {
  const std::string rows = ReferenceRows("inbox", Fixture().options);
  EXPECT_NE(rows.find("| `--page_max` | `PARVIS_INBOX_PAGE_MAX` | int, 1 to 1000 | `200` | Largest page. |\n"),
            std::string::npos)
      << rows;
  EXPECT_NE(rows.find("| *required* | Key file. |"), std::string::npos) << rows;
  EXPECT_NE(rows.find("A \\| name."), std::string::npos) << rows;
}

TEST(ConfigDeathTest, TheSameNameTwiceIsAMistakeInTheProgram) {
  int64_t x = 0;
  Options options;
  options.Int("x", &x, "X.");
  EXPECT_DEATH(options.Int("x", &x, "X."), "--x is declared twice");
}

}  // namespace
}  // namespace parvis::app
