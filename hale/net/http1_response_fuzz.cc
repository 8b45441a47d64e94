// A response: head and body as they arrive from an instance that may send anything.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "hale/net/http1_body.h"
#include "hale/net/http1_parser.h"
#include "hale/net/http1_scanner.h"
#include "hale/net/http1_writer.h"

namespace {

void Require(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace hale::net;  // NOLINT(google-build-using-namespace): a fuzz target is one function
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const HeadLimits limits{.bytes = 4096, .fields = 20, .target = 200};
  HeadScanner scanner(HeadScanner::Of::kResponse, limits);
  const auto end = scanner.Scan(input);
  if (!end || *end == 0) return 0;
  const char* method = size % 2 == 0 ? "GET" : "HEAD";
  ResponseHead head;
  if (!ParseResponseHead(input.substr(0, *end), method, head)) return 0;
  Require(head.status >= 100 && head.status <= 599);

  std::string written;
  AppendResponseHead(written, head, head.framing, ConnectionField::kNone);
  ResponseHead read;
  Require(ParseResponseHead(written, method, read).has_value());
  Require(read.status == head.status && read.framing == head.framing);

  BodyReader body;
  body.Begin(HasBody(method, head.status) ? head.framing : Framing());
  std::string_view rest = input.substr(*end);
  while (!body.complete() && !rest.empty()) {
    const auto piece = body.Take(rest);
    if (!piece) return 0;
    Require(piece->consumed > 0 && piece->consumed <= rest.size());
    rest.remove_prefix(piece->consumed);
  }
  return 0;
}
