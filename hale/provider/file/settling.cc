#include "hale/provider/file/settling.h"

#include <algorithm>

namespace hale::provider::file {

void Settling::Touch(Change change, TimePoint now) {
  const bool written = first_ && how_ == Change::kWritten;
  if (!first_) first_ = now;
  last_ = now;
  if (change != Change::kNoticed || !written) how_ = change;
  // Somebody else's writing is a new matter: it may be torn as often as the last.
  agains_ = 0;
}

void Settling::Hurry(TimePoint now) { hurried_ = now; }

TimePoint Settling::due() const {
  if (hurried_) return *hurried_;
  if (!first_) return kNever;
  Duration rest = options_.quiet;
  if (how_ == Change::kWritten) rest = options_.open;
  if (how_ == Change::kGone) rest = options_.gone;
  return std::min(last_ + rest, *first_ + options_.longest);
}

void Settling::Read() {
  first_.reset();
  hurried_.reset();
}

void Settling::Again(TimePoint now) {
  if (!patient()) return Done();
  ++agains_;
  hurried_ = now + options_.again;
}

}  // namespace hale::provider::file
