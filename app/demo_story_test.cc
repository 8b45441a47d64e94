#include "app/demo_story.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <string>

namespace hale::app {
namespace {

using testing::ElementsAre;

std::vector<DemoAction> ActionsOf(const std::vector<DemoPhase>& story) {
  std::vector<DemoAction> actions;
  for (const DemoPhase& phase : story) {
    for (const DemoStep& step : phase.steps) actions.push_back(step.action);
  }
  return actions;
}

bool Has(const DemoPhase& phase, DemoAction action) {
  return std::ranges::any_of(phase.steps, [&](const DemoStep& s) { return s.action == action; });
}

const DemoPhase& PhaseWith(const std::vector<DemoPhase>& story, DemoAction action) {
  return *std::ranges::find_if(story, [&](const DemoPhase& phase) { return Has(phase, action); });
}

TEST(DemoStoryTest, MendsWhateverItBreaks) {
  using A = DemoAction;
  EXPECT_THAT(ActionsOf(HaleStory(40s)),
              ElementsAre(A::kKill, A::kRestart, A::kStop, A::kContinue, A::kSlow, A::kNormal,
                          A::kFlood, A::kBadEdit, A::kGoodEdit));
}

TEST(DemoStoryTest, LeavesTheEditsOutWithoutPolicies) {
  using A = DemoAction;
  EXPECT_THAT(ActionsOf(BareStory(40s)), ElementsAre(A::kKill, A::kRestart, A::kStop, A::kContinue,
                                                     A::kSlow, A::kNormal, A::kFlood));
}

TEST(DemoStoryTest, CallsAPhaseAFaultWhenABackendIsDeadOrStopped) {
  for (const DemoPhase& phase : HaleStory(40s)) {
    EXPECT_EQ(phase.fault, Has(phase, DemoAction::kKill) || Has(phase, DemoAction::kStop))
        << phase.name;
  }
}

TEST(DemoStoryTest, FloodsInThePhaseThatSaysSo) {
  for (const DemoPhase& phase : HaleStory(40s)) {
    EXPECT_EQ(phase.flood, Has(phase, DemoAction::kFlood)) << phase.name;
  }
}

TEST(DemoStoryTest, TakesTheTimeItIsGiven) {
  EXPECT_NEAR(Seconds(LengthOf(HaleStory(40s))), 40, 0.001);
  EXPECT_NEAR(Seconds(LengthOf(HaleStory(100s))), 100, 0.001);
}

// Half of 100 s, of which the edits would have had 12 %.
TEST(DemoStoryTest, TakesHalfTheTimeWithoutPolicies) {
  EXPECT_NEAR(Seconds(LengthOf(BareStory(100s))), 44, 0.001);
}

TEST(DemoStoryTest, StopsABackendForLongerThanARequestMayTakeHoweverShortItIs) {
  EXPECT_EQ(PhaseWith(HaleStory(1s), DemoAction::kStop).length, 2800ms);
  EXPECT_EQ(PhaseWith(BareStory(1s), DemoAction::kStop).length, 2800ms);
}

TEST(DemoStoryTest, GivesEveryPhaseHalfASecondAtLeast) {
  for (const DemoPhase& phase : HaleStory(1s)) EXPECT_GE(phase.length, 500ms) << phase.name;
}

TEST(DemoStoryTest, DoesWhatItDoesInOrderAndBeforeThePhaseEnds) {
  for (const DemoPhase& phase : HaleStory(40s)) {
    EXPECT_TRUE(std::ranges::is_sorted(phase.steps, {}, &DemoStep::at)) << phase.name;
    for (const DemoStep& step : phase.steps) {
      EXPECT_GE(step.at, 0) << phase.name;
      EXPECT_LT(step.at, 1) << phase.name;
    }
  }
}

// Rows of both tellings are matched by name.
TEST(DemoStoryTest, CallsNoTwoPhasesAlikeAndBothTellingsThemTheSame) {
  const std::vector<DemoPhase> hale = HaleStory(40s);
  const std::vector<DemoPhase> bare = BareStory(40s);
  ASSERT_EQ(bare.size() + 1, hale.size());
  for (std::size_t i = 0; i < bare.size(); ++i) EXPECT_EQ(bare[i].name, hale[i].name);
  std::vector<std::string_view> names;
  for (const DemoPhase& phase : hale) names.push_back(phase.name);
  std::ranges::sort(names);
  EXPECT_EQ(std::ranges::adjacent_find(names), names.end());
}

}  // namespace
}  // namespace hale::app
