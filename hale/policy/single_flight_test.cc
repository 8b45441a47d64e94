#include "hale/policy/single_flight.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace hale::policy {
namespace {

using Landing = SingleFlight::Landing;
using Part = SingleFlight::Part;

class Waiting final : public SingleFlight::Follower {
 public:
  void OnLanded() noexcept override { ++told; }
  std::string text() const {
    return landed().what ? *static_cast<const std::string*>(landed().what.get()) : "nothing";
  }
  int told = 0;
};

/// Goes on to follow `b` when it is told.
class GoesOn final : public SingleFlight::Follower {
 public:
  explicit GoesOn(SingleFlight& flights) : flights_(flights) {}
  void OnLanded() noexcept override { (void)flights_.Join("b", *this, TimePoint(1h)); }

 private:
  SingleFlight& flights_;
};

class Deserted final : public SingleFlight::Observer {
 public:
  void OnDeserted() noexcept override { ++told; }
  int told = 0;
};

SingleFlight::Landed Shared(std::string text) {
  return {Landing::kShared, std::make_shared<const std::string>(std::move(text))};
}

struct Trail final : EventSink {
  void On(const Event& event) noexcept override { kinds.push_back(event.kind); }
  std::vector<EventKind> kinds;
};

class SingleFlightTest : public ::testing::Test, protected EventSink {
 protected:
  void On(const Event& event) noexcept override { told_.push_back(event.kind); }
  SingleFlight::Joined Join(std::string_view key, Waiting& who) {
    return flights_.Join(key, who, TimePoint(1h));
  }
  SingleFlight flights_{{.mode = Mode::kEnforce, .max_keys = 2}, {"route", *this}};
  std::vector<EventKind> told_;
  Waiting leader_;
  Waiting one_;
  Waiting two_;
};

TEST_F(SingleFlightTest, TheFirstLeadsAndTheOthersFollow) {
  auto first = Join("a", leader_);
  EXPECT_EQ(first.part, Part::kLeads);
  EXPECT_EQ(Join("a", one_).part, Part::kFollows);
  EXPECT_EQ(Join("a", two_).part, Part::kFollows);
  EXPECT_EQ(first.lead.followers(), 2U);
  EXPECT_EQ(flights_.flights(), 1U);
}

TEST_F(SingleFlightTest, GivesAllWhoFollowTheOneAnswer) {
  auto first = Join("a", leader_);
  (void)Join("a", one_);
  (void)Join("a", two_);
  first.lead.Land(Shared("answer"));
  EXPECT_EQ(one_.told, 1);
  EXPECT_EQ(one_.text(), "answer");
  EXPECT_EQ(two_.text(), "answer");
  EXPECT_EQ(one_.landed().how, Landing::kShared);
}

TEST_F(SingleFlightTest, CountsWhoHasFollowed) {
  auto first = Join("a", leader_);
  (void)Join("a", one_);
  (void)Join("a", two_);
  EXPECT_EQ(flights_.joined(), 2U);
}

TEST_F(SingleFlightTest, WhoIsToldMayFollowAnotherAtOnce) {
  GoesOn again(flights_);
  auto first = Join("a", leader_);
  auto second = Join("b", two_);
  (void)flights_.Join("a", again, TimePoint(1h));
  (void)Join("a", one_);
  first.lead.Land({});
  EXPECT_EQ(one_.told, 1) << "who comes behind it is told all the same";
  EXPECT_EQ(second.lead.followers(), 1U);
}

TEST_F(SingleFlightTest, KeepsOtherKeysApart) {
  auto first = Join("a", leader_);
  EXPECT_EQ(Join("b", one_).part, Part::kLeads);
}

TEST_F(SingleFlightTest, RemembersNothingAfterTheLanding) {
  auto first = Join("a", leader_);
  first.lead.Land(Shared("answer"));
  EXPECT_EQ(flights_.flights(), 0U);
  EXPECT_EQ(Join("a", one_).part, Part::kLeads);
}

TEST_F(SingleFlightTest, LandsOnce) {
  auto first = Join("a", leader_);
  (void)Join("a", one_);
  first.lead.Land(Shared("answer"));
  first.lead.Land(Shared("again"));
  EXPECT_EQ(one_.told, 1);
  EXPECT_EQ(one_.text(), "answer");
}

TEST_F(SingleFlightTest, ALeaderThatIsDroppedLetsTheOthersTryAgain) {
  {
    auto first = Join("a", leader_);
    (void)Join("a", one_);
  }
  EXPECT_EQ(one_.told, 1);
  EXPECT_EQ(one_.landed().how, Landing::kAgain);
}

TEST_F(SingleFlightTest, ALeadThatIsOverwrittenIsDropped) {
  auto first = Join("a", leader_);
  (void)Join("a", one_);
  first.lead = Join("b", two_).lead;
  EXPECT_EQ(one_.landed().how, Landing::kAgain);
  EXPECT_EQ(one_.told, 1);
}

TEST_F(SingleFlightTest, WhoLeavesIsNotTold) {
  auto first = Join("a", leader_);
  (void)Join("a", one_);
  (void)Join("a", two_);
  EXPECT_TRUE(flights_.Leave(one_));
  EXPECT_EQ(first.lead.followers(), 1U);
  first.lead.Land(Shared("answer"));
  EXPECT_EQ(one_.told, 0);
  EXPECT_EQ(two_.told, 1);
}

TEST_F(SingleFlightTest, WhoLeavesTooLateIsToldSo) {
  auto first = Join("a", leader_);
  (void)Join("a", one_);
  first.lead.Land(Shared("answer"));
  EXPECT_FALSE(flights_.Leave(one_));
}

TEST_F(SingleFlightTest, AnyOfTheFollowersMayLeave) {
  std::array<Waiting, 4> all;
  auto first = Join("a", leader_);
  for (Waiting& who : all) (void)Join("a", who);
  EXPECT_TRUE(flights_.Leave(all[1]));
  EXPECT_TRUE(flights_.Leave(all[3]));
  EXPECT_TRUE(flights_.Leave(all[0]));
  (void)Join("a", one_);  // behind those who are left
  first.lead.Land(Shared("answer"));
  EXPECT_EQ(all[2].told, 1);
  EXPECT_EQ(one_.told, 1);
  EXPECT_EQ(all[0].told + all[1].told + all[3].told, 0);
}

TEST_F(SingleFlightTest, ALeaderWhoseCallerIsGoneStopsWhenNobodyFollows) {
  auto first = Join("a", leader_);
  EXPECT_TRUE(first.lead.Abandon(nullptr));
  EXPECT_EQ(Join("a", one_).part, Part::kLeads) << "what is stopped is not joined";
}

TEST_F(SingleFlightTest, ALeaderThatHasLandedHasNobodyToGoOnFor) {
  auto first = Join("a", leader_);
  first.lead.Land({});
  EXPECT_TRUE(first.lead.Abandon(nullptr));
}

TEST_F(SingleFlightTest, ALandingAfterTheLeaderWasStoppedLeavesTheNextFlightAlone) {
  auto first = Join("a", leader_);
  EXPECT_TRUE(first.lead.Abandon(nullptr));
  auto second = Join("a", one_);
  first.lead.Land({});
  EXPECT_EQ(flights_.flights(), 1U);
  EXPECT_EQ(Join("a", two_).part, Part::kFollows);
}

TEST_F(SingleFlightTest, ALeaderWhoseCallerIsGoneGoesOnForTheOthers) {
  auto observer = std::make_shared<Deserted>();
  auto first = Join("a", leader_);
  (void)Join("a", one_);
  (void)Join("a", two_);
  EXPECT_FALSE(first.lead.Abandon(observer));
  EXPECT_TRUE(flights_.Leave(one_));
  EXPECT_EQ(observer->told, 0);
  EXPECT_TRUE(flights_.Leave(two_));
  EXPECT_EQ(observer->told, 1);
  EXPECT_TRUE(first.lead.Abandon(observer));
}

TEST_F(SingleFlightTest, ALeaderThatWasDesertedGoesOnForWhoCameMeanwhile) {
  auto observer = std::make_shared<Deserted>();
  auto first = Join("a", leader_);
  (void)Join("a", one_);
  EXPECT_FALSE(first.lead.Abandon(observer));
  EXPECT_TRUE(flights_.Leave(one_));
  EXPECT_EQ(Join("a", two_).part, Part::kFollows);
  EXPECT_FALSE(first.lead.Abandon(observer));
}

TEST_F(SingleFlightTest, ALeaderIsToldOnceThatItIsDeserted) {
  auto observer = std::make_shared<Deserted>();
  auto first = Join("a", leader_);
  (void)Join("a", one_);
  EXPECT_FALSE(first.lead.Abandon(observer));
  EXPECT_TRUE(flights_.Leave(one_));
  (void)Join("a", two_);
  EXPECT_TRUE(flights_.Leave(two_));
  EXPECT_EQ(observer->told, 1);
}

TEST_F(SingleFlightTest, NobodyJoinsBeyondItsBound) {
  auto first = Join("a", leader_);
  auto second = Join("b", one_);
  EXPECT_EQ(Join("c", two_).part, Part::kAlone);
  EXPECT_EQ(Join("d", two_).part, Part::kAlone);
  EXPECT_EQ(told_, std::vector{EventKind::kBound});
  EXPECT_EQ(Join("a", two_).part, Part::kFollows) << "what is under way can be joined";
  first.lead.Land({});
  EXPECT_EQ(Join("c", leader_).part, Part::kLeads);
}

TEST_F(SingleFlightTest, TellsAgainThatItIsFullOnceHalfHaveLanded) {
  flights_.Apply({.mode = Mode::kEnforce, .max_keys = 4});
  std::vector<SingleFlight::Lead> leads;
  for (const auto* key : {"a", "b", "c", "d"}) leads.push_back(Join(key, leader_).lead);
  (void)Join("e", one_);
  leads.pop_back();
  leads.push_back(Join("d", leader_).lead);
  (void)Join("e", one_);
  EXPECT_EQ(told_.size(), 1U) << "three of four are no half";
  leads.resize(2);
  for (const auto* key : {"c", "d"}) leads.push_back(Join(key, leader_).lead);
  (void)Join("e", one_);
  EXPECT_EQ(told_.size(), 2U);
}

TEST_F(SingleFlightTest, TakesANewBoundAtOnce) {
  flights_.Apply({.mode = Mode::kEnforce, .max_keys = 1});
  auto first = Join("a", leader_);
  EXPECT_EQ(Join("b", one_).part, Part::kAlone);
}

TEST_F(SingleFlightTest, JoinsNothingWhenOff) {
  flights_.Apply({});
  EXPECT_EQ(Join("a", leader_).part, Part::kAlone);
  EXPECT_EQ(flights_.flights(), 0U);
}

TEST_F(SingleFlightTest, InShadowSaysWhoWouldHaveJoined) {
  flights_.Apply({.mode = Mode::kShadow});
  auto first = Join("a", leader_);
  EXPECT_EQ(Join("a", one_).part, Part::kAlone);
  EXPECT_EQ(told_, std::vector{EventKind::kWouldRefuse});
  EXPECT_EQ(flights_.joined(), 0U);
}

TEST_F(SingleFlightTest, InShadowTellsTheTrailOfTheCallAndNobodyElse) {
  flights_.Apply({.mode = Mode::kShadow});
  Trail trail;
  auto first = flights_.Join("a", leader_, TimePoint(1h), &trail);
  EXPECT_TRUE(trail.kinds.empty());
  (void)flights_.Join("a", one_, TimePoint(1h), &trail);
  EXPECT_EQ(trail.kinds, std::vector{EventKind::kWouldRefuse});
  EXPECT_TRUE(told_.empty());
}

TEST_F(SingleFlightTest, ItsBoundConcernsEverybody) {
  Trail trail;
  auto first = flights_.Join("a", leader_, TimePoint(1h), &trail);
  auto second = flights_.Join("b", one_, TimePoint(1h), &trail);
  (void)flights_.Join("c", two_, TimePoint(1h), &trail);
  EXPECT_EQ(told_, std::vector{EventKind::kBound});
  EXPECT_TRUE(trail.kinds.empty());
}

TEST_F(SingleFlightTest, LandsForThoseWhoFollowedBeforeItWasSwitchedOff) {
  auto first = Join("a", leader_);
  (void)Join("a", one_);
  flights_.Apply({});
  first.lead.Land(Shared("answer"));
  EXPECT_EQ(one_.text(), "answer");
}

}  // namespace
}  // namespace hale::policy
