#include "hale/host/app.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "hale/host/app_handler.h"
#include "hale/host/worker.h"

namespace hale::host {
namespace {

[[noreturn]] void Exit(const std::string& text) {
  std::fprintf(stderr, "%s", text.c_str());
  std::exit(2);
}

std::string FileOf(int argc, char** argv) {
  for (int i = 1; i + 1 < argc; ++i) {
    const std::string_view flag = argv[i];
    if (flag == "-c" || flag == "--config") return argv[i + 1];
  }
  Exit(std::string(argv[0]) + ": which document? Say -c FILE\n");
}

mesh::ClientRequest MakeRequest(std::string method, std::string target, std::string body) {
  mesh::ClientRequest request;
  request.head.method = std::move(method);
  request.head.target = std::move(target);
  request.body = std::move(body);
  return request;
}

Error NotOnALoop() {
  return Error(Code::kFailedPrecondition, "a service is called from a handler, on its loop");
}

}  // namespace

Task<Result<mesh::ClientResponse>> ServiceHandle::Get(std::string target) const {
  mesh::Pools* pools = Worker::CurrentPools();
  if (pools == nullptr) co_return std::unexpected(NotOnALoop());
  co_return co_await mesh::CallService(service_, *pools, MakeRequest("GET", std::move(target), {}),
                                       *events_);
}

Task<Result<mesh::ClientResponse>> ServiceHandle::Post(std::string target, std::string body) const {
  mesh::Pools* pools = Worker::CurrentPools();
  if (pools == nullptr) co_return std::unexpected(NotOnALoop());
  co_return co_await mesh::CallService(
      service_, *pools, MakeRequest("POST", std::move(target), std::move(body)), *events_);
}

Task<Result<mesh::ClientResponse>> ServiceHandle::Call(const Request& parent, std::string method,
                                                       std::string target, std::string body) const {
  mesh::Pools* pools = Worker::CurrentPools();
  if (pools == nullptr) co_return std::unexpected(NotOnALoop());
  // The caller's may go while we wait; copying shares what it shows.
  const Request held = parent;  // NOLINT(performance-unnecessary-copy-initialization)
  mesh::ClientRequest request = MakeRequest(std::move(method), std::move(target), std::move(body));
  request.parent = &held.passport();
  // Of its time what our handler has used is gone.
  request.deadline = std::min(request.deadline, held.remaining(pools->loop().Now()));
  co_return co_await mesh::CallService(service_, *pools, std::move(request), *events_);
}

App::App(int argc, char** argv) {
  config::Problems problems;
  process_ = Process::Make(FileOf(argc, argv), problems);
  if (!process_) Exit(config::Print(problems));
}

App::App(const std::string& document) {
  config::Problems problems;
  process_ = Process::MakeFixed(document, problems);
  if (!process_) Exit(config::Print(problems));
}

App::~App() = default;

ServiceHandle App::Use(const std::string& service) {
  auto found = process_->FindService(service);
  if (!found) Exit("the document has no service '" + service + "'\n");
  return {std::move(found), process_->records().events};
}

void App::Get(std::string pattern, Handler handler) {
  Handle("GET", std::move(pattern), std::move(handler));
}

void App::Post(std::string pattern, Handler handler) {
  Handle("POST", std::move(pattern), std::move(handler));
}

void App::Handle(std::string method, std::string pattern, Handler handler) {
  telemetry::RouteMetrics* metrics = &process_->records().metrics.Route(pattern);
  entries_.push_back(
      {std::move(method), PathPattern(std::move(pattern)), std::move(handler), metrics});
}

int App::Run() {
  const HandlerFactory handlers = [this](mesh::Pools& pools, const mesh::ListenOptions& listen) {
    return std::make_unique<AppHandler>(*this, pools, listen);
  };
  if (const auto opened = process_->Open(handlers); !opened) {
    std::fprintf(stderr, "%s\n", opened.error().message.c_str());
    return 1;
  }
  process_->Run();
  process_->Close();
  return 0;
}

}  // namespace hale::host
