#include "server/options.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <map>
#include <system_error>
#include <utility>
#include <vector>

#include "core/shards/shard_map.h"
#include "core/wire/token.h"
#include "server/process/processors.h"

namespace chatd {
namespace {

constexpr int kUsageError = 2;

// A number with its unit, in milliseconds: a bare 300 would be read as seconds by some and as
// milliseconds by others.
CLI::Validator duration() {
  const auto to_milliseconds = [](std::string& text) -> std::string {
    const std::map<std::string, std::uint32_t> units = {
        {"ms", 1}, {"s", 1000}, {"m", 60'000}, {"min", 60'000}, {"h", 3'600'000}};
    const std::string given = text;
    // CLI11 takes a unit alone for one of it.
    const bool counted = !given.empty() && given.front() >= '0' && given.front() <= '9';
    try {
      CLI::AsNumberWithUnit(units, CLI::AsNumberWithUnit::UNIT_REQUIRED)(text);
      if (counted && text != "0") return {};
    } catch (const CLI::ValidationError&) {
      // Its words name no example; ours do.
    }
    return "'" + given +
           "' is no duration: write a number and a unit, as in 500ms, 300s, 5min or 1h (49 days at "
           "most)";
  };
  return CLI::Validator("").operation(to_milliseconds);
}

void add_duration(CLI::App& app, const std::string& flag, std::uint32_t& value_ms,
                  const std::string& description, const std::string& default_text) {
  app.add_option(flag, value_ms, description)
      ->transform(duration())
      ->type_name("DURATION")
      ->default_str(default_text);
}

// A flag with two values that have names of their own.
CLI::Validator either(const std::string& name_of_false, const std::string& name_of_true) {
  return CLI::Validator("").operation([=](std::string& text) -> std::string {
    if (text != name_of_false && text != name_of_true) {
      return "'" + text + "' is neither " + name_of_false + " nor " + name_of_true;
    }
    text = text == name_of_true ? "true" : "false";
    return {};
  });
}

void add_count(CLI::App& app, const std::string& flag, std::uint32_t& value,
               const std::string& description, std::uint32_t lowest, std::uint32_t highest) {
  app.add_option(flag, value, description)
      ->check(CLI::Range(lowest, highest).description(""))
      ->type_name("NUMBER")
      ->capture_default_str();
}

void add_network(CLI::App& app, Options& options) {
  app.add_option("--host", options.host, "Address or name to listen on; :: is IPv6 and IPv4")
      ->type_name("HOST")
      ->capture_default_str();
  app.add_option("--tcp-port", options.tcp_port, "Control port (0: a free one)")
      ->type_name("PORT")
      ->capture_default_str();
  app.add_option("--udp-port", options.udp_port, "Message port (0: a free one)")
      ->type_name("PORT")
      ->capture_default_str();
}

void add_buffer(CLI::App& app, const std::string& flag, std::uint64_t& bytes,
                const std::string& direction) {
  app.add_option(flag, bytes, "Buffer of the UDP socket for what " + direction)
      ->transform(CLI::AsSizeValue(false))
      ->check(CLI::Range(std::uint64_t{4096}, std::uint64_t{1} << 30).description(""))
      ->type_name("SIZE")
      ->default_str("4MiB");
}

void add_data_plane(CLI::App& app, Options& options) {
  app.option_defaults()->group("Data plane");
  app.add_option("--gso", options.gso,
                 "Send several messages for one member as one train (UDP_SEGMENT): auto, where "
                 "kernel and path take it, or off")
      ->transform(either("off", "auto"))
      ->type_name("MODE")
      ->default_str("auto");
  add_count(app, "--mtu", options.mtu_bytes,
            "Smallest MTU on the way to members, in bytes: longer messages travel alone, and may "
            "be cut into fragments",
            576, 65'536);
  add_buffer(app, "--receive-buffer", options.receive_buffer_bytes, "arrives");
  add_buffer(app, "--send-buffer", options.send_buffer_bytes, "leaves");
}

void add_limits(CLI::App& app, Limits& limits) {
  app.option_defaults()->group("Limits");
  add_duration(app, "--idle-timeout", limits.idle_timeout_ms,
               "Remove a member after so long without a datagram (300s, 500ms, 5min)", "300s");
  add_duration(app, "--handshake-timeout", limits.handshake_timeout_ms,
               "Close a connection that completes no request for so long", "10s");
  add_count(app, "--max-rooms", limits.max_rooms, "Rooms at a time", 1, 10'000'000);
  add_count(app, "--max-members", limits.max_members, "Members at a time, in all rooms", 1,
            kMaxTokenSlot);
  add_count(app, "--max-room-members", limits.max_room_members, "Members of one room", 1,
            kMaxTokenSlot);
  add_count(app, "--max-connections", limits.max_connections, "Control connections at a time", 1,
            1'000'000);
  add_count(app, "--max-frame-bytes", limits.max_frame_bytes, "Largest control frame", 1024,
            1u << 29);
  add_count(app, "--max-notified-members", limits.max_notified_members,
            "Larger rooms hear no join and leave notices", 0, kMaxTokenSlot);
  add_count(app, "--max-source-answers", limits.max_source_answers_per_s,
            "Answers per second to a source that is not authenticated (0: none)", 0, 1000);
}

// `--limits off` is every limit of the group at 0, but for those that the command line names.
class AbuseLimitFlags {
 public:
  AbuseLimitFlags(CLI::App& app, AbuseLimits& limits) : app_(app) {
    app.option_defaults()->group("Limits against abuse (0: no limit)");
    app.add_option("--limits", mode_,
                   "on, or off: none of these but what is given beside it, as for a benchmark in a "
                   "closed network")
        ->check(CLI::IsMember({"on", "off"}).description(""))
        ->type_name("MODE")
        ->capture_default_str();
    add("--max-member-messages", limits.max_member_messages_per_s,
        "Messages per second from one member; bursts of 2 s' worth");
    add("--max-member-bytes", limits.max_member_bytes_per_s,
        "Bytes per second that go out for what one member says, its receivers counted; bursts of "
        "2 s' worth");
    add("--max-room-notices", limits.max_room_notices_per_s,
        "Arrivals and departures per second that a room is told; bursts of 5 s' worth");
    add("--max-address-rooms", limits.max_address_rooms, "Rooms opened from one address");
    add("--max-address-connections", limits.max_address_connections,
        "Control connections at a time from one address");
    add("--max-address-requests", limits.max_address_requests_per_s,
        "Requests per second from one address, and as many connections; bursts of 4 s' worth");
    add("--max-password-attempts", limits.max_password_attempts_per_min,
        "Wrong passwords per minute from one address at one room");
    app.add_flag("--limit-loopback", limits.limit_loopback,
                 "The limits per address hold for loopback addresses, too");
  }

  // After parsing.
  void apply_mode() {
    if (mode_ == "on") return;
    for (const auto& [flag, value] : values_) {
      if (app_.count(flag) == 0) *value = 0;
    }
  }

 private:
  void add(const std::string& flag, std::uint32_t& value, const std::string& description) {
    add_count(app_, flag, value, description, 0, 1'000'000'000);
    values_.emplace_back(flag, &value);
  }

  CLI::App& app_;
  std::string mode_ = "on";
  std::vector<std::pair<std::string, std::uint32_t*>> values_;
};

// A number, or "auto" for one for each processor that chatd may use.
CLI::Validator shards() {
  return CLI::Validator("").operation([](std::string& text) -> std::string {
    if (text == "auto") {
      text = std::to_string(std::min<std::size_t>(usable_processors().size(), kMaxShards));
      return {};
    }
    std::uint32_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error == std::errc() && end == text.data() + text.size() && number >= 1 &&
        number <= kMaxShards) {
      return {};
    }
    return "'" + text + "' is neither auto nor a number from 1 to " + std::to_string(kMaxShards);
  });
}

void add_behaviour(CLI::App& app, Options& options) {
  app.option_defaults()->group("Options");
  app.add_option("--shards", options.shards,
                 "Threads that each serve a part of the rooms: a number, or auto for one for each "
                 "processor that chatd may use")
      ->transform(shards())
      ->type_name("N|auto")
      ->default_str("1");
  app.add_option("--roaming", options.limits.roaming_same_ip,
                 "Whether a member may move to another port of its IP: off or same-ip")
      ->transform(either("off", "same-ip"))
      ->type_name("MODE")
      ->default_str("off");
  app.add_option("--log-level", options.log_level,
                 "trace, debug, info, warn, error, critical or off")
      ->check(CLI::IsMember({"trace", "debug", "info", "warn", "error", "critical", "off"})
                  .description(""))
      ->type_name("LEVEL")
      ->capture_default_str();
}

}  // namespace

tl::expected<Options, int> parse_options(int argc, const char* const* argv) {
  Options options;
  CLI::App app("chatd relays chat rooms: rooms and tokens over TCP, messages over UDP.", "chatd");
  app.set_version_flag("--version", "chatd " CHATD_VERSION);
  add_network(app, options);
  add_data_plane(app, options);
  add_limits(app, options.limits);
  AbuseLimitFlags abuse(app, options.limits.abuse);
  add_behaviour(app, options);
  app.footer(
      "When it serves, chatd prints one line on stdout: chatd ready tcp=ADDRESS udp=ADDRESS.\n"
      "Logs go to stderr. SIGINT and SIGTERM stop it; members are told.\n"
      "Exit codes: 0 stopped as asked, 1 could not start, 2 bad command line.");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return tl::unexpected(app.exit(error) == 0 ? 0 : kUsageError);
  }
  abuse.apply_mode();
  return options;
}

}  // namespace chatd
