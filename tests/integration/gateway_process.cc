#include "gateway_process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "wire.h"

namespace hale::test {
namespace {

constexpr auto kDocument = R"(
listen: [{{address: "{}"}}]
admin: {{address: ""}}
services:
  origin:
    instances: {{static: ["{}"]}}
    breaker: {{mode: off}}
    retry: {{mode: off}}
    outlier: {{mode: off}}
    stall: {{mode: off}}
    timeout: {{per_try: {}ms}}
routes:
  - {{name: all, service: origin, deadline: 20s}}
)";

}  // namespace

std::string GatewayProcess::Binary() {
  if (const char* named = std::getenv("HALE")) return named;
  const auto beside = std::filesystem::read_symlink("/proc/self/exe").parent_path() / "hale";
  return std::filesystem::is_regular_file(beside) ? beside.string() : std::string();
}

GatewayProcess::GatewayProcess(const net::Address& origin, Duration per_try) {
  address_ = Port().address();  // free a moment ago
  document_ = fmt::format("{}/hale_framing_{}_{}.yaml",
                          std::filesystem::temp_directory_path().string(), getpid(), address_.port);
  std::ofstream(document_) << fmt::format(kDocument, address_.Text(), origin.Text(), per_try / 1ms);
  std::string binary = Binary();
  char gateway[] = "gateway";
  char option[] = "-c";
  char* arguments[] = {binary.data(), gateway, option, document_.data(), nullptr};
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_addopen(&files, 1, "/dev/null", O_WRONLY, 0);
  EXPECT_EQ(posix_spawn(&process_, binary.c_str(), &files, nullptr, arguments, environ), 0);
  posix_spawn_file_actions_destroy(&files);
  EXPECT_TRUE(Eventually([&] { return Accepts(address_); })) << binary;
}

GatewayProcess::~GatewayProcess() {
  if (process_ > 0) {
    ::kill(process_, SIGKILL);
    ::waitpid(process_, nullptr, 0);
  }
  std::filesystem::remove(document_);
}

}  // namespace hale::test
