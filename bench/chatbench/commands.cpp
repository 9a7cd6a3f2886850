#include "bench/chatbench/commands.h"

#include <sched.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <fstream>
#include <memory>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

#include "bench/chatbench/console.h"
#include "bench/chatbench/engine/engine.h"
#include "bench/chatbench/engine/rate_search.h"
#include "bench/chatbench/engine/result.h"
#include "bench/chatbench/engine/verdict.h"
#include "bench/chatbench/make_target.h"
#include "bench/chatbench/net/setup.h"
#include "bench/chatbench/probe/system.h"
#include "bench/chatbench/report/formats.h"
#include "bench/chatbench/report/units.h"
#include "client/net/wait.h"
#include "client/terminal/sanitize.h"

namespace chatd::bench {

namespace {

RunSettings settings_of(const RunOptions& options) {
  const Workload& workload = options.workload;
  const bool is_open = workload.loop == LoopKind::kOpen;
  RunSettings settings;
  settings.target = options.target;
  settings.tls = !options.connect.tls_ca_path.empty();
  settings.loop = workload.loop;
  settings.arrival = workload.arrivals == Arrivals::kPoisson ? "poisson" : "constant";
  settings.rooms = workload.population.rooms;
  settings.members_per_room = workload.population.members_per_room;
  settings.senders_per_room = workload.population.senders_per_room;
  settings.size_bytes = options.sizes_text;
  if (is_open) settings.rate_per_s = workload.rate_per_s;
  if (!is_open) settings.window = workload.window;
  settings.seed = workload.seed;
  settings.connections = options.connect.connections;
  settings.joins_per_connection = options.connect.joins_per_connection;
  settings.sockets = options.connect.one_socket_per_client ? "own" : "shared";
  settings.gro = options.connect.gro;
  settings.gso = options.connect.gso;
  return settings;
}

// One run, from the first join to the last report. Thread: one at a time.
class Run {
 public:
  explicit Run(const RunOptions& options) : options_(options), settings_(settings_of(options)) {}

  ExitCode operator()() {
    if (!pin() || !can_report() || !connect()) return ExitCode::kFailure;
    Engine engine(options_.workload, *target_,
                  {.server_pid = pid(), .server_udp = server_udp(), .interrupted = &interrupted()},
                  progress_);
    const RunResult result = options_.find_max ? find_max(engine) : judged(engine.measure());
    progress_.waiting("leaving");
    target_->disconnect();
    progress_.clear();
    if (!report(result)) return ExitCode::kFailure;
    if (!result.is_valid()) return ExitCode::kInvalid;
    return result.slo && !result.slo->is_met() ? ExitCode::kSloMissed : ExitCode::kOk;
  }

 private:
  std::optional<pid_t> pid() const {
    if (!options_.server_pid) return std::nullopt;
    return static_cast<pid_t>(*options_.server_pid);
  }
  std::uint64_t server_bytes() const { return pid() ? resident_bytes_of(*pid()).value_or(0) : 0; }
  std::optional<std::int64_t> server_cpu() const {
    return pid() ? cpu_ns_of(*pid()) : std::nullopt;
  }

  // Nothing when the server is another machine's: this one's table tells nothing about it.
  std::optional<client::Address> server_udp() const {
    const auto address = target_->server_udp_address();
    return address && is_this_machine(*address) ? address : std::nullopt;
  }

  // Whether the files can be written, before a long run and not after it.
  bool can_report() const {
    for (const std::string& path : {options_.json_path, options_.html_path}) {
      if (path.empty() || path == "-") continue;
      if (!std::ofstream(path, std::ios::app)) {
        say("cannot write " + path + ": " + client::system_reason(errno));
        return false;
      }
    }
    return true;
  }

  bool pin() const {
    if (!options_.cpu) return true;
    cpu_set_t cores;
    CPU_ZERO(&cores);
    if (*options_.cpu < CPU_SETSIZE) CPU_SET(*options_.cpu, &cores);
    if (::sched_setaffinity(0, sizeof cores, &cores) == 0) return true;
    say("cannot run on core " + std::to_string(*options_.cpu) +
        " (--cpu): " + client::system_reason(errno));
    return false;
  }

  bool connect() {
    TargetConfig config = options_.connect;
    config.on_progress = [this](std::uint32_t joined) {
      progress_.joined(joined, options_.workload.population.members());
    };
    config.interrupt_fd = interrupt_fd();
    auto target = make_target(options_.target, std::move(config));
    if (!target) {
      say(target.error());
      return false;
    }
    target_ = std::move(*target);
    connect_.server_pid = static_cast<std::uint64_t>(options_.server_pid.value_or(0));
    connect_.resident_bytes_before = server_bytes();
    const auto cpu_before = server_cpu();
    const std::int64_t begin_ns = now_ns();
    const auto joined = target_->connect();
    connect_.seconds = static_cast<double>(now_ns() - begin_ns) / 1e9;
    progress_.clear();
    for (const std::string& remark : target_->remarks()) say(remark);
    if (!joined) {
      say(joined.error());
      return false;
    }
    connect_.members = joined->members;
    if (joined->has_own_sockets) settings_.sockets = "own";
    connect_.resident_bytes_joined = server_bytes();
    if (const auto cpu = server_cpu(); cpu && cpu_before) {
      connect_.server_cpu_s = static_cast<double>(*cpu - *cpu_before) / 1e9;
    }
    return true;
  }

  RunResult judged(const Measurement& measured) {
    progress_.clear();
    RunResult result = make_result(settings_, connect_, measured, server_bytes());
    Verdict verdict = judge(settings_.loop, measured, options_.limits);
    result.invalid_because = std::move(verdict.reasons);
    is_server_lost_ = verdict.is_server_lost;
    if (options_.slo) result.slo = options_.slo->evaluate(result);
    return result;
  }

  // The result at the highest rate that held; of the last step, when none did. A search that could
  // not go to its end has found no highest rate, so its result is INVALID.
  RunResult find_max(Engine& engine) {
    RateSearch search(options_.workload.rate_per_s);
    RunResult best;
    std::vector<SearchStep> steps;
    std::string unknown_beyond;
    std::string ended_early;
    while (const auto rate = search.next()) {
      settings_.rate_per_s = rate;
      RunResult result = judged(engine.measure(*rate));
      const bool holds = result.is_valid() && result.slo->is_met();
      const std::string why = !result.is_valid() ? "INVALID: " + result.invalid_because.front()
                              : holds            ? "holds"
                                                 : missed(*result.slo);
      say(format_per_second(*rate) + " messages: " + why);
      steps.push_back({.rate_per_s = *rate, .holds = holds, .outcome = why});
      const std::string at = "at " + format_per_second(*rate) + ", ";
      if (!result.is_valid()) unknown_beyond = at + result.invalid_because.front();
      if (interrupted() != 0) ended_early = "the search was interrupted by a signal";
      if (is_server_lost_) ended_early = "the search ended " + at + result.invalid_because.front();
      search.report(holds);
      if (holds || !search.best()) best = std::move(result);
      if (!ended_early.empty()) break;
    }
    if (!ended_early.empty()) {
      if (best.is_valid()) best.invalid_because.push_back(ended_early);
    } else if (!search.best()) {
      say("no rate was found that holds the SLO");
    } else if (unknown_beyond.empty()) {
      say("highest rate that holds the SLO: " + format_per_second(*search.best()) + " messages");
    } else {
      say("the SLO holds at " + format_per_second(*search.best()) +
          " messages; what the server can do beyond is not known: " + unknown_beyond);
    }
    best.search = std::move(steps);
    return best;
  }

  static std::string missed(const SloOutcome& outcome) {
    std::string text;
    for (const SloCheck& check : outcome.checks) {
      if (check.is_met) continue;
      text += (text.empty() ? "" : ", ") + check.condition + " missed: " + check.actual;
    }
    return text;
  }

  bool report(const RunResult& result) const {
    const bool json_only = options_.json_path == "-";
    const bool in_color = ::isatty(STDOUT_FILENO) == 1;
    bool is_written =
        print(json_only ? to_json(result)
                        : to_table(result, in_color ? TextStyle::kColor : TextStyle::kPlain));
    if (!json_only && !options_.json_path.empty()) {
      is_written = write_file(options_.json_path, to_json(result)) && is_written;
    }
    if (!options_.html_path.empty()) {
      is_written = write_file(options_.html_path, to_html(result)) && is_written;
    }
    return is_written;
  }

  const RunOptions& options_;
  RunSettings settings_;
  Progress progress_;
  std::unique_ptr<Target> target_;
  ConnectFigures connect_;
  bool is_server_lost_ = false;  // as the last measurement has found
};

}  // namespace

ExitCode run(const RunOptions& options) {
  // OpenSSL has no way to write to a broker that has gone without this signal. What cannot be
  // printed is an error as on a full disk.
  std::signal(SIGPIPE, SIG_IGN);
  watch_for_interrupts();
  return Run(options)();
}

namespace {

// The files' own words may be anything.
std::string sanitized_lines(std::string_view text) {
  std::string safe;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(line.size() < text.size() ? line.size() + 1 : line.size());
    safe += client::sanitize(line) + "\n";
  }
  return safe;
}

}  // namespace

ExitCode compare(const CompareOptions& options) {
  const auto a = load_json(options.a_path);
  const auto b = load_json(options.b_path);
  for (const auto* loaded : {&a, &b}) {
    if (!*loaded) say(loaded->error());
  }
  if (!a || !b) return ExitCode::kFailure;
  return print(sanitized_lines(to_comparison(*a, *b))) ? ExitCode::kOk : ExitCode::kFailure;
}

}  // namespace chatd::bench
