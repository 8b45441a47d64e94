#include "gateway_thread.h"

#include <gtest/gtest.h>
#include <signal.h>

#include <stdexcept>
#include <utility>

#include "hale/mesh/proxy.h"
#include "wire.h"

namespace hale::test {

GatewayThread::GatewayThread(const std::string& document, const std::string& node)
    : file_(directory_ / "hale.yaml"), node_(node) {
  ReplaceFile(file_, Whole(document));
  // A process keeps SIGTERM and the like to itself; they stay the test program's.
  sigset_t before;
  pthread_sigmask(SIG_SETMASK, nullptr, &before);
  config::Problems problems;
  process_ = host::Process::Make(file_, problems);
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (!process_) throw std::runtime_error(config::Print(problems));
  handlers_ = [this](mesh::Pools& pools, const mesh::ListenOptions& listen) {
    return std::make_unique<mesh::Proxy>(process_->routes(), process_->records(), pools, listen);
  };
  const auto opened = process_->Open(handlers_);
  EXPECT_TRUE(opened);
  thread_ = std::thread([this] { process_->Run(); });
}

GatewayThread::~GatewayThread() {
  process_->Stop();
  thread_.join();
}

std::string GatewayThread::Whole(const std::string& document) const {
  return "node: {" + node_ +
         "}\nlisten: [{address: \"127.0.0.1:0\", trust: mesh}]\nadmin: {address: \"127.0.0.1:0\"}\n"
         "telemetry: {access_log: off}\n" +
         document;
}

void GatewayThread::Apply(const std::string& document) {
  ReplaceFile(file_, Whole(document));
  EXPECT_TRUE(Shows("/metrics", R"(hale_config_reloads_total{result="applied"} )" +
                                    std::to_string(++applied_) + "\n"));
}

std::string GatewayThread::Admin(const std::string& path) const {
  return Exchange(process_->addresses().back(), "GET", path);
}

bool GatewayThread::Shows(const std::string& path, const std::string& text) const {
  return Eventually([&] { return Admin(path).contains(text); });
}

std::string Exchange(const net::Address& where, const std::string& method,
                     const std::string& target, const std::string& fields,
                     const std::string& body) {
  Wire wire = Wire::To(where);
  wire.Send(method + " " + target + " HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n" +
            fields +
            (body.empty() ? "" : "Content-Length: " + std::to_string(body.size()) + "\r\n") +
            "\r\n" + body);
  return wire.ReadAll(10s);
}

Asking::Asking(const net::Address& where, std::string target, std::string fields)
    : thread_([this, where, target = std::move(target), fields = std::move(fields)] {
        answer_ = Exchange(where, "GET", target, fields);
      }) {}

std::string Asking::Answer() {
  if (thread_.joinable()) thread_.join();
  return answer_;
}

}  // namespace hale::test
