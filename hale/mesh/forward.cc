#include "hale/mesh/forward.h"

#include <array>
#include <charconv>
#include <optional>

#include "hale/telemetry/request_id.h"

namespace hale::mesh {
namespace {

bool StartsWithIgnoringCase(std::string_view text, std::string_view start) {
  return text.size() >= start.size() &&
         net::EqualsIgnoringCase(text.substr(0, start.size()), start);
}

std::optional<std::uint64_t> Number(const net::Fields& fields, std::string_view name) {
  const auto text = fields.Find(name);
  if (!text) return std::nullopt;
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), value);
  if (error != std::errc() || end != text->data() + text->size()) return std::nullopt;
  return value;
}

/// All lines of that name as the one list that they mean (RFC 9110 §5.3); empty when there is none.
std::string Joined(const net::Fields& fields, std::string_view name) {
  std::string all;
  for (const auto& line : fields) {
    if (!net::EqualsIgnoringCase(line.name, name)) continue;
    if (!all.empty()) all += ", ";
    all += line.value;
  }
  return all;
}

/// `1.1 name` among the members of all Via fields (RFC 9110 §7.6.3).
bool PassedHere(const net::Fields& fields, std::string_view pseudonym) {
  for (const auto& line : fields) {
    if (!net::EqualsIgnoringCase(line.name, "via")) continue;
    const std::string_view value = line.value;
    for (std::size_t at = value.find(pseudonym); at != std::string_view::npos;
         at = value.find(pseudonym, at + 1)) {
      const std::size_t end = at + pseudonym.size();
      const bool begins = at > 0 && value[at - 1] == ' ';
      const bool ends = end == value.size() || value[end] == ',' || value[end] == ' ';
      if (begins && ends) return true;
    }
  }
  return false;
}

void Strip(net::Fields& fields, const ForwardRules& rules) {
  const bool edge = rules.trust == Trust::kEdge;
  const bool stranger = edge && !rules.peer_trusted;
  if (!edge) return;
  fields.RemoveIf([&](const net::Fields::Line& line) {
    if (StartsWithIgnoringCase(line.name, "hale-")) return true;
    return stranger && (StartsWithIgnoringCase(line.name, "x-forwarded-") ||
                        net::EqualsIgnoringCase(line.name, "forwarded"));
  });
}

}  // namespace

Passport ReadPassport(const net::Fields& fields, const ForwardRules& rules, Random& random) {
  Passport passport;
  const auto id = fields.Find("x-request-id");
  const bool ours = rules.trust == Trust::kMesh || rules.peer_trusted;
  if (ours && id && telemetry::ValidRequestId(*id)) {
    passport.request_id = *id;
  } else {
    const auto fresh = telemetry::NewRequestId(random);
    passport.request_id = std::string_view(fresh.data(), fresh.size());
  }
  const auto parent = fields.Find("traceparent");
  const auto trace = parent ? telemetry::ParseTraceparent(*parent) : std::nullopt;
  passport.trace = trace ? telemetry::NextHop(*trace, random)
                         : telemetry::NewTrace(random, telemetry::Sampled::kNo);
  if (rules.trust == Trust::kEdge) return passport;
  if (const auto attempt = Number(fields, "hale-attempt"); attempt && *attempt >= 1) {
    passport.attempt = static_cast<std::uint32_t>(std::min<std::uint64_t>(*attempt, 1000));
  }
  if (const auto left = Number(fields, "hale-timeout-ms")) {
    constexpr std::uint64_t kDay = 24ULL * 3600 * 1000;
    passport.timeout = std::chrono::milliseconds(std::min(*left, kDay));
  }
  if (const auto word = fields.Find("hale-priority")) {
    passport.priority = policy::PriorityFromWord(*word);
  }
  return passport;
}

Result<Passport> StampRequest(net::RequestHead& request, const ForwardRules& rules,
                              Random& random) {
  net::Fields& fields = request.fields;
  if (PassedHere(fields, rules.pseudonym)) return Fail(Reason::kLoop, Executed::kNo);
  Strip(fields, rules);
  Passport passport = ReadPassport(fields, rules, random);
  net::RemoveHopByHop(fields);

  // It belongs to the trace that came with it: without one, or with a broken one, it goes.
  const auto parent = fields.Find("traceparent");
  const std::string state = parent && telemetry::ParseTraceparent(*parent)
                                ? telemetry::CleanTracestate(Joined(fields, "tracestate"))
                                : std::string();
  state.empty() ? static_cast<void>(fields.Remove("tracestate")) : fields.Set("tracestate", state);
  const auto traceparent = telemetry::Traceparent(passport.trace);
  fields.Set("traceparent", {traceparent.data(), traceparent.size()});
  fields.Set("x-request-id", passport.request_id.view());
  std::string forwarded_for = Joined(fields, "x-forwarded-for");
  if (!forwarded_for.empty()) forwarded_for += ", ";
  forwarded_for += rules.peer_ip;
  fields.Set("X-Forwarded-For", forwarded_for);
  if (!fields.Has("x-forwarded-proto")) fields.Append("X-Forwarded-Proto", "http");
  std::array<char, 4 + ForwardRules::kLongestPseudonym> via{'1', '.', '1', ' '};
  const std::size_t size = rules.pseudonym.copy(via.data() + 4, ForwardRules::kLongestPseudonym);
  fields.Append("Via", {via.data(), size + 4});
  return passport;
}

void StampResponse(net::ResponseHead& response, const Passport& passport) {
  net::RemoveHopByHop(response.fields);
  response.fields.Remove("hale-load");  // of the instance, not of who passes its answer on
  response.fields.Set("x-request-id", passport.request_id.view());
}

}  // namespace hale::mesh
