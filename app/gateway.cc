#include <CLI/CLI.hpp>
#include <cstdio>

#include "app/commands.h"
#include "hale/host/process.h"
#include "hale/mesh/proxy.h"

namespace hale::app {

int RunGateway(std::span<const std::string> arguments) {
  CLI::App app(
      "Serves what a document describes.\n\nSIGTERM: not ready, then finish, then stop; a "
      "second one stops at once. SIGHUP: read the files again.",
      "hale gateway");
  std::string file;
  app.add_option("-c,--config", file, "The document, YAML or JSON")->required();
  app.footer(
      "Example:\n  hale gateway -c hale.yaml\n\nExit codes: 0 stopped as told, 1 a port could not "
      "be had, 2 the document is not valid.");
  std::vector<std::string> reversed(arguments.rbegin(), arguments.rend());
  try {
    app.parse(reversed);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  config::Problems problems;
  const auto process = host::Process::Make(file, problems);
  std::fputs(config::Print(problems).c_str(), stderr);
  if (!process) return 2;
  const host::HandlerFactory proxies = [&](mesh::Pools& pools, const mesh::ListenOptions& listen) {
    return std::make_unique<mesh::Proxy>(process->routes(), process->records(), pools, listen);
  };
  if (const auto opened = process->Open(proxies); !opened) {
    std::fprintf(stderr, "hale gateway: %s\n", opened.error().message.c_str());
    return 1;
  }
  process->Run();
  return 0;
}

}  // namespace hale::app
