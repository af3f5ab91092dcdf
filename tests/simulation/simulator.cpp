#include "tests/simulation/simulator.hpp"

#include <deque>
#include <functional>
#include <list>
#include <map>
#include <queue>
#include <set>
#include <unordered_map>

#include <fmt/core.h>

#include "bencher/job/channel.hpp"
#include "bencher/job/lease.hpp"
#include "bencher/job/log.hpp"
#include "bencher/runner/agent.hpp"

#include "lib/job/message.hpp"
#include "lib/storage/specs.hpp"
#include "tests/support/store_world.hpp"

namespace bencher::simulation {

namespace st = bencher::storage;
using std::chrono::milliseconds;
using std::chrono::seconds;
using namespace std::chrono_literals;

namespace {

constexpr std::int64_t heartbeat_timeout = 30, job_grace = 10;  // seconds
constexpr std::uint32_t job_timeout = 20;                       // seconds
constexpr auto quiet_after = 200s;                              // no more trouble from then on
constexpr auto over_after = 3600s;                              // everything must have ended
constexpr int machines = 3;

struct GivenUuid {
  std::string uuid;
};
BOOST_DESCRIBE_STRUCT(GivenUuid, (), (uuid))

/// What happens, in the order of time; at one moment in the order in which it was planned.
class Agenda {
 public:
  ManualClock clock;
  Instant now() const { return clock.now(); }
  void at(Instant when, std::function<void()> what) { queue_.push({std::max(when, now()), order_++, std::move(what)}); }
  void in(milliseconds after, std::function<void()> what) { at(now() + after, std::move(what)); }
  bool next() {
    if (queue_.empty()) return false;
    auto entry = std::move(const_cast<Entry&>(queue_.top()));
    queue_.pop();
    clock.set(entry.when);
    entry.what();
    return true;
  }
  void clear(Instant start) {
    queue_ = {};
    order_ = 0;
    clock.set(start);
  }

 private:
  struct Entry {
    Instant when;
    std::uint64_t order;
    std::function<void()> what;
    bool operator<(const Entry& other) const { return when != other.when ? when > other.when : order > other.order; }
  };
  std::priority_queue<Entry> queue_;
  std::uint64_t order_ = 0;
};

/// One connection. What is said arrives in order, each after a delay of its own, unless the link is lost: then what is
/// on its way is gone, and each end learns of it sooner or later.
struct Link {
  std::uint64_t number = 0;
  bool lost = false;
  bool server_open = true, runner_open = true;
  Instant last[2]{};  // when the last thing said arrives: at the server, at the runner
  std::function<void(std::string)> at_server, at_runner;
  std::function<void()> server_closed;
  std::function<void(int code, std::string reason)> runner_closed;
};
using LinkPtr = std::shared_ptr<Link>;

struct Program {
  std::string out, err;  // all that it prints
};

}  // namespace

struct Simulator::World {
  test::StoreWorld store;
  std::vector<pipeline::Actor> users;
  std::vector<std::string> projects;
  std::vector<st::RunnerId> runners;
  st::SpecId spec{};
  Instant start{};

  World() {
    spec = store.spec("Small", true);
    for (const auto* name : {"Ada", "Bob"}) {
      users.push_back(store.user(name));
      projects.push_back(store.project(users.back(), fmt::format("{} Project", name)).project.slug);
    }
    for (int i = 0; i < machines; ++i)
      runners.push_back(store.runner(fmt::format("Machine {}", i), {spec}));
    start = store.clock.now();
  }
};

namespace {

class Simulation {
 public:
  Simulation(test::StoreWorld& store, const std::vector<pipeline::Actor>& users,
             const std::vector<std::string>& projects, const std::vector<st::RunnerId>& runners, st::SpecId spec,
             Instant start, std::uint64_t seed, bool trace)
      : store_(store), users_(users), projects_(projects), runners_(runners), spec_(spec), dice_(seed), trace_(trace) {
    store_.random = SeededRandom(seed ^ 0x5bd1e995u);
    agenda_.clear(start);
    start_ = start;
    // Some seeds are calm, some rough.
    loss_ = below(4) == 0 ? 0 : below(60);  // per mille of what is said
    slow_ = below(3) == 0 ? 2000 : 50;      // ms of delay, at most
    const auto crashes = below(3), deaths = below(4);
    for (std::uint64_t i = 0; i < crashes; ++i)
      agenda_.in(trouble_time(), [this] { crash_server(); });
    for (std::uint64_t i = 0; i < deaths; ++i)
      agenda_.in(trouble_time(), [this] {
        const auto machine = below(machines);
        machine + 1 == machines ? kill_scripted() : kill_runner(machine);
      });
    for (std::uint64_t i = 0, stops = below(2); i < stops; ++i)
      agenda_.in(trouble_time(), [this] { stop_runner(below(machines)); });
    for (std::uint64_t i = 0, jobs = 2 + below(4); i < jobs; ++i)
      agenda_.in(milliseconds(below(60'000)), [this] { submit(); });
    for (int i = 0; i + 1 < machines; ++i)
      agenda_.in(milliseconds(below(3000)), [this, i] { start_runner(i); });
    agenda_.in(milliseconds(below(3000)), [this] { start_scripted(machines - 1); });
    start_server();
    agenda_.in(1s, [this] { each_second(); });
  }

  ~Simulation() {
    // What they call knows them in turn.
    for (const auto& link : links_)
      *link = {};
    for (const auto& wait : waits_)
      wait->look = nullptr;
    for (const auto& process : all_processes_)
      *process = {};
    for (const auto& scripted : all_scripted_)
      *scripted = {};
  }

  Outcome run() {
    while (!over_ && agenda_.next()) {
    }
    finish();
    return std::move(outcome_);
  }

 private:
  // Chance and time.

  std::uint64_t below(std::uint64_t bound) { return dice_.below(bound); }
  bool troubled() const { return agenda_.now() - start_ < quiet_after; }
  milliseconds trouble_time() {
    return milliseconds(below(static_cast<std::uint64_t>(milliseconds(quiet_after).count())));
  }
  milliseconds delay() { return milliseconds(1 + below(below(10) == 0 ? slow_ : 20)); }
  void say(const std::string& what) {
    if (trace_)
      outcome_.trace.push_back(
          fmt::format("{:9.3f} {}", std::chrono::duration<double>(agenda_.now() - start_).count(), what));
  }
  void broken(const std::string& what) {
    say("BROKEN: " + what);
    if (outcome_.broken.size() < 10)
      outcome_.broken.push_back(
          fmt::format("{:.3f} s: {}", std::chrono::duration<double>(agenda_.now() - start_).count(), what));
  }
  pipeline::Env env() {
    store_.clock.set(agenda_.now());
    return store_.env();
  }

  // Links.

  LinkPtr open_link() {
    const auto& link = links_.emplace_back(std::make_shared<Link>());
    link->number = links_.size();
    return link;
  }
  template <class F, class... A>
  static void close(bool& open, F& closed, A... args) {
    const auto tell = std::exchange(closed, nullptr);
    if (std::exchange(open, false) && tell) tell(args...);
  }
  void send(const LinkPtr& link, bool to_server, std::string text) {
    if (link->lost || !(to_server ? link->runner_open : link->server_open)) return;
    if (troubled() && below(1000) < loss_) return lose(link);
    auto& last = link->last[to_server ? 0 : 1];
    last = std::max(last, agenda_.now() + delay());
    agenda_.at(last, [link, to_server, text = std::move(text)] {
      if (link->lost || !(to_server ? link->server_open : link->runner_open)) return;
      // A copy: what it does may close the link.
      const auto deliver = to_server ? link->at_server : link->at_runner;
      if (deliver) deliver(text);
    });
  }
  void lose(const LinkPtr& link) {
    if (link->lost) return;
    link->lost = true;
    ++outcome_.losses;
    const auto learns = [this] { return below(2) == 0 ? milliseconds(below(100)) : milliseconds(below(40'000)); };
    agenda_.in(learns(), [link] { close(link->server_open, link->server_closed); });
    agenda_.in(learns(), [link] { close(link->runner_open, link->runner_closed, 1006, std::string("lost")); });
  }
  void close_by_runner(const LinkPtr& link) {
    if (!link) return;
    link->runner_open = false;
    link->at_runner = nullptr;
    link->runner_closed = nullptr;
    agenda_.at(std::max(link->last[0], agenda_.now()), [link] {
      if (!link->lost) close(link->server_open, link->server_closed);
    });
  }
  void close_by_server(const LinkPtr& link, int code, std::string reason) {
    link->server_open = false;
    link->at_server = nullptr;
    link->server_closed = nullptr;
    agenda_.at(std::max(link->last[1], agenda_.now()) + 1ms, [link, code, reason = std::move(reason)] {
      if (!link->lost) close(link->runner_open, link->runner_closed, code, reason);
    });
  }

  // The server: the shell that apps/server is, in small.

  struct Session;
  struct Live {
    st::JobId id{};
    AnyUuid uuid;
    bool canceled = false;
    std::weak_ptr<Session> session;
    std::int64_t persisted = 0;
    LogProgress progress;
    std::map<std::pair<std::uint32_t, bool>, std::uint64_t> logged;  // what those who watch have seen of each stream
  };
  struct Wait {
    bool woken = false;
    std::function<void()> look;
  };
  struct Session {
    LinkPtr link;
    st::RunnerId runner{};
    channel::State state;
    std::optional<st::JobRow> row;
    std::shared_ptr<Live> live;
    std::deque<std::string> inbox;
    std::shared_ptr<Wait> wait;
    bool busy = false;
  };
  using SessionPtr = std::shared_ptr<Session>;

  struct Server {
    bool up = false;
    std::map<std::int64_t, std::shared_ptr<Live>> live;
    Leases leases{seconds(heartbeat_timeout)};
    std::list<std::shared_ptr<Wait>> waits;
    std::map<std::uint64_t, LinkPtr> links;
  };

  /// A transaction takes its time, and so does its answer; a crash may come in between.
  void transact(std::function<void()> work) {
    agenda_.in(milliseconds(below(8)), [this, life = life_, work = std::move(work)] {
      if (life == life_) work();
    });
  }
  void answer(std::function<void()> work) { transact(std::move(work)); }

  void start_server() {
    server_ = {};
    server_.up = true;
    up_since_ = agenda_.now();
    say("server starts");
    transact([this] { recover(); });
    tick_leases();
  }
  void crash_server() {
    if (!server_.up || !troubled()) return;
    say("server crashes");
    ++outcome_.server_crashes;
    ++life_;
    for (const auto& [number, link] : server_.links) {
      link->at_server = nullptr;
      link->server_closed = nullptr;
      link->server_open = false;
      lose(link);
    }
    server_ = {};
    agenda_.in(milliseconds(500 + below(20'000)), [this] { start_server(); });
  }
  void recover() {
    const auto e = env();
    for (const auto& job : st::jobs_in_flight(store_.c)) {
      const auto claimed = job.state.claimed.value_or(job.created);
      live(job.id, job.uuid);
      if (job.state.status == JobStatus::claimed && e.time().seconds - claimed.seconds > heartbeat_timeout)
        expire(job.id);
    }
    for (const auto& job : st::completed_jobs(store_.c))
      broken(fmt::format("job {} was left completed, neither processed nor failed", job.uuid.str()));
  }
  void tick_leases() {
    agenda_.in(1s, [this, life = life_] {
      if (life != life_) return;
      for (const auto id : server_.leases.expired(agenda_.now()))
        transact([this, id] { expire(st::JobId(id)); });
      tick_leases();
    });
  }
  void expire(st::JobId id) {
    const auto job = st::job_by_id(store_.c, id);
    if (!job) return;
    const auto e = env();
    const auto event = silence_event(job->state, job->timeout, job_grace, e.time());
    const auto row = pipeline::advance(store_.c, e, *job, event);
    ended(id);
    if (!row) return;
    say(fmt::format("job {} is silent: {}", name(row->uuid), to_string(row->state.status)));
    observe(*row);
    wake_all();
  }

  std::shared_ptr<Live> live(st::JobId id, const AnyUuid& uuid) {
    auto& slot = server_.live[static_cast<std::int64_t>(id)];
    if (!slot) {
      slot = std::make_shared<Live>();
      slot->id = id;
      slot->uuid = uuid;
      server_.leases.renew(static_cast<std::int64_t>(id), agenda_.now());
    }
    return slot;
  }
  void ended(st::JobId id) {
    server_.leases.end(static_cast<std::int64_t>(id));
    server_.live.erase(static_cast<std::int64_t>(id));
  }
  void wake_one() {
    for (const auto& wait : server_.waits)
      if (!wait->woken) {
        wait->woken = true;
        transact(wait->look);
        return;
      }
  }
  void wake_all() {
    for (const auto& wait : server_.waits)
      if (!std::exchange(wait->woken, true)) transact(wait->look);
  }

  /// Looks for a job at once, then whenever woken, until the time is over or the runner is gone. `give` hands a job on
  /// and says whether it could.
  void claim(const LinkPtr& link, st::RunnerId runner, milliseconds timeout,
             const std::function<bool(const ClaimedJob&, const st::JobRow&)>& give,
             const std::function<void()>& nothing) {
    const auto wait = waits_.emplace_back(std::make_shared<Wait>());
    const auto leave = [this, wait] {
      server_.waits.remove(wait);
      wait->look = nullptr;
    };
    wait->look = [this, wait = std::weak_ptr(wait), link, runner, give, leave] {
      const auto mine = wait.lock();
      if (!mine || !mine->look) return;
      mine->woken = false;
      if (!link->server_open) return leave();
      const auto e = env();
      st::Savepoint savepoint(store_.c);
      auto claimed = pipeline::claim(store_.c, e, runner);
      if (!claimed) return broken("claim: " + claimed.error().message());
      savepoint.commit();
      if (!*claimed) return;
      const auto row = *st::find_job(store_.c, (*claimed)->uuid);
      observe(row);
      check_tiers(row);
      live(row.id, row.uuid)->persisted = e.time().seconds;
      leave();
      wake_one();
      answer([this, give, job = **claimed, row] {
        if (give(job, row)) return;
        say(fmt::format("job {} cannot be handed on: its claim is undone", name(row.uuid)));
        transact([this, id = row.id] {
          const auto now_is = st::job_by_id(store_.c, id);
          auto released = pipeline::advance(store_.c, env(), *now_is, JobEvent::release);
          ended(id);
          if (!released) return;
          observe(*released);
          takers_.erase(released->uuid.str());
          wake_one();
        });
      });
    };
    server_.waits.push_back(wait);
    transact(wait->look);
    agenda_.in(timeout, [this, life = life_, wait, leave, nothing] {
      if (life != life_ || !wait->look) return;
      leave();
      nothing();
    });
  }

  /// The claim of the older protocol.
  void serve_claim(const LinkPtr& link, st::RunnerId runner, seconds timeout) {
    if (!server_.up) return lose(link);
    server_.links.emplace(link->number, link);
    claim(
        link, runner, timeout,
        [this, link](const ClaimedJob& job, const st::JobRow&) {
          if (!link->server_open) return false;
          send(link, false, print_claim(job, "token"));
          return true;
        },
        [this, link] { send(link, false, "null"); });
  }

  void serve_channel(const LinkPtr& link, st::RunnerId runner, const std::string& job,
                     const std::function<void(int)>& opened) {
    if (!server_.up) return opened(0);
    transact([this, link, runner, job, opened] {
      const auto row = st::find_job(store_.c, *AnyUuid::parse(job));
      if (!row) return opened(404);
      if (row->runner_id != runner) return opened(403);
      if (!in_flight(row->state.status)) return opened(409);
      auto session = std::make_shared<Session>();
      session->runner = runner;
      session->row = *row;
      session->state = channel::open_job(options(), {row->uuid, row->state, row->timeout}, agenda_.now());
      begin(link, session);
      opened(101);
    });
  }

  void serve_runner_channel(const LinkPtr& link, st::RunnerId runner, const std::function<void(int)>& opened) {
    if (!server_.up) return opened(0);
    transact([this, link, runner, opened] {
      auto session = std::make_shared<Session>();
      session->runner = runner;
      session->state = channel::open_runner(options(), agenda_.now());
      begin(link, session);
      opened(101);
    });
  }

  static channel::Options options() { return {seconds(heartbeat_timeout), 10s, job_grace}; }

  void begin(const LinkPtr& link, const SessionPtr& session) {
    server_.links.emplace(link->number, link);
    session->link = link;
    link->at_server = [this, session](std::string text) {
      session->inbox.push_back(std::move(text));
      pump(session);
    };
    link->server_closed = [this, session] {
      session->state.ended = true;
      server_.links.erase(session->link->number);
      if (session->wait) session->wait->look = nullptr;
    };
    sync(session);
    watch(session);
  }
  void watch(const SessionPtr& session) {
    if (session->state.ended) return;
    agenda_.at(std::max(session->state.wake_at, agenda_.now() + 1ms), [this, life = life_, session] {
      if (life != life_ || session->state.ended) return;
      if (!session->busy) tell(session, channel::Lapsed{});
      watch(session);
    });
  }
  void pump(const SessionPtr& session) {
    while (!session->busy && !session->inbox.empty() && !session->state.ended) {
      auto text = std::move(session->inbox.front());
      session->inbox.pop_front();
      tell(session, channel::Received{std::move(text)});
    }
  }
  void tell(const SessionPtr& session, const channel::Event& event) {
    auto [state, actions] = channel::step(std::move(session->state), event, agenda_.now());
    session->state = std::move(state);
    sync(session);
    for (auto& action : actions)
      std::visit([&](auto& a) { perform(session, a); }, action);
  }
  void reply(const SessionPtr& session, channel::Event event) {
    answer([this, session, event = std::move(event)] {
      session->busy = false;
      tell(session, event);
      pump(session);
    });
  }
  void sync(const SessionPtr& session) {
    if (!session->state.held) {
      session->live.reset();
      return;
    }
    if (session->live && session->live->uuid == session->state.held->uuid) return;
    session->live = live(session->row->id, session->row->uuid);
    if (auto older = session->live->session.lock(); older && older != session) {
      older->state.ended = true;
      close_by_server(older->link, 1008, "superseded");
    }
    session->live->session = session;
    if (session->live->canceled) tell(session, channel::Canceled{});
  }

  void perform(const SessionPtr& session, channel::Say& action) { send(session->link, false, std::move(action.text)); }
  void perform(const SessionPtr& session, channel::Close& action) {
    server_.links.erase(session->link->number);
    close_by_server(session->link, action.code, action.reason);
  }
  void perform(const SessionPtr& session, channel::Drop&) {
    server_.links.erase(session->link->number);
    close_by_server(session->link, 1006, "");
  }
  void perform(const SessionPtr& session, channel::Advance& action) {
    session->busy = true;
    transact([this, session, event = action.event, live = session->live] {
      const auto job = st::job_by_id(store_.c, live->id);
      const auto e = env();
      auto advanced = pipeline::advance(store_.c, e, *job, event);
      if (!advanced) return reply(session, channel::Advanced{std::nullopt, job->state.status});
      observe(*advanced);
      if (event == JobEvent::overrun) {
        ended(live->id);
        wake_all();
      } else {
        live->persisted = e.time().seconds;
        server_.leases.renew(static_cast<std::int64_t>(live->id), agenda_.now());
      }
      reply(session, channel::Advanced{advanced->state, advanced->state.status});
    });
  }
  void perform(const SessionPtr& session, channel::Finish& action) {
    using How = channel::Finished::How;
    session->busy = true;
    transact([this, session, action = std::move(action)] {
      auto row = st::find_job(store_.c, action.job);
      if (!row || row->runner_id != session->runner)
        return reply(session, channel::Finished{How::refused, JobStatus::canceled});
      if (channel::starts_first(action, row->state.status)) {
        row = *pipeline::advance(store_.c, env(), *row, JobEvent::start);
        observe(*row);
      }
      if (!next_status(row->state.status, action.event))
        return reply(session, channel::Finished{How::refused, row->state.status});
      if (action.event != JobEvent::cancel) outputs_[row->uuid.str()] = print(action.output);
      transact([this, session, action, id = row->id, before = row->state.status] {
        const auto job = st::job_by_id(store_.c, id);
        const auto taken = take_results(*job, action.event, action.output);
        reply(session, channel::Finished{taken ? How::taken : How::refused, taken ? before : job->state.status});
      });
    });
  }
  bool take_results(const st::JobRow& job, JobEvent event, const JobOutput& output) {
    const auto e = env();
    st::Savepoint savepoint(store_.c);
    st::JobRow after;
    if (event == JobEvent::complete) {
      const auto parsed = read_outputs(pipeline::job_settings(store_.c, job), adapter_texts(output));
      auto completed = pipeline::complete(store_.c, e, job, parsed);
      if (!completed) return false;
      after = completed->job;
      if (job.state.status == JobStatus::failed) ++outcome_.late_results;
    } else {
      auto advanced = pipeline::advance(store_.c, e, job, event);
      if (!advanced) return false;
      after = *advanced;
    }
    savepoint.commit();
    say(fmt::format("job {} ends: {}", name(job.uuid), to_string(after.state.status)));
    observe(after);
    ended(job.id);
    wake_all();
    return true;
  }
  void perform(const SessionPtr& session, channel::Beat&) {
    const auto live = session->live;
    server_.leases.renew(static_cast<std::int64_t>(live->id), agenda_.now());
    const auto now = Timestamp::of(agenda_.now());
    if (now.seconds - live->persisted < 15) return;
    live->persisted = now.seconds;
    st::touch_job(store_.c, live->id, now);
  }
  void perform(const SessionPtr& session, channel::Log& log) {
    const auto before = log.data.size();
    const auto text = session->live->progress.fresh(log.iteration, log.standard_error, log.offset, log.data);
    const auto& all = printed_[{session->live->uuid.str(), log.iteration, log.standard_error}];
    const auto offset = log.offset + (before - text.size());
    auto& end = session->live->logged[{log.iteration, log.standard_error}];
    if (!text.empty() && offset < end)
      broken(fmt::format("job {}: a part of the log came twice", name(session->live->uuid)));
    end = std::max(end, offset + text.size());
    if (!text.empty() && (offset > all.size() || std::string_view(all).substr(offset, text.size()) != text))
      broken(fmt::format("job {}: the log has something else at {} than the program printed", name(session->live->uuid),
                         offset));
  }
  void perform(const SessionPtr& session, channel::Reach& action) {
    st::set_job_time(store_.c, session->live->id, action.stage, agenda_.now());
  }
  void perform(const SessionPtr& session, channel::Host& action) {
    if (const auto job = st::job_by_id(store_.c, session->live->id))
      st::set_report_host(store_.c, job->report_id, action.json);
  }
  void perform(const SessionPtr& session, channel::Poll& action) {
    session->busy = true;
    const auto link = session->link;
    claim(
        link, session->runner, action.timeout,
        [this, session, link](const ClaimedJob& job, const st::JobRow& row) {
          if (!link->server_open) return false;
          session->inbox.clear();
          send(link, false, print_given(job, "token"));
          session->row = row;
          session->busy = false;
          tell(session, channel::Polled{channel::Held{row.uuid, row.state, row.timeout}, false});
          pump(session);
          return true;
        },
        [this, session] {
          session->inbox.clear();
          session->busy = false;
          tell(session, channel::Polled{});
        });
  }
  void perform(const SessionPtr& session, channel::Resume&) {
    session->busy = true;
    transact([this, session] {
      auto own = st::jobs_of_runner_in_flight(store_.c, session->runner);
      channel::Resumed resumed;
      if (own.size() == 1) {
        ++outcome_.resumes;
        resumed.job = channel::Held{own.front().uuid, own.front().state, own.front().timeout};
        session->row = std::move(own.front());
      }
      reply(session, resumed);
    });
  }

  /// PATCH.
  void serve_patch(st::RunnerId runner, const std::string& uuid, const std::string& body,
                   const std::function<void(int, std::string)>& answered) {
    if (!server_.up) return answered(0, "");
    transact([this, runner, uuid, body, answered] {
      const auto row = st::find_job(store_.c, *AnyUuid::parse(uuid));
      if (!row || row->runner_id != runner) return answered(403, "");
      auto message = *json::parse<RunnerMessage>(body);
      const auto rule = channel::patch_rule(row->state.status, *message.status,
                                            past_limit(row->state, row->timeout, job_grace, env().time()));
      const auto said = [&](JobStatus status) {
        answered(200, fmt::format(R"({{"status":"{}"}})", to_string(status)));
      };
      switch (rule.what) {
        case channel::PatchRule::Do::say: return said(row->state.status);
        case channel::PatchRule::Do::refuse: return answered(409, "");
        case channel::PatchRule::Do::start: {
          const auto started = pipeline::advance(store_.c, env(), *row, rule.event);
          if (!started) return answered(409, "");
          observe(*started);
          if (rule.event == JobEvent::overrun) {
            ended(row->id);
            wake_all();
            return said(started->state.status);
          }
          server_.leases.renew(static_cast<std::int64_t>(live(row->id, row->uuid)->id), agenda_.now());
          return said(started->state.status);
        }
        case channel::PatchRule::Do::finish: {
          const auto output = output_of(std::move(message));
          outputs_[uuid] = print(output);
          if (!take_results(*row, rule.event, output)) return answered(409, "");
          return said(st::job_by_id(store_.c, row->id)->state.status);
        }
      }
    });
  }

  // Users.

  void submit() {
    if (!server_.up) {
      agenda_.in(5s, [this] { submit(); });
      return;
    }
    transact([this] {
      const auto who = below(users_.size());
      auto run = test::StoreWorld::job(projects_[who]);
      run.job->timeout = job_timeout;
      run.job->iter = 1 + static_cast<std::uint32_t>(below(2));
      run.job->allow_failure = below(5) == 0;
      env();
      auto submitted = store_.submit(run, users_[who], fmt::format("127.0.0.{}", who));
      if (!submitted) return broken("submit: " + submitted.error().message());
      const auto uuid = *submitted->job_uuid;
      added(uuid);
      wake_one();
      if (below(4) == 0) agenda_.in(milliseconds(below(60'000)), [this, uuid] { cancel(uuid); });
      if (below(3) == 0) agenda_.in(milliseconds(below(150'000)), [this, uuid] { retry(uuid); });
    });
  }
  void added(const AnyUuid& uuid) {
    names_.emplace(uuid.str(), static_cast<int>(names_.size()) + 1);
    ++outcome_.jobs;
    say(fmt::format("job {} is submitted", name(uuid)));
    observe(*st::find_job(store_.c, uuid));
  }
  void cancel(const AnyUuid& uuid) {
    if (!server_.up) return;
    transact([this, uuid] {
      const auto row = st::find_job(store_.c, uuid);
      const auto canceled = pipeline::advance(store_.c, env(), *row, JobEvent::cancel);
      if (!canceled) return;
      ++outcome_.cancels;
      say(fmt::format("job {} is canceled by its user", name(uuid)));
      observe(*canceled);
      for (const auto& [id, live] : server_.live)
        if (live->uuid == uuid) {
          live->canceled = true;
          if (const auto session = live->session.lock()) tell(session, channel::Canceled{});
        }
      wake_all();
    });
  }
  void retry(const AnyUuid& uuid) {
    if (!server_.up) return;
    transact([this, uuid] {
      const auto row = st::find_job(store_.c, uuid);
      const auto again = pipeline::retry(store_.c, env(), *row);
      if (!again) return;
      ++outcome_.retries;
      added(again->uuid);
      wake_one();
    });
  }

  // Runners: the shell that apps/runner is, in small.

  struct Process {
    int number = 0;
    int machine = 0;
    st::RunnerId runner{};
    runner::AgentState agent;
    bool dead = false;
    LinkPtr claim, channel;
    std::string features;
    std::uint64_t work = 0;  // counts pulls and runs, so that the end of a canceled one is not heard
    std::function<void()> cancel_work;
    Instant tick{};
    std::map<std::string, std::string> sent;  // job → the result that was sent
  };
  using ProcessPtr = std::shared_ptr<Process>;

  void start_runner(int machine) {
    const auto process = all_processes_.emplace_back(std::make_shared<Process>());
    process->number = ++processes_;
    process->machine = machine;
    process->runner = runners_[static_cast<std::size_t>(machine)];
    process->agent.options.poll_timeout = 10s;
    process->agent.options.heartbeat = 2s;
    process->agent.options.seed = below(1u << 30);
    process->agent.options.protocol = below(2) == 0 ? runner::Protocol::jobs : runner::Protocol::channel;
    // Some take the server for the reference's, which knows neither logs nor that a job is resumed.
    process->features = below(3) == 0 ? "" : "logs, resume, upload";
    running_[machine] = process;
    say(fmt::format("runner {} starts as {}", machine, process->number));
    happen(process, runner::Started{});
  }
  void start_again(int machine) {
    agenda_.in(milliseconds(500 + below(10'000)), [this, machine] { start_runner(machine); });
  }
  void kill_runner(std::uint64_t machine) {
    const auto process = std::exchange(running_[static_cast<int>(machine)], nullptr);
    if (!process) return;
    say(fmt::format("runner {} is killed", process->number));
    ++outcome_.runner_crashes;
    process->dead = true;
    for (const auto& link : {process->claim, process->channel})
      if (link) {
        link->runner_open = false;
        link->runner_closed = nullptr;
        lose(link);
      }
    start_again(static_cast<int>(machine));
  }
  void stop_runner(std::uint64_t machine) {
    const auto process = running_[static_cast<int>(machine)];
    if (!process) return;
    say(fmt::format("runner {} is asked to stop", process->number));
    happen(process, runner::Shutdown{});
  }

  void happen(const ProcessPtr& process, const runner::Event& event) {
    if (process->dead) return;
    auto [agent, actions] = runner::step(std::move(process->agent), event, agenda_.now());
    process->agent = std::move(agent);
    for (auto& action : actions) {
      if (process->dead) return;
      std::visit([&](auto& a) { perform(process, a); }, action);
    }
    const auto wake = process->agent.wake_at;
    if (wake == process->tick || wake == Instant::max()) return;
    process->tick = wake;
    agenda_.at(wake, [this, process, wake] {
      if (process->tick != wake) return;
      process->tick = {};
      happen(process, runner::Tick{});
    });
  }
  /// After a while, unless the process is dead by then.
  void later(const ProcessPtr& process, milliseconds after, std::function<void()> what) {
    agenda_.in(after, [process, what = std::move(what)] {
      if (!process->dead) what();
    });
  }

  void perform(const ProcessPtr& process, runner::Claim& action) {
    const auto link = process->claim = open_link();
    link->at_runner = [this, process, raw = link.get()](const std::string& text) {
      raw->runner_open = false;
      auto answer = runner::parse_claim(text);
      if (answer && *answer) took((*answer)->uuid, process->number);
      happen(process, runner::Claimed{std::move(answer)});
    };
    link->runner_closed = [this, process](int, const std::string&) {
      happen(process, runner::ClaimRefused{0, "lost"});
    };
    agenda_.in(delay(), [this, link, runner = process->runner, timeout = action.poll_timeout] {
      serve_claim(link, runner, timeout);
    });
  }
  void perform(const ProcessPtr& process, runner::CancelClaim&) {
    const auto link = std::exchange(process->claim, nullptr);
    if (!link || !link->runner_open) return;
    close_by_runner(link);
    later(process, 1ms, [this, process] { happen(process, runner::ClaimRefused{0, "canceled"}); });
  }
  void perform(const ProcessPtr& process, runner::OpenChannel& action) {
    const auto link = process->channel = open_link();
    link->at_runner = [this, process](std::string text) {
      if (text.starts_with(R"({"event":"job")")) took(json::parse<GivenUuid>(text)->uuid, process->number);
      happen(process, runner::ChannelMessage{std::move(text)});
    };
    agenda_.in(delay(), [this, process, link, job = action.job] {
      const auto opened = [this, process, link](int status) {
        later(process, delay(), [this, process, link, status] {
          if (process->channel != link) return;
          if (status != 101) return happen(process, runner::ChannelClosed{false, status, 0, "refused"});
          // The link may have been lost, or closed by the other side, before this side knew that it was open.
          link->runner_closed = [this, process](int code, const std::string& reason) {
            happen(process, runner::ChannelClosed{true, 0, code, reason});
          };
          happen(process, runner::ChannelOpened{process->features});
          if (!link->runner_open) happen(process, runner::ChannelClosed{true, 0, 1006, "lost"});
        });
      };
      if (job.empty())
        serve_runner_channel(link, process->runner, opened);
      else
        serve_channel(link, process->runner, job, opened);
    });
  }
  void perform(const ProcessPtr& process, runner::Send& action) {
    if (process->agent.work && process->agent.work->terminal_sent) {
      const auto message = json::parse<RunnerMessage>(action.text);
      if (message && message->event == "completed") process->sent[process->agent.work->job.uuid] = action.text;
    }
    if (process->channel) send(process->channel, true, std::move(action.text));
  }
  void perform(const ProcessPtr& process, runner::CloseChannel&) {
    close_by_runner(std::exchange(process->channel, nullptr));
  }
  void perform(const ProcessPtr& process, runner::Patch& action) {
    const bool lost = troubled() && below(1000) < loss_, answer_lost = troubled() && below(1000) < loss_;
    const auto hear = [this, process](int status, std::string body) {
      later(process, delay(), [this, process, status, body = std::move(body)] {
        happen(process, runner::PatchAnswered{status, body});
      });
    };
    if (lost) return hear(0, "");
    if (action.body.find("\"completed\"") != std::string::npos) process->sent[action.job] = action.body;
    agenda_.in(delay(), [this, runner = process->runner, action, hear, answer_lost] {
      serve_patch(runner, action.job, action.body, [hear, answer_lost](int status, std::string body) {
        answer_lost ? hear(0, "") : hear(status, std::move(body));
      });
    });
  }
  void perform(const ProcessPtr& process, runner::Prepare& action) {
    const auto number = ++process->work;
    const auto end = [this, process, number](Result<ImageConfig> image) {
      if (process->work != number) return;
      ++process->work;
      process->cancel_work = nullptr;
      happen(process, runner::Prepared{std::move(image)});
    };
    process->cancel_work = [this, process, end] {
      later(process, 5ms, [end] { end(Error(Errc::cancelled, "canceled")); });
    };
    (void)action;
    const bool fails = below(20) == 0;
    later(process, milliseconds(10 + below(8000)), [end, fails] {
      ImageConfig image;
      image.entrypoint = {"/bench"};
      if (fails)
        end(Error(Errc::unavailable, "the image cannot be pulled"));
      else
        end(std::move(image));
    });
  }
  void perform(const ProcessPtr& process, runner::RunIteration& action) {
    const auto number = ++process->work;
    const auto job = action.job.uuid;
    const auto iteration = action.iteration;
    const auto end = [this, process, number](runner::Ended ended) {
      if (process->work != number) return;
      ++process->work;
      process->cancel_work = nullptr;
      happen(process, std::move(ended));
    };
    process->cancel_work = [this, process, end] {
      later(process, 5ms, [end] {
        runner::Ended ended;
        ended.cancelled = true;
        end(std::move(ended));
      });
    };
    // A name of more bytes than letters, so that parts end within one.
    const auto out = fmt::format("{{\"größe {}\":{{\"latency\":{{\"value\":{}}}}}}}\n", iteration, 1 + below(1000));
    const auto limit = milliseconds(seconds(job_timeout));
    const bool hangs = below(12) == 0;
    const auto length = hangs ? limit : milliseconds(5 + below(below(3) == 0 ? 18'000 : 3000));
    milliseconds at{0};
    for (std::size_t from = 0; from < out.size();) {
      const auto size = std::min<std::size_t>(out.size() - from, 1 + below(30));
      at = milliseconds(below(static_cast<std::uint64_t>((length - at).count()) + 1)) + at;
      later(process, at, [this, process, number, job, iteration, text = out.substr(from, size)] {
        if (process->work != number) return;
        printed_[{job, iteration, false}] += text;
        happen(process, runner::Output{false, text});
      });
      from += size;
    }
    later(process, length, [end, hangs, code = below(10) == 0 ? 1 : 0] {
      runner::Ended ended;
      ended.timed_out = hangs;
      ended.exit_code = hangs ? 137 : code;
      end(std::move(ended));
    });
  }
  void perform(const ProcessPtr& process, runner::CancelWork&) {
    if (process->cancel_work) std::exchange(process->cancel_work, nullptr)();
  }
  void perform(const ProcessPtr&, runner::CleanUp&) {}
  // What these programs print fits a message.
  void perform(const ProcessPtr&, runner::KeepResult&) {}
  void perform(const ProcessPtr&, runner::UploadResults&) { broken("an upload of results that fit a message"); }
  void perform(const ProcessPtr&, runner::CancelUpload&) {}
  void perform(const ProcessPtr&, runner::ForgetResults&) {}
  void perform(const ProcessPtr& process, runner::Log& action) {
    say(fmt::format("  runner {}: {}", process->number, action.text));
    if (action.text.ends_with(": delivered")) delivered(process, action.text.substr(4, action.text.size() - 4 - 11));
  }
  void perform(const ProcessPtr& process, runner::Exit& action) {
    say(fmt::format("runner {} exits with {}", process->number, action.code));
    if (action.code != 0) broken(fmt::format("runner {} ended itself with {}", process->number, action.code));
    process->dead = true;
    if (running_[process->machine] == process) running_[process->machine] = nullptr;
    start_again(process->machine);
  }

  // Runners of the newer protocol, by a script. Those of the reference stay away while their program runs and then
  // deliver; others come back and go on with their job.

  struct Scripted {
    int number = 0;
    int machine = 0;
    st::RunnerId runner{};
    bool comes_back = false;
    bool dead = false;
    LinkPtr link;
    bool open = false;
    std::string job;     // that runs
    std::string result;  // that waits to be acked
    int sends = 0;
    std::uint64_t turn = 0;  // counts what it waits for
  };
  using ScriptedPtr = std::shared_ptr<Scripted>;

  void start_scripted(int machine) {
    const auto r = all_scripted_.emplace_back(std::make_shared<Scripted>());
    r->number = ++processes_;
    r->machine = machine;
    r->runner = runners_[static_cast<std::size_t>(machine)];
    r->comes_back = below(2) == 0;
    scripted_ = r;
    say(fmt::format("runner {} starts as {}, by its own channel", machine, r->number));
    connect(r);
  }
  void kill_scripted() {
    const auto r = std::exchange(scripted_, nullptr);
    if (!r) return;
    say(fmt::format("runner {} is killed", r->number));
    ++outcome_.runner_crashes;
    r->dead = true;
    if (r->link) {
      r->link->runner_open = false;
      r->link->runner_closed = nullptr;
      lose(r->link);
    }
    agenda_.in(milliseconds(500 + below(10'000)), [this, machine = r->machine] { start_scripted(machine); });
  }
  void after(const ScriptedPtr& r, milliseconds time, std::function<void()> what) {
    agenda_.in(time, [r, what = std::move(what)] {
      if (!r->dead) what();
    });
  }
  void utter(const ScriptedPtr& r, std::string text) {
    if (r->open) send(r->link, true, std::move(text));
  }
  void reconnect(const ScriptedPtr& r) {
    r->open = false;
    ++r->turn;
    if (r->link) close_by_runner(r->link);
    after(r, milliseconds(5000 + below(5000)), [this, r] { connect(r); });
  }
  void connect(const ScriptedPtr& r) {
    const auto link = r->link = open_link();
    link->at_runner = [this, r](const std::string& text) { hear(r, text); };
    agenda_.in(delay(), [this, r, link] {
      serve_runner_channel(link, r->runner, [this, r, link](int status) {
        after(r, delay(), [this, r, link, status] {
          if (r->link != link) return;
          if (status != 101 || !link->runner_open) return reconnect(r);
          link->runner_closed = [this, r](int, const std::string&) {
            r->open = false;
            if (r->job.empty() || r->comes_back) reconnect(r);
          };
          r->open = true;
          if (!r->job.empty()) {
            utter(r, R"({"event":"running"})");
            beat(r);
          } else if (!r->result.empty()) {
            deliver(r);
          } else {
            ready(r);
          }
        });
      });
    });
  }
  void ready(const ScriptedPtr& r) {
    utter(r, R"({"event":"ready","poll_timeout":10,"runner":{"os":"linux","arch":"x86_64","version":"0.6.12"}})");
    wait(r, 40s);
  }
  void wait(const ScriptedPtr& r, milliseconds time) {
    const auto turn = ++r->turn;
    after(r, time, [this, r, turn] {
      if (r->turn == turn && r->job.empty()) reconnect(r);
    });
  }
  void deliver(const ScriptedPtr& r) {
    if (++r->sends > 6) {
      r->result.clear();
      return ready(r);
    }
    utter(r, r->result);
    wait(r, 5s);
  }
  void beat(const ScriptedPtr& r) {
    const auto turn = ++r->turn;
    after(r, 2s, [this, r, turn] {
      if (r->turn != turn || r->job.empty() || !r->open) return;
      utter(r, R"({"event":"heartbeat"})");
      beat(r);
    });
  }
  void hear(const ScriptedPtr& r, const std::string& text) {
    const auto message = json::parse<RunnerMessage>(text);
    if (!message || !message->event) return broken("a message that cannot be read: " + text);
    const auto& event = *message->event;
    if (event == "job") {
      auto job = text;
      const auto uuid = json::parse<GivenUuid>(text)->uuid;
      if (!r->job.empty()) broken(fmt::format("runner {} was given a job while one runs", r->number));
      took(uuid, r->number);
      begin_job(r, uuid);
    } else if (event == "no_job") {
      if (r->job.empty() && r->result.empty()) ready(r);
    } else if (event == "cancel") {
      if (r->job.empty()) return reconnect(r);
      end_job(r, fmt::format(R"({{"event":"canceled","job":"{}"}})", r->job));
    } else if (event == "ack" && r->job.empty() && !r->result.empty()) {
      r->result.clear();
      ready(r);
    }
  }
  void begin_job(const ScriptedPtr& r, const std::string& uuid) {
    r->job = uuid;
    say(fmt::format("  runner {}: got job {}", r->number, name(*AnyUuid::parse(uuid))));
    utter(r, R"({"event":"running"})");
    beat(r);
    const bool fails = below(8) == 0;
    after(r, milliseconds(10 + below(below(4) == 0 ? 60'000 : 6000)), [this, r, uuid, fails] {
      if (r->job != uuid) return;
      end_job(r, fails ? fmt::format(R"({{"event":"failed","job":"{}","results":[],"error":"x"}})", uuid)
                       : fmt::format(R"({{"event":"completed","job":"{}","results":[{{"exit_code":0,"stdout":)"
                                     R"("{{\"b\":{{\"latency\":{{\"value\":{}}}}}}}"}}]}})",
                                     uuid, 1 + below(100)));
    });
  }
  void end_job(const ScriptedPtr& r, std::string result) {
    r->job.clear();
    r->result = std::move(result);
    r->sends = 0;
    if (r->open)
      deliver(r);
    else if (!r->comes_back)
      reconnect(r);
  }

  // What must hold.

  std::string name(const AnyUuid& uuid) const {
    const auto found = names_.find(uuid.str());
    return found == names_.end() ? uuid.str() : std::to_string(found->second);
  }

  void took(const std::string& job, int process) {
    auto& takers = takers_[job];
    takers.insert(process);
    if (takers.size() > 1) broken(fmt::format("job {} was given to two runners", name(*AnyUuid::parse(job))));
  }

  void observe(const st::JobRow& job) {
    const auto [it, first] = seen_.emplace(job.uuid.str(), job.state.status);
    const auto before = std::exchange(it->second, job.state.status);
    const auto after = job.state.status;
    if (first) {
      if (after != JobStatus::pending) broken(fmt::format("job {} begins {}", name(job.uuid), to_string(after)));
      return;
    }
    if (before == after && (after == JobStatus::running || after == JobStatus::pending)) return;
    using S = JobStatus;
    const bool open = before == S::pending || before == S::claimed || before == S::running;
    // Only a failure that was presumed can turn out otherwise.
    const bool late = before == S::failed && (after == S::processed || after == S::failed);
    if (!open && !late)
      broken(fmt::format("job {} was {} and is {}", name(job.uuid), to_string(before), to_string(after)));
    if (after == S::completed) broken(fmt::format("job {} stays completed", name(job.uuid)));
    if (after == S::running && before == S::pending)
      broken(fmt::format("job {} runs without having been claimed", name(job.uuid)));
  }

  void check_tiers(const st::JobRow& job) {
    int same = 0;
    for (const auto& other : st::jobs_in_flight(store_.c))
      same += other.organization_id == job.organization_id ? 1 : 0;
    if (same > 1) broken(fmt::format("job {} is the second of its organization in flight", name(job.uuid)));
  }

  /// A runner believes that its result has arrived.
  void delivered(const ProcessPtr& process, const std::string& uuid) {
    const auto sent = process->sent.find(uuid);
    if (sent == process->sent.end()) return;
    const auto job = st::find_job(store_.c, *AnyUuid::parse(uuid));
    switch (job->state.status) {
      case JobStatus::processed: {
        auto message = *json::parse<RunnerMessage>(sent->second);
        if (outputs_[uuid] != print(output_of(std::move(message))))
          broken(fmt::format("job {}: another output is kept than the one that was acknowledged", name(job->uuid)));
        return;
      }
      case JobStatus::failed:    // its results could not be read, or its user has tried it again meanwhile
      case JobStatus::canceled:  // meanwhile
        return;
      default:
        broken(fmt::format("job {} is {} although its result was acknowledged", name(job->uuid),
                           to_string(job->state.status)));
    }
  }

  void each_second() {
    const auto now = Timestamp::of(agenda_.now()).seconds;
    const auto up = std::max<std::int64_t>(Timestamp::of(up_since_).seconds, 0);
    if (server_.up)
      for (const auto& job : st::jobs_in_flight(store_.c)) {
        // Silence is noticed within a second of its end, and a transaction takes its time.
        const auto limit = job.state.started ? job.state.started->seconds + job.timeout + job_grace
                                             : job.state.claimed->seconds + heartbeat_timeout + job_timeout + job_grace;
        if (now > std::max(limit, up) + heartbeat_timeout + 5)
          broken(fmt::format("job {} is {} past its limits", name(job.uuid), to_string(job.state.status)));
      }
    const auto passed = agenda_.now() - start_;
    bool waiting = passed < quiet_after;
    for (const auto& [uuid, status] : seen_)
      waiting = waiting || !is_final(status);
    if (!waiting || passed >= over_after || !outcome_.broken.empty()) {
      over_ = true;
      return;
    }
    agenda_.in(1s, [this] { each_second(); });
  }

  void finish() {
    for (const auto& [uuid, status] : seen_) {
      const auto job = st::find_job(store_.c, *AnyUuid::parse(uuid));
      if (job->state.status != status)
        broken(fmt::format("job {} was {} when last seen and is {}", name(job->uuid), to_string(status),
                           to_string(job->state.status)));
      if (!is_final(status)) broken(fmt::format("job {} never ended: {}", name(job->uuid), to_string(status)));
      outcome_.processed += status == JobStatus::processed;
      outcome_.failed += status == JobStatus::failed;
      outcome_.canceled += status == JobStatus::canceled;
      reports_[static_cast<std::int64_t>(job->report_id)] += status == JobStatus::processed;
    }
    for (const auto& [report, processed] : reports_) {
      if (processed > 1) broken("two jobs of one report were processed");
      const auto rows =
          *store_.c.value<std::int64_t>("SELECT count(*) FROM report_benchmark WHERE report_id = ?1", report);
      if ((rows > 0) != (processed == 1))
        broken(fmt::format("a report of {} processed jobs has {} results", processed, rows));
    }
  }

  test::StoreWorld& store_;
  const std::vector<pipeline::Actor>& users_;
  const std::vector<std::string>& projects_;
  const std::vector<st::RunnerId>& runners_;
  st::SpecId spec_;
  Agenda agenda_;
  Instant start_{};
  SeededRandom dice_;
  bool trace_ = false;
  bool over_ = false;
  std::uint64_t loss_ = 0, slow_ = 50;

  std::vector<LinkPtr> links_;
  std::vector<std::shared_ptr<Wait>> waits_;
  std::vector<ProcessPtr> all_processes_;
  std::vector<ScriptedPtr> all_scripted_;
  ScriptedPtr scripted_;

  Server server_;
  Instant up_since_{};
  std::uint64_t life_ = 0;
  std::map<std::string, std::string> outputs_;  // job → what is kept of it; survives crashes

  int processes_ = 0;
  std::map<int, ProcessPtr> running_;

  std::map<std::string, JobStatus> seen_;
  std::map<std::string, int> names_;
  std::map<std::string, std::set<int>> takers_;
  std::map<std::tuple<std::string, std::uint32_t, bool>, std::string> printed_;
  std::map<std::int64_t, int> reports_;
  Outcome outcome_;
};

}  // namespace

Simulator::Simulator() : world_(std::make_unique<World>()) {}
Simulator::~Simulator() = default;

Outcome Simulator::run(std::uint64_t seed, bool trace) {
  // Never committed: the next seed finds the world as it was.
  st::Savepoint untouched(world_->store.c);
  Simulation simulation(world_->store, world_->users, world_->projects, world_->runners, world_->spec, world_->start,
                        seed, trace);
  return simulation.run();
}

}  // namespace bencher::simulation
