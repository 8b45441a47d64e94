#include <array>
#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

#include "app/commands.h"

namespace hale::app {
namespace {

struct Command {
  std::string_view name;
  int (*run)(std::span<const std::string> arguments);
  std::string_view about;
};

constexpr std::array kCommands = {
    Command{"gateway", RunGateway, "serve what a document describes, as a sidecar or at the edge"},
    Command{"check", RunCheck, "say what is wrong or unwise in a document"},
    Command{"explain", RunExplain, "say why a request failed, as a running gateway keeps it"},
    Command{"load", RunLoad, "send an open load and report how it was answered"},
    Command{"demo", RunDemo, "break three backends in a minute and see what their users notice"},
    Command{"demo-backend", RunDemoBackend, "a backend to play with"},
    Command{"version", RunVersion, "which build this is"},
};

void PrintUsage(std::FILE* out) {
  std::fputs(
      "Usage: hale COMMAND [options]\n\nKeeps services standing while parts of them fail.\n\n"
      "Commands:\n",
      out);
  for (const Command& command : kCommands) {
    std::fprintf(out, "  %-14s%s\n", std::string(command.name).c_str(),
                 std::string(command.about).c_str());
  }
  std::fputs("\n`hale COMMAND --help` says more, with an example.\n", out);
}

int Main(std::span<const std::string> arguments) {
  if (arguments.empty()) {
    PrintUsage(stderr);
    return 2;
  }
  const std::string& name = arguments.front();
  for (const Command& command : kCommands) {
    if (command.name == name) return command.run(arguments.subspan(1));
  }
  const bool help = name == "--help" || name == "-h" || name == "help";
  if (!help) std::fprintf(stderr, "hale: there is no command '%s'\n\n", name.c_str());
  PrintUsage(help ? stdout : stderr);
  return help ? 0 : 2;
}

}  // namespace
}  // namespace hale::app

int main(int argc, char** argv) {
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  return hale::app::Main(arguments);
}
