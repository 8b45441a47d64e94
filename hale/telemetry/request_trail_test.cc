#include "hale/telemetry/request_trail.h"

#include <gtest/gtest.h>

namespace hale::telemetry {
namespace {

TEST(RequestTrailTest, HasRoomForWhichLimitRefusedAndWhy) {
  RequestTrail trail{TimePoint{}};
  Event event;
  event.detail =
      "no place for its key, seventh limit of the service (1000000000/s bytes by "
      "header:x-subscription-id)";
  trail.Add(event);
  EXPECT_EQ(trail.decisions()[0].detail, event.detail);
}

}  // namespace
}  // namespace hale::telemetry
