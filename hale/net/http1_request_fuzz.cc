// A request head: nothing crashes, the way it arrives does not matter, and what is accepted means
// the same after it was written out and read again.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "hale/net/http1_parser.h"
#include "hale/net/http1_scanner.h"
#include "hale/net/http1_syntax.h"
#include "hale/net/http1_writer.h"

namespace {

using hale::net::HeadLimits;
using hale::net::HeadScanner;
using hale::net::RequestHead;

void Require(bool holds) {
  if (!holds) std::abort();
}

std::string Key(const RequestHead& head) {
  std::string key = head.method + " " + head.target + " ";
  key += std::to_string(static_cast<int>(head.framing.kind)) + "/" +
         std::to_string(head.framing.length) + "\n";
  for (const auto& line : head.fields) {
    if (hale::net::EqualsIgnoringCase(line.name, "connection")) continue;
    key.append(line.name).append(":").append(line.value).append("\n");
  }
  return key;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const HeadLimits limits{.bytes = 4096, .fields = 20, .target = 200};
  HeadScanner whole(HeadScanner::Of::kRequest, limits);
  const auto end = whole.Scan(input);
  HeadScanner parts(HeadScanner::Of::kRequest, limits);
  auto again = parts.Scan(input.substr(0, size / 2));
  if (again && *again == 0) again = parts.Scan(input);
  Require(again.has_value() == end.has_value() && (!end || *again == *end));
  if (!end || *end == 0) return 0;

  RequestHead head;
  const std::string_view bytes = input.substr(whole.start(), *end - whole.start());
  if (!hale::net::ParseRequestHead(bytes, limits, head)) return 0;
  Require(hale::net::IsToken(head.method));
  Require(head.target == "*" || head.target.front() == '/');
  Require(head.target.find_first_of("# \r\n") == std::string::npos);
  std::string written;
  hale::net::AppendRequestHead(written, head, head.framing);
  HeadScanner scanner(HeadScanner::Of::kRequest, HeadLimits());
  const auto rescanned = scanner.Scan(written);
  Require(rescanned && *rescanned == written.size());
  // HTTP/1.0 may come without Host, and is passed on as 1.1, where a gateway adds one.
  if (!head.fields.Has("host")) return 0;
  RequestHead read;
  Require(hale::net::ParseRequestHead(written, HeadLimits(), read).has_value());
  Require(Key(read) == Key(head));
  return 0;
}
