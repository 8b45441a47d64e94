#include "app/explain.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <cstdio>
#include <string>
#include <vector>

#include "app/commands.h"
#include "hale/host/admin_routes.h"
#include "hale/net/address.h"

namespace hale::app {
namespace {

constexpr const char* kAbout =
    "Says why a request failed, or took so long: every decision about it, by which rule and with\n"
    "which figures, as the admin port of a running gateway or service keeps it.";
constexpr const char* kFooter =
    "Examples:\n"
    "  hale explain 7f3c2a10                      # the x-request-id of a response, or a trace id\n"
    "  hale explain --admin 127.0.0.1:9901 --limit 5\n\n"
    "Exit codes: 0 explained, 1 no such request is kept, 2 nobody or another server answers "
    "there,\n"
    "the answer is a refusal, or wrong arguments.";

std::string Encoded(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '-' || c == '.' || c == '_' || c == '~';
    out += plain ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return out;
}

/// What the admin port says of a refusal.
std::string ErrorOf(std::string_view body) {
  boost::system::error_code wrong;
  const boost::json::value value = boost::json::parse(body, wrong);
  const auto* object = wrong ? nullptr : value.if_object();
  const auto* error = object == nullptr ? nullptr : object->if_contains("error");
  const auto* text = error == nullptr ? nullptr : error->if_string();
  return text == nullptr ? std::string() : std::string(*text);
}

Explained Failed(int exit_code, std::string_view message) {
  return {.exit_code = exit_code, .text = fmt::format("hale explain: {}\n", message)};
}

}  // namespace

std::string ExplainTarget(const ExplainOptions& options) {
  std::string target = options.id.empty() ? fmt::format("/explain?limit={}", options.limit)
                                          : "/explain?id=" + Encoded(options.id);
  return options.json ? target : target + "&format=text";
}

Explained Explain(const ExplainOptions& options, const Result<AdminAnswer>& answer) {
  if (!answer) {
    return Failed(2, fmt::format("cannot ask {}: {}", options.admin, answer.error().message));
  }
  if (!answer->is_admin) {
    return Failed(2, fmt::format("{} answers with status {}: it is no admin port of Hale",
                                 options.admin, answer->status));
  }
  if (answer->status != 200) {
    const std::string error = ErrorOf(answer->body);
    const bool unknown = answer->status == 404 && !options.id.empty();
    return Failed(unknown ? 1 : 2, error);
  }
  if (answer->body.empty()) {
    return {.text =
                "no request is kept yet: none was refused, failed, retried, slow, sampled\n"
                "or touched by a policy in shadow\n"};
  }
  return {.text = answer->body.ends_with('\n') ? answer->body : answer->body + '\n'};
}

int RunExplain(std::span<const std::string> arguments) {
  ExplainOptions options;
  CLI::App cli{kAbout, "hale explain"};
  cli.footer(kFooter);
  cli.add_option("ID", options.id, "a request id or trace id; without it, the latest requests");
  cli.add_option("--admin", options.admin, "HOST:PORT of the admin port")->capture_default_str();
  cli.add_option("--limit", options.limit, "how many of the latest")
      ->capture_default_str()
      ->check(CLI::Range(1U, host::kMostExplained));
  cli.add_flag("--json", options.json, "one JSON object instead of sentences");
  try {
    cli.parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));
  } catch (const CLI::ParseError& error) {
    return cli.exit(error) == 0 ? 0 : 2;
  }
  if (const auto admin = net::SplitHostPort(options.admin); !admin) {
    std::fprintf(stderr, "hale explain: --admin: %s\n", admin.error().message.c_str());
    return 2;
  }
  const Explained explained = Explain(options, AskAdmin(options.admin, ExplainTarget(options)));
  std::fputs(explained.text.c_str(), explained.exit_code == 0 ? stdout : stderr);
  return explained.exit_code;
}

}  // namespace hale::app
