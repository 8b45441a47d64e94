#include "app/demo_json.h"

#include <boost/json.hpp>
#include <cmath>

namespace hale::app {
namespace {

namespace json = boost::json;

/// To the third digit after the point: microseconds of milliseconds, milliseconds of seconds.
double Rounded(double value) { return std::round(value * 1000) / 1000; }

json::object Figures(const DemoTally& tally) {
  return {{"requests", tally.requests},
          {"failed", tally.failed},
          {"slowest_ms", Rounded(Seconds(tally.slowest) * 1000)}};
}

json::object Telling(const DemoRows& rows) {
  json::array phases;
  for (const DemoRow& row : rows) {
    json::object phase = Figures(row.users);
    phase["phase"] = row.name;
    phase["fault"] = row.fault;
    phases.push_back(std::move(phase));
  }
  return {{"users", Figures(Users(rows))},
          {"flooder", Figures(Flooder(rows))},
          {"phases", std::move(phases)}};
}

}  // namespace

std::string DemoJson(const DemoReport& report, std::span<const DemoNarrator::Line> lines) {
  json::object out{{"exit_code", static_cast<int>(Judge(report))}};
  if (report.hale) out["hale"] = Telling(*report.hale);
  if (report.bare) out["bare"] = Telling(*report.bare);
  json::array events;
  for (const DemoNarrator::Line& line : lines) {
    events.push_back(json::object{
        {"at_seconds", Rounded(Seconds(line.at))}, {"who", Word(line.who)}, {"text", line.text}});
  }
  out["events"] = std::move(events);
  return json::serialize(out);
}

}  // namespace hale::app
