#include "app/load_runner.h"

#include <unistd.h>

#include <cstdio>
#include <deque>
#include <fstream>

#include "app/body_checksum.h"
#include "hale/base/task.h"
#include "hale/base/wait.h"
#include "hale/net/http_client.h"
#include "hale/net/loop.h"
#include "hale/net/resolver.h"

namespace hale::app {
namespace {

// Requests under way or waiting for a connection: beyond, the generator itself would be what is
// measured, and says so.
constexpr std::size_t kUnderWay = 50'000;
constexpr std::uint64_t kFailureLines = 100'000;
// After so many requests in a row without a wait the answers get their turn.
constexpr int kBurst = 32;

/// One run on one loop. Loop-bound.
class Runner final {
 public:
  Runner(net::Loop& loop, const net::Address& address, const LoadOptions& options,
         LoadReport& report, const std::atomic<bool>& stop)
      : loop_(loop),
        options_(options),
        report_(report),
        stop_(stop),
        random_(options.seed),
        arrivals_(options.rate, options.arrivals, random_),
        limit_(options.connections),
        pool_(loop, address, PoolOptions(options), limit_),
        body_(options.body_bytes, 'x'),
        run_name_(std::to_string(getpid()) + "-") {
    if (!options.failures_file.empty()) failures_.open(options.failures_file);
  }

  /// The file of failures, if one is wanted.
  bool can_write() const { return options_.failures_file.empty() || failures_.is_open(); }

  Task<void> Run() {
    start_ = loop_.clock().Now();
    int burst = 0;
    while (!stop_.load(std::memory_order_relaxed)) {
      const Duration at = arrivals_.Next();
      if (at >= options_.duration) break;
      const TimePoint due = SaturatingAdd(start_, at);
      if (loop_.clock().Now() < due || ++burst >= kBurst) {
        burst = 0;
        if (!co_await WaitUntil(due)) break;
      }
      Begin(at);
    }
    const TimePoint patience = SaturatingAdd(loop_.clock().Now(), options_.timeout + 1s);
    while (under_way_ > 0 && loop_.clock().Now() < patience && !stop_.load()) {
      co_await Sleep(loop_, 5ms);
      Progress();
    }
    EndProgress();
    report_.Finish(loop_.clock().Now() - start_);
    done_.request_stop();
    while (under_way_ > 0) co_await Sleep(loop_, 1ms);
    loop_.Stop();
  }

 private:
  /// What a request needs to know of itself.
  struct Plan {
    Plan() = default;
    LoadSample sample;
    TimePoint due;
    TimePoint deadline;
  };

  static net::ClientOptions PoolOptions(const LoadOptions& options) {
    net::ClientOptions client;
    client.connect_timeout = std::min<Duration>(options.timeout, 3s);
    client.idle_timeout = 30s;
    client.max_idle = options.connections;
    return client;
  }

  /// Waits in pieces, so that a signal is seen soon; false when it was.
  Task<bool> WaitUntil(TimePoint due) {
    do {
      co_await SleepUntil(loop_, std::min(due, SaturatingAdd(loop_.clock().Now(), 100ms)));
      Progress();
      if (stop_.load(std::memory_order_relaxed)) co_return false;
    } while (loop_.clock().Now() < due);
    co_return true;
  }

  void Begin(Duration at) {
    Plan plan;
    plan.due = SaturatingAdd(start_, at);
    plan.deadline = SaturatingAdd(plan.due, options_.timeout);
    plan.sample.at = at;
    plan.sample.late = loop_.clock().Now() - plan.due;
    plan.sample.number = count_++;
    plan.sample.method = options_.methods[Choose(options_.methods, random_.Unit())].what;
    plan.sample.path = options_.paths[Choose(options_.paths, random_.Unit())].what;
    if (under_way_ >= kUnderWay) {
      plan.sample.ended = LoadSample::Ended::kUnsent;
      Record(plan);
      return;
    }
    ++under_way_;
    Spawn(Request(std::move(plan)), done_.get_token());
  }

  Task<void> Request(Plan plan) {
    const Result<void> done = co_await Exchange(plan);
    if (!done) plan.sample.ended = EndOf(done.error());
    Record(plan);
    --under_way_;
    if (!waiting_.empty()) {
      waiting_.front()->Fire();
      waiting_.pop_front();
    }
  }

  Task<Result<net::ClientExchange>> Open(const Plan& plan) {
    net::OpenOptions open;
    open.idempotent = net::IsIdempotent(plan.sample.method);
    open.deadline = plan.deadline;
    while (true) {
      Result<net::ClientExchange> exchange = co_await pool_.Open(open);
      if (exchange || exchange.error().reason != Reason::kConcurrency) co_return exchange;
      Trigger freed(loop_);
      waiting_.push_back(&freed);
      const Trigger::Ended ended = co_await freed.Wait(plan.deadline);
      if (ended != Trigger::Ended::kFired) {
        std::erase(waiting_, &freed);
        co_return Fail(Reason::kUpstreamTimeout, Executed::kNo);
      }
    }
  }

  Task<Result<void>> Exchange(Plan& plan) {
    Result<net::ClientExchange> opened = co_await Open(plan);
    if (!opened) co_return std::unexpected(opened.error());
    net::ClientExchange& exchange = *opened;
    exchange.set_deadline(plan.deadline);

    net::RequestHead head;
    head.method = plan.sample.method;
    head.target = plan.sample.path;
    head.fields.Append("host", options_.authority);
    head.fields.Append(kIdHeader, run_name_ + std::to_string(plan.sample.number));
    for (const std::string& line : options_.headers) AppendHeader(line, head.fields);
    const bool has_body = head.method != "GET" && head.method != "HEAD" && head.method != "DELETE";
    const net::Framing framing = has_body ? net::Framing::Length(body_.size()) : net::Framing();
    exchange.SendHead(head, framing);
    const std::span<const char> body =
        has_body ? std::span<const char>(body_) : std::span<const char>();
    const Result<void> sent = co_await exchange.FinishBody(body);
    // A server may answer before it has read all, and then stop reading: the answer counts.
    if (!sent && sent.error().reason != Reason::kUpstreamReset) co_return sent;

    if (Result<void> read = co_await exchange.ReadHead(); !read) co_return read;
    plan.sample.status = exchange.response().status;
    plan.sample.reason = exchange.response().fields.Find("hale-reason").value_or("");
    const std::string expected(exchange.response().fields.Find(kChecksumHeader).value_or(""));
    BodyChecksum sum;
    while (true) {
      const Result<std::span<const char>> piece = co_await exchange.ReadBody();
      if (!piece) co_return std::unexpected(piece.error());
      if (piece->empty()) break;
      sum.Add(*piece);
      plan.sample.bytes = sum.size();
    }
    if (!expected.empty() && expected != sum.Hex()) {
      plan.sample.ended = LoadSample::Ended::kWrongBody;
    }
    co_return Result<void>();
  }

  static void AppendHeader(const std::string& line, net::Fields& fields) {
    const std::size_t colon = line.find(':');
    std::string_view value = std::string_view(line).substr(colon + 1);
    value.remove_prefix(std::min(value.find_first_not_of(' '), value.size()));
    fields.Append(std::string_view(line).substr(0, colon), value);
  }

  static LoadSample::Ended EndOf(const Error& error) {
    switch (error.reason) {
      case Reason::kUpstreamConnect:
        return LoadSample::Ended::kRefused;
      case Reason::kUpstreamProtocol:
        return LoadSample::Ended::kProtocol;
      case Reason::kUpstreamReset:
        return LoadSample::Ended::kReset;
      default:
        return LoadSample::Ended::kTimeout;
    }
  }

  void Record(Plan& plan) {
    plan.sample.latency = loop_.clock().Now() - plan.due;
    report_.Record(plan.sample);
    if (failures_.is_open() && !plan.sample.ok() && failure_lines_++ < kFailureLines) {
      failures_ << plan.sample.at / 1us << ' ' << run_name_ << plan.sample.number << ' '
                << plan.sample.method << ' ' << plan.sample.path << ' ' << plan.sample.status << ' '
                << Word(plan.sample.ended) << ' '
                << (plan.sample.reason.empty() ? "-" : plan.sample.reason) << ' '
                << plan.sample.latency / 1us << '\n';
    }
  }

  void Progress() {
    if (options_.quiet) return;
    const Duration now = loop_.clock().Now() - start_;
    if (now - shown_ < 500ms) return;
    shown_ = now;
    std::fprintf(stderr, "\r\x1b[K%s", report_.ProgressLine(now).c_str());
  }
  void EndProgress() const {
    if (!options_.quiet && shown_ > Duration(0)) std::fputs("\r\x1b[K", stderr);
  }

  net::Loop& loop_;
  const LoadOptions& options_;
  LoadReport& report_;
  const std::atomic<bool>& stop_;
  SeededRandom random_;
  Arrivals arrivals_;
  net::ConnectionLimit limit_;
  net::ConnectionPool pool_;
  std::string body_;
  std::string run_name_;
  std::ofstream failures_;
  std::uint64_t failure_lines_ = 0;
  std::deque<Trigger*> waiting_;  ///< requests that found no connection free; at most kUnderWay
  std::stop_source done_;
  TimePoint start_;
  Duration shown_{0};
  std::uint64_t count_ = 0;
  std::size_t under_way_ = 0;
};

Task<Result<net::Address>> AddressOf(net::Loop& loop, net::Resolver& resolver, std::string name) {
  if (Result<net::Address> numeric = net::Address::Parse(name)) co_return numeric;
  auto found = co_await resolver.Resolve(loop, name, SaturatingAdd(loop.Now(), 5s));
  if (!found) co_return std::unexpected(found.error());
  co_return found->front();
}

/// The whole run; its frame holds the pool, so that it ends before the loop.
Task<void> Main(net::Loop& loop, net::Resolver& resolver, const LoadOptions& options,
                LoadReport& report, const std::atomic<bool>& stop, Result<void>& result) {
  Result<net::Address> address = co_await AddressOf(loop, resolver, options.authority);
  if (!address) {
    result = std::unexpected(address.error());
    loop.Stop();
    co_return;
  }
  Runner runner(loop, *address, options, report, stop);
  if (!runner.can_write()) {
    result = Fail(Code::kInvalidArgument, options.failures_file + " cannot be written");
    loop.Stop();
    co_return;
  }
  co_await runner.Run();
}

}  // namespace

Result<void> RunLoad(const LoadOptions& options, LoadReport& report,
                     const std::atomic<bool>& stop) {
  net::Loop loop;
  net::Resolver resolver;
  Result<void> result;
  loop.Post([&] { Spawn(Main(loop, resolver, options, report, stop, result)); });
  loop.Run();
  return result;
}

}  // namespace hale::app
