#include <array>
#include <boost/json.hpp>
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "hale/telemetry/json_line.h"
#include "hale/telemetry/label_text.h"
#include "hale/telemetry/redact.h"
#include "hale/telemetry/utf8.h"

using namespace hale::telemetry;

// Whatever is logged, a line is JSON (Boost.JSON refuses broken UTF-8), and one line.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  std::array<char, 512> buffer;
  JsonLine line(std::span(buffer).first(64 + size % 448));
  line.Text(text.substr(0, size / 2), text.substr(size / 2));
  line.Text("all", text);
  const std::string_view written = line.Finish();
  boost::system::error_code broken;
  boost::json::parse(written, broken);
  if (broken || written.find('\n') != written.size() - 1) std::abort();
  // A label is one quoted string without a raw line feed.
  const std::array<std::string_view, 1> values = {text};
  if (LabelText({"k"}, values).find('\n') != std::string::npos) std::abort();
  std::array<char, 64> out;
  if (RedactTarget(text, out).size() > std::max(out.size(), size)) std::abort();
  if (CutUtf8(text, size / 2).size() > size / 2) std::abort();
  return 0;
}
