#include "hale/net/http1_writer.h"

#include <charconv>

#include "hale/net/http1_syntax.h"

namespace hale::net {
namespace {

bool IsOurs(std::string_view name) {
  switch (name.size()) {
    case 10:
      return EqualsIgnoringCase(name, "connection");
    case 14:
      return EqualsIgnoringCase(name, "content-length");
    case 17:
      return EqualsIgnoringCase(name, "transfer-encoding");
    default:
      return false;
  }
}

void AppendNumber(std::string& out, std::uint64_t number, int base) {
  char digits[20];
  const auto end = std::to_chars(digits, digits + sizeof(digits), number, base);
  out.append(digits, static_cast<std::size_t>(end.ptr - digits));
}

void AppendFields(std::string& out, const Fields& fields) {
  for (const auto& line : fields) {
    if (IsOurs(line.name)) continue;
    out.append(line.name).append(": ").append(line.value).append("\r\n");
  }
}

void AppendFraming(std::string& out, Framing framing) {
  if (framing.kind == Framing::Kind::kLength) {
    out.append("Content-Length: ");
    AppendNumber(out, framing.length, 10);
    out.append("\r\n");
  } else if (framing.kind == Framing::Kind::kChunked) {
    out.append("Transfer-Encoding: chunked\r\n");
  }
}

}  // namespace

void AppendRequestHead(std::string& out, const RequestHead& head, Framing framing) {
  out.append(head.method).append(" ").append(head.target).append(" HTTP/1.1\r\n");
  AppendFields(out, head.fields);
  AppendFraming(out, framing);
  out.append("\r\n");
}

void AppendResponseHead(std::string& out, const ResponseHead& head, Framing framing,
                        ConnectionField connection) {
  out.append("HTTP/1.1 ");
  AppendNumber(out, static_cast<std::uint64_t>(head.status), 10);
  out.append(" ");
  const bool own = !head.phrase.empty() && !HasControl(head.phrase);
  out.append(own ? std::string_view(head.phrase) : StandardPhrase(head.status));
  out.append("\r\n");
  AppendFields(out, head.fields);
  AppendFraming(out, framing);
  if (connection == ConnectionField::kClose) out.append("Connection: close\r\n");
  if (connection == ConnectionField::kKeepAlive) out.append("Connection: keep-alive\r\n");
  out.append("\r\n");
}

void AppendChunkSize(std::string& out, std::size_t size) {
  AppendNumber(out, size, 16);
  out.append("\r\n");
}

bool GatherSmall(std::string& out, std::span<const char> data, std::string_view after) {
  constexpr std::size_t kSmall = 1024;
  if (data.size() + after.size() > kSmall) return false;
  out.append(data.data(), data.size()).append(after);
  return true;
}

}  // namespace hale::net
