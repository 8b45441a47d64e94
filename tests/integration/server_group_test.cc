// Connections of one listener spread over the loops of a group.
#include "hale/net/server_group.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "relay.h"
#include "wire.h"

namespace hale::test {
namespace {

class Hello final : public net::RequestHandler {
 public:
  Task<void> Handle(net::ServerExchange& exchange) override {
    const net::ResponseHead head;
    (void)co_await exchange.RespondWhole(head, "hello");
  }
};

// One server listens, so that all connections are accepted on its loop; the other has joined.
TEST(ServerGroupTest, HandsConnectionsToTheLoopWithFewer) {
  Hello hello;
  net::ServerGroup group;
  LoopThread threads[2];
  std::unique_ptr<net::HttpServer> servers[2];
  net::Address address;
  for (int i = 0; i < 2; ++i) {
    threads[i].Do([&] {
      servers[i] =
          std::make_unique<net::HttpServer>(threads[i].loop(), net::ServerOptions(), hello);
      servers[i]->Join(group);
      if (i == 0) address = *servers[i]->Listen(net::Address::Loopback());
    });
  }
  std::vector<Wire> clients;
  for (int i = 0; i < 20; ++i) {
    clients.push_back(Wire::To(address));
    clients.back().Send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    EXPECT_NE(clients.back().ReadUntil("hello").find("200"), std::string::npos) << i;
  }
  EXPECT_EQ(servers[0]->connections() + servers[1]->connections(), 20U);
  EXPECT_LE(servers[0]->connections(), 12U);
  EXPECT_LE(servers[1]->connections(), 12U);
  for (int i = 0; i < 2; ++i) threads[i].Do([&] { servers[i].reset(); });
  for (auto& thread : threads) {
    EXPECT_TRUE(Eventually([&] { return thread.loop().sockets() == 0; }));
  }
}

TEST(ServerGroupTest, AServerThatStoppedAcceptingIsHandedNothing) {
  Hello hello;
  net::ServerGroup group;
  LoopThread threads[2];
  std::unique_ptr<net::HttpServer> servers[2];
  net::Address address;
  for (int i = 0; i < 2; ++i) {
    threads[i].Do([&] {
      servers[i] =
          std::make_unique<net::HttpServer>(threads[i].loop(), net::ServerOptions(), hello);
      servers[i]->Join(group);
      if (i == 0) address = *servers[i]->Listen(net::Address::Loopback());
    });
  }
  threads[1].Do([&] { servers[1]->StopAccepting(); });
  std::vector<Wire> clients;
  for (int i = 0; i < 4; ++i) {
    clients.push_back(Wire::To(address));
    clients.back().Send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    clients.back().ReadUntil("hello");
  }
  EXPECT_EQ(servers[0]->connections(), 4U);
  for (int i = 0; i < 2; ++i) threads[i].Do([&] { servers[i].reset(); });
  for (auto& thread : threads) {
    EXPECT_TRUE(Eventually([&] { return thread.loop().sockets() == 0; }));
  }
}

}  // namespace
}  // namespace hale::test
