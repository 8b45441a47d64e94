#include "hale/net/http1_chunked.h"

#include <algorithm>
#include <limits>

#include "hale/net/http1_syntax.h"

namespace hale::net {
namespace {

constexpr std::uint32_t kExtensionBytes = 16 * 1024;
constexpr std::uint32_t kTrailerBytes = 16 * 1024;
constexpr std::uint64_t kMostOfAChunk = std::numeric_limits<std::int64_t>::max();

int HexValue(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const char lower = LowerCase(c);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

bool IsControl(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return (byte < 0x20 && c != '\t') || byte == 0x7f;
}

}  // namespace

std::expected<ChunkedDecoder::Step, Verdict> ChunkedDecoder::Decode(std::string_view input) {
  Step step;
  while (step.consumed < input.size() && state_ != State::kDone) {
    if (state_ == State::kData) {
      const std::size_t size = std::min<std::uint64_t>(left_, input.size() - step.consumed);
      step.data = input.substr(step.consumed, size);
      step.consumed += size;
      left_ -= size;
      if (left_ == 0) state_ = State::kDataCr;
      return step;
    }
    const std::string_view wrong = Take(input[step.consumed++]);
    if (!wrong.empty()) {
      return std::unexpected(
          Verdict{.status = 400, .reason = Reason::kProtocol, .sentence = wrong});
    }
  }
  return step;
}

std::string_view ChunkedDecoder::Take(char c) {
  switch (state_) {
    case State::kSizeStart:
    case State::kSize: {
      const int digit = HexValue(c);
      if (digit >= 0) {
        if (left_ > kMostOfAChunk >> 4) return "a chunk size overflows";
        left_ = left_ << 4 | static_cast<std::uint64_t>(digit);
        state_ = State::kSize;
        return {};
      }
      if (state_ == State::kSizeStart) return "a chunk size is not hexadecimal digits";
      if (c == '\r') {
        state_ = State::kSizeLf;
      } else if (c == ';') {
        state_ = State::kExtension;
      } else {
        return "a chunk size is not hexadecimal digits";
      }
      return {};
    }
    case State::kExtension:
      if (c == '\r') {
        state_ = State::kSizeLf;
      } else if (IsControl(c)) {
        return "a chunk extension holds a control character";
      } else if (++extension_ > kExtensionBytes) {
        return "the chunk extensions are over their limit";
      }
      return {};
    case State::kSizeLf:
      if (c != '\n') return "a chunk size does not end with CRLF";
      state_ = left_ == 0 ? State::kTrailerStart : State::kData;
      return {};
    case State::kDataCr:
      if (c != '\r') return "a chunk is longer than its size";
      state_ = State::kDataLf;
      return {};
    case State::kDataLf:
      if (c != '\n') return "a chunk does not end with CRLF";
      state_ = State::kSizeStart;
      return {};
    case State::kTrailerStart:
      if (c == '\r') {
        state_ = State::kEndLf;
        return {};
      }
      if (!IsTokenCharacter(c)) return "a trailer's name is not a token";
      state_ = State::kTrailerName;
      return {};
    case State::kTrailerName:
      if (++trailer_ > kTrailerBytes) return "the trailers are over their limit";
      if (c == ':') {
        state_ = State::kTrailerValue;
      } else if (!IsTokenCharacter(c)) {
        return "a trailer's name is not a token";
      }
      return {};
    case State::kTrailerValue:
      if (++trailer_ > kTrailerBytes) return "the trailers are over their limit";
      if (c == '\r') {
        state_ = State::kTrailerLf;
      } else if (IsControl(c)) {
        return "a trailer holds a control character";
      }
      return {};
    case State::kTrailerLf:
      if (c != '\n') return "a trailer does not end with CRLF";
      state_ = State::kTrailerStart;
      return {};
    case State::kEndLf:
      if (c != '\n') return "the body does not end with CRLF";
      state_ = State::kDone;
      return {};
    case State::kData:
    case State::kDone:
      break;
  }
  return {};
}

}  // namespace hale::net
