#include "app/check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "hale/config/source.h"

namespace hale::app {
namespace {

using ::testing::HasSubstr;

/// A file with some content; `hale check` of it.
class CheckTest : public ::testing::Test {
 protected:
  ~CheckTest() override { std::filesystem::remove(path_); }

  CheckReport Check(std::string_view content) {
    std::ofstream(path_, std::ios::binary) << content;
    return CheckFile(path_);
  }
  /// The first line without the file's name.
  std::string FirstLine(const CheckReport& report) {
    const std::string text = Describe(report);
    return text.substr(path_.size(), text.find('\n') - path_.size());
  }

  const std::string path_ =
      (std::filesystem::temp_directory_path() / ("hale_check_" + std::to_string(::getpid())))
          .string();
};

constexpr std::string_view kGood =
    "listen: [\"0.0.0.0:80\"]\nservices: {a: {instances: [\"h:1\"]}}\nroutes: [{service: a}]\n";

TEST_F(CheckTest, AValidDocumentExitsWithZero) {
  const CheckReport report = Check(kGood);
  EXPECT_EQ(report.exit_code(), 0);
  EXPECT_EQ(Describe(report),
            path_ + ": valid, 1 listener, 1 service with 1 static instance, 1 route\n");
}

TEST_F(CheckTest, WarningsExitWithOne) {
  const CheckReport report = Check("listen: [{address: \"0.0.0.0:80\", limits: {body: 0B}}]\n");
  EXPECT_EQ(report.exit_code(), 1);
  EXPECT_THAT(Describe(report), HasSubstr("0 routes, 1 warning\n"));
}

TEST_F(CheckTest, ErrorsExitWithTwo) {
  const CheckReport report = Check("log: x\nnode: y\n");
  EXPECT_EQ(report.exit_code(), 2);
  EXPECT_THAT(Describe(report), HasSubstr(": invalid, 2 errors\n"));
}

TEST_F(CheckTest, AFileThatIsNotThereExitsWithTwo) {
  const CheckReport report = CheckFile(path_);
  EXPECT_EQ(report.exit_code(), 2);
  EXPECT_EQ(FirstLine(report), ": cannot be read: No such file or directory");
}

TEST_F(CheckTest, JsonHoldsTheProblems) {
  EXPECT_EQ(DescribeAsJson(Check("log: \"\\\"\"\n")),
            "{\"file\":\"" + path_ +
                "\",\"valid\":false,\"problems\":[{\"severity\":\"error\",\"line\":1,\"column\":6,"
                "\"path\":\"log.level\",\"message\":\"'\\\"' is not one of debug, info, warn, "
                "error, off\"}]}\n");
}

TEST_F(CheckTest, JsonHoldsTheWholeDocumentWhenItIsValid) {
  const std::string json = DescribeAsJson(Check(kGood));
  EXPECT_THAT(json, HasSubstr("\"valid\":true,\"problems\":[],\"document\":{\"node\":{"));
  EXPECT_THAT(json, HasSubstr("\"deadline\":\"15s\""));
}

// What people do to files by mistake: each has a clear message.
struct Mistake {
  const char* name;
  std::string content;
  const char* message;
};

std::string AliasBomb() {
  std::string bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n";
  for (char c = '1'; c <= '9'; ++c) {
    const std::string before = std::string("*a") + static_cast<char>(c - 1);
    bomb += std::string("a") + c + ": &a" + c + " [" + before;
    for (int i = 0; i < 8; ++i) bomb += ", " + before;
    bomb += "]\n";
  }
  return bomb;
}

class MistakeTest : public CheckTest, public ::testing::WithParamInterface<Mistake> {};

TEST_P(MistakeTest, IsSaidClearly) {
  const CheckReport report = Check(GetParam().content);
  EXPECT_EQ(report.exit_code(), 2);
  EXPECT_THAT(Describe(report), HasSubstr(GetParam().message));
}

INSTANTIATE_TEST_SUITE_P(
    Check, MistakeTest,
    ::testing::Values(
        Mistake{"Empty", "", ":1:1: the document is empty"},
        Mistake{"Truncated", std::string(kGood.substr(0, 52)), "a quote is not closed"},
        Mistake{"Huge", std::string(50U << 20, 'a'), ": larger than 1MiB, the most that is read"},
        Mistake{"Binary",
                std::string("\x7F"
                            "ELF\0\1",
                            6),
                ":1:1: this is not text: byte 0x7f"},
        Mistake{"AliasBomb", AliasBomb(), ":1:5 a0: anchors (&name) are not allowed"},
        Mistake{"DuplicateKey", "log: info\nlog: warn\n",
                ":2:1 log: duplicate key, the first is in line 1"},
        Mistake{"Typo", "servics: {}\n", ":1:1 servics: unknown key, did you mean services?"},
        Mistake{"BadDuration", "drain: {wait: 5 minutes}\n",
                ":1:15 drain.wait: '5 minutes' is not a duration such as 250ms, 2s, 1.5s, 5min or "
                "1h"},
        Mistake{"Port70000", "listen: [\"0.0.0.0:70000\"]\n",
                ":1:10 listen[0].address: '0.0.0.0:70000' is not host:port or [v6]:port; the port "
                "is 0 to 65535"},
        Mistake{"UnknownService",
                "services: {orders: {instances: [\"h:1\"]}}\nroutes: [{service: ordres}]\n",
                ":2:11 routes[0].service: no service 'ordres', did you mean orders?"},
        Mistake{"DeeplyNested", std::string(config::kMaxDocument, '['),
                "nested deeper than 64 levels"},
        Mistake{"ManyKeys",
                [] {
                  std::string text;
                  for (int i = 0; i < 70'000; ++i) text += "k" + std::to_string(i) + ": 1\n";
                  return text;
                }(),
                ":1:1 k0: unknown key"}),
    [](const auto& each) { return std::string(each.param.name); });

}  // namespace
}  // namespace hale::app
