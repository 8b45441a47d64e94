#include <CLI/CLI.hpp>
#include <cstdio>
#include <string>
#include <vector>

#include "app/commands.h"

namespace hale::app {

int RunVersion(std::span<const std::string> arguments) {
  CLI::App app("Says which build this is.", "hale version");
  app.footer("Example:\n  hale version\n\nExit codes: 0, or 2 when the arguments are wrong.");
  std::vector<std::string> reversed(arguments.rbegin(), arguments.rend());
  try {
    app.parse(reversed);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  std::puts("hale " HALE_VERSION);
  return 0;
}

}  // namespace hale::app
