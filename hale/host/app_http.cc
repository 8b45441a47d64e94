#include "hale/host/app_http.h"

#include "hale/mesh/refusal.h"

namespace hale::host {
namespace {

std::string_view TakeSegment(std::string_view& rest) {
  rest.remove_prefix(1);  // '/'
  const std::string_view segment = rest.substr(0, rest.find('/'));
  rest.remove_prefix(segment.size());
  return segment;
}

}  // namespace

std::string Request::path(std::string_view name) const {
  const auto found = data_->path.find(name);
  return found == data_->path.end() ? std::string() : found->second;
}

std::string_view Request::header(std::string_view name) const {
  return data_->head.fields.Find(name).value_or("");
}

Response Json(std::string text) {
  Response response(200, std::move(text));
  response.head.fields.Append("Content-Type", "application/json");
  return response;
}

Response Text(std::string text) {
  Response response(200, std::move(text));
  response.head.fields.Append("Content-Type", "text/plain; charset=utf-8");
  return response;
}

Response Unavailable(const Error& error) {
  mesh::Refusal refusal = mesh::MakeRefusal(error, {}, mesh::HopRetry::kNo);
  refusal.head.fields.Remove("x-request-id");
  Response response;
  response.head = std::move(refusal.head);
  response.body = std::move(refusal.body);
  response.reason = error.reason;
  return response;
}

bool PathPattern::Match(std::string_view path,
                        std::map<std::string, std::string, std::less<>>& named) const {
  named.clear();
  std::string_view pattern = pattern_;
  while (pattern.starts_with('/') && path.starts_with('/')) {
    const std::string_view wanted = TakeSegment(pattern);
    const std::string_view found = TakeSegment(path);
    if (wanted.starts_with('{') && wanted.ends_with('}')) {
      if (found.empty()) return false;
      named.insert_or_assign(std::string(wanted.substr(1, wanted.size() - 2)), std::string(found));
    } else if (wanted != found) {
      return false;
    }
  }
  return pattern.empty() && path.empty();
}

}  // namespace hale::host
