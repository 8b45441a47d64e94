#include "hale/net/http_head.h"

#include <algorithm>
#include <array>

#include "hale/net/http1_syntax.h"

namespace hale::net {
namespace {

struct Phrase {
  int status;
  std::string_view text;
};

// The IANA registry of status codes, as far as a server or a gateway meets them; in order.
constexpr auto kPhrases = std::to_array<Phrase>({
    {100, "Continue"},
    {101, "Switching Protocols"},
    {102, "Processing"},
    {103, "Early Hints"},
    {200, "OK"},
    {201, "Created"},
    {202, "Accepted"},
    {203, "Non-Authoritative Information"},
    {204, "No Content"},
    {205, "Reset Content"},
    {206, "Partial Content"},
    {207, "Multi-Status"},
    {208, "Already Reported"},
    {226, "IM Used"},
    {300, "Multiple Choices"},
    {301, "Moved Permanently"},
    {302, "Found"},
    {303, "See Other"},
    {304, "Not Modified"},
    {305, "Use Proxy"},
    {307, "Temporary Redirect"},
    {308, "Permanent Redirect"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {402, "Payment Required"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {406, "Not Acceptable"},
    {407, "Proxy Authentication Required"},
    {408, "Request Timeout"},
    {409, "Conflict"},
    {410, "Gone"},
    {411, "Length Required"},
    {412, "Precondition Failed"},
    {413, "Content Too Large"},
    {414, "URI Too Long"},
    {415, "Unsupported Media Type"},
    {416, "Range Not Satisfiable"},
    {417, "Expectation Failed"},
    {421, "Misdirected Request"},
    {422, "Unprocessable Content"},
    {423, "Locked"},
    {424, "Failed Dependency"},
    {425, "Too Early"},
    {426, "Upgrade Required"},
    {428, "Precondition Required"},
    {429, "Too Many Requests"},
    {431, "Request Header Fields Too Large"},
    {451, "Unavailable For Legal Reasons"},
    {499, "Client Closed Request"},
    {500, "Internal Server Error"},
    {501, "Not Implemented"},
    {502, "Bad Gateway"},
    {503, "Service Unavailable"},
    {504, "Gateway Timeout"},
    {505, "HTTP Version Not Supported"},
    {506, "Variant Also Negotiates"},
    {507, "Insufficient Storage"},
    {508, "Loop Detected"},
    {511, "Network Authentication Required"},
});

// What a connection may not take away by naming it: without these a request means something else.
constexpr auto kProtected = std::to_array<std::string_view>({
    "host",
    "authorization",
    "cookie",
    "set-cookie",
    "content-type",
    "content-encoding",
    "content-range",
    "range",
    "date",
    "expect",
    "forwarded",
    "x-forwarded-for",
    "x-forwarded-proto",
    "x-forwarded-host",
    "x-real-ip",
    "x-request-id",
    "via",
    "traceparent",
    "tracestate",
    "baggage",
    "cache-control",
    "max-forwards",
});

bool IsProtected(std::string_view name) {
  return std::ranges::any_of(kProtected,
                             [&](std::string_view p) { return EqualsIgnoringCase(p, name); }) ||
         (name.size() > 5 && EqualsIgnoringCase(name.substr(0, 5), "hale-"));
}

bool IsHopByHop(std::string_view name) {
  switch (name.size()) {
    case 2:
      return EqualsIgnoringCase(name, "te");
    case 7:
      return EqualsIgnoringCase(name, "upgrade") || EqualsIgnoringCase(name, "trailer");
    case 10:
      return EqualsIgnoringCase(name, "keep-alive");
    case 16:
      return EqualsIgnoringCase(name, "proxy-connection");
    case 17:
      return EqualsIgnoringCase(name, "transfer-encoding");
    default:
      return false;
  }
}

}  // namespace

std::string_view RequestHead::path() const {
  const std::string_view all = target;
  return all.substr(0, all.find('?'));
}

std::string_view RequestHead::query() const {
  const std::string_view all = target;
  const std::size_t mark = all.find('?');
  return mark == std::string_view::npos ? std::string_view() : all.substr(mark + 1);
}

void RequestHead::Clear() {
  method = "GET";
  target = "/";
  version = Version::kHttp11;
  framing = Framing();
  expects_continue = false;
  keep_alive = true;
  fields.Clear();
}

void ResponseHead::Clear() {
  status = 200;
  phrase.clear();
  version = Version::kHttp11;
  framing = Framing();
  keep_alive = true;
  fields.Clear();
}

bool IsIdempotent(std::string_view method) {
  return IsSafe(method) || method == "PUT" || method == "DELETE";
}

bool IsSafe(std::string_view method) {
  return method == "GET" || method == "HEAD" || method == "OPTIONS" || method == "TRACE";
}

bool HasBody(std::string_view method, int status) {
  return method != "HEAD" && status >= 200 && status != 204 && status != 304;
}

std::string_view StandardPhrase(int status) {
  const auto found = std::ranges::lower_bound(kPhrases, status, {}, &Phrase::status);
  return found != kPhrases.end() && found->status == status ? found->text : std::string_view();
}

bool HasToken(const Fields& fields, std::string_view name, std::string_view token) {
  for (const auto& line : fields) {
    if (!EqualsIgnoringCase(line.name, name)) continue;
    std::string_view list = line.value;
    while (!list.empty()) {
      if (EqualsIgnoringCase(TakeElement(list), token)) return true;
    }
  }
  return false;
}

void RemoveHopByHop(Fields& fields) {
  bool any = false;
  for (const auto& line : fields) {
    any |= IsHopByHop(line.name) || EqualsIgnoringCase(line.name, "connection");
  }
  if (!any) return;
  const bool trailers = HasToken(fields, "te", "trailers");
  const bool nominates = fields.Has("connection");
  fields.RemoveIf([](const Fields::Line& line) { return IsHopByHop(line.name); });
  if (nominates) {
    // At most 100 fields and one head's bytes of names: bounded by the limits of a head.
    std::string names;
    for (const auto& line : fields) {
      if (EqualsIgnoringCase(line.name, "connection")) names.append(line.value).push_back(',');
    }
    std::string_view list = names;
    while (!list.empty()) {
      const std::string_view name = TakeElement(list);
      if (!name.empty() && !IsProtected(name)) fields.Remove(name);
    }
    fields.Remove("connection");
  }
  if (trailers) fields.Append("te", "trailers");
}

}  // namespace hale::net
