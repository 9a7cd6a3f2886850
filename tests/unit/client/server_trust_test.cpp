// Whom `chat` takes for the server that is meant, and the file in which it remembers that.
#include "client/net/server_trust.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/stat.h>

#include <fstream>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include "client/net/address.h"
#include "tests/support/temporary_folder.h"

namespace chatd::client {
namespace {

Address address(const char* ip, std::uint16_t port = 8001) {
  return resolve(ip, port, 0, -1).value().front();
}

// 64 times this digit, as openssl(1) writes it.
std::string digits(char digit) {
  std::string text(2, digit);
  for (int i = 1; i < 32; ++i) text += std::string(":") + digit + digit;
  return text;
}

class ServerTrusted : public testing::Test {
 protected:
  ServerCertificate certificate(char digit, const char* ip = "192.0.2.7") const {
    return {.host = "chat.example",
            .peer = address(ip),
            .doubt = "self-signed certificate",
            .fingerprint = digits(digit)};
  }
  ServerTrust trust(ServerTrust::Wishes wishes = {}) {
    wishes.tell = [this](const std::string& text) { told_ += text; };
    return {std::move(wishes), KnownServers(file())};
  }
  std::filesystem::path file() const {
    return std::filesystem::path(folder_.path()) / "chat" / "known_servers";
  }
  std::string content() const {
    std::ostringstream text;
    text << std::ifstream(file()).rdbuf();
    return text.str();
  }
  // Answers so, and keeps the question.
  std::function<std::optional<bool>(const std::string&)> answers(std::optional<bool> answer) {
    return [this, answer](const std::string& question) {
      questions_.push_back(question);
      return answer;
    };
  }

  test::TemporaryFolder folder_;
  std::vector<std::string> questions_;
  std::string told_;
};

void expect_untrusted(const tl::expected<void, Error>& checked, const std::string& text) {
  ASSERT_FALSE(checked.has_value());
  EXPECT_EQ(checked.error().kind, ErrorKind::kUntrusted);
  EXPECT_NE(checked.error().reason.find(text), std::string::npos) << checked.error().reason;
}

TEST_F(ServerTrusted, ByAnAuthority) {
  ServerCertificate known = certificate('A');
  known.is_trusted = true;
  EXPECT_TRUE(trust({.ask = answers(false)}).check(known).has_value());
  EXPECT_TRUE(questions_.empty());
  EXPECT_EQ(content(), "");
}

// A chatd that is tried out makes a new certificate at each start.
TEST_F(ServerTrusted, OnThisMachineWhateverItShows) {
  for (const char* const ip : {"127.0.0.1", "127.3.2.1", "::1", "::ffff:127.0.0.1"}) {
    EXPECT_TRUE(trust().check(certificate('A', ip)).has_value()) << ip;
    EXPECT_TRUE(trust().check(certificate('B', ip)).has_value()) << ip;
  }
  EXPECT_FALSE(trust().check(certificate('A', "128.0.0.1")).has_value());
  EXPECT_FALSE(trust().check(certificate('A', "2001:db8::1")).has_value());
  EXPECT_EQ(content(), "");
}

TEST_F(ServerTrusted, ByItsPinAndNothingElse) {
  ServerTrust pinned = trust({.pin = "sha256:" + digits('A'), .trusts_new = true});
  EXPECT_TRUE(pinned.check(certificate('A')).has_value());
  expect_untrusted(pinned.check(certificate('B')), "another certificate than --pin says");
  expect_untrusted(pinned.check(certificate('B', "127.0.0.1")), "now:   sha256:" + digits('B'));
  ServerCertificate vouched = certificate('B');
  vouched.is_trusted = true;
  EXPECT_FALSE(pinned.check(vouched).has_value());
  EXPECT_EQ(content(), "");
}

TEST_F(ServerTrusted, NotWithoutAWord) {
  expect_untrusted(trust().check(certificate('A')),
                   "the certificate of chat.example:8001 is not known here (self-signed "
                   "certificate).\n  now: sha256:" +
                       digits('A'));
  EXPECT_EQ(content(), "");
}

TEST_F(ServerTrusted, OnceThePersonSaysSo) {
  expect_untrusted(trust({.ask = answers(false)}).check(certificate('A')), "you do not trust");
  const auto interrupted = trust({.ask = answers(std::nullopt)}).check(certificate('A'));
  EXPECT_EQ(interrupted.error().kind, ErrorKind::kInterrupted);
  EXPECT_TRUE(trust({.ask = answers(true)}).check(certificate('A')).has_value());
  ASSERT_EQ(questions_.size(), 3u);
  EXPECT_NE(questions_[2].find(digits('A')), std::string::npos);
  EXPECT_EQ(content(), "chat.example:8001 sha256:" + digits('A') + "\n");
  // From now on nobody is asked, not even in a pipeline.
  EXPECT_TRUE(trust().check(certificate('A')).has_value());
}

TEST_F(ServerTrusted, WithoutAskingWhenThatIsWished) {
  EXPECT_TRUE(trust({.trusts_new = true}).check(certificate('A')).has_value());
  EXPECT_TRUE(trust().check(certificate('A')).has_value());
}

TEST_F(ServerTrusted, NotWithAnotherCertificate) {
  ASSERT_TRUE(trust({.trusts_new = true}).check(certificate('A')).has_value());
  const auto changed = trust({.trusts_new = true, .ask = answers(true)}).check(certificate('B'));
  expect_untrusted(changed, "another certificate than the one that you trust");
  for (const std::string& text :
       {"trusted: sha256:" + digits('A'), "now:     sha256:" + digits('B'),
        "remove the line of chat.example:8001 from " + file().string()}) {
    expect_untrusted(changed, text);
  }
  EXPECT_TRUE(questions_.empty());
  EXPECT_EQ(content(), "chat.example:8001 sha256:" + digits('A') + "\n");
}

TEST_F(ServerTrusted, ForThisRunWhereNothingCanBeKept) {
  ServerTrust forgetful(
      {.ask = answers(true), .tell = [this](const std::string& text) { told_ += text; }},
      std::nullopt);
  EXPECT_TRUE(forgetful.check(certificate('A')).has_value());
  EXPECT_NE(told_.find("is not remembered"), std::string::npos) << told_;
  forgetful.stop_asking();
  EXPECT_TRUE(forgetful.check(certificate('A')).has_value());
  EXPECT_FALSE(forgetful.check(certificate('B')).has_value());
}

TEST_F(ServerTrusted, AddressesHaveBracketsBeforeThePort) {
  ServerCertificate v6 = certificate('A', "2001:db8::7");
  v6.host = "2001:db8::7";
  ASSERT_TRUE(trust({.trusts_new = true}).check(v6).has_value());
  EXPECT_EQ(content(), "[2001:db8::7]:8001 sha256:" + digits('A') + "\n");
}

TEST_F(ServerTrusted, TheFileKeepsWhatItDoesNotUnderstandAndIsForNobodyElse) {
  const KnownServers known(file());
  ASSERT_TRUE(known.remember("One.example:8001", "sha256:" + digits('A')).has_value());
  std::ofstream(file(), std::ios::app) << "# mine\n";
  ASSERT_TRUE(known.remember("two.example:8001", "sha256:" + digits('B')).has_value());
  ASSERT_TRUE(known.remember("one.example:8001", "sha256:" + digits('C')).has_value());
  EXPECT_EQ(content(), "# mine\ntwo.example:8001 sha256:" + digits('B') +
                           "\none.example:8001 sha256:" + digits('C') + "\n");
  EXPECT_EQ(known.fingerprint_of("ONE.example:8001"), "sha256:" + digits('C'));
  EXPECT_EQ(known.fingerprint_of("one.example:8002"), std::nullopt);
  struct stat status {};
  ASSERT_EQ(::stat(file().c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0600U);
  ASSERT_EQ(::stat(file().parent_path().c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0700U);
  // Nothing is left of how it was written.
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(file().parent_path()), {}), 1);
}

TEST_F(ServerTrusted, WhatCannotBeWrittenIsTold) {
  const KnownServers nowhere("/proc/chat/known_servers");
  const auto failed = nowhere.remember("chat.example:8001", "sha256:" + digits('A'));
  ASSERT_FALSE(failed.has_value());
  EXPECT_NE(failed.error().find("/proc/chat/known_servers cannot be written"), std::string::npos);
}

TEST(Fingerprint, IsReadAsPeopleWriteIt) {
  const std::string plain(64, 'a');
  for (const std::string& text : {plain, "sha256:" + plain, "SHA256:" + digits('A'), digits('a')}) {
    EXPECT_EQ(read_fingerprint(text), "sha256:" + digits('A')) << text;
  }
  for (const std::string& text : {std::string(), std::string("sha256:"), plain + "a",
                                  plain.substr(1), "md5:" + plain, std::string(64, 'g')}) {
    EXPECT_EQ(read_fingerprint(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace chatd::client
