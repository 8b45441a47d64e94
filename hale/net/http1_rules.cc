#include "hale/net/http1_rules.h"

#include <algorithm>
#include <array>
#include <optional>

#include "hale/net/http1_syntax.h"

namespace hale::net {
namespace {

std::unexpected<Verdict> Bad(std::string_view sentence) {
  return std::unexpected(Verdict{.status = 400, .reason = Reason::kProtocol, .sentence = sentence});
}

std::unexpected<Verdict> NotSupported(int status, std::string_view sentence) {
  return std::unexpected(
      Verdict{.status = status, .reason = Reason::kUnsupported, .sentence = sentence});
}

std::unexpected<Verdict> BadAnswer(std::string_view sentence) {
  return std::unexpected(
      Verdict{.status = 502, .reason = Reason::kUpstreamProtocol, .sentence = sentence});
}

// The registered codings: as the last one they make a request's length unknowable, which is an
// error, while a word that nobody knows is merely not implemented.
bool IsKnownCoding(std::string_view coding) {
  constexpr auto kKnown = std::to_array<std::string_view>(
      {"chunked", "gzip", "x-gzip", "deflate", "compress", "x-compress", "identity"});
  return std::ranges::any_of(
      kKnown, [&](std::string_view known) { return EqualsIgnoringCase(known, coding); });
}

bool IsTarget(std::string_view target) {
  return std::ranges::all_of(target, [](char c) { return c > 0x20 && c < 0x7f && c != '#'; });
}

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// What frames a body, gathered in one pass.
struct Declared {
  std::size_t lengths = 0;
  std::size_t codings = 0;
  std::string_view length;
  std::string_view coding;
};

Declared FindFraming(const Fields& fields) {
  Declared found;
  for (const auto& line : fields) {
    if (line.name.size() == 14 && EqualsIgnoringCase(line.name, "content-length")) {
      ++found.lengths;
      found.length = line.value;
    } else if (line.name.size() == 17 && EqualsIgnoringCase(line.name, "transfer-encoding")) {
      ++found.codings;
      found.coding = line.value;
    }
  }
  return found;
}

void DropFraming(Fields& fields, const Declared& declared) {
  if (declared.lengths > 0) fields.Remove("content-length");
  if (declared.codings > 0) fields.Remove("transfer-encoding");
}

// The sentence of what is wrong with the framing, or none.
std::optional<std::string_view> Wrong(const Declared& declared, Version version, Framing& framing) {
  if (declared.codings > 0) {
    if (declared.lengths > 0) return "both Transfer-Encoding and Content-Length";
    if (version == Version::kHttp10) return "Transfer-Encoding in HTTP/1.0";
    if (declared.codings > 1 || !EqualsIgnoringCase(declared.coding, "chunked")) {
      return "Transfer-Encoding is not exactly chunked";
    }
    framing = Framing::Chunked();
  } else if (declared.lengths > 0) {
    const auto length = ParseLength(declared.length);
    if (declared.lengths > 1 || !length) return "Content-Length is not one number";
    framing = Framing::Length(*length);
  }
  return std::nullopt;
}

bool KeepsAlive(const Fields& fields, Version version) {
  if (HasToken(fields, "connection", "close")) return false;
  return version == Version::kHttp11 || HasToken(fields, "connection", "keep-alive");
}

// absolute-form (RFC 9112 §3.2.2): the authority becomes Host, the rest the target.
Judged TakeAuthority(RequestHead& head) {
  const std::string_view target = head.target;
  const std::size_t scheme = target.find("://");
  if (scheme == std::string_view::npos) return Bad("the target has no allowed form");
  const std::string_view name = target.substr(0, scheme);
  if (!EqualsIgnoringCase(name, "http") && !EqualsIgnoringCase(name, "https")) {
    return Bad("the target's scheme is not http");
  }
  const std::string_view rest = target.substr(scheme + 3);
  const std::size_t end = std::min(rest.find_first_of("/?"), rest.size());
  const std::string_view authority = rest.substr(0, end);
  if (!IsAuthority(authority)) return Bad("the target's authority is invalid");
  head.fields.Set("Host", authority);
  std::string path(rest.substr(end));
  if (path.empty() && head.method == "OPTIONS") path = "*";  // RFC 9112 §3.2.4
  if (path.empty() || path.front() == '?') path.insert(0, 1, '/');
  head.target = std::move(path);
  return {};
}

Judged JudgeHost(const RequestHead& head) {
  std::size_t count = 0;
  std::string_view value;
  for (const auto& line : head.fields) {
    if (!EqualsIgnoringCase(line.name, "host")) continue;
    ++count;
    value = line.value;
  }
  if (count == 0 && head.version == Version::kHttp11) return Bad("Host is missing");
  if (count > 1) return Bad("Host is given more than once");
  if (count == 1 && !IsAuthority(value)) return Bad("Host is invalid");
  return {};
}

Judged JudgeExpect(RequestHead& head) {
  const auto expectation = head.fields.Find("expect");
  if (!expectation) return {};
  if (!EqualsIgnoringCase(*expectation, "100-continue")) {
    return NotSupported(417, "the expectation is unknown");
  }
  head.fields.Remove("expect");
  head.expects_continue = head.version == Version::kHttp11 &&
                          head.framing.kind != Framing::Kind::kNone &&
                          head.framing != Framing::Length(0);
  return {};
}

}  // namespace

Judged JudgeRequestLine(std::string_view line, const HeadLimits& limits) {
  const std::size_t first = line.find(' ');
  const std::size_t last = line.rfind(' ');
  if (first == std::string_view::npos || first == last)
    return Bad("the request line is not three words");
  const std::string_view method = line.substr(0, first);
  const std::string_view target = line.substr(first + 1, last - first - 1);
  const std::string_view version = line.substr(last + 1);
  if (!IsToken(method)) return Bad("the method is not a token");
  if (target.empty() || !IsTarget(target)) return Bad("the target holds what it must not");
  if (target.size() > limits.target) {
    return std::unexpected(Verdict{.status = 414,
                                   .reason = Reason::kTargetTooLong,
                                   .sentence = "the request target is over its limit"});
  }
  if (version.size() != 8 || !version.starts_with("HTTP/") || !IsDigit(version[5]) ||
      version[6] != '.' || !IsDigit(version[7])) {
    return Bad("the version is not HTTP/ and two digits");
  }
  if (version != "HTTP/1.1" && version != "HTTP/1.0") {
    return NotSupported(505, "the version is not HTTP/1.1 or HTTP/1.0");
  }
  if (method == "CONNECT") return NotSupported(501, "CONNECT is not supported");
  return {};
}

Judged JudgeStatusLine(std::string_view line) {
  if (!line.starts_with("HTTP/1.1 ") && !line.starts_with("HTTP/1.0 ")) {
    return BadAnswer("the status line does not begin with HTTP/1.1 or HTTP/1.0");
  }
  line.remove_prefix(9);
  if (line.size() < 3 || line[0] < '1' || line[0] > '5' || !IsDigit(line[1]) || !IsDigit(line[2])) {
    return BadAnswer("the status is not a number from 100 to 599");
  }
  if (line.size() > 3 && line[3] != ' ') return BadAnswer("the status has more than three digits");
  return {};
}

Judged JudgeRequest(RequestHead& head) {
  const Declared declared = FindFraming(head.fields);
  head.framing = Framing();
  if (const auto wrong = Wrong(declared, head.version, head.framing)) {
    const bool lone = declared.codings == 1 && declared.lengths == 0 && IsToken(declared.coding);
    if (lone && head.version == Version::kHttp11 && !IsKnownCoding(declared.coding)) {
      return NotSupported(501, "the transfer coding is unknown");
    }
    return Bad(*wrong);
  }
  DropFraming(head.fields, declared);
  if (auto judged = JudgeHost(head); !judged) return judged;
  if (head.target == "*") {
    if (head.method != "OPTIONS") return Bad("the target * is for OPTIONS only");
  } else if (head.target.front() != '/') {
    if (auto judged = TakeAuthority(head); !judged) return judged;
  }
  if (auto judged = JudgeExpect(head); !judged) return judged;
  head.keep_alive = KeepsAlive(head.fields, head.version);
  return {};
}

Judged JudgeResponse(ResponseHead& head, std::string_view method) {
  const Declared declared = FindFraming(head.fields);
  const bool cannot_have = head.status < 200 || head.status == 204;
  head.framing = HasBody(method, head.status) ? Framing::UntilClose() : Framing();
  Framing framing = head.framing;
  if (const auto wrong = Wrong(declared, head.version, framing)) return BadAnswer(*wrong);
  DropFraming(head.fields, declared);
  // RFC 9110 §8.6, RFC 9112 §6.1: neither may be there, so neither means anything.
  if (!cannot_have) head.framing = framing;
  // A 205 has no content (RFC 9110 §15.3.6), also when it forgets to say so; what follows is lost.
  const bool forgot = head.status == 205 && head.framing.kind == Framing::Kind::kUntilClose;
  head.keep_alive =
      KeepsAlive(head.fields, head.version) && head.framing.kind != Framing::Kind::kUntilClose;
  if (forgot) head.framing = Framing::Length(0);
  return {};
}

}  // namespace hale::net
