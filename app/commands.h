#pragma once

#include <span>
#include <string>

namespace hale::app {

/// The commands of `hale`, each in a file of its own. They are given what follows the command's
/// name and return the exit code of the process, as their `--help` lists it.
int RunCheck(std::span<const std::string> arguments);
int RunDemo(std::span<const std::string> arguments);
int RunDemoBackend(std::span<const std::string> arguments);
int RunExplain(std::span<const std::string> arguments);
int RunGateway(std::span<const std::string> arguments);
int RunVersion(std::span<const std::string> arguments);
int RunLoad(std::span<const std::string> arguments);

}  // namespace hale::app
