#include "hale/host/process.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <filesystem>
#include <memory>
#include <string>
#include <thread>

#include "hale/host/app.h"
#include "hale/mesh/proxy.h"
#include "hale/net/sockaddr.h"
#include "hale/provider/file/read_file.h"
#include "recording_origin.h"
#include "tests/conformance/temporary_directory.h"
#include "wire.h"

namespace hale::test {
namespace {

/// A process keeps SIGTERM and the like to itself; afterwards they are the test program's again.
class OwnSignals {
 public:
  OwnSignals() { pthread_sigmask(SIG_SETMASK, nullptr, &before_); }
  ~OwnSignals() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

 private:
  sigset_t before_{};
};

/// A request whose body is sent once somebody reads it.
constexpr const char* kAsksToSend =
    "POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 9\r\nExpect: 100-continue\r\n\r\n";

std::string Ask(const net::Address& where, const std::string& path) {
  Wire wire = Wire::To(where);
  wire.Send("GET " + path + " HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n");
  return wire.ReadAll();
}

/// The gateway, run by a thread of the test.
class ProcessTest : public testing::Test {
 protected:
  ~ProcessTest() override {
    if (process_) process_->Stop();
    if (thread_.joinable()) thread_.join();
  }
  Result<void> Open(const std::string& document) {
    ReplaceFile(file_, document);
    config::Problems problems;
    process_ = host::Process::Make(file_, problems);
    if (!process_) return Fail(Code::kInvalidArgument, config::Print(problems));
    handlers_ = [this](mesh::Pools& pools, const mesh::ListenOptions& listen) {
      return std::make_unique<mesh::Proxy>(process_->routes(), process_->records(), pools, listen);
    };
    return process_->Open(handlers_);
  }
  void Start(const std::string& services) {
    const auto opened = Open(kHead + services);
    ASSERT_TRUE(opened) << opened.error().message;
    thread_ = std::thread([this] { process_->Run(); });
  }
  void Save(const std::string& services) { ReplaceFile(file_, kHead + services); }
  std::string Admin(const std::string& path) { return Ask(process_->addresses().back(), path); }
  bool Shows(const std::string& path, const std::string& text) {
    return Eventually([&] { return Admin(path).contains(text); });
  }

  static constexpr const char* kHead =
      "node: {service: shop, zone: north, id: shop-7, loops: 1}\n"
      "listen: [\"127.0.0.1:0\"]\nadmin: {address: \"127.0.0.1:0\"}\n"
      "telemetry: {access_log: off}\n";
  OwnSignals signals_;
  TemporaryDirectory directory_;
  std::string file_ = directory_ / "hale.yaml";
  host::HandlerFactory handlers_;
  std::unique_ptr<host::Process> process_;
  std::thread thread_;
};

TEST_F(ProcessTest, AsksNobodyWhoHasLeftTheDocumentForHealth) {
  RecordingOrigin leaves;
  RecordingOrigin stays;
  const auto service = [](const std::string& name, const RecordingOrigin& origin) {
    return "  " + name + ": {instances: [\"" + origin.address().Text() +
           "\"], health: {path: /, interval: 100ms, timeout: 50ms}}\n";
  };
  Start("services:\n" + service("a", leaves) + service("b", stays));
  ASSERT_TRUE(Eventually([&] { return leaves.connections() >= 3; }));
  Save("services:\n" + service("b", stays));
  ASSERT_TRUE(Shows("/metrics", "hale_config_reloads_total{result=\"applied\"} 1\n"));
  leaves.Clear();
  stays.Clear();
  ASSERT_TRUE(Eventually([&] { return stays.connections() >= 5; }));
  EXPECT_LE(leaves.connections(), 1) << "the one that was under way";
}

TEST_F(ProcessTest, IsNotReadyWhileNoInstanceIsAlive) {
  const std::string nobody = Port().address().Text();  // free a moment ago
  Start("services: {a: {instances: [\"" + nobody + "\"]}}\nroutes: [{service: a}]\n");
  ASSERT_TRUE(Shows("/ready", "200 OK"));
  Ask(process_->addresses().front(), "/");  // it refuses: only then it is known
  EXPECT_TRUE(Shows("/ready", "hale-reason: no_instance"));
}

TEST_F(ProcessTest, CountsOneRejectionForADocumentWithManyErrors) {
  Start("services: {}\n");
  Save("services: {a: {}, b: {}}\nroutes: [{service: c}]\n");
  ASSERT_TRUE(Shows("/metrics", "\nhale_config_rejected 1\n"));
  EXPECT_TRUE(Shows("/metrics", "hale_config_reloads_total{result=\"rejected\"} 1\n"));
}

TEST_F(ProcessTest, SaysThatTheDocumentIsGoneUntilItIsBack) {
  Start("services: {}\n");
  std::filesystem::remove(file_);
  EXPECT_TRUE(Shows("/metrics", "\nhale_config_rejected 1\n"));
  EXPECT_TRUE(Shows("/status", file_ + ": No such file or directory"));
  Save("services: {}\n");
  EXPECT_TRUE(Shows("/metrics", "\nhale_config_rejected 0\n"));
}

// The document is read on another thread than the one that puts it into force.
TEST_F(ProcessTest, SaysARevisionOnlyOnceItsRoutesAreInForce) {
  const auto document = [](int revision) {
    return "services: {a: {instances: [\"127.0.0.1:1\"]}}\nroutes: [{service: a, name: r" +
           std::to_string(revision) + "}]\n";
  };
  Start(document(1));
  std::jthread busy([&](const std::stop_token& stop) {
    while (!stop.stop_requested()) Admin("/metrics");
  });
  for (int revision = 2; revision <= 30; ++revision) {
    const std::string shown = "\"revision\":" + std::to_string(revision) + ",";
    Save(document(revision));
    std::string status;
    ASSERT_TRUE(Eventually([&] { return (status = Admin("/status")).contains(shown); }));
    EXPECT_TRUE(status.contains("\"name\":\"r" + std::to_string(revision) + "\"")) << status;
  }
}

TEST_F(ProcessTest, SharesItsPortWithNoOtherProcess) {
  const int other = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int on = 1;
  ::setsockopt(other, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
  const net::Address address = Port().address();
  const net::internal::SocketAddress bound(address);
  ASSERT_EQ(::bind(other, bound.get(), bound.size), 0);
  ASSERT_EQ(::listen(other, 1), 0);
  const auto opened = Open("admin: {address: \"\"}\nlisten: [\"" + address.Text() + "\"]\n");
  ::close(other);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().message,
            "listen[0].address: cannot listen on " + address.Text() + ": Address already in use");
}

TEST_F(ProcessTest, SaysWhoItIs) {
  Start("services: {}\n");
  EXPECT_TRUE(Shows("/metrics", R"(hale_node{service="shop",zone="north",id="shop-7"} 1)"));
  EXPECT_TRUE(Shows("/status", R"("service":"shop","zone":"north","id":"shop-7")"));
}

TEST_F(ProcessTest, ShowsTheDocumentToTheLastDigit) {
  Start("services: {a: {instances: [\"127.0.0.1:1\"], outlier: {peers_slower: 2.12345678}}}\n");
  EXPECT_TRUE(Shows("/status", R"("peers_slower":{"value":2.12345678,"origin":)"));
  EXPECT_TRUE(Shows("/status", "}}"));
}

TEST_F(ProcessTest, SharesAReserveWithTheProcessesLikeItAsTheyComeAndGo) {
  const auto fleet = [](const std::string& instances) {
    return "services:\n  ledger: {instances: [\"127.0.0.1:1\"]}\n  shop: {instances: [" +
           instances + "]}\n";
  };
  Start("services: {ledger: {instances: [\"127.0.0.1:1\"]}}\n");
  EXPECT_TRUE(Shows("/status", R"("reserve":10,"fleet_size":1,"fleet_size_from":"unknown")"));
  Save(fleet("\"h:1\", \"h:2\", \"h:3\", \"h:4\""));
  EXPECT_TRUE(Shows("/status", R"("reserve":2.5,"fleet_size":4,"fleet_size_from":"discovery")"));
  Save(fleet("\"h:1\", \"h:2\""));
  EXPECT_TRUE(Shows("/status", R"("reserve":5,"fleet_size":2,"fleet_size_from":"discovery")"));
}

TEST_F(ProcessTest, TellsOfARequestThatItStopsInItsBodyAsOfAClientThatLeft) {
  const std::string log = directory_ / "access.log";
  ASSERT_TRUE(
      Open("node: {loops: 1}\nlisten: [\"127.0.0.1:0\"]\nadmin: {address: \"\"}\n"
           "telemetry: {access_log: \"" +
           log +
           "\"}\n"
           "services: {all: {instances: [\"127.0.0.1:1\"]}}\nroutes: [{service: all}]\n"));
  thread_ = std::thread([this] { process_->Run(); });
  Wire client = Wire::To(process_->addresses().front());
  client.Send(kAsksToSend);
  ASSERT_TRUE(client.ReadUntil("\r\n\r\n").contains("100 Continue"));
  process_->Stop();
  thread_.join();
  process_.reset();
  const auto told = provider::file::ReadFile(log, 4096);
  ASSERT_TRUE(told);
  EXPECT_TRUE(told->contains(R"("status":499,"reason":"client_abort")")) << *told;
}

TEST(AppTest, SaysWhetherItIsReadyWhileItsServicesChange) {
  const OwnSignals signals;
  const TemporaryDirectory directory;
  std::string file = directory / "hale.yaml";
  const net::Address address = Port().address();
  const net::Address admin = Port().address();
  const std::string head = "node: {loops: 2}\nlisten: [\"" + address.Text() +
                           "\"]\nadmin: {address: \"" + admin.Text() +
                           "\"}\ntelemetry: {access_log: off}\n";
  WriteInPlace(file, head);
  std::string option = "-c";
  char* arguments[] = {option.data(), option.data(), file.data()};
  host::App app(3, arguments);
  std::thread thread([&] { app.Run(); });
  ASSERT_TRUE(Eventually([&] { return Accepts(admin); }));  // it is opened last
  std::jthread asking([&](const std::stop_token& stop) {
    while (!stop.stop_requested()) EXPECT_TRUE(Ask(address, "/ready").contains("200 OK"));
  });
  for (int i = 0; i < 5; ++i) {
    std::string document = head + "services: {s";
    document.append(std::to_string(i)).append(": {instances: [\"127.0.0.1:1\"]}}");
    ReplaceFile(file, document);
    const std::string shown = "hale_config_revision " + std::to_string(i + 2);
    EXPECT_TRUE(Eventually([&] { return Ask(admin, "/metrics").contains(shown); }));
  }
  asking.request_stop();
  asking.join();
  app.process().Stop();
  thread.join();
}

TEST(AppTest, CountsAClientThatLeavesInItsBodyAsNoError) {
  const OwnSignals signals;
  const net::Address address = Port().address();
  const net::Address admin = Port().address();
  host::App app("node: {loops: 1}\nlisten: [\"" + address.Text() + "\"]\nadmin: {address: \"" +
                admin.Text() + "\"}\ntelemetry: {access_log: off}\n");
  app.Post("/", [](host::Request) -> Task<host::Response> { co_return host::Text("whole"); });
  std::thread thread([&] { app.Run(); });
  ASSERT_TRUE(Eventually([&] { return Accepts(address); }));
  Wire client = Wire::To(address);
  client.Send(kAsksToSend);
  ASSERT_TRUE(client.ReadUntil("\r\n\r\n").contains("100 Continue"));
  client.Reset();
  const std::string counted = R"(http_requests_total{method="POST",route="/",code="499"} 1)";
  EXPECT_TRUE(Eventually([&] { return Ask(admin, "/metrics").contains(counted); }));
  EXPECT_FALSE(Ask(admin, "/metrics").contains(R"(reason="client_abort"} 1)"));
  app.process().Stop();
  thread.join();
}

TEST(AppTest, GoesOnWhenAHandlerThrows) {
  const OwnSignals signals;
  const net::Address address = Port().address();
  host::App app("node: {loops: 1}\nlisten: [\"" + address.Text() +
                "\"]\nadmin: {address: \"\"}\ntelemetry: {access_log: off}\n");
  using Answer = Task<host::Response>;
  app.Get("/exception", [](host::Request) -> Answer { throw std::runtime_error("no ledger"); });
  app.Get("/number", [](host::Request) -> Answer { throw 7; });
  std::thread thread([&] { app.Run(); });
  ASSERT_TRUE(Eventually([&] { return Accepts(address); }));
  for (const char* path : {"/exception", "/number"}) {
    EXPECT_TRUE(Ask(address, path).contains("500 Internal Server Error")) << path;
  }
  EXPECT_TRUE(Ask(address, "/health").contains("200 OK"));
  app.process().Stop();
  thread.join();
}

}  // namespace
}  // namespace hale::test
