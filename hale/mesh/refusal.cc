#include "hale/mesh/refusal.h"

namespace hale::mesh {

Refusal MakeRefusal(const Error& error, std::string_view request_id, HopRetry retry) {
  const ReasonInfo& info = Info(error.reason);
  Refusal refusal;
  // An error without a reason is a bug of ours: 500 says so.
  refusal.head.status = info.http_status != 0 ? info.http_status : 500;
  net::Fields& fields = refusal.head.fields;
  fields.Append("Content-Type", "application/json");
  fields.Append("hale-reason", info.word);
  fields.Append("x-request-id", request_id);
  if (error.retry_after > Duration::zero() && error.retry_after != kForever) {
    const auto seconds = std::chrono::ceil<std::chrono::seconds>(error.retry_after);
    fields.Append("Retry-After", std::to_string(seconds.count()));
  }
  if (retry == HopRetry::kNo) fields.Append("hale-retry", "no");
  refusal.body += R"({"reason":")";
  refusal.body += info.word;
  refusal.body += R"(","message":")";
  refusal.body += info.sentence;
  refusal.body += R"(","request_id":")";
  refusal.body += request_id;
  refusal.body += "\"}\n";
  return refusal;
}

}  // namespace hale::mesh
