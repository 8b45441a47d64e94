#include "hale/host/document_rules.h"

#include <gtest/gtest.h>

#include <string>

namespace hale::host {
namespace {

std::string Complaint(const std::string& text) { return Print(ParseDocument(text, "f").problems); }
std::string OfListen(const std::string& listen) { return Complaint("listen: [" + listen + "]"); }
std::string OfService(const std::string& rest) {
  return Complaint("services: {a: {instances: [\"h:1\"], " + rest + "}}");
}
std::string OfRoute(const std::string& rest) {
  return Complaint("services: {a: {instances: [\"h:1\"]}}\nroutes: [{service: a, " + rest + "}]");
}

TEST(DocumentRulesTest, AListenerNeedsANumericAddress) {
  EXPECT_EQ(OfListen("{trust: mesh}"),
            "f:1:10 listen[0].address: is missing, such as 0.0.0.0:8080\n");
  EXPECT_EQ(OfListen("\"0.0.0.0:70000\""),
            "f:1:10 listen[0].address: '0.0.0.0:70000' is not host:port or [v6]:port; the port is "
            "0 to 65535\n");
  EXPECT_EQ(OfListen("\"[::1]:0\""), "");
}

TEST(DocumentRulesTest, SuggestsTheAddressThatIsMeant) {
  EXPECT_EQ(OfListen("\":8080\""),
            "f:1:10 listen[0].address: ':8080' is not host:port or [v6]:port; for all interfaces "
            "write 0.0.0.0:8080\n");
  EXPECT_EQ(OfListen("\"localhost:8080\""),
            "f:1:10 listen[0].address: 'localhost' is not a numeric address; write "
            "127.0.0.1:8080\n");
}

TEST(DocumentRulesTest, AnAddressIsListenedAtOnce) {
  EXPECT_EQ(OfListen("\"0.0.0.0:80\", \"0.0.0.0:80\""),
            "f:1:24 listen[1].address: is the address of listen[0].address too\n");
  EXPECT_EQ(OfListen("\"127.0.0.1:9901\""),
            "f:1:1 admin.address: is the address of listen[0].address too\n");
  EXPECT_EQ(OfListen("\"0.0.0.0:0\", \"0.0.0.0:0\""), "");
}

TEST(DocumentRulesTest, ProxiesAreCidrs) {
  const std::string head = "{address: \"0.0.0.0:80\", trusted_proxies: [";
  EXPECT_EQ(OfListen(head + "10.0.0.0/8, \"2001:db8::/32\", 192.0.2.1]}"), "");
  for (const char* wrong :
       {"10.0.0.0/33", "10.0.0.0/", "10.0.0/8", "\"::/129\"", "x", "10.0.0.0/8x", "10.0.0.0/-1"}) {
    EXPECT_TRUE(OfListen(head + wrong + "]}").contains("is not a CIDR such as 10.0.0.0/8"))
        << wrong;
  }
}

TEST(DocumentRulesTest, AFleetIsAServiceOfTheDocument) {
  const std::string services = "services: {edges: {instances: [\"h:1\"]}}\nnode: {fleet: ";
  EXPECT_EQ(Complaint(services + "edges}"), "");
  EXPECT_EQ(Complaint(services + "edge}"),
            "f:2:8 node.fleet: no service 'edge', did you mean edges?\n");
}

TEST(DocumentRulesTest, AServiceNeedsInstances) {
  EXPECT_EQ(Complaint("services: {a: {}}"),
            "f:1:12 services.a.instances: no instances, write static: [\"host:port\"] or file: "
            "path\n");
}

TEST(DocumentRulesTest, InstancesAreFoundInOneWay) {
  EXPECT_EQ(Complaint("services: {a: {instances: {static: [\"h:1\"], file: x}}}"),
            "f:1:16 services.a.instances: static and file exclude each other\n");
  EXPECT_EQ(Complaint("services: {a: {instances: {file: x}}}"), "");
}

TEST(DocumentRulesTest, InstancesHaveAddressesAndAreThereOnce) {
  EXPECT_EQ(
      Complaint("services: {a: {instances: [\"h:1\", \"h\", \"h:70000\", \"h:1\"]}}"),
      "f:1:35 services.a.instances.static[1].address: 'h': no port; an address is "
      "host:port\n"
      "f:1:40 services.a.instances.static[2].address: 'h:70000': the port is not one of 1 to "
      "65535\n"
      "f:1:51 services.a.instances.static[3].address: 'h:1' is there already, as static[0]\n");
}

TEST(DocumentRulesTest, NamesCanBeLabels) {
  EXPECT_EQ(Complaint("services: {\"a b\": {instances: [\"h:1\"]}}"),
            "f:1:12 services[\"a b\"]: a name has 1 to 128 letters, digits, '_', '-', '.' or "
            "'/'\n");
  EXPECT_EQ(Complaint("node: {service: \"\"}"),
            "f:1:8 node.service: a name has 1 to 128 letters, digits, '_', '-', '.' or '/'\n");
}

TEST(DocumentRulesTest, AHealthPathIsAPath) {
  EXPECT_EQ(OfService("health: {path: ready}"),
            "f:1:45 services.a.health.path: 'ready' is not a path: it begins with '/' and has no "
            "spaces\n");
}

TEST(DocumentRulesTest, OnlyFailuresAreRetried) {
  EXPECT_EQ(OfService("retry: {retry_on_status: [500, 599, 429]}"),
            "f:1:72 services.a.retry.retry_on_status[2]: 429 is out of range, 500 to 599 is "
            "allowed\n");
}

TEST(DocumentRulesTest, ARouteLeadsToAServiceThatExists) {
  const std::string services = "services: {orders: {instances: [\"h:1\"]}}\n";
  EXPECT_EQ(Complaint(services + "routes: [{service: ordres}]"),
            "f:2:11 routes[0].service: no service 'ordres', did you mean orders?\n");
  EXPECT_EQ(Complaint(services + "routes: [{service: xyz}]"),
            "f:2:11 routes[0].service: no service 'xyz', there are orders\n");
  EXPECT_EQ(Complaint(services + "routes: [{match: /}]"),
            "f:2:10 routes[0].service: is missing: where do its requests go?\n");
  EXPECT_EQ(Complaint("routes: [{service: x}]"),
            "f:1:11 routes[0].service: no service 'x': there are no services\n");
}

TEST(DocumentRulesTest, RouteNamesAreUnique) {
  EXPECT_EQ(Complaint("services: {a: {instances: [\"h:1\"]}}\n"
                      "routes: [{name: r, service: a, match: /x}, {name: r, service: a}]"),
            "f:2:45 routes[1].name: 'r' is the name of routes[0] too\n");
}

TEST(DocumentRulesTest, APathThatCanNeverMatchIsRefused) {
  EXPECT_EQ(OfRoute("match: orders/"),
            "f:2:23 routes[0].match.path: 'orders/' does not begin with '/'\n");
  EXPECT_EQ(
      OfRoute("match: /a/./b"),
      "f:2:23 routes[0].match.path: '/a/./b' holds a '.' or '..', which is normalised away\n");
  for (const char* path : {"/a/../b", "/./", "/a/..", "\"/a?b\"", "\"/a#b\"", "\"/a b\"", "\"\""}) {
    EXPECT_NE(OfRoute(std::string("match: ") + path), "") << path;
  }
  for (const char* path : {"/", "/a", "/a/", "/a/b.c/..d/", "/a//b", "/%41"}) {
    EXPECT_EQ(OfRoute(std::string("match: ") + path), "") << path;
  }
}

TEST(DocumentRulesTest, HostsMethodsAndHeadersAreWellFormed) {
  EXPECT_EQ(OfRoute("match: {host: \"*.example.com\", method: [GET, PUT], header: {x-a: \"*\"}}"),
            "");
  EXPECT_TRUE(OfRoute("match: {host: \"http://x\"}").contains("is not a name such as"));
  EXPECT_TRUE(OfRoute("match: {host: \"x:80\"}").contains("is not a name such as"));
  EXPECT_TRUE(OfRoute("match: {method: get}").contains("methods are in upper case"));
  EXPECT_TRUE(OfRoute("match: {method: \"G T\"}").contains("is not a method"));
  EXPECT_TRUE(OfRoute("match: {header: {\"x a\": b}}").contains("is not the name of a header"));
}

}  // namespace
}  // namespace hale::host
