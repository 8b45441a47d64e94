#include "hale/telemetry/exposition.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "hale/telemetry/label_text.h"

namespace hale::telemetry {
namespace {

std::string_view KindWord(MetricKind kind) {
  switch (kind) {
    case MetricKind::kCounter:
      return "counter";
    case MetricKind::kGauge:
      return "gauge";
    case MetricKind::kHistogram:
      return "histogram";
  }
  return "untyped";
}

// As Go's ParseFloat reads it, the same in every locale, and exactly the same number.
void AppendNumber(std::string& out, double value) {
  if (std::isnan(value)) {
    out += "NaN";
  } else if (std::isinf(value)) {
    out += value > 0 ? "+Inf" : "-Inf";
  } else {
    std::array<char, 32> text;
    out.append(text.data(), std::to_chars(text.data(), text.data() + text.size(), value).ptr);
  }
}

void AppendNumber(std::string& out, std::uint64_t value) {
  std::array<char, 24> text;
  out.append(text.data(), std::to_chars(text.data(), text.data() + text.size(), value).ptr);
}

// A bound in seconds: always with a point, so that a series is the same whatever the format.
std::string BoundText(Duration bound) {
  std::string text;
  AppendNumber(text, Seconds(bound));
  if (text.find_first_of(".e") == std::string::npos) text += ".0";
  return text;
}

class Writer final : public SeriesVisitor {
 public:
  explicit Writer(MetricFormat format) : open_metrics_(format == MetricFormat::kOpenMetrics) {}

  void OnFamily(const FamilyBase& family) override {
    family_ = &family;
    headed_ = false;
  }
  void OnCount(std::string_view labels, std::uint64_t value) override {
    Begin("", labels, {});
    AppendNumber(text_, value);
    text_ += '\n';
  }
  void OnValue(std::string_view labels, double value) override {
    Begin("", labels, {});
    AppendNumber(text_, value);
    text_ += '\n';
  }
  void OnHistogram(std::string_view labels, const Histogram::Values& values,
                   const std::vector<Duration>& bounds) override {
    std::uint64_t below = 0;
    for (std::size_t i = 0; i < bounds.size(); ++i) {
      below += values.buckets[i];
      Begin("_bucket", labels, BoundText(bounds[i]));
      AppendNumber(text_, below);
      text_ += '\n';
    }
    Begin("_bucket", labels, "+Inf");
    AppendNumber(text_, values.count);
    text_ += '\n';
    Begin("_sum", labels, {});
    AppendNumber(text_, Seconds(values.sum));
    text_ += '\n';
    Begin("_count", labels, {});
    AppendNumber(text_, values.count);
    text_ += '\n';
  }

  std::string Finish() && {
    if (open_metrics_) text_ += "# EOF\n";
    return std::move(text_);
  }

 private:
  // Everything of a line up to its value.
  void Begin(std::string_view suffix, std::string_view labels, std::string_view bound) {
    if (!headed_) Head();
    text_.append(family_->options().name).append(suffix);
    if (!labels.empty() || !bound.empty()) {
      text_.append("{").append(labels);
      if (!labels.empty() && !bound.empty()) text_ += ',';
      if (!bound.empty()) text_.append("le=\"").append(bound).append("\"");
      text_ += '}';
    }
    text_ += ' ';
  }

  // Before its first series: a family without one is not mentioned.
  void Head() {
    headed_ = true;
    const FamilyOptions& options = family_->options();
    std::string_view name = options.name;
    if (open_metrics_ && family_->kind() == MetricKind::kCounter) {
      name.remove_suffix(std::string_view("_total").size());
    }
    const std::string help =
        HelpText(options.help, open_metrics_ ? Quotes::kEscaped : Quotes::kPlain);
    if (!open_metrics_) text_.append("# HELP ").append(name).append(" ").append(help).append("\n");
    text_.append("# TYPE ").append(name).append(" ").append(KindWord(family_->kind())).append("\n");
    if (!open_metrics_) return;
    if (name.ends_with("_seconds")) text_.append("# UNIT ").append(name).append(" seconds\n");
    text_.append("# HELP ").append(name).append(" ").append(help).append("\n");
  }

  const bool open_metrics_;
  std::string text_;
  const FamilyBase* family_ = nullptr;
  bool headed_ = false;
};

std::string_view Trim(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

std::string_view TakeUntil(std::string_view& text, char end) {
  const std::size_t at = text.find(end);
  const std::string_view part = Trim(text.substr(0, at));
  text = at == std::string_view::npos ? std::string_view() : text.substr(at + 1);
  return part;
}

bool SameWord(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  return std::ranges::equal(a, b, {}, lower, lower);
}

struct Choice {
  MetricFormat format = MetricFormat::kText;
  bool matches = false;
  double weight = 1;
};

// One element of Accept (RFC 9110 §12.5.1).
Choice ParseChoice(std::string_view element) {
  const std::string_view type = TakeUntil(element, ';');
  Choice choice;
  std::string_view version;
  while (!element.empty()) {
    std::string_view parameter = TakeUntil(element, ';');
    const std::string_view name = TakeUntil(parameter, '=');
    if (SameWord(name, "version")) version = parameter;
    if (SameWord(name, "q") &&
        std::from_chars(parameter.data(), parameter.data() + parameter.size(), choice.weight).ec !=
            std::errc()) {
      choice.weight = 0;
    }
  }
  if (SameWord(type, "application/openmetrics-text")) {
    choice.format = MetricFormat::kOpenMetrics;
    choice.matches = version.empty() || version == "1.0.0";
  } else {
    choice.matches = SameWord(type, "text/plain") || SameWord(type, "text/*") || type == "*/*";
  }
  return choice;
}

}  // namespace

MetricFormat NegotiateFormat(std::string_view accept) {
  double text = 0;
  double open_metrics = 0;
  while (!accept.empty()) {
    const Choice choice = ParseChoice(TakeUntil(accept, ','));
    if (!choice.matches) continue;
    double& best = choice.format == MetricFormat::kOpenMetrics ? open_metrics : text;
    best = std::max(best, choice.weight);
  }
  return open_metrics > 0 && open_metrics >= text ? MetricFormat::kOpenMetrics
                                                  : MetricFormat::kText;
}

std::string_view ContentType(MetricFormat format) {
  return format == MetricFormat::kOpenMetrics
             ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
             : "text/plain; version=0.0.4; charset=utf-8";
}

std::string Expose(const Registry& registry, MetricFormat format) {
  Writer writer(format);
  registry.Visit(writer);
  return std::move(writer).Finish();
}

}  // namespace hale::telemetry
