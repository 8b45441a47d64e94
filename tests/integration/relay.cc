#include "relay.h"

#include <gtest/gtest.h>

#include <functional>
#include <future>
#include <optional>
#include <stop_token>
#include <utility>
#include <vector>

#include "hale/base/guarded.h"
#include "hale/base/wait.h"

namespace hale::test {

LoopThread::LoopThread() : thread_([this] { loop_.Run(); }) {}

LoopThread::~LoopThread() {
  loop_.Stop();
  thread_.join();
}

void LoopThread::Do(std::function<void()> work) {
  std::promise<void> done;
  loop_.Post([&] {
    work();
    done.set_value();
  });
  done.get_future().wait();
}

class Relay::Handler final : public net::RequestHandler {
 public:
  Handler(net::Loop& loop, net::ConnectionPool& pool, Duration timeout)
      : loop_(loop), pool_(pool), timeout_(timeout) {}

  Task<void> Handle(net::ServerExchange& exchange) override {
    net::RemoveHopByHop(exchange.request().fields);
    auto failed = co_await Attempt(exchange, net::OpenOptions::Use::kAny);
    if (failed && failed->again) {
      failed = co_await Attempt(exchange, net::OpenOptions::Use::kFresh);
    }
    if (!failed) co_return;
    reasons.Lock()->push_back(failed->error.reason);
    if (exchange.responded() || failed->error.code == Code::kCancelled) co_return;
    net::ResponseHead head;
    head.status = Info(failed->error.reason).http_status;
    head.fields.Append("hale-reason", Word(failed->error.reason));
    (void)co_await exchange.RespondWhole(head, failed->error.message);
  }

  void OnRefused(const net::Address&, const net::Verdict& verdict) override {
    reasons.Lock()->push_back(verdict.reason);
  }

  Guarded<std::vector<Reason>> reasons;

 private:
  struct Failure {
    explicit Failure(Error e, bool a = false) : error(std::move(e)), again(a) {}
    Error error;
    bool again;
  };

  class InformationalRelay final : public net::InformationalObserver {
   public:
    explicit InformationalRelay(net::ServerExchange& exchange) : exchange_(exchange) {}
    Task<void> OnInformational(const net::ResponseHead& head) override {
      if (head.status != 100) (void)co_await exchange_.SendInformational(head);
    }

   private:
    net::ServerExchange& exchange_;
  };

  struct Upload {
    explicit Upload(Executor& executor) : ended(executor) {}
    std::stop_source stop;
    Trigger ended;
    Error client_error;  // the client's fault, if the reason is not kNone
  };

  static Task<void> SendBody(net::ServerExchange& from, net::ClientExchange& to, Upload& upload) {
    while (!from.body_complete()) {
      const auto piece = co_await from.ReadBody();
      if (!piece) {
        upload.client_error = piece.error();
        to.Abort();  // what the origin has got must not count, and no answer is waited for
        break;
      }
      if (from.body_complete()) {
        (void)co_await to.FinishBody(*piece);
      } else if (!co_await to.WriteBody(*piece)) {
        break;
      }
    }
    upload.ended.Fire();
  }

  static Task<void> EndOf(Upload& upload) { co_await upload.ended.Wait(); }

  Task<std::optional<Failure>> Attempt(net::ServerExchange& exchange, net::OpenOptions::Use use) {
    net::OpenOptions wanted;
    wanted.use = use;
    wanted.idempotent = net::IsIdempotent(exchange.request().method);
    wanted.deadline = loop_.Now() + timeout_;
    auto up = co_await pool_.Open(wanted);
    if (!up) co_return Failure(up.error());
    const bool bodiless = exchange.body_complete();
    up->SendHead(exchange.request(), exchange.request().framing);
    Upload upload(loop_);
    if (bodiless) {
      (void)co_await up->FinishBody();  // what went wrong is seen by the read
      upload.ended.Fire();
    } else {
      Spawn(SendBody(exchange, *up, upload), upload.stop.get_token());
    }
    auto failed = co_await Answer(exchange, *up, upload);
    upload.stop.request_stop();
    if (!upload.ended.fired()) up->Abort();
    co_await WithStop(std::stop_token(), EndOf(upload));  // also when we are stopped ourselves
    if (failed && up->reused() && !up->answered() && wanted.idempotent && bodiless) {
      failed->again = true;
    }
    co_return failed;
  }

  static Task<std::optional<Failure>> Answer(net::ServerExchange& exchange, net::ClientExchange& up,
                                             Upload& upload) {
    InformationalRelay informational(exchange);
    up.set_informational(&informational);
    if (auto head = co_await up.ReadHead(); !head) {
      // The client's own fault is answered by the server.
      co_return Failure(upload.client_error.reason != Reason::kNone ? upload.client_error
                                                                    : std::move(head.error()));
    }
    net::RemoveHopByHop(up.response().fields);
    exchange.Respond(up.response(), up.response().framing);
    if (auto sent = co_await exchange.Flush(); !sent) co_return Failure(sent.error());
    for (;;) {
      const auto piece = co_await up.ReadBody();
      if (!piece) {
        exchange.Abort();
        co_return Failure(piece.error());
      }
      auto sent = up.body_complete() ? co_await exchange.Finish(*piece)
                                     : co_await exchange.WriteBody(*piece);
      if (!sent) co_return Failure(sent.error());
      if (up.body_complete()) co_return std::nullopt;
    }
  }

  net::Loop& loop_;
  net::ConnectionPool& pool_;
  Duration timeout_;
};

Relay::Relay(const net::Address& origin, const RelayOptions& options) {
  thread_.Do([&] {
    pool_ = std::make_unique<net::ConnectionPool>(thread_.loop(), origin, options.client, limit_);
    handler_ = std::make_unique<Handler>(thread_.loop(), *pool_, options.response_timeout);
    server_ = std::make_unique<net::HttpServer>(thread_.loop(), options.server, *handler_);
    const auto bound = server_->Listen(net::Address::Loopback());
    EXPECT_TRUE(bound);
    address_ = *bound;
  });
}

Relay::~Relay() {
  thread_.Do([&] {
    server_->StopAccepting();
    server_->AbortAll();
    pool_->CloseIdle();
  });
  // What was broken off unwinds in the turns that follow.
  for (int i = 0; i < 500 && thread_.loop().sockets() > 0; ++i) {
    std::this_thread::sleep_for(2ms);
    thread_.Do([&] { pool_->CloseIdle(); });
  }
  EXPECT_EQ(thread_.loop().sockets(), 0U);
  EXPECT_EQ(limit_.open(), 0U);
  thread_.Do([&] {
    server_.reset();
    pool_.reset();
  });
}

std::vector<Reason> Relay::reasons() { return *handler_->reasons.Lock(); }

}  // namespace hale::test
