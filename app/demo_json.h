#pragma once

#include <span>
#include <string>

#include "app/demo_narrator.h"
#include "app/demo_report.h"

namespace hale::app {

/// One JSON object on one line: the verdict, the phases of each telling, and what was told. Pure.
std::string DemoJson(const DemoReport& report, std::span<const DemoNarrator::Line> lines);

}  // namespace hale::app
