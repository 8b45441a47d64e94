#include "hale/base/field_value.h"

namespace hale {

std::string Print(const std::vector<Remark>& remarks) {
  std::string out;
  for (const Remark& remark : remarks) out += remark.path + ": " + remark.text + "\n";
  return out;
}

std::string Print(const std::vector<Change>& changes) {
  std::string out;
  for (const Change& change : changes) {
    out += change.path + ": " + change.before + " -> " + change.after + "\n";
  }
  return out;
}

}  // namespace hale
