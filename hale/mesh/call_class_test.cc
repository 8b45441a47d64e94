#include "hale/mesh/call_class.h"

#include <gtest/gtest.h>

namespace hale::mesh {
namespace {

using policy::Priority;

Passport Carries(std::optional<Priority> priority) {
  Passport passport;
  passport.priority = priority;
  return passport;
}

TEST(CallClassTest, ARequestIsWorthWhatItCarriesAndElseWhatItsRouteSays) {
  EXPECT_EQ(PriorityOf(Carries(Priority::kSheddable), Priority::kCriticalPlus),
            Priority::kSheddable);
  EXPECT_EQ(PriorityOf(Carries({}), Priority::kCriticalPlus), Priority::kCriticalPlus);
}

TEST(CallClassTest, TheNextHopIsToldWhatTheRouteSays) {
  net::RequestHead head;
  StampPriority(head, Carries({}), Priority::kSheddablePlus);
  EXPECT_EQ(head.fields.Find("hale-priority"), "sheddable_plus");
}

TEST(CallClassTest, TheNextHopIsToldNothingThatNobodyHasSaid) {
  net::RequestHead head;
  StampPriority(head, Carries({}), Priority::kCritical);
  EXPECT_FALSE(head.fields.Has("hale-priority"));
}

TEST(CallClassTest, WhatIsCarriedIsPassedOnAsItIs) {
  net::RequestHead head;
  head.fields.Set("hale-priority", "critical_plus");
  StampPriority(head, Carries(Priority::kCriticalPlus), Priority::kSheddable);
  EXPECT_EQ(head.fields.Find("hale-priority"), "critical_plus");
}

TEST(CallClassTest, APartitionIsByHeaderRouteOrPriority) {
  net::Fields fields;
  fields.Append("X-Tenant", "gold");
  const PartitionFacts facts{fields, "orders", Priority::kSheddable};
  EXPECT_EQ(PartitionOf("header:x-tenant", facts), "gold");
  EXPECT_EQ(PartitionOf("header:x-other", facts), "");
  EXPECT_EQ(PartitionOf("route", facts), "orders");
  EXPECT_EQ(PartitionOf("priority", facts), "sheddable");
  EXPECT_EQ(PartitionOf("", facts), "");
}

}  // namespace
}  // namespace hale::mesh
