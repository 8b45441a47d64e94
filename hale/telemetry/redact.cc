#include "hale/telemetry/redact.h"

#include <algorithm>
#include <array>
#include <cstring>

namespace hale::telemetry {
namespace {

constexpr std::array<std::string_view, 11> kSecrets = {
    "authorization", "cookie",     "password", "passwd",    "secret",     "token",
    "api-key",       "credential", "apikey",   "signature", "private-key"};

char Fold(char c) {
  if (c >= 'A' && c <= 'Z') return static_cast<char>(c - 'A' + 'a');
  return c == '_' ? '-' : c;
}

// The characters that a secret's name can begin with.
constexpr auto kFirsts = [] {
  std::array<bool, 256> table{};
  for (const std::string_view secret : kSecrets) {
    table[static_cast<unsigned char>(secret.front())] = true;
    table[static_cast<unsigned char>(secret.front() - 'a' + 'A')] = true;
  }
  return table;
}();

// Appends to a buffer and forgets what does not fit.
class Writer {
 public:
  explicit Writer(std::span<char> out) : out_(out) {}
  void Put(std::string_view text) {
    const std::size_t size = std::min(text.size(), out_.size() - used_);
    if (size > 0) std::memcpy(out_.data() + used_, text.data(), size);
    used_ += size;
  }
  std::string_view text() const { return {out_.data(), used_}; }

 private:
  std::span<char> out_;
  std::size_t used_ = 0;
};

}  // namespace

bool IsSecretName(std::string_view name) {
  for (std::size_t at = 0; at < name.size(); ++at) {
    // Each field of each log line is asked: most positions end here.
    if (!kFirsts[static_cast<unsigned char>(name[at])]) continue;
    const std::string_view rest = name.substr(at);
    const auto begins = [&](std::string_view secret) {
      return rest.size() >= secret.size() &&
             std::ranges::equal(rest.substr(0, secret.size()), secret, {}, Fold);
    };
    if (std::ranges::any_of(kSecrets, begins)) return true;
  }
  return false;
}

std::string_view RedactTarget(std::string_view target, std::span<char> out) {
  target = target.substr(0, target.find('#'));
  const std::size_t question = target.find('?');
  const std::string_view path = target.substr(0, question);
  const std::size_t scheme = path.find("://");
  std::size_t at = std::string_view::npos;
  if (scheme != std::string_view::npos && path.front() != '/') {
    // The last @ before the path: what stands before it may hold one itself.
    at = path.substr(0, path.find('/', scheme + 3)).rfind('@');
  }
  if (question == std::string_view::npos && at == std::string_view::npos) return target;

  Writer writer(out);
  if (at == std::string_view::npos) {
    writer.Put(path);
  } else {
    writer.Put(path.substr(0, scheme + 3));
    writer.Put(path.substr(at + 1));
  }
  if (question == std::string_view::npos) return writer.text();
  std::string_view query = target.substr(question + 1);
  char separator = '?';
  while (true) {
    const std::size_t end = query.find('&');
    const std::string_view pair = query.substr(0, end);
    const std::size_t equals = pair.find('=');
    writer.Put({&separator, 1});
    // A lone word may be a token: it is hidden as a whole.
    if (equals != std::string_view::npos) writer.Put(pair.substr(0, equals + 1));
    if (!pair.empty()) writer.Put(kRedacted);
    if (end == std::string_view::npos) return writer.text();
    query.remove_prefix(end + 1);
    separator = '&';
  }
}

}  // namespace hale::telemetry
