#include "hale/host/document.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "hale/config/print.h"
#include "hale/config/updater.h"

namespace hale::host {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr std::string_view kExample = R"(
node:   {service: edge, zone: a}
listen: [{address: "0.0.0.0:8080", trust: edge}]
admin:  {address: "127.0.0.1:9901"}
config: {from: {file: hale.yaml}}
services:
  orders:
    instances: {static: ["127.0.0.1:9001", "127.0.0.1:9002"]}
    health:    {path: /ready, interval: 2s, timeout: 1s}
    balance:   {kind: p2c}
    breaker:   {failure_rate: 50%, minimum_calls: 20, open_for: 5s}
    retry:     {attempts: 3, budget: 10%}
    timeout:   {connect: 1s, per_try: 600ms}
routes:
  - match: {path: /orders/}
    service: orders
    deadline: 2s
    limit: [{rate: 100/s, burst: 50, by: client_ip}, {rate: 10/s, by: "header:x-user-id"}]
switches: {new_pricing: false}
log: {level: info}
)";

std::string Complaint(std::string_view text) {
  return Print(ParseDocument(text, "hale.yaml").problems);
}

TEST(DocumentTest, TheExampleHasNoProblem) { EXPECT_EQ(Complaint(kExample), ""); }

TEST(DocumentTest, TheExampleMeansWhatItSays) {
  const Document document = ParseDocument(kExample, "hale.yaml").value;
  EXPECT_EQ(document.listen[0].trust, mesh::Trust::kEdge);
  const auto& orders = document.services.at("orders");
  EXPECT_EQ(orders.instances.fixed[1].address, "127.0.0.1:9002");
  EXPECT_EQ(orders.breaker.failure_rate, 0.5);
  EXPECT_EQ(orders.retry.budget.ratio, 0.1);
  EXPECT_EQ(orders.timeout.per_try, 600ms);
  EXPECT_EQ(document.routes[0].limit[0].burst, 50U);
  EXPECT_EQ(mesh::ParseLimitKey(document.routes[0].limit[1].by)->header, "x-user-id");
  EXPECT_EQ(document.switches.at("new_pricing").text, "false");
}

TEST(DocumentTest, TheSmallestDocumentIsSafe) {
  EXPECT_EQ(Complaint("listen: [\"0.0.0.0:8080\"]\n"
                      "services: {web: {instances: [\"127.0.0.1:9001\"]}}\n"
                      "routes: [{service: web}]\n"),
            "");
}

TEST(DocumentTest, ReadsBackItsOwnDump) {
  const auto yaml = ParseDocument(kExample, "hale.yaml");
  const auto again = ParseDocument(config::Dump(yaml.value), "hale.json");
  EXPECT_EQ(Print(again.problems), "");
  EXPECT_THAT(config::Diff(yaml.value, again.value), IsEmpty());
}

TEST(DocumentTest, AllProblemsOfAllKindsAreReportedTogether) {
  const std::string complaint = Complaint(
      "listen: [{address: \"0.0.0.0:70000\"}]\n"    // a rule
      "services:\n"                                 //
      "  orders:\n"                                 //
      "    instances: [\"127.0.0.1:9001\"]\n"       //
      "    breaker: {falure_rate: 50%}\n"           // a key
      "    breaker: {}\n"                           // a duplicate
      "    health: {path: /ready, interval: 2x}\n"  // a value
      "routes: [{service: order}]\n");              // a name
  EXPECT_THAT(complaint, HasSubstr("hale.yaml:1:11 listen[0].address: '0.0.0.0:70000' is not"));
  EXPECT_THAT(complaint, HasSubstr("hale.yaml:5:15 services.orders.breaker.falure_rate: unknown "
                                   "key, did you mean failure_rate?"));
  EXPECT_THAT(complaint, HasSubstr("hale.yaml:6:5 services.orders.breaker: duplicate key"));
  EXPECT_THAT(complaint, HasSubstr("hale.yaml:7:38 services.orders.health.interval: '2x' is not"));
  EXPECT_THAT(complaint, HasSubstr("hale.yaml:8:11 routes[0].service: no service 'order', did "
                                   "you mean orders?"));
}

TEST(DocumentTest, OneMistakeIsReportedOnce) {
  EXPECT_EQ(
      Complaint("services: {a: [\"127.0.0.1:1\"]}"),
      "hale.yaml:1:15 services.a: found a list, expected a map with keys out of instances, "
      "health, balance, breaker, retry, bulkhead, throttle, concurrency, outlier, stall, hedge, "
      "deadline, timeout, limit, connections\n");
}

TEST(DocumentTest, WarningsWaitUntilThereAreNoErrors) {
  const std::string unwise = "listen: [{address: \"0.0.0.0:80\", limits: {body: 0B}}]\n";
  EXPECT_THAT(Complaint(unwise), HasSubstr("warning"));
  EXPECT_THAT(Complaint(unwise + "log: x\n"), Not(HasSubstr("warning")));
}

TEST(DocumentTest, WhatCannotBeReadAtAllIsNotJudged) {
  EXPECT_EQ(Complaint("services: {\n"),
            "hale.yaml:2:1 services: not YAML: end of map flow not found: a '{' is not closed\n");
}

TEST(DocumentTest, SectionsReadAtStartAreReportedAndTheRestApplies) {
  config::Updater<Document> updater(
      [](std::string_view text, const std::string& file) { return ParseDocument(text, file); },
      StartSections());
  updater.Offer("{node: {zone: a}, telemetry: {slow: 1s}, log: info}", "f");
  const auto offered = updater.Offer(
      "{node: {zone: b}, listen: [\"127.0.0.1:80\"], admin: {address: \"127.0.0.1:9902\"}, "
      "config: {from: {file: x}}, telemetry: {slow: 2s}, drain: {wait: 1s}, log: debug}",
      "f");
  EXPECT_THAT(offered.at_next_start, ElementsAre("node", "listen", "admin", "config", "telemetry"));
  EXPECT_EQ(updater.current()->value.log.level, telemetry::Level::kDebug);
  EXPECT_EQ(updater.current()->value.drain.wait, 1s);
  EXPECT_EQ(updater.current()->value.node.zone, "a");
}

TEST(DocumentTest, ShowsNoSecret) {
  const config::Surroundings fake{
      [](const std::string&) -> std::optional<std::string> { return "hunter2"; }, nullptr};
  const auto parsed = ParseDocument("admin: {token: \"${env:T}\"}", "f", fake);
  EXPECT_EQ(parsed.value.admin.token.Reveal(), "hunter2");
  EXPECT_THAT(config::DumpWithOrigins(parsed.value, parsed.origins),
              HasSubstr(R"("token":{"value":"***","origin":"f:1"})"));
}

// --- what this repository tells people to write
// ---------------------------------------------------

namespace fs = std::filesystem;

fs::path Root() { return fs::path(__FILE__).parent_path().parent_path().parent_path(); }

std::string TextOf(const fs::path& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

/// A document in the repository: a file, or a fenced block of a page.
struct Found {
  std::string name;
  std::string text;
};

void AddBlocks(const fs::path& page, std::vector<Found>& all) {
  const std::string text = TextOf(page);
  std::size_t at = 0;
  while ((at = text.find("```yaml\n", at)) != std::string::npos) {
    at += 8;
    const auto begin = text.begin();
    const auto line = std::count(begin, begin + static_cast<std::ptrdiff_t>(at), '\n');
    all.push_back({page.string() + ":" + std::to_string(line),
                   text.substr(at, text.find("\n```", at) - at) + "\n"});
  }
}

std::vector<Found> YamlOfTheRepository() {
  std::vector<Found> all;
  for (const char* folder : {"doc", "example"}) {
    for (const auto& entry : fs::recursive_directory_iterator(Root() / folder)) {
      const auto extension = entry.path().extension();
      if (extension == ".md") AddBlocks(entry.path(), all);
      if (extension == ".yaml") all.push_back({entry.path().string(), TextOf(entry.path())});
    }
  }
  if (fs::exists(Root() / "README.md")) AddBlocks(Root() / "README.md", all);
  return all;
}

/// What a page shows: a whole document has a listener and is judged whole. Of a piece of one only
/// keys and values are; a list is something else.
enum class Shown { kDocument, kPiece, kOther };

Shown WhatIs(const std::string& text) {
  const config::Tree tree = config::ParseTree(text, "f");
  if (tree.root.kind != config::Node::Kind::kMap) return Shown::kOther;
  return tree.root.Find("listen") != nullptr ? Shown::kDocument : Shown::kPiece;
}

TEST(DocumentTest, EveryDocumentOfTheRepositoryPassesWithoutAWarning) {
  const config::Surroundings fake{
      [](const std::string&) -> std::optional<std::string> { return "secret"; },
      [](const std::string&) -> Result<std::string> { return "secret"; }};
  int documents = 0;
  for (const Found& found : YamlOfTheRepository()) {
    const Shown shown = WhatIs(found.text);
    if (shown == Shown::kDocument) ++documents;
    const auto problems = shown == Shown::kDocument
                              ? ParseDocument(found.text, found.name, fake).problems
                              : config::Read<Document>(found.text, found.name, fake).problems;
    if (shown != Shown::kOther) {
      EXPECT_EQ(Print(problems), "");
    }
  }
  EXPECT_GE(documents, 3);  // doc/document.md has two, doc/configuration.md one
}

TEST(DocumentTest, TheReferencePageIsOfThisSchema) {
  const std::string page = TextOf(Root() / "doc" / "document.md");
  EXPECT_TRUE(page.contains(config::Reference<Document>()))
      << "print it with `hale check --reference` and put it into the page";
}

}  // namespace
}  // namespace hale::host
