#include "app/check.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <span>
#include <utility>
#include <vector>

#include "app/commands.h"
#include "hale/config/file.h"
#include "hale/config/print.h"
#include "hale/config/problem.h"
#include "hale/config/source.h"
#include "hale/config/text.h"

namespace hale::app {
namespace {

constexpr const char* kAbout =
    "Reads a document and says everything that is wrong or unwise in it, with its place.\n"
    "Looks at the file and its secrets only; connects to nothing.";
constexpr const char* kFooter =
    "Examples:\n"
    "  hale check hale.yaml\n"
    "  hale check --json - < hale.yaml\n\n"
    "Exit codes: 0 valid, 1 valid with warnings, 2 invalid or not readable, or wrong arguments.";

std::string Counted(std::size_t number, std::string_view what) {
  return fmt::format("{} {}{}", number, what, number == 1 ? "" : "s");
}

std::string Summary(const host::Document& document) {
  std::size_t instances = 0;
  for (const auto& [name, service] : document.services) instances += service.instances.fixed.size();
  return fmt::format("{}, {} with {}, {}", Counted(document.listen.size(), "listener"),
                     Counted(document.services.size(), "service"),
                     Counted(instances, "static instance"),
                     Counted(document.routes.size(), "route"));
}

std::pair<std::size_t, std::size_t> Count(const config::Problems& problems) {
  const auto errors = static_cast<std::size_t>(std::count_if(
      problems.begin(), problems.end(),
      [](const config::Problem& p) { return p.severity == config::Severity::kError; }));
  return {errors, problems.size() - errors};
}

}  // namespace

int CheckReport::exit_code() const {
  if (!parsed.ok()) return 2;
  return parsed.problems.empty() ? 0 : 1;
}

CheckReport CheckFile(const std::string& file) {
  CheckReport report{.file = file == "-" ? "stdin" : file, .parsed = {}};
  auto text = config::ReadText(file, Size{config::kMaxDocument});
  if (text) {
    report.parsed = host::ParseDocument(*text, report.file);
  } else {
    config::Problem problem;
    problem.file = report.file;
    problem.message = std::move(text.error().message);
    report.parsed.problems.push_back(std::move(problem));
  }
  return report;
}

std::string Describe(const CheckReport& report) {
  const auto [errors, warnings] = Count(report.parsed.problems);
  std::string out = config::Print(report.parsed.problems);
  if (errors > 0) {
    out += fmt::format("{}: invalid, {}", report.file, Counted(errors, "error"));
    if (report.parsed.problems.size() >= config::kMaxProblems) out += " (the first ones)";
  } else {
    out += fmt::format("{}: valid, {}", report.file, Summary(report.parsed.value));
  }
  if (warnings > 0) out += fmt::format(", {}", Counted(warnings, "warning"));
  return out + '\n';
}

std::string DescribeAsJson(const CheckReport& report) {
  std::string out = fmt::format("{{\"file\":{},\"valid\":{},\"problems\":[",
                                config::JsonQuote(report.file), report.parsed.ok());
  for (const config::Problem& problem : report.parsed.problems) {
    if (&problem != report.parsed.problems.data()) out += ',';
    out += fmt::format(
        "{{\"severity\":\"{}\",\"line\":{},\"column\":{},\"path\":{},\"message\":{}}}",
        problem.severity == config::Severity::kError ? "error" : "warning", problem.at.line,
        problem.at.column, config::JsonQuote(problem.path), config::JsonQuote(problem.message));
  }
  out += ']';
  if (report.parsed.ok()) out += ",\"document\":" + config::Dump(report.parsed.value);
  return out + "}\n";
}

int RunCheck(std::span<const std::string> arguments) {
  std::string file;
  bool json = false;
  bool reference = false;
  CLI::App cli{kAbout, "hale check"};
  cli.footer(kFooter);
  auto* positional =
      cli.add_option("FILE", file, "the document, YAML or JSON; - is standard input");
  cli.add_flag("--json", json, "one JSON object: problems, and the document with every default");
  cli.add_flag("--reference", reference, "print the table of all keys instead (Markdown)");
  std::vector<std::string> reversed(arguments.rbegin(), arguments.rend());
  try {
    cli.parse(reversed);
    if (!reference && positional->count() == 0) throw CLI::RequiredError("FILE");
  } catch (const CLI::ParseError& error) {
    return cli.exit(error) == 0 ? 0 : 2;
  }
  if (reference) {
    std::fputs(config::Reference<host::Document>().c_str(), stdout);
    return 0;
  }
  const CheckReport report = CheckFile(file);
  std::fputs((json ? DescribeAsJson(report) : Describe(report)).c_str(), stdout);
  return report.exit_code();
}

}  // namespace hale::app
