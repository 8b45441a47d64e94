#include "app/demo_json.h"

#include <gmock/gmock.h>

namespace hale::app {
namespace {

using testing::HasSubstr;
using testing::Not;

DemoRow Row(std::string name, std::uint64_t failed) {
  DemoRow row;
  row.name = std::move(name);
  row.fault = true;
  row.users = {.requests = 1500, .failed = failed, .slowest = 12'345'678ns};
  return row;
}

TEST(DemoJsonTest, SaysWithWhatTheCommandWillExit) {
  EXPECT_THAT(DemoJson({.hale = DemoRows{Row("x", 0)}, .bare = {}}, {}),
              HasSubstr(R"("exit_code":0)"));
  EXPECT_THAT(DemoJson({.hale = DemoRows{Row("x", 1)}, .bare = {}}, {}),
              HasSubstr(R"("exit_code":1)"));
  EXPECT_THAT(DemoJson({.hale = {}, .bare = DemoRows{Row("x", 0)}}, {}),
              HasSubstr(R"("exit_code":2)"));
}

TEST(DemoJsonTest, GivesAPhaseItsUsersFigures) {
  EXPECT_THAT(DemoJson({.hale = DemoRows{Row("b is dead", 3)}, .bare = {}}, {}),
              HasSubstr(R"("phases":[{"requests":1500,"failed":3,"slowest_ms":1.2346E1,)"
                        R"("phase":"b is dead","fault":true}])"));
}

TEST(DemoJsonTest, CountsAllPhasesAndTheFlooderApart) {
  DemoRow flood = Row("flood", 0);
  flood.flooder = {.requests = 9000, .failed = 8000, .slowest = 2ms};
  const std::string json = DemoJson({.hale = DemoRows{Row("x", 2), flood}, .bare = {}}, {});
  EXPECT_THAT(json, HasSubstr(R"("users":{"requests":3000,"failed":2,)"));
  EXPECT_THAT(json, HasSubstr(R"("flooder":{"requests":9000,"failed":8000,)"));
}

TEST(DemoJsonTest, LeavesATellingOutThatWasNotTold) {
  EXPECT_THAT(DemoJson({.hale = {}, .bare = DemoRows{Row("x", 1)}}, {}), Not(HasSubstr("hale\":")));
  EXPECT_THAT(DemoJson({.hale = DemoRows{Row("x", 1)}, .bare = {}}, {}), Not(HasSubstr("bare")));
}

TEST(DemoJsonTest, ListsWhatWasToldAndByWhom) {
  const std::vector<DemoNarrator::Line> lines{
      {.at = 1500ms, .who = DemoNarrator::Who::kYou, .text = "killed \"b\""},
      {.at = 2s, .who = DemoNarrator::Who::kHale, .text = "left out"}};
  EXPECT_THAT(DemoJson({.hale = DemoRows{}, .bare = {}}, lines),
              HasSubstr(R"("events":[{"at_seconds":1.5E0,"who":"you","text":"killed \"b\""},)"
                        R"({"at_seconds":2E0,"who":"hale","text":"left out"}])"));
}

}  // namespace
}  // namespace hale::app
