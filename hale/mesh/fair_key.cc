#include "hale/mesh/fair_key.h"

#include <algorithm>

#include "hale/net/http1_syntax.h"
#include "hale/policy/client_key.h"

namespace hale::mesh {
namespace {

constexpr std::string_view kClientIpWord = "client_ip";
constexpr std::string_view kHeaderWord = "header:";

}  // namespace

bool FairKey::Valid(std::string_view by) {
  return by.empty() || by == kClientIpWord ||
         (by.starts_with(kHeaderWord) && net::IsToken(by.substr(kHeaderWord.size())));
}

FairKey::FairKey(std::string_view by, const policy::HashSecret& secret) : secret_(secret) {
  if (by == kClientIpWord) kind_ = Kind::kClientIp;
  if (!by.starts_with(kHeaderWord)) return;
  kind_ = Kind::kHeader;
  header_ = by.substr(kHeaderWord.size());
}

std::uint64_t FairKey::Of(const net::RequestHead& request, std::string_view client_ip) const {
  std::uint64_t hash = 0;
  switch (kind_) {
    case Kind::kNone:
      return 0;
    case Kind::kClientIp:
      hash = policy::KeyedHash(policy::ClientKey(client_ip).view(), secret_);
      break;
    case Kind::kHeader:
      hash = policy::KeyedHash(request.fields.Find(header_).value_or(""), secret_);
      break;
  }
  return std::max<std::uint64_t>(hash, 1);
}

}  // namespace hale::mesh
