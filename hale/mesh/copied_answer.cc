#include "hale/mesh/copied_answer.h"

#include <algorithm>
#include <charconv>
#include <chrono>

#include "hale/net/http1_syntax.h"

namespace hale::mesh {
namespace {

/// Calls f(name) for each name in all Vary fields.
template <class F>
void EachVary(const net::Fields& fields, F f) {
  for (const auto& line : fields) {
    if (!net::EqualsIgnoringCase(line.name, "vary")) continue;
    for (std::string_view rest = line.value; !rest.empty();) {
      const std::string_view name = net::TrimSpace(net::TakeElement(rest));
      if (!name.empty()) f(name);
    }
  }
}

/// All values of that name, one below the other.
std::string ValuesOf(const net::Fields& fields, std::string_view name) {
  std::string all;
  for (const auto& line : fields) {
    if (net::EqualsIgnoringCase(line.name, name)) all.append(1, '\n').append(line.value);
  }
  return all;
}

/// A directive of Cache-Control, also one with a value: `private="set-cookie"` (RFC 9111 §5.2).
bool HasDirective(const net::Fields& fields, std::string_view directive) {
  for (const auto& line : fields) {
    if (!net::EqualsIgnoringCase(line.name, "cache-control")) continue;
    for (std::string_view rest = line.value; !rest.empty();) {
      const std::string_view element = net::TrimSpace(net::TakeElement(rest));
      if (net::EqualsIgnoringCase(net::TrimSpace(element.substr(0, element.find('='))),
                                  directive)) {
        return true;
      }
    }
  }
  return false;
}

/// The seconds of a directive; kForever without one, zero when they cannot be read.
Duration SecondsOf(const net::Fields& fields, std::string_view directive) {
  for (const auto& line : fields) {
    if (!net::EqualsIgnoringCase(line.name, "cache-control")) continue;
    for (std::string_view rest = line.value; !rest.empty();) {
      const std::string_view element = net::TrimSpace(net::TakeElement(rest));
      const std::size_t equals = std::min(element.find('='), element.size());
      if (!net::EqualsIgnoringCase(net::TrimSpace(element.substr(0, equals)), directive)) continue;
      constexpr std::uint64_t kYear = 365ULL * 24 * 3600;
      const auto seconds =
          net::ParseLength(net::TrimSpace(element.substr(std::min(equals + 1, element.size()))));
      return std::chrono::seconds(std::min(seconds.value_or(0), kYear));
    }
  }
  return kForever;
}

/// What stands for every age that is larger (RFC 9111 §1.2.2).
constexpr std::uint64_t kOldest = std::uint64_t{1} << 31;

/// How old an answer said it was, in seconds; 0 when it said nothing that can be read.
std::uint64_t AgeOf(const net::Fields& fields) {
  const std::string_view age = fields.Find("age").value_or("0");
  const bool digits = !age.empty() && age.find_first_not_of("0123456789") == std::string_view::npos;
  return digits ? std::min(net::ParseLength(age).value_or(kOldest), kOldest) : 0;
}

bool IsEventStream(std::string_view type) {
  constexpr std::string_view kType = "text/event-stream";
  return net::EqualsIgnoringCase(type.substr(0, kType.size()), kType);
}

}  // namespace

std::size_t CopiedAnswer::bytes() const {
  std::size_t all = sizeof(*this) + body.size() + head.fields.buffer().size();
  for (const auto& [name, value] : selected_by) all += name.size() + value.size();
  return all;
}

CopiedAnswer CopyOf(const net::RequestHead& request, const net::ResponseHead& response,
                    std::string body) {
  CopiedAnswer copy{response, std::move(body), {}};
  net::RemoveHopByHop(copy.head.fields);
  copy.head.fields.Remove("x-request-id");
  // How the body was framed on its way here is no matter of those who get it whole.
  const bool declared = response.framing.kind == net::Framing::Kind::kNone ||
                        response.framing.kind == net::Framing::Kind::kLength;
  if (!declared && request.method != "HEAD") {
    copy.head.framing = net::Framing::Length(copy.body.size());
  }
  EachVary(response.fields, [&](std::string_view name) {
    copy.selected_by.emplace_back(name, ValuesOf(request.fields, name));
  });
  return copy;
}

bool FitsRequest(const CopiedAnswer& answer, const net::RequestHead& request) {
  return std::ranges::all_of(answer.selected_by, [&](const auto& selected) {
    return ValuesOf(request.fields, selected.first) == selected.second;
  });
}

bool MayBeShared(const net::ResponseHead& response) {
  const net::Fields& fields = response.fields;
  bool varies = false;
  EachVary(fields, [&](std::string_view name) { varies = varies || name == "*"; });
  return !varies && !fields.Has("set-cookie") && !HasDirective(fields, "no-store") &&
         !HasDirective(fields, "private") && response.status != 206 &&
         !IsEventStream(fields.Find("content-type").value_or(""));
}

Duration MayBeKeptFor(const net::RequestHead& request, const net::ResponseHead& response,
                      Duration max_age) {
  const net::Fields& fields = response.fields;
  if (response.status != 200 || !MayBeShared(response) || fields.Has("hale-fallback")) return {};
  for (const std::string_view forbids : {"no-cache", "must-revalidate", "proxy-revalidate"}) {
    if (HasDirective(fields, forbids)) return {};
  }
  const bool credentials = request.fields.Has("authorization") || request.fields.Has("cookie");
  if (credentials && !HasDirective(fields, "public")) return {};
  const Duration longest = SecondsOf(fields, "s-maxage");
  const std::chrono::seconds age(AgeOf(fields));
  if (age == age.zero()) return longest;
  return std::max(Duration(0), std::min(longest, max_age) - age);
}

bool Supersedes(const net::ResponseHead& response) {
  switch (response.status) {
    case 206:
    case 304:
    case 408:
    case 425:
    case 429:
      return false;
    default:
      return response.status >= 200 && response.status < 500;
  }
}

bool TellsOfAChange(const net::RequestHead& request, const net::ResponseHead& response) {
  return !net::IsSafe(request.method) && response.status >= 200 && response.status < 400;
}

std::uint64_t AgeAfter(const net::Fields& fields, Duration kept) {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(kept).count();
  const std::uint64_t more = std::min(static_cast<std::uint64_t>(seconds), kOldest);
  return std::min(AgeOf(fields) + more, kOldest);
}

void Mark(net::ResponseHead& response, const Instead& instead) {
  response.fields.Set("hale-fallback", instead.how);
  response.fields.Set("hale-reason", Word(instead.after));
}

Task<void> RespondCopy(ServedRequest& request, const CopiedAnswer& answer, HopRetry retry) {
  net::ResponseHead head = answer.head;
  if (head.status >= 500 && retry == HopRetry::kNo) head.fields.Set("hale-retry", "no");
  StampResponse(head, request.passport);
  request.exchange.Respond(head, head.framing);
  const auto sent = co_await request.exchange.Finish(answer.body);
  if (!sent) request.reason = sent.error().reason;
}

Task<void> RespondCopy(ServedRequest& request, const CopiedAnswer& answer, Instead instead,
                       Duration age) {
  net::ResponseHead head = answer.head;
  StampResponse(head, request.passport);
  Mark(head, instead);
  head.fields.Set("Age", std::to_string(AgeAfter(head.fields, age)));
  request.exchange.Respond(head, head.framing);
  const auto sent = co_await request.exchange.Finish(answer.body);
  if (!sent) request.reason = sent.error().reason;
}

}  // namespace hale::mesh
