#include "app/demo_journal.h"

#include <boost/json.hpp>

#include "hale/base/event.h"

namespace hale::app {
namespace {

namespace json = boost::json;

std::string Text(const json::object& entry, std::string_view key) {
  const json::value* value = entry.if_contains(key);
  return value != nullptr && value->is_string() ? std::string(value->as_string()) : std::string();
}

std::uint64_t Number(const json::object& entry, std::string_view key) {
  const json::value* value = entry.if_contains(key);
  return value != nullptr && value->is_number() ? value->to_number<std::uint64_t>() : 0;
}

}  // namespace

std::string DemoJournal::Named(std::string_view text) const {
  std::string named(text);
  // From the last on: an address that begins with another comes after it.
  for (auto entry = names_.rbegin(); entry != names_.rend(); ++entry) {
    const auto& [address, name] = *entry;
    // `shop 127.0.0.1:9001` is `backend a`: there is one service only.
    for (const std::string& spelt : {"shop " + address, address}) {
      for (std::size_t at = 0; (at = named.find(spelt, at)) != std::string::npos;) {
        named.replace(at, spelt.size(), name);
        at += name.size();
      }
    }
  }
  return named;
}

// Refusals of one second are entered together at its end, when the next phase may have begun.
void DemoJournal::Forget() {
  std::erase_if(
      told_, [](const std::string& told) { return !told.starts_with(Word(EventKind::kRefused)); });
}

std::vector<std::string> DemoJournal::Read(std::string_view text) {
  json::error_code error;
  const json::value parsed = json::parse(json::string_view(text.data(), text.size()), error);
  if (error || !parsed.is_object()) return {};
  const json::object& page = parsed.as_object();
  const json::value* entries = page.if_contains("entries");
  if (entries == nullptr || !entries->is_array()) return {};
  std::vector<std::string> sentences;
  for (const json::value& value : entries->as_array()) {
    if (!value.is_object()) continue;
    const json::object& entry = value.as_object();
    const std::string kind = Text(entry, "kind");
    if (kind == Word(EventKind::kRetried) || kind == Word(EventKind::kRaced)) {
      second_chances_ += Number(entry, "count");
    }
    const std::string alike = kind + Text(entry, "reason") + Text(entry, "instance");
    if (told_.insert(alike).second) sentences.push_back(Named(Text(entry, "text")));
  }
  next_ = Number(page, "next");
  return sentences;
}

}  // namespace hale::app
