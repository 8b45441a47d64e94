#include "hale/telemetry/log.h"

#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <string>

namespace hale::telemetry {
namespace {

namespace json = boost::json;

class MemorySink final : public LogSink {
 public:
  bool Write(std::string_view lines) noexcept override {
    text += lines;
    return true;
  }
  std::string text;
};

class LogTest : public testing::Test {
 protected:
  std::string Text() {
    queue_.Drain();
    return std::exchange(sink_.text, {});
  }
  json::object Line() { return json::parse(Text()).as_object(); }

  MemorySink sink_;
  LogQueue queue_{sink_};
  SimClock clock_;
  Log log_{queue_, clock_, "orders"};
};

TEST_F(LogTest, ALineIsOneJsonObject) {
  log_.Warn("charge failed", {{"reason", Reason::kCircuitOpen}, {"order_id", 7}});
  EXPECT_EQ(Text(),
            "{\"timestamp\":\"1970-01-01T01:00:00.000000Z\",\"level\":\"warn\",\"service\":"
            "\"orders\",\"message\":\"charge failed\",\"reason\":\"circuit_open\","
            "\"order_id\":7}\n");
}

TEST_F(LogTest, EachFieldKeepsItsType) {
  const std::string text = "s";
  log_.Info("m", {{"a", text},
                  {"b", "lit"},
                  {"c", -1},
                  {"d", 18'446'744'073'709'551'615ULL},
                  {"e", 0.5F},
                  {"f", true},
                  {"g", 1500ms}});
  const std::string line = Text();
  EXPECT_NE(line.find("\"a\":\"s\",\"b\":\"lit\",\"c\":-1,\"d\":18446744073709551615,\"e\":0.5,"
                      "\"f\":true,\"g\":1.5}\n"),
            std::string::npos)
      << line;
}

TEST_F(LogTest, BelowTheLevelNothingIsCreated) {
  log_.Debug("m");
  EXPECT_EQ(Text(), "");
  EXPECT_EQ(queue_.stats().created, 0);
}

TEST_F(LogTest, TheLevelChangesLive) {
  log_.SetLevel(Level::kDebug);
  log_.Debug("m");
  EXPECT_EQ(Line().at("level"), "debug");
  log_.SetLevel(Level::kOff);
  log_.Error("m");
  EXPECT_EQ(Text(), "");
}

TEST_F(LogTest, ARequestsLinesCarryItsIds) {
  const TraceContext trace{.trace_high = 1, .trace_low = 2, .span = 3};
  log_.With(trace).Error("m");
  const json::object line = Line();
  EXPECT_EQ(line.at("trace_id"), "00000000000000010000000000000002");
  EXPECT_EQ(line.at("span_id"), "0000000000000003");
}

TEST_F(LogTest, WithoutATraceThereAreNoIds) {
  log_.Info("m");
  EXPECT_FALSE(Line().contains("trace_id"));
}

TEST_F(LogTest, SecretsAreNotPrinted) {
  log_.Info("m", {{"Authorization", "Bearer abc"}, {"db_password", 1234}, {"user", "ann"}});
  const std::string line = Text();
  EXPECT_EQ(line.find("abc"), std::string::npos);
  EXPECT_EQ(line.find("1234"), std::string::npos);
  EXPECT_NE(line.find("\"user\":\"ann\""), std::string::npos);
}

TEST_F(LogTest, WhateverIsLoggedTheLineIsJson) {
  log_.Info(std::string(1 << 20, '\x01'),
            {{"\"\n", "\xFF\n"}, {"long", std::string(1 << 20, 'x')}});
  const std::string text = Text();
  EXPECT_EQ(text.find('\n'), text.size() - 1);
  EXPECT_TRUE(json::parse(text).as_object().at("truncated").as_bool());
}

TEST_F(LogTest, AServiceNameIsEscaped) {
  Log log(queue_, clock_, "a\"b\n");
  log.Info("m");
  EXPECT_EQ(Line().at("service"), "a\"b\n");
}

TEST(LevelTest, WordsAndLevelsMapBothWays) {
  for (const auto& name : Names(Type<Level>{})) {
    EXPECT_EQ(Word(name.value), name.word);
    EXPECT_EQ(LevelFromWord(name.word), name.value);
  }
  EXPECT_FALSE(LevelFromWord("WARN"));
}

}  // namespace
}  // namespace hale::telemetry
