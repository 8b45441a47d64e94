#include "hale/mesh/request_key.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "hale/net/http1_syntax.h"

namespace hale::mesh {
namespace {

// No part of a head holds control characters, so they keep its parts apart.
constexpr char kNextPart = '\n';
constexpr char kNextLine = '\r';

bool Names(std::span<const std::string> by, std::string_view field) {
  return std::ranges::any_of(
      by, [&](const std::string& name) { return net::EqualsIgnoringCase(name, field); });
}

void AddSubject(const net::RequestHead& request, std::string& to) {
  for (const char c : request.host()) to += net::LowerCase(c);
  to += kNextPart;
  to += request.target;
}

}  // namespace

std::string RequestSubject(const net::RequestHead& request) {
  std::string subject;
  AddSubject(request, subject);
  return subject;
}

std::string RequestKey(const net::RequestHead& request, std::span<const std::string> by) {
  std::string key;
  key.reserve(request.method.size() + request.target.size() + 64);
  key += request.method;
  key += kNextPart;
  AddSubject(request, key);
  for (const std::string& name : by) {
    key += kNextPart;
    for (const char c : name) key += net::LowerCase(c);
    for (const auto& line : request.fields) {
      if (!net::EqualsIgnoringCase(line.name, name)) continue;
      key += kNextLine;  // a field that is there but empty differs from none
      key += line.value;
    }
  }
  return key;
}

std::string FlightKey(const net::RequestHead& request, std::span<const std::string> by,
                      const Standing& standing) {
  std::string key(Word(standing.priority));
  key += kNextPart;
  key += standing.partition;
  key += kNextPart;
  key += RequestKey(request, by);
  return key;
}

bool HasTwins(const net::RequestHead& request, std::span<const std::string> by) {
  const net::Fields& fields = request.fields;
  if (request.method != "GET" && request.method != "HEAD") return false;
  if (request.framing.kind != net::Framing::Kind::kNone &&
      request.framing != net::Framing::Length(0)) {
    return false;
  }
  constexpr std::array<std::string_view, 6> kPartial = {
      "range", "if-match", "if-none-match", "if-modified-since", "if-unmodified-since", "if-range"};
  for (const std::string_view name : kPartial) {
    if (fields.Has(name)) return false;
  }
  // RFC 9111 §5.2.1: who says this wants the answer of the origin, and a new one.
  for (const std::string_view demand : {"no-cache", "no-store", "max-age=0"}) {
    if (net::HasToken(fields, "cache-control", demand)) return false;
  }
  if (net::HasToken(fields, "pragma", "no-cache")) return false;
  for (const std::string_view name : {"authorization", "cookie"}) {
    if (fields.Has(name) && !Names(by, name)) return false;
  }
  return true;
}

}  // namespace hale::mesh
