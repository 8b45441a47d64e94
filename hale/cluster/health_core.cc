#include "hale/cluster/health_core.h"

namespace hale::cluster {

bool HealthCore::Record(bool passed) {
  const bool first = health_ == Health::kUnknown;
  const bool differs = !first && passed != passed_;
  streak_ = first || differs ? 1 : streak_ + 1;
  passed_ = passed;

  const Health says = passed ? Health::kHealthy : Health::kUnhealthy;
  const bool contradicts = !first && says != health_;
  const bool turns = first || (contradicts && streak_ >= (passed ? options_.rise : options_.fall));
  if (turns) health_ = says;

  pace_ = first ? Pace::kSpread : contradicts || differs ? Pace::kFast : Pace::kSteady;
  return turns;
}

void HealthCore::Reset() {
  health_ = Health::kUnknown;
  streak_ = 0;
  pace_ = Pace::kSpread;
}

Duration HealthCore::First(Random& random) const {
  return random.Between(Duration::zero(), options_.interval / 10);
}

Duration HealthCore::Rest(Random& random) const {
  const Duration interval = options_.interval;
  switch (pace_) {
    case Pace::kSpread:
      return random.Between(interval / 10, interval);
    case Pace::kFast:
      return Scale(random.Between(Scale(interval, 0.9), Scale(interval, 1.1)), 0.25);
    case Pace::kSteady:
      break;
  }
  return random.Between(Scale(interval, 0.9), Scale(interval, 1.1));
}

}  // namespace hale::cluster
