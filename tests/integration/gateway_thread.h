#pragma once

#include <memory>
#include <string>
#include <thread>

#include "hale/host/process.h"
#include "hale/net/address.h"
#include "tests/conformance/temporary_directory.h"

namespace hale::test {

/// A gateway run by a thread of the test. Not thread-safe.
class GatewayThread {
 public:
  /// `document`: its services and routes.
  explicit GatewayThread(const std::string& document, const std::string& node = "loops: 1");
  ~GatewayThread();
  GatewayThread(const GatewayThread&) = delete;
  GatewayThread& operator=(const GatewayThread&) = delete;

  /// A new document; returns once it is in force.
  void Apply(const std::string& document);
  const net::Address& address() const { return process_->addresses().front(); }
  const net::Address& admin() const { return process_->addresses().back(); }
  /// What its admin port says.
  std::string Admin(const std::string& path) const;
  /// Whether it comes to say so.
  bool Shows(const std::string& path, const std::string& text) const;

 private:
  std::string Whole(const std::string& document) const;

  TemporaryDirectory directory_;
  const std::string file_;
  const std::string node_;
  host::HandlerFactory handlers_;
  std::unique_ptr<host::Process> process_;
  std::thread thread_;
  int applied_ = 0;
};

/// A whole exchange on a connection of its own. `fields` end with CRLF each.
std::string Exchange(const net::Address& where, const std::string& method,
                     const std::string& target, const std::string& fields = {},
                     const std::string& body = {});

/// An exchange that runs beside the test.
class Asking {
 public:
  Asking(const net::Address& where, std::string target, std::string fields = {});
  /// Its end: the whole answer.
  std::string Answer();

 private:
  std::string answer_;
  std::jthread thread_;
};

}  // namespace hale::test
