#include "hale/mesh/body_resume.h"

#include <fmt/format.h>

namespace hale::mesh {
namespace {

/// A strong entity tag (RFC 9110 §8.8.3) that is said once.
std::optional<std::string_view> StrongTag(const net::Fields& fields) {
  const auto tag = fields.Find("etag");
  if (!tag || fields.Count("etag") != 1 || tag->size() < 2) return std::nullopt;
  if (!tag->starts_with('"') || !tag->ends_with('"')) return std::nullopt;
  return tag;
}

}  // namespace

std::optional<BodyResume> BodyResume::Of(const net::RequestHead& request,
                                         const net::ResponseHead& answer) {
  const auto tag = StrongTag(answer.fields);
  if (!tag || request.method != "GET" || request.fields.Has("range") ||
      request.fields.Has("if-range") || answer.status != 200 ||
      answer.framing.kind != net::Framing::Kind::kLength) {
    return std::nullopt;
  }
  return BodyResume(std::string(*tag), answer.framing.length);
}

void BodyResume::Ask(net::RequestHead& request, std::uint64_t relayed) const {
  if (relayed == 0) return;  // a range from 0 would be all of it
  request.fields.Set("Range", fmt::format("bytes={}-", relayed));
  request.fields.Set("If-Range", tag_);
}

void BodyResume::Unask(net::RequestHead& request) {
  request.fields.Remove("range");
  request.fields.Remove("if-range");
}

std::optional<std::uint64_t> BodyResume::Overlap(const net::ResponseHead& answer,
                                                 std::uint64_t relayed) const {
  if (StrongTag(answer.fields) != tag_) return std::nullopt;
  if (answer.status == 200 && answer.framing == net::Framing::Length(length_)) return relayed;
  const std::string wanted = fmt::format("bytes {}-{}/{}", relayed, length_ - 1, length_);
  const bool continues = answer.status == 206 && answer.fields.Find("content-range") == wanted &&
                         answer.framing == net::Framing::Length(length_ - relayed);
  return continues ? std::optional<std::uint64_t>(0) : std::nullopt;
}

}  // namespace hale::mesh
