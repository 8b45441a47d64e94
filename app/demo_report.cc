#include "app/demo_report.h"

#include <fmt/format.h>

#include <algorithm>

#include "hale/telemetry/sentence.h"

namespace hale::app {
namespace {

// "b is killed" ... with room to spare; figures as wide as ten million and `12.3ms`.
constexpr int kNameWidth = 22;
constexpr int kColumn = 11;

std::string Cells(const DemoTally& tally) {
  return fmt::format("{:>{}}{:>{}}{:>{}}", Grouped(tally.requests), kColumn, Grouped(tally.failed),
                     kColumn, tally.requests == 0 ? "-" : telemetry::Rounded(tally.slowest),
                     kColumn);
}

const DemoRow* Find(const std::optional<DemoRows>& rows, std::string_view name) {
  if (!rows) return nullptr;
  const auto row =
      std::find_if(rows->begin(), rows->end(), [&](const DemoRow& r) { return r.name == name; });
  return row == rows->end() ? nullptr : &*row;
}

std::string Line(const DemoReport& report, std::string_view name, const DemoTally* hale,
                 const DemoTally* bare) {
  const std::string nothing(3 * kColumn, ' ');
  std::string line = fmt::format("{:<{}}", name, kNameWidth);
  if (report.hale) line += hale != nullptr ? Cells(*hale) : nothing;
  if (report.hale && report.bare) line += "   ";
  if (report.bare) line += bare != nullptr ? Cells(*bare) : nothing;
  line.erase(line.find_last_not_of(' ') + 1);
  return line + "\n";
}

std::string Headings(const DemoReport& report) {
  const std::string titles =
      fmt::format("{:>{}}{:>{}}{:>{}}", "requests", kColumn, "failed", kColumn, "slowest", kColumn);
  std::string over = fmt::format("{:<{}}", "", kNameWidth);
  std::string under = fmt::format("{:<{}}", "users' requests while", kNameWidth);
  if (report.hale) {
    over += fmt::format("{:>{}}", "with Hale", 3 * kColumn);
    under += titles;
  }
  if (report.hale && report.bare) {
    over += "   ";
    under += "   ";
  }
  if (report.bare) {
    over += fmt::format("{:>{}}", "without", 3 * kColumn);
    under += titles;
  }
  return over + "\n" + under + "\n";
}

std::string FailedLine(std::string_view where, const DemoTally& users) {
  return fmt::format("{} {} of {} requests of users failed.\n", where,
                     users.failed == 0 ? "none" : Grouped(users.failed), Grouped(users.requests));
}

std::string FlooderLine(const DemoRows& rows, std::string_view where) {
  const DemoTally flooder = Flooder(rows);
  if (flooder.requests == 0) return {};
  return fmt::format("The caller who flooded {}: {} requests, {} of them refused.\n", where,
                     Grouped(flooder.requests), Grouped(flooder.failed));
}

}  // namespace

void DemoTally::Add(const DemoTally& other) {
  requests += other.requests;
  failed += other.failed;
  slowest = std::max(slowest, other.slowest);
}

DemoTally Users(const DemoRows& rows) {
  DemoTally sum;
  for (const DemoRow& row : rows) sum.Add(row.users);
  return sum;
}

DemoTally Flooder(const DemoRows& rows) {
  DemoTally sum;
  for (const DemoRow& row : rows) sum.Add(row.flooder);
  return sum;
}

DemoVerdict Judge(const DemoReport& report) {
  if (report.hale && Users(*report.hale).failed > 0) return DemoVerdict::kUserFailed;
  if (!report.bare) return DemoVerdict::kPassed;
  std::uint64_t failed = 0;
  for (const DemoRow& row : *report.bare) failed += row.fault ? row.users.failed : 0;
  return failed > 0 ? DemoVerdict::kPassed : DemoVerdict::kNoStory;
}

std::string DemoTable(const DemoReport& report) {
  std::string text = Headings(report);
  const DemoRows& order = report.hale ? *report.hale : *report.bare;
  for (const DemoRow& row : order) {
    const DemoRow* hale = Find(report.hale, row.name);
    const DemoRow* bare = Find(report.bare, row.name);
    text += Line(report, row.name, hale != nullptr ? &hale->users : nullptr,
                 bare != nullptr ? &bare->users : nullptr);
  }
  DemoTally hale = report.hale ? Users(*report.hale) : DemoTally();
  DemoTally bare = report.bare ? Users(*report.bare) : DemoTally();
  text += Line(report, "all", &hale, &bare) + "\n";
  if (report.hale) text += FailedLine("With Hale", hale);
  if (report.bare) text += FailedLine("Without", bare);
  if (report.hale) text += FlooderLine(*report.hale, "with Hale");
  if (report.bare) text += FlooderLine(*report.bare, "without");
  return text;
}

std::string Grouped(std::uint64_t number) {
  std::string text = std::to_string(number);
  for (std::size_t at = text.size(); at > 3;) text.insert(at -= 3, ",");
  return text;
}

}  // namespace hale::app
