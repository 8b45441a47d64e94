#include "hale/telemetry/label_text.h"

#include "hale/telemetry/utf8.h"

namespace hale::telemetry {
namespace {

void Escape(std::string_view text, Quotes quotes, std::string& out) {
  while (!text.empty()) {
    const char c = text.front();
    std::size_t taken = 1;
    if (c == '\\') {
      out += "\\\\";
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '"' && quotes == Quotes::kEscaped) {
      out += "\\\"";
    } else if (static_cast<unsigned char>(c) >= 0x80) {
      const std::size_t length = Utf8Length(text);
      out += length > 0 ? text.substr(0, length) : kReplacement;
      if (length > 0) taken = length;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      out += kReplacement;
    } else {
      out += c;
    }
    text.remove_prefix(taken);
  }
}

}  // namespace

std::string LabelText(const std::vector<std::string>& names,
                      std::span<const std::string_view> values) {
  std::string text;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (i > 0) text += ',';
    text.append(names[i]).append("=\"");
    if (i < values.size()) Escape(CutUtf8(values[i], kMaxLabelValue), Quotes::kEscaped, text);
    text += '"';
  }
  return text;
}

std::string HelpText(std::string_view text, Quotes quotes) {
  std::string out;
  Escape(text, quotes, out);
  return out;
}

}  // namespace hale::telemetry
