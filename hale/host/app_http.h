#pragma once

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "hale/base/error.h"
#include "hale/mesh/forward.h"
#include "hale/net/http_head.h"

namespace hale::host {

/// A request as a handler gets it: the head, what the path's pattern named, and the whole body.
/// Cheap to copy; what it shows is shared and does not change.
class Request {
 public:
  struct Data {
    net::RequestHead head;
    std::map<std::string, std::string, std::less<>> path;
    std::string body;
    std::string client_ip;
    mesh::Passport passport;
    TimePoint began{};
  };
  explicit Request(std::shared_ptr<const Data> data) : data_(std::move(data)) {}

  const std::string& method() const { return data_->head.method; }
  std::string_view target() const { return data_->head.target; }
  /// What `{name}` in the pattern stands for; empty when the pattern has no such name.
  std::string path(std::string_view name) const;
  std::string_view header(std::string_view name) const;
  const std::string& body() const { return data_->body; }
  /// The address of the client, without port.
  const std::string& client_ip() const { return data_->client_ip; }
  std::string_view id() const { return data_->passport.request_id.view(); }
  const mesh::Passport& passport() const { return data_->passport; }
  /// What is left at `now` of the time that it brought along; kForever when it brought none.
  Duration remaining(TimePoint now) const {
    const Duration whole = data_->passport.timeout;
    if (whole == kForever) return kForever;
    return std::max(Duration::zero(), whole - (now - data_->began));
  }

 private:
  std::shared_ptr<const Data> data_;
};

/// What a handler answers.
struct Response {
  Response() = default;
  Response(int code, std::string text) : body(std::move(text)) { head.status = code; }

  net::ResponseHead head;
  std::string body;
  Reason reason = Reason::kNone;  ///< of a refusal
};

/// 200 with a JSON body, given as text.
Response Json(std::string text);
/// 200 with plain text.
Response Text(std::string text);
/// What a call that got no answer becomes for our own caller: its reason's status and word.
Response Unavailable(const Error& error);

/// A path pattern such as `/orders/{id}`: a segment in braces takes any one segment. Immutable.
class PathPattern {
 public:
  explicit PathPattern(std::string pattern) : pattern_(std::move(pattern)) {}
  /// The named segments when the path fits. Pure.
  bool Match(std::string_view path, std::map<std::string, std::string, std::less<>>& named) const;
  const std::string& text() const { return pattern_; }

 private:
  std::string pattern_;
};

}  // namespace hale::host
