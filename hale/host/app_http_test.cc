#include "hale/host/app_http.h"

#include <gtest/gtest.h>

namespace hale::host {
namespace {

using Named = std::map<std::string, std::string, std::less<>>;

TEST(PathPatternTest, NamesTheSegmentsInBraces) {
  Named named;
  EXPECT_TRUE(PathPattern("/orders/{id}/items/{item}").Match("/orders/7/items/x", named));
  EXPECT_EQ(named, (Named{{"id", "7"}, {"item", "x"}}));
}

TEST(PathPatternTest, TakesNeitherMoreNorLess) {
  Named named;
  EXPECT_FALSE(PathPattern("/orders/{id}").Match("/orders", named));
  EXPECT_FALSE(PathPattern("/orders/{id}").Match("/orders/", named));
  EXPECT_FALSE(PathPattern("/orders/{id}").Match("/orders/7/x", named));
  EXPECT_FALSE(PathPattern("/orders").Match("/orders2", named));
  EXPECT_TRUE(PathPattern("/").Match("/", named));
}

TEST(AppHttpTest, AnErrorBecomesItsReasonsStatusAndWord) {
  Error error(Reason::kCircuitOpen, Executed::kNo);
  error.retry_after = 1500ms;
  const Response response = Unavailable(error);
  EXPECT_EQ(response.head.status, 503);
  EXPECT_EQ(response.head.fields.Find("hale-reason"), "circuit_open");
  EXPECT_EQ(response.head.fields.Find("retry-after"), "2");
  EXPECT_EQ(response.head.fields.Find("hale-retry"), "no");
}

TEST(RequestTest, HasWhatIsLeftOfTheTimeThatItBrought) {
  auto data = std::make_shared<Request::Data>();
  data->began = TimePoint(1h);
  data->passport.timeout = 500ms;
  const Request request(data);
  EXPECT_EQ(request.remaining(TimePoint(1h) + 200ms), 300ms);
  EXPECT_EQ(request.remaining(TimePoint(1h) + 2s), 0ms);
  data->passport.timeout = kForever;
  EXPECT_EQ(request.remaining(TimePoint(1h) + 2s), kForever);
}

}  // namespace
}  // namespace hale::host
