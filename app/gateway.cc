#include <CLI/CLI.hpp>
#include <cstdio>

#include "app/commands.h"
#include "hale/host/gateway.h"

namespace hale::app {

int RunGateway(std::span<const std::string> arguments) {
  CLI::App app("Serves what a document describes.\n\nSIGTERM: not ready, then finish, then stop; a "
               "second one stops at once. SIGHUP: read the files again.",
               "hale gateway");
  std::string file;
  app.add_option("-c,--config", file, "The document, YAML or JSON")->required();
  app.footer("Example:\n  hale gateway -c hale.yaml\n\nExit codes: 0 stopped as told, 1 a port could not "
             "be had, 2 the document is not valid.");
  std::vector<std::string> reversed(arguments.rbegin(), arguments.rend());
  try {
    app.parse(reversed);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  config::Problems problems;
  const auto gateway = host::Gateway::Make(file, problems);
  std::fputs(config::Print(problems).c_str(), stderr);
  if (!gateway) return 2;
  if (const auto opened = gateway->Open(); !opened) {
    std::fprintf(stderr, "hale gateway: %s\n", opened.error().message.c_str());
    return 1;
  }
  gateway->Run();
  return 0;
}

}  // namespace hale::app
