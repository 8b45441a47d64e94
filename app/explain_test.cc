#include "app/explain.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>

namespace hale::app {
namespace {

Explained Of(int status, std::string body, const ExplainOptions& options = {.id = "r-1"}) {
  return Explain(options, AdminAnswer{.status = status, .body = std::move(body), .is_admin = true});
}

TEST(ExplainCommandTest, AsksForOneRequestOrTheLatest) {
  EXPECT_EQ(ExplainTarget({.id = "r-1"}), "/explain?id=r-1&format=text");
  EXPECT_EQ(ExplainTarget({.id = "", .limit = 5}), "/explain?limit=5&format=text");
  EXPECT_EQ(ExplainTarget({.id = "r-1", .json = true}), "/explain?id=r-1");
}

TEST(ExplainCommandTest, AnIdIsNoPartOfTheQuery) {
  EXPECT_EQ(ExplainTarget({.id = "a b&c=\xff", .json = true}), "/explain?id=a%20b%26c%3D%FF");
}

TEST(ExplainCommandTest, PrintsWhatTheAdminPortSays) {
  EXPECT_EQ(Of(200, "GET / refused\n"), (Explained{0, "GET / refused\n"}));
  EXPECT_EQ(Of(200, R"({"requests":[]})").text, "{\"requests\":[]}\n");
}

TEST(ExplainCommandTest, SaysThatNothingIsKeptYet) {
  EXPECT_EQ(Of(200, "", {}).exit_code, 0);
  EXPECT_TRUE(Of(200, "", {}).text.starts_with("no request is kept yet"));
}

TEST(ExplainCommandTest, ARequestThatIsNotKeptIsAnExitCodeOfItsOwn) {
  EXPECT_EQ(Of(404, R"({"error":"no such request is kept","reason":"none"})"),
            (Explained{1, "hale explain: no such request is kept\n"}));
}

TEST(ExplainCommandTest, ARefusalIsSaidInItsWords) {
  EXPECT_EQ(Of(403, R"({"error":"the Host header is wrong","reason":"forbidden"})"),
            (Explained{2, "hale explain: the Host header is wrong\n"}));
}

TEST(ExplainCommandTest, AnotherServerIsNotTakenForAnAdminPort) {
  for (const int status : {200, 404}) {
    EXPECT_EQ(Explain({.id = "r-1"}, AdminAnswer{.status = status, .body = R"({"error":"no"})"}),
              (Explained{2, "hale explain: 127.0.0.1:9901 answers with status " +
                                std::to_string(status) + ": it is no admin port of Hale\n"}));
  }
}

TEST(ExplainCommandTest, SaysWhereNobodyAnswers) {
  const Result<AdminAnswer> nobody = Fail(Code::kUnavailable, "connection refused");
  EXPECT_EQ(Explain(ExplainOptions(), nobody),
            (Explained{2, "hale explain: cannot ask 127.0.0.1:9901: connection refused\n"}));
}

}  // namespace
}  // namespace hale::app
