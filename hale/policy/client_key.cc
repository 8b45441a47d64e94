#include "hale/policy/client_key.h"

#include <arpa/inet.h>

#include <algorithm>
#include <cstring>

namespace hale::policy {
namespace {

constexpr std::string_view kNoAddress = "?";
constexpr std::string_view kPrefix = "/64";

// `[v6]:port`, `[v6]`, `v4:port`, `v6%zone` to the address alone.
std::string_view Bare(std::string_view text) {
  if (text.starts_with('[')) {
    text.remove_prefix(1);
    text = text.substr(0, text.find(']'));
  } else if (text.find(':') == text.rfind(':')) {
    text = text.substr(0, text.find(':'));
  }
  return text.substr(0, text.find('%'));
}

bool IsMapped(const in6_addr& address) {
  constexpr unsigned char kMapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  return std::memcmp(address.s6_addr, kMapped, sizeof(kMapped)) == 0;
}

}  // namespace

ClientKey::ClientKey(std::string_view address) {
  const std::string_view bare = Bare(address);
  std::array<char, INET6_ADDRSTRLEN> text{};
  in_addr v4{};
  in6_addr v6{};
  const char* written = nullptr;
  std::string_view suffix;
  if (bare.size() < text.size() && !bare.contains('\0')) {
    std::copy(bare.begin(), bare.end(), text.begin());
    bool is_v4 = inet_pton(AF_INET, text.data(), &v4) == 1;
    const bool is_v6 = !is_v4 && inet_pton(AF_INET6, text.data(), &v6) == 1;
    if (is_v6 && IsMapped(v6)) {
      std::memcpy(&v4, v6.s6_addr + 12, sizeof(v4));
      is_v4 = true;
    }
    if (is_v4) {
      written = inet_ntop(AF_INET, &v4, text_.data(), socklen_t{sizeof(text_)});
    } else if (is_v6) {
      std::fill(v6.s6_addr + 8, v6.s6_addr + 16, 0);
      written = inet_ntop(AF_INET6, &v6, text_.data(), socklen_t{sizeof(text_)});
      suffix = kPrefix;
    }
  }
  if (written == nullptr) {
    suffix = kNoAddress;
    text_[0] = '\0';
  }
  const std::size_t length = std::strlen(text_.data());
  std::copy(suffix.begin(), suffix.end(), text_.begin() + static_cast<std::ptrdiff_t>(length));
  size_ = static_cast<std::uint8_t>(length + suffix.size());
}

}  // namespace hale::policy
