#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "hale/mesh/request_key.h"
#include "hale/net/http1_syntax.h"

// Two requests have the same key exactly when what is to tell them apart is the same, compared
// field by field; two such requests both have twins or neither.

namespace {

void Require(bool condition) {
  if (!condition) std::abort();
}

constexpr std::array<std::string_view, 4> kNames = {"accept", "Accept", "cookie", "x-a"};

std::string_view Take(std::string_view& input, std::size_t most) {
  if (input.empty()) return {};
  const std::size_t size =
      std::min<std::size_t>(static_cast<unsigned char>(input[0]) % (most + 1), input.size() - 1);
  const std::string_view taken = input.substr(1, size);
  input.remove_prefix(1 + size);
  return taken;
}

std::string Printable(std::string_view text) {
  std::string all;
  for (const char c : text) {
    if (static_cast<unsigned char>(c) > 0x20 && c != 0x7f) all += c;
  }
  return all;
}

hale::net::RequestHead Make(std::string_view& input) {
  hale::net::RequestHead request;
  constexpr std::array<std::string_view, 3> kMethods = {"GET", "HEAD", "PUT"};
  const std::string_view pick = Take(input, 3);
  request.method = kMethods[pick.size() % kMethods.size()];
  request.fields.Append("Host", Printable(Take(input, 3)));
  request.target = "/" + Printable(Take(input, 4));
  for (int i = 0; i < 3; ++i) {
    const std::string_view name = Take(input, 3);
    request.fields.Append(kNames[name.size()], Printable(Take(input, 3)));
  }
  return request;
}

std::vector<std::string> Values(const hale::net::RequestHead& request, std::string_view name) {
  std::vector<std::string> all;
  for (const auto& line : request.fields) {
    if (hale::net::EqualsIgnoringCase(line.name, name)) all.emplace_back(line.value);
  }
  return all;
}

bool Same(const hale::net::RequestHead& a, const hale::net::RequestHead& b,
          const std::vector<std::string>& by) {
  if (a.method != b.method || a.target != b.target) return false;
  if (!hale::net::EqualsIgnoringCase(a.host(), b.host())) return false;
  for (const std::string& name : by) {
    if (Values(a, name) != Values(b, name)) return false;
  }
  return true;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view input(reinterpret_cast<const char*>(data), size);
  const std::vector<std::string> by = {"accept", "x-a", "cookie"};
  const hale::net::RequestHead a = Make(input);
  const hale::net::RequestHead b = Make(input);
  const bool same = Same(a, b, by);
  Require((hale::mesh::RequestKey(a, by) == hale::mesh::RequestKey(b, by)) == same);
  if (same) Require(hale::mesh::HasTwins(a, by) == hale::mesh::HasTwins(b, by));
  return 0;
}
