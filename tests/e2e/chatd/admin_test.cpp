// The admin endpoint of the real chatd: every path, what it refuses, and that asking harms nothing.
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <filesystem>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "tests/e2e/chatd/server_test.h"
#include "tests/support/http.h"
#include "tests/support/process_figures.h"
#include "tests/support/wait_until.h"

namespace chatd::test {
namespace {

class AdminTest : public ServerTest {
 protected:
  void start_with_admin(std::vector<std::string> flags = {}) {
    flags.insert(flags.end(), {"--admin", "127.0.0.1:0"});
    ASSERT_NO_FATAL_FAILURE(start(std::move(flags)));
    place_ = server().admin_place();
    ASSERT_TRUE(place_.starts_with("http://127.0.0.1:")) << place_;
  }

  HttpAnswer get(std::string_view path) { return http_get(place_, path); }
  JsonObject get_json(std::string_view path) {
    const HttpAnswer answer = get(path);
    EXPECT_EQ(answer.status, 200) << path << ": " << answer.body;
    return JsonObject(answer.body);
  }
  // An answer that says what happened and what to do.
  void expect_refusal(const HttpAnswer& answer, int status) {
    EXPECT_EQ(answer.status, status) << answer.body;
    const JsonObject why(answer.body);
    EXPECT_FALSE(why.text("title").empty()) << answer.body;
    EXPECT_FALSE(why.text("detail").empty()) << answer.body;
  }

  const std::string& place() const { return place_; }

 private:
  std::string place_;
};

// The sum over all shards of a metric with this beginning of a line.
double sum_of(const std::string& metrics, const std::string& name, const std::string& label = "") {
  std::istringstream lines(metrics);
  double sum = 0;
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with(name + "{") || line.find(label) == std::string::npos) continue;
    sum += std::stod(line.substr(line.rfind(' ')));
  }
  return sum;
}

TEST_F(AdminTest, IsOffUnlessItIsAskedFor) {
  ASSERT_NO_FATAL_FAILURE(start());
  totals();
  EXPECT_EQ(server().diagnosis().find("admin endpoint"), std::string::npos);
}

TEST_F(AdminTest, MetricsTellWhatAConversationHasCounted) {
  ASSERT_NO_FATAL_FAILURE(start_with_admin());
  auto room = make_room(server(), "den", {"alice", "bob", "carol"});
  ASSERT_EQ(room.size(), 3u);
  for (int i = 0; i < 5; ++i) {
    const std::string payload = room[0].say("message " + std::to_string(i));
    ASSERT_TRUE(room[1].hears(payload));
    ASSERT_TRUE(room[2].hears(payload));
  }
  ASSERT_TRUE(all_is_heard(room));

  const HttpAnswer answer = get("/metrics");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.headers.at("content-type"), "text/plain; version=0.0.4; charset=utf-8");
  const JsonObject status = get_json("/status.json");
  const Counters counted = totals();
  const auto messages = counted["messages_accepted"];
  EXPECT_EQ(sum_of(answer.body, "chatd_messages_accepted_total"), messages);
  EXPECT_EQ(sum_of(answer.body, "chatd_deliveries_sent_total"), 2 * messages);
  EXPECT_EQ(sum_of(answer.body, "chatd_message_receivers_count"), messages);
  EXPECT_EQ(sum_of(answer.body, "chatd_message_receivers_sum"), 2 * messages);
  EXPECT_EQ(sum_of(answer.body, "chatd_message_receivers_bucket", "le=\"1\""), 0);
  EXPECT_EQ(sum_of(answer.body, "chatd_message_receivers_bucket", "le=\"3\""), messages);
  EXPECT_EQ(sum_of(answer.body, "chatd_relay_latency_seconds_count"),
            counted["datagrams_received"]);
  EXPECT_EQ(sum_of(answer.body, "chatd_rooms"), 1);
  EXPECT_EQ(sum_of(answer.body, "chatd_members"), 3);
  EXPECT_EQ(sum_of(answer.body, "chatd_members_joined_total"), 3);

  const JsonObject total = status.object("total");
  EXPECT_EQ(total.object("counters").number("messages_accepted"), static_cast<long>(messages));
  EXPECT_EQ(total.number("members"), 3);
  EXPECT_GT(status.number("resident_bytes"), 1 << 20);
  EXPECT_GT(status.number("open_descriptors"), 5);
  EXPECT_FALSE(status.flag("draining"));
}

TEST_F(AdminTest, HealthAndReadiness) {
  ASSERT_NO_FATAL_FAILURE(start_with_admin());
  EXPECT_EQ(get_json("/healthz").text("status"), "ok");
  EXPECT_EQ(get_json("/readyz").text("status"), "ready");
}

TEST_F(AdminTest, ReadinessEndsWithADrain) {
  ASSERT_NO_FATAL_FAILURE(start_with_admin());
  const auto member = Member::create(server(), "den", "alice");
  ASSERT_TRUE(member);
  server().process().kill(SIGUSR2);
  ASSERT_TRUE(wait_until([&] { return get("/readyz").status != 200; }));
  const HttpAnswer answer = get("/readyz");
  expect_refusal(answer, 503);
  EXPECT_EQ(JsonObject(answer.body).text("status"), "draining");
  EXPECT_EQ(get_json("/healthz").text("status"), "ok");
  EXPECT_TRUE(get_json("/status.json").flag("draining"));
  EXPECT_NE(get("/metrics").body.find("\nchatd_draining 1\n"), std::string::npos);
}

TEST_F(AdminTest, TheConfigurationAndWhereItComesFrom) {
  ASSERT_NO_FATAL_FAILURE(start_with_admin({"--max-rooms", "77"}));
  const HttpAnswer answer = get("/config");
  ASSERT_EQ(answer.status, 200);
  rapidjson::Document page;
  page.Parse(answer.body.c_str());
  ASSERT_FALSE(page.HasParseError());
  std::map<std::string, const Json*> options;
  for (const Json& option : page["options"].GetArray()) {
    options[option["name"].GetString()] = &option;
  }
  EXPECT_GT(options.size(), 20u);
  ASSERT_TRUE(options.contains("limits.max_rooms") && options.contains("limits.idle_timeout"));
  const Json& rooms = *options["limits.max_rooms"];
  EXPECT_STREQ(rooms["value"].GetString(), "77");
  EXPECT_STREQ(rooms["source"].GetString(), "flag --max-rooms");
  EXPECT_TRUE(rooms["needs_restart"].GetBool());
  const Json& timeout = *options["limits.idle_timeout"];
  EXPECT_STREQ(timeout["value"].GetString(), "300s");
  EXPECT_FALSE(timeout["needs_restart"].GetBool());
}

TEST_F(AdminTest, RoomsAPageAtATime) {
  ASSERT_NO_FATAL_FAILURE(start_with_admin());
  std::vector<std::vector<Member>> rooms;
  std::set<std::string> names;
  for (int i = 0; i < 7; ++i) {
    const std::string name = "room \"" + std::to_string(i) + "\" é";
    names.insert(name);
    rooms.push_back(make_room(server(), name, {"alice", "bob"}));
  }
  const auto secret = Member::create(server(), "vault", "carol", {.password = "open sesame"});
  ASSERT_TRUE(secret);
  names.insert("vault");

  std::set<std::string> seen;
  std::string after;
  std::string everything;
  do {
    const HttpAnswer answer = get("/rooms?limit=3&after=" + after);
    ASSERT_EQ(answer.status, 200) << answer.body;
    everything += answer.body;
    rapidjson::Document page;
    page.Parse(answer.body.c_str());
    ASSERT_FALSE(page.HasParseError());
    ASSERT_LE(page["rooms"].Size(), 3u);
    for (const Json& room : page["rooms"].GetArray()) {
      const std::string name = room["name"].GetString();
      EXPECT_TRUE(seen.insert(name).second) << name << " is on two pages";
      EXPECT_EQ(room["members"].GetUint(), name == "vault" ? 1u : 2u);
      EXPECT_EQ(room["has_password"].GetBool(), name == "vault");
      EXPECT_EQ(std::string(room["host"].GetString()), name == "vault" ? "carol" : "alice");
    }
    after = page["next"].GetString();
  } while (!after.empty());
  EXPECT_EQ(seen, names);
  EXPECT_EQ(everything.find("sesame"), std::string::npos);
  EXPECT_EQ(everything.find(secret->token()), std::string::npos);
}

TEST_F(AdminTest, MembersOfARoom) {
  ASSERT_NO_FATAL_FAILURE(start_with_admin());
  auto room = make_room(server(), "a b/c?", {"alice", "bob", "carol"});
  ASSERT_EQ(room.size(), 3u);
  const HttpAnswer first = get("/members?room=a%20b%2Fc%3F&limit=2");
  ASSERT_EQ(first.status, 200) << first.body;
  rapidjson::Document page;
  page.Parse(first.body.c_str());
  EXPECT_EQ(page["total"].GetUint(), 3u);
  ASSERT_EQ(page["members"].Size(), 2u);
  const Json& alice = page["members"][0];
  EXPECT_STREQ(alice["username"].GetString(), "alice");
  EXPECT_EQ(alice["address"].GetString(), room[0].socket().address().to_string());
  EXPECT_TRUE(alice["is_host"].GetBool());
  EXPECT_FALSE(page["members"][1]["is_host"].GetBool());
  const std::string next = page["next"].GetString();
  const JsonObject last = get_json("/members?room=a%20b%2Fc%3F&limit=2&after=" + next);
  EXPECT_EQ(last.text("next"), "");
  for (const Member& member : room) {
    EXPECT_EQ(first.body.find(member.token()), std::string::npos);
  }
  expect_refusal(get("/members?room=nobody"), 404);
}

TEST_F(AdminTest, RefusesWhatItDoesNotUnderstand) {
  ASSERT_NO_FATAL_FAILURE(start_with_admin());
  expect_refusal(get("/nothing"), 404);
  for (const char* path :
       {"/rooms?limit=0", "/rooms?limit=1001", "/rooms?limit=x", "/rooms?limit=-1",
        "/rooms?after=1", "/rooms?after=99.0", "/rooms?after=0.x", "/members",
        "/members?room=", "/members?room=a&after=x", "/members?room=a&limit=0"}) {
    SCOPED_TRACE(path);
    expect_refusal(get(path), 400);
  }
  for (const char* method : {"POST", "PUT", "DELETE", "OPTIONS", "PATCH"}) {
    SCOPED_TRACE(method);
    const HttpAnswer answer = http_ask(method, place(), "/metrics");
    expect_refusal(answer, 405);
    EXPECT_EQ(answer.headers.at("allow"), "GET, HEAD");
  }
  const HttpAnswer head = http_ask("HEAD", place(), "/healthz");
  EXPECT_EQ(head.status, 200);
  EXPECT_EQ(head.body, "");
}

// A web page elsewhere could have a browser on this machine ask, under a name of its own.
TEST_F(AdminTest, AnswersOnlyToItsOwnNames) {
  ASSERT_NO_FATAL_FAILURE(start_with_admin());
  for (const char* host : {"localhost", "LocalHost.:80", "127.0.0.1:80", "[::1]:9100"}) {
    EXPECT_EQ(http_ask("GET", place(), "/healthz", host).status, 200) << host;
  }
  for (const char* host : {"example.org", "example.org:9100", "127.0.0.1.example.org"}) {
    SCOPED_TRACE(host);
    expect_refusal(http_ask("GET", place(), "/status.json", host), 403);
  }
}

TEST_F(AdminTest, TheStatusPageMayOnlyDoWhatItsPolicySays) {
  ASSERT_NO_FATAL_FAILURE(start_with_admin());
  const HttpAnswer page = get("/");
  EXPECT_EQ(page.status, 200);
  EXPECT_EQ(page.headers.at("content-type"), "text/html; charset=utf-8");
  const std::string& policy = page.headers.at("content-security-policy");
  EXPECT_TRUE(policy.starts_with("default-src 'none'; connect-src 'self'")) << policy;
  EXPECT_EQ(policy.find("unsafe"), std::string::npos) << policy;
  EXPECT_EQ(page.headers.at("x-content-type-options"), "nosniff");
  EXPECT_EQ(page.headers.at("cache-control"), "no-store");
}

TEST_F(AdminTest, ASocketFileForItsUserAndGroup) {
  const std::string path =
      std::filesystem::temp_directory_path() / ("chatd-admin-" + std::to_string(::getpid()));
  const std::string place = "unix:" + path;
  ASSERT_NO_FATAL_FAILURE(start({"--admin", place}));
  EXPECT_EQ(server().admin_place(), place);
  struct stat file {};
  ASSERT_EQ(::stat(path.c_str(), &file), 0);
  EXPECT_EQ(file.st_mode & 07777u, 0660u);
  EXPECT_EQ(http_get(place, "/healthz").status, 200);
  EXPECT_EQ(http_ask("GET", place, "/healthz", "proxy.example.org").status, 200);
  {
    ChatdServer second({"--admin", place});
    EXPECT_FALSE(second.ready());
    EXPECT_NE(second.diagnosis().find("somebody answers on"), std::string::npos)
        << second.diagnosis();
  }
  EXPECT_EQ(http_get(place, "/healthz").status, 200) << "the second chatd took the first one's";
  totals();
  EXPECT_FALSE(std::filesystem::exists(path)) << "it is left behind";
}

TEST_F(AdminTest, ASocketFileThatACrashLeftIsReplaced) {
  const std::string path =
      std::filesystem::temp_directory_path() / ("chatd-stale-" + std::to_string(::getpid()));
  const std::string place = "unix:" + path;
  {
    ChatdServer crashed({"--admin", place});
    ASSERT_TRUE(crashed.ready()) << crashed.diagnosis();
    crashed.process().kill(9);
    ASSERT_TRUE(crashed.process().wait_exit());
  }
  ASSERT_TRUE(std::filesystem::exists(path));
  ASSERT_NO_FATAL_FAILURE(start({"--admin", place}));
  EXPECT_EQ(http_get(place, "/healthz").status, 200);
}

TEST_F(AdminTest, StartsNowhereWhereOthersCouldAsk) {
  const struct {
    const char* address;
    int exit_code;
    const char* words;
  } cases[] = {{"0.0.0.0:9100", 2, "not a loopback address"},
               {"nonsense", 2, "not an admin address"},
               {"unix:/nonexistent/folder/admin.sock", 1, "Does its folder exist"},
               {"unix:/etc/passwd", 1, "is not a socket"}};
  for (const auto& each : cases) {
    SCOPED_TRACE(each.address);
    ChatdServer chatd({"--admin", each.address});
    EXPECT_FALSE(chatd.ready());
    const auto exit = chatd.process().wait_exit();
    ASSERT_TRUE(exit);
    EXPECT_EQ(exit->code, each.exit_code);
    EXPECT_NE(chatd.diagnosis().find(each.words), std::string::npos) << chatd.diagnosis();
  }
}

TEST_F(AdminTest, AskingAllTheTimeLosesNoMessage) {
  ASSERT_NO_FATAL_FAILURE(start_with_admin({"--max-member-messages", "0"}));
  auto room = make_room(server(), "den", {"alice", "bob", "carol"});
  ASSERT_EQ(room.size(), 3u);
  std::atomic<bool> is_over = false;
  std::atomic<int> answered = 0;
  std::thread asker([&] {
    while (!is_over) {
      for (const char* path : {"/metrics", "/status.json", "/rooms", "/members?room=den"}) {
        answered += http_get(place(), path).status == 200 ? 1 : 0;
      }
    }
  });
  int said = 0;
  for (; said < 2000 || answered < 40; ++said) {
    const std::string payload = room[0].say("message " + std::to_string(said));
    for (std::size_t i = 1; i < room.size(); ++i) {
      EXPECT_TRUE(room[i].hears(payload));
      if (HasFailure()) break;
    }
    if (HasFailure()) break;
  }
  is_over = true;
  asker.join();
  const Counters counted = totals();
  EXPECT_EQ(counted["messages_accepted"], static_cast<std::uint64_t>(said));
  EXPECT_EQ(counted["deliveries_sent"], 2u * static_cast<std::uint64_t>(said));
}

// Connections that never ask hold up neither chatd nor its end, and there is a bound to them.
TEST_F(AdminTest, ConnectionsThatOnlyWaitHoldNothingUp) {
  ASSERT_NO_FATAL_FAILURE(start_with_admin());
  const std::size_t before = open_descriptors(server().pid());
  std::vector<UniqueFd> idle;
  for (int i = 0; i < 100; ++i) idle.push_back(http_connect(place()));
  auto room = make_room(server(), "den", {"alice", "bob"});
  ASSERT_EQ(room.size(), 2u);
  EXPECT_TRUE(all_is_heard(room));
  EXPECT_LE(open_descriptors(server().pid()), before + 20);
  totals();
}

// Nor do they lock anybody out: whoever comes has the place of the one that has waited longest.
TEST_F(AdminTest, ConnectionsThatOnlyWaitLockNobodyOut) {
  ASSERT_NO_FATAL_FAILURE(start_with_admin());
  std::vector<UniqueFd> slow;
  for (int i = 0; i < 40; ++i) {
    slow.push_back(http_connect(place()));
    ASSERT_TRUE(slow.back());
    // Some have begun to ask, and some are kept for a next request.
    if (i % 3 == 1) {
      ASSERT_EQ(::send(slow.back().get(), "GET /he", 7, MSG_NOSIGNAL), 7);
    } else if (i % 3 == 2) {
      ASSERT_EQ(http_ask_kept(slow.back().get(), "/healthz").status, 200);
    }
    ASSERT_EQ(get("/healthz").status, 200) << i;
  }
  const auto is_open = [](const UniqueFd& fd) {
    char byte = 0;
    return ::recv(fd.get(), &byte, 1, MSG_DONTWAIT) < 0 && errno == EAGAIN;
  };
  EXPECT_FALSE(is_open(slow.front()));
  EXPECT_TRUE(is_open(slow.back()));
}

TEST_F(AdminTest, AConnectionIsKeptForMoreQuestions) {
  ASSERT_NO_FATAL_FAILURE(start_with_admin());
  const UniqueFd fd = http_connect(place());
  ASSERT_TRUE(fd);
  for (const char* path : {"/healthz", "/metrics", "/readyz"}) {
    EXPECT_EQ(http_ask_kept(fd.get(), path).status, 200) << path;
  }
}

TEST_F(AdminTest, ARequestThatIsTooLongIsRefused) {
  ASSERT_NO_FATAL_FAILURE(start_with_admin());
  const UniqueFd fd = http_connect(place());
  ASSERT_TRUE(fd);
  const HttpAnswer answer =
      http_exchange(fd.get(), "GET /" + std::string(100'000, 'x') + " HTTP/1.1\r\n\r\n");
  EXPECT_NE(answer.status, 200);
  EXPECT_EQ(get("/healthz").status, 200);
}

}  // namespace
}  // namespace chatd::test
