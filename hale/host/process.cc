#include "hale/host/process.h"

#include <algorithm>
#include <csignal>
#include <thread>

#include "hale/config/file.h"
#include "hale/host/status.h"
#include "hale/net/listener.h"
#include "hale/telemetry/request_id.h"

namespace hale::host {
namespace {

/// How often all sets are judged: a stall is noticed this much later than it could be at most.
constexpr Duration kJudgeEvery = std::chrono::milliseconds(100);
/// How often loops let go of the members that have left: registries exchange them without a change
/// of the document.
constexpr Duration kPruneEvery = std::chrono::seconds(10);

/// Between the last connection that may begin and the closing of the listeners: a client whose
/// handshake is under way has finished it by then, at any usual distance.
constexpr Duration kHandshake = std::chrono::milliseconds(100);

std::string MakePseudonym(const Document& document) {
  const auto id = telemetry::NewRequestId(ThreadRandom());
  return document.node.service + "-" + std::string(id.data(), 8);
}

std::unexpected<Error> CannotOpen(std::size_t listener, const Error& error) {
  return Fail(Code::kUnavailable,
              "listen[" + std::to_string(listener) + "].address: " + error.message);
}

/// What a source says of itself, without its name, which a problem has already.
std::string Without(const std::string& name, std::string_view message) {
  if (message.starts_with(name + ": ")) message.remove_prefix(name.size() + 2);
  return std::string(message);
}

std::size_t LoopsFor(const Document& document) {
  if (document.node.loops != 0) return document.node.loops;
  return std::max(1U, std::thread::hardware_concurrency());
}

}  // namespace

std::unique_ptr<Process> Process::Make(const std::string& file, config::Problems& problems) {
  Signals::Block();
  const bool piped = file == "-";
  const std::string name = piped ? "stdin" : file;
  const auto text = config::ReadText(file, Size{config::kMaxDocument});
  if (!text) {
    problems.push_back({.file = name, .at = {}, .path = {}, .message = text.error().message});
    return nullptr;
  }
  auto process = FromText(*text, name, problems);
  if (process) process->fixed_ = piped;
  return process;
}

std::unique_ptr<Process> Process::MakeFixed(const std::string& text, config::Problems& problems) {
  Signals::Block();
  auto process = FromText(text, "built-in", problems);
  if (process) process->fixed_ = true;
  return process;
}

std::unique_ptr<Process> Process::FromText(std::string_view text, const std::string& file,
                                           config::Problems& problems) {
  auto updater = std::make_unique<Updater>(
      [](std::string_view t, const std::string& f) { return ParseDocument(t, f); },
      StartSections());
  const config::Offered offered = updater->Offer(text, file);
  problems = offered.problems;
  if (offered.verdict != config::Verdict::kApplied) return nullptr;
  auto observatory = Observatory::Open(updater->current()->value, RealClock());
  if (!observatory) {
    problems.push_back({.file = file,
                        .at = {},
                        .path = "telemetry.access_log",
                        .message = observatory.error().message});
    return nullptr;
  }
  return std::unique_ptr<Process>(new Process(std::move(updater), std::move(*observatory)));
}

Process::Process(std::unique_ptr<Updater> updater, std::unique_ptr<Observatory> observatory)
    : signals_(control_, [this](int signal) { OnSignal(signal); }),
      updater_(std::move(updater)),
      observatory_(std::move(observatory)),
      routing_({control_, resolver_, files_, observatory_->events(),
                updater_.With([](const auto& u) { return u->current()->value.node.zone; }),
                updater_.With([](const auto& u) {
                  return policy::MaglevId(NodeId(u->current()->value.node));
                })},
               observatory_->requests(),
               updater_.With([](const auto& u) { return FleetOf(u->current()->value.node); })),
      routes_(mesh::RouteTable()),
      records_{.events = observatory_->events(),
               .metrics = observatory_->requests(),
               .recorder = observatory_->recorder(),
               .access_log = observatory_->access_log(),
               .clock = RealClock(),
               .pseudonym = {}} {}

Process::~Process() {
  changes_.Cancel();
  Close();
}

void Process::Close() {
  // A call that one loop makes may be waited for on another: all stop before any of them ends.
  for (auto& worker : workers_) worker->StopAccepting();
  for (auto& worker : workers_) worker->AbortAll();
  workers_.clear();
}

Result<void> Process::Open(const HandlerFactory& handlers) {
  in_force_ = updater_.With([](const auto& u) { return u->current(); });
  const Document& document = in_force_->value;
  started_ = control_.Now();
  records_.pseudonym = MakePseudonym(document);
  routes_.Publish(routing_.Apply(document));
  if (auto free = CheckPorts(document); !free) return free;
  if (auto opened = OpenWorkers(document, handlers); !opened) return opened;
  if (auto opened = OpenAdmin(document); !opened) return opened;
  RegisterMetrics();
  if (fixed_) return {};

  const std::string from =
      document.config.from.file.empty() ? in_force_->file : document.config.from.file;
  source_ = std::make_unique<provider::file::FileSource>(files_, from);
  changes_ = source_->Watch([this] { Reload(); });
  return {};
}

/// Before any of them is ours.
Result<void> Process::CheckPorts(const Document& document) {
  for (std::size_t i = 0; i < document.listen.size(); ++i) {
    const auto address = net::Address::Parse(document.listen[i].address);
    if (!address) return CannotOpen(i, address.error());
    if (const auto free = net::CheckFree(*address); !free) return CannotOpen(i, free.error());
  }
  return {};
}

Result<void> Process::OpenWorkers(const Document& document, const HandlerFactory& handlers) {
  const std::size_t loops = LoopsFor(document);
  for (std::size_t i = 0; i < loops; ++i) {
    workers_.push_back(std::make_unique<Worker>(handlers, resolver_, observatory_->events()));
  }
  for (std::size_t i = 0; i < document.listen.size(); ++i) {
    const mesh::ListenOptions& listen = document.listen[i];
    groups_.push_back(std::make_unique<net::ServerGroup>());
    auto address = net::Address::Parse(listen.address);
    for (auto& worker : workers_) {
      // The port that is chosen for 0 is the other loops', too.
      if (address) address = worker->Listen(listen, *address, *groups_.back());
    }
    if (!address) return CannotOpen(i, address.error());
    addresses_.push_back(*address);
  }
  return {};
}

Result<void> Process::OpenAdmin(const Document& document) {
  if (document.admin.address.empty()) return {};
  AdminParts parts{.registry = observatory_->metrics(),
                   .journal = observatory_->journal(),
                   .recorder = observatory_->recorder(),
                   .log = observatory_->log(),
                   .ready = [this] { return IsReady(); },
                   .status = [this] { return Status(); }};
  admin_ = std::make_unique<Admin>(
      AdminRules{.token = document.admin.token.Reveal(), .hosts = document.admin.hosts},
      AdminRoutes(std::move(parts)));
  admin_handler_ = std::make_unique<AdminHandler>(*admin_);
  admin_server_ = std::make_unique<net::HttpServer>(control_, AdminServerOptions(), *admin_handler_,
                                                    observatory_->events());
  auto address = net::Address::Parse(document.admin.address);
  if (address) address = admin_server_->Listen(*address);
  if (!address) {
    return Fail(Code::kUnavailable, "admin.address: " + address.error().message);
  }
  addresses_.push_back(*address);
  return {};
}

void Process::Run() {
  phase_ = Phase::kServing;
  Tell(EventKind::kLifecycle, Reason::kNone, "process", "ready");
  Judge();
  control_.Run();
}

void Process::Judge() {
  routing_.Judge();
  readiness_.With([this](Readiness& readiness) { readiness = LookIfReady(); });
  if (control_.Now() - pruned_ >= kPruneEvery) {
    pruned_ = control_.Now();
    for (auto& worker : workers_) worker->Prune();
  }
  control_.At(SaturatingAdd(control_.Now(), kJudgeEvery), [this] { Judge(); });
}

/// On the thread of the file watch: a megabyte of YAML is no work for a loop.
void Process::Reload() {
  auto offered = std::make_shared<config::Offered>();
  Snapshot snapshot;
  const auto text = source_->Read();
  updater_.With([&](auto& updater) {
    const std::string name(source_->name());
    *offered =
        text ? updater->Offer(*text, name)
             : updater->Refuse({.file = name, .message = Without(name, text.error().message)});
    snapshot = updater->current();
  });
  if (offered->verdict == config::Verdict::kUnchanged) return;
  control_.Post([this, offered, snapshot] { Apply(*offered, snapshot); });
}

void Process::Apply(const config::Offered& offered, const Snapshot& snapshot) {
  if (offered.verdict == config::Verdict::kRejected) return TellRejected(offered.problems);
  routes_.Publish(routing_.Apply(snapshot->value));
  in_force_ = snapshot;
  at_next_start_ = offered.at_next_start;
  observatory_->log().SetLevel(snapshot->value.log.level);
  std::string detail = "revision " + std::to_string(offered.revision) + ", " +
                       std::to_string(offered.changes.size()) + " values changed";
  for (const std::string& section : offered.at_next_start) {
    detail += ", " + section + " takes effect at the next start";
  }
  Tell(EventKind::kConfigApplied, Reason::kNone, "config", detail);
}

/// One event for the document, with its first error; the log has them all.
void Process::TellRejected(const config::Problems& problems) {
  std::vector<std::string> errors;
  for (const config::Problem& problem : problems) {
    if (problem.severity == config::Severity::kError) errors.push_back(config::Print(problem));
  }
  std::string detail = errors.front();
  if (errors.size() > 1) detail += " (1 of " + std::to_string(errors.size()) + " errors)";
  Tell(EventKind::kConfigRejected, Reason::kNone, "config", detail);
  for (std::size_t i = 1; i < errors.size(); ++i) {
    observatory_->log().Warn("configuration rejected, another error", {{"problem", errors[i]}});
  }
}

void Process::OnSignal(int signal) {
  if (signal == SIGHUP) {
    observatory_->Reopen();
    files_.Refresh();
    return;
  }
  if (phase_ == Phase::kStarting || phase_ == Phase::kServing) {
    Drain();
  } else {
    Tell(EventKind::kLifecycle, Reason::kDraining, "process", "stopping at once");
    control_.Stop();
  }
}

void Process::Drain() {
  phase_ = Phase::kDraining;
  readiness_.With([this](Readiness& readiness) { readiness = LookIfReady(); });
  Tell(EventKind::kLifecycle, Reason::kDraining, "process", "draining");
  for (auto& worker : workers_) worker->Drain();
  const mesh::DrainOptions drain = in_force_->value.drain;
  const TimePoint finish = SaturatingAdd(control_.Now(), drain.wait);
  control_.At(finish, [this] {
    for (auto& worker : workers_) worker->TurnAway();
  });
  const TimePoint close = SaturatingAdd(finish, kHandshake);
  control_.At(close, [this, until = SaturatingAdd(finish, drain.timeout)] {
    phase_ = Phase::kFinishing;
    for (auto& worker : workers_) worker->StopAccepting();
    Finish(until);
  });
}

void Process::Finish(TimePoint until) {
  std::size_t open = 0;
  for (auto& worker : workers_) open += worker->connections();
  if (open == 0 || control_.Now() >= until) {
    Tell(EventKind::kLifecycle, Reason::kDraining, "process",
         open == 0 ? "stopped" : "stopped, " + std::to_string(open) + " connections cut off");
    control_.Stop();
    return;
  }
  control_.At(SaturatingAdd(control_.Now(), std::chrono::milliseconds(20)),
              [this, until] { Finish(until); });
}

std::shared_ptr<mesh::Service> Process::FindService(const std::string& name) const {
  const auto found = routing_.services().find(name);
  return found == routing_.services().end() ? nullptr : found->second.object->service();
}

Readiness Process::IsReady() const {
  return readiness_.With([](const Readiness& readiness) { return readiness; });
}

Readiness Process::LookIfReady() const {
  if (phase_ >= Phase::kDraining) {
    return {.ready = false, .why = "draining", .reason = Reason::kDraining};
  }
  for (const auto& [name, kept] : routing_.services()) {
    if (kept.left != kNever) continue;
    const auto set = kept.object->service()->members();
    const bool usable = std::ranges::any_of(set->members, [](const auto& member) {
      return member->verdict().use() != policy::Use::kOut;
    });
    if (!usable) {
      return {.ready = false,
              .why = "no instance of " + name + " is alive",
              .reason = Reason::kNoInstance};
    }
  }
  return {.ready = true};
}

std::string Process::Status() {
  const auto table = routes_.Get();
  return updater_.With([&](const auto& updater) {
    return StatusJson({.document = *in_force_,
                       .rejected = updater->rejected(),
                       .at_next_start = at_next_start_,
                       .routing = routing_,
                       .routes = *table,
                       .draining = phase_ >= Phase::kDraining,
                       .started = started_,
                       .now = control_.Now()});
  });
}

void Process::Tell(EventKind kind, Reason reason, std::string_view policy,
                   std::string_view detail) const {
  Event event;
  event.at = control_.clock().Now();
  event.kind = kind;
  event.reason = reason;
  event.policy = policy;
  event.detail = detail;
  observatory_->events().On(event);
}

}  // namespace hale::host
