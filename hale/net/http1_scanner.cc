#include "hale/net/http1_scanner.h"

#include <cstring>

#include "hale/net/http1_syntax.h"

namespace hale::net {
namespace {

// RFC 9112 §2.2 asks servers to ignore at least one; an endless stream of them is an attack.
constexpr std::size_t kEmptyLines = 4;

// What a request line holds besides its target: a method of up to 16 bytes, spaces, the version.
constexpr std::size_t kAround = 32;

std::unexpected<Verdict> Bad(std::string_view sentence) {
  return std::unexpected(Verdict{.status = 400, .reason = Reason::kProtocol, .sentence = sentence});
}

}  // namespace

bool HeadScanner::LineFits(std::size_t size) const { return size <= limits_.target + kAround; }

void HeadScanner::Reset() {
  start_ = line_ = looked_ = fields_ = 0;
  started_ = false;
}

Verdict HeadScanner::TooLarge(std::size_t size) const {
  if (!started_ && of_ == Of::kRequest && size > limits_.target) {
    return {.status = 414,
            .reason = Reason::kTargetTooLong,
            .sentence = "the request line is over its limit"};
  }
  return {.status = 431,
          .reason = Reason::kHeaderTooLarge,
          .sentence = "the header block is over its limit"};
}

std::expected<std::size_t, Verdict> HeadScanner::Scan(std::string_view bytes) {
  while (looked_ < bytes.size()) {
    const auto* found =
        static_cast<const char*>(std::memchr(bytes.data() + looked_, '\n', bytes.size() - looked_));
    if (found == nullptr) break;
    const auto end = static_cast<std::size_t>(found - bytes.data());
    if (end == line_ || bytes[end - 1] != '\r') return Bad("a line does not end with CRLF");
    const std::string_view line = bytes.substr(line_, end - 1 - line_);
    looked_ = end + 1;
    if (looked_ - start_ > limits_.bytes) return std::unexpected(TooLarge(line.size()));
    line_ = looked_;
    if (line.empty() && started_) return looked_;
    if (line.empty()) {
      if (of_ == Of::kResponse || looked_ > 2 * kEmptyLines) {
        return Bad("empty lines precede the start line");
      }
      start_ = looked_;
    } else if (auto judged = Line(line); !judged) {
      return std::unexpected(judged.error());
    }
  }
  looked_ = bytes.size();
  const bool long_line = !started_ && of_ == Of::kRequest && !LineFits(looked_ - line_);
  if (looked_ - start_ > limits_.bytes || long_line) {
    return std::unexpected(TooLarge(looked_ - line_));
  }
  return 0;
}

std::expected<void, Verdict> HeadScanner::Line(std::string_view line) {
  if (HasControl(line)) return Bad("a control character in the header block");
  if (!started_) {
    if (of_ == Of::kRequest && !LineFits(line.size())) {
      return std::unexpected(TooLarge(line.size()));
    }
    if (line.front() == ' ' || line.front() == '\t')
      return Bad("the start line begins with a space");
    started_ = true;
    return {};
  }
  if (++fields_ > limits_.fields) {
    return std::unexpected(Verdict{
        .status = 431, .reason = Reason::kHeaderTooLarge, .sentence = "too many header fields"});
  }
  if (line.front() == ' ' || line.front() == '\t') return Bad("a field line is folded");
  std::size_t colon = 0;
  while (colon < line.size() && IsTokenCharacter(line[colon])) ++colon;
  if (colon == 0 || colon == line.size() || line[colon] != ':') {
    return Bad("a field name is not a token followed by a colon");
  }
  return {};
}

}  // namespace hale::net
