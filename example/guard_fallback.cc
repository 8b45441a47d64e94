// What to answer when a call fails: the last good value if it is young enough, else a fixed one.

#include <iostream>

#include "hale/hale.h"

namespace {

using namespace std::chrono_literals;

// A shop that answers twice and is gone from then on.
class Shop {
 public:
  hale::Result<int> Stock() {
    if (++calls_ <= 2) return 12;
    return hale::Fail(hale::Code::kUnavailable, "the shop is closed");
  }

 private:
  int calls_ = 0;
};

class Print final : public hale::EventSink {
 public:
  void On(const hale::Event& event) noexcept override {
    if (event.kind != hale::EventKind::kFellBack) return;
    std::cout << event.service << " fell back: " << hale::Word(event.reason) << "\n";
  }
};

}  // namespace

int main() {
  Shop shop;
  Print events;
  const auto ask = [&](const hale::Attempt&) { return shop.Stock(); };
  hale::Guard guard{{.name = "stock", .retry = {.attempts = 1}}};
  hale::Fallback fallback{{}, {.name = "stock", .events = events}};
  hale::LastGood<int> last{5min};
  for (int i = 0; i < 4; ++i) {
    const auto stock = fallback.Or(fallback.Or(guard.Call(ask), last), 0);
    std::cout << stock.value() << " in stock\n";
  }
}
