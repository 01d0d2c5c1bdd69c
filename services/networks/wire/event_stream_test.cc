#include "networks/wire/event_stream.h"

#include <gtest/gtest.h>

namespace parvis::networks {
namespace {

std::string Shown(const std::vector<StreamEvent>& events) {
  std::string out;
  for (const StreamEvent& event : events) {
    out += event.type + "=" + event.data + (event.last_id.empty() ? "" : "#" + event.last_id) + (event.cut ? "!" : "") + ";";
  }
  return out;
}

TEST(EventStream, WhatTheStandardSays) {
  const struct {
    std::string wire, events;
  } cases[] = {
      {"data: one\n\n", "message=one;"},
      {"data:one\ndata: two\ndata\n\n", "message=one\ntwo\n;"},
      {"event: add\r\ndata: 1\r\n\r\nevent: add\rdata: 2\r\r", "add=1;add=2;"},
      {":)\n:thump\n\ndata: x\n\n", "message=x;"},
      {"event: lost\n\ndata: x\n\n", "message=x;"},           // no data: no event, and its type is forgotten
      {"id: 7\ndata: a\n\ndata: b\n\n", "message=a#7;message=b#7;"},
      {std::string("id: 7\0\ndata: a\n\n", 16), "message=a;"},
      {"retry: 10\nunknown: y\ndata:  two blanks\n\n", "message= two blanks;"},
      {"\xEF\xBB\xBF" "data: bom\n\n", "message=bom;"},
      {"data: never ended\n", ""},
      {"data\n\n", "message=;"},
      {"", ""},
  };
  for (const auto& c : cases) {
    EXPECT_EQ(Shown(EventStreamParser().Feed(c.wire)), c.events) << c.wire;
    EventStreamParser parser;
    std::string one_by_one;
    for (const char byte : c.wire) one_by_one += Shown(parser.Feed({&byte, 1}));
    EXPECT_EQ(one_by_one, c.events) << c.wire;
  }
}

TEST(EventStream, ALargeEventIsCutAndTheNextIsNot) {
  EventStreamParser parser(100);
  std::string out;
  out += Shown(parser.Feed("data: " + std::string(90, 'a') + "\ndata: " + std::string(500, 'b')));
  out += Shown(parser.Feed(std::string(5000, 'c') + "\n\n"));
  out += Shown(parser.Feed("data: fine\n\n"));
  EXPECT_EQ(out, "message=" + std::string(90, 'a') + "\nbbbb!;message=fine;");
  EventStreamParser endless(100);
  EXPECT_EQ(Shown(endless.Feed(std::string(1 << 20, 'x'))), "");
}

}  // namespace
}  // namespace parvis::networks
