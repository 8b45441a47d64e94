#include <cstdio>

#include "app/commands.h"

namespace hale::app {

int RunVersion(std::span<const std::string>) {
  std::puts("hale " HALE_VERSION);
  return 0;
}

}  // namespace hale::app
