#pragma once

#include <memory>
#include <optional>
#include <string>

#include "hale/mesh/joined_call.h"
#include "hale/mesh/route_fallback.h"

namespace hale::mesh {

/// A call that is answered with something else when it failed and its route has something: the
/// answer of another service, whose limits and policies govern that call as any other, the last
/// good answer to the same request, a fixed one. It keeps good answers for that. What has begun to
/// reach the client is not taken back. Loop-bound.
class FallbackCall {
 public:
  /// All outlive me; the route has a fallback.
  FallbackCall(JoinedCall& call, Pools& pools, ServedRequest& request, const Route& route,
               RequestBody& body)
      : call_(call),
        pools_(pools),
        request_(request),
        route_(route),
        fallback_(*route.fallback),
        body_(body) {}

  /// Asks and answers. `proxied` is what `call` goes through.
  Task<void> Run(ProxiedCall& proxied);

 private:
  Task<bool> TryInstead(ProxiedCall& proxied, Reason after);
  Task<bool> TryService(ProxiedCall& proxied, Reason after);
  Task<bool> TryLastGood(Reason after);
  Task<void> AnswerFixed(Reason after);
  Task<void> AnswerAndKeep(ProxiedCall& proxied);
  /// Which of the answers that are kept is this request's; the mark of what it is about.
  std::optional<policy::LastGoodMark> Recognize();
  void Tell(std::string_view how, Reason after, Duration age = Duration(0));
  /// `told`: with what, for a person; `age`: of a kept answer.
  void Answered(const Instead& instead, std::string_view told, Duration age = Duration(0));
  bool MayAskAgain(const ProxiedCall& proxied) const;
  TimePoint now() const { return pools_.loop().Now(); }

  JoinedCall& call_;
  Pools& pools_;
  ServedRequest& request_;
  const Route& route_;
  const RouteFallback& fallback_;
  RequestBody& body_;
  std::string key_;  // of the request among those that are kept; empty when it has none
};

}  // namespace hale::mesh
