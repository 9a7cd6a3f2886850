// The certificate of the TLS port: the operator's, replaced while chatd runs, or chatd's own, which
// stays the same.
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>

#include "tests/e2e/chatd/server_test.h"
#include "tests/support/http.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/tls_peer.h"

namespace chatd::test {
namespace {

std::string text_of(BIO* bio) {
  char* bytes = nullptr;
  const long size = BIO_get_mem_data(bio, &bytes);
  std::string text(bytes, static_cast<std::size_t>(size));
  BIO_free(bio);
  return text;
}

// A new certificate and its key, signed by itself.
struct Pair {
  Pair() {
    EVP_PKEY* const fresh = EVP_EC_gen("P-256");
    X509* const made = X509_new();
    X509_set_version(made, X509_VERSION_3);
    X509_gmtime_adj(X509_getm_notBefore(made), 0);
    X509_gmtime_adj(X509_getm_notAfter(made), 3600);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(made), "CN", MBSTRING_ASC,
                               reinterpret_cast<const unsigned char*>("chat.example"), -1, -1, 0);
    X509_set_issuer_name(made, X509_get_subject_name(made));
    X509_set_pubkey(made, fresh);
    X509_sign(made, fresh, EVP_sha256());
    BIO* const certificate_text = BIO_new(BIO_s_mem());
    PEM_write_bio_X509(certificate_text, made);
    certificate = test::text_of(certificate_text);
    BIO* const key_text = BIO_new(BIO_s_mem());
    PEM_write_bio_PrivateKey(key_text, fresh, nullptr, nullptr, 0, nullptr, nullptr);
    key = test::text_of(key_text);
    X509_free(made);
    EVP_PKEY_free(fresh);
  }
  std::string certificate;
  std::string key;
};

class TlsCertificates : public ServerTest {
 protected:
  std::string path(const std::string& name) const { return folder_.path() + "/" + name; }
  void write(const std::string& name, const std::string& text) {
    std::ofstream(path(name)) << text;
  }
  std::string read(const std::string& name) {
    std::ifstream file(path(name));
    return {std::istreambuf_iterator<char>(file), {}};
  }
  void write(const Pair& pair) {
    write("cert.pem", pair.certificate);
    write("key.pem", pair.key);
  }
  std::vector<std::string> flags() const {
    return {"--tls-certificate", path("cert.pem"), "--tls-key", path("key.pem")};
  }
  std::string fingerprint() {
    TlsPeer peer(server().tls());
    EXPECT_TRUE(peer.read_greeting()) << peer.failure();
    return peer.fingerprint();
  }
  testing::AssertionResult says(std::string_view text) {
    if (server().process().wait_for_text(Stream::kStderr, text)) return testing::AssertionSuccess();
    return testing::AssertionFailure() << "not said: " << text << "\n" << server().diagnosis();
  }
  ProcessOptions in_state_directory() const {
    return {.environment = {{"STATE_DIRECTORY", folder_.path()}}};
  }
  // What chatd says before it gives up.
  static std::string refusal(std::vector<std::string> flags, int code) {
    flags.insert(flags.begin(),
                 {ChatdServer::program(), "--tcp-port", "0", "--udp-port", "0", "--tls-port", "0"});
    Process chatd(std::move(flags));
    const auto status = chatd.wait_exit();
    if (!status) return "it does not end";
    EXPECT_EQ(status->code, code);
    return chatd.captured(Stream::kStderr);
  }

 private:
  TemporaryFolder folder_;
};

TEST_F(TlsCertificates, TheOperatorsOwnIsServed) {
  write(Pair());
  ASSERT_NO_FATAL_FAILURE(start(flags()));
  const std::string served = fingerprint();
  EXPECT_TRUE(says("with the certificate from " + path("cert.pem") + "; its SHA-256 is " + served));
}

TEST_F(TlsCertificates, BothMayStandInOneFile) {
  const Pair pair;
  write("both.pem", pair.key + pair.certificate);
  ASSERT_NO_FATAL_FAILURE(start({"--tls-certificate", path("both.pem")}));
  EXPECT_FALSE(fingerprint().empty());
}

// Who is connected stays so, and the next one sees the new one; without a configuration file, too.
TEST_F(TlsCertificates, AReloadBringsTheNewOne) {
  write(Pair());
  ASSERT_NO_FATAL_FAILURE(start(flags()));
  TlsPeer early(server().tls());
  ASSERT_TRUE(early.read_greeting());
  write(Pair());
  server().process().kill(SIGHUP);
  ASSERT_TRUE(says("reload: the TLS port has another certificate; its SHA-256 is "));
  const std::string now = fingerprint();
  EXPECT_NE(now, early.fingerprint());
  EXPECT_TRUE(says("another certificate; its SHA-256 is " + now));
  EXPECT_TRUE(early.request(list_request()).completed);
  // A ticket of before is as good: it is chatd's word, not the certificate's.
  TlsPeer back(server().tls(), {.ticket = early.ticket()});
  EXPECT_TRUE(back.request(list_request()).completed);
  EXPECT_TRUE(back.is_resumed());
}

TEST_F(TlsCertificates, ABrokenPairIsRefusedAndTheOldOneGoesOn) {
  const Pair old;
  write(old);
  ASSERT_NO_FATAL_FAILURE(start(flags()));
  const std::string served = fingerprint();
  const auto reload = [&](const std::string& complaint) {
    server().process().kill(SIGHUP);
    EXPECT_TRUE(says(complaint));
    EXPECT_TRUE(says("nothing has changed; mend this and reload again"));
    EXPECT_EQ(fingerprint(), served);
  };
  write("key.pem", Pair().key);
  reload("the key is not that of the certificate");
  write("key.pem", "no key");
  reload("key: there is no private key in it that can be read without a passphrase");
  write("cert.pem", "no certificate");
  reload("certificate: there is no certificate in it (-----BEGIN CERTIFICATE-----)");
  write("cert.pem", old.certificate.substr(0, old.certificate.size() / 2));
  reload("certificate: a certificate in it cannot be read");
  ::unlink(path("cert.pem").c_str());
  reload("--tls-certificate: " + path("cert.pem") + " cannot be read: No such file or directory");
  write(old);
  server().process().kill(SIGHUP);
  EXPECT_TRUE(says("reload: nothing has changed\n"));
}

TEST_F(TlsCertificates, ABrokenPairIsFoundBeforeItIsServed) {
  write(Pair());
  write("key.pem", Pair().key);
  std::vector<std::string> with = flags();
  EXPECT_NE(refusal(with, 1).find("chatd cannot start: --tls-certificate " + path("cert.pem") +
                                  ", --tls-key " + path("key.pem") + ": the key is not that"),
            std::string::npos);
  with.emplace_back("--check-config");
  EXPECT_NE(refusal(with, 2).find("the key is not that"), std::string::npos);
  EXPECT_NE(refusal({"--tls-key", path("key.pem")}, 1).find("there is no --tls-certificate that"),
            std::string::npos);
}

TEST_F(TlsCertificates, ItsOwnIsKeptInTheStateDirectory) {
  ASSERT_NO_FATAL_FAILURE(start({}, in_state_directory()));
  const std::string first = fingerprint();
  EXPECT_TRUE(says("kept in " + path("tls.pem")));
  struct stat file {};
  ASSERT_EQ(::stat(path("tls.pem").c_str(), &file), 0);
  EXPECT_EQ(file.st_mode & 0777, 0600U);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(path("")), {}), 2)
      << "it, and the key of resets; nothing half written";
  totals();
  ASSERT_NO_FATAL_FAILURE(start({}, in_state_directory()));
  EXPECT_EQ(fingerprint(), first);
}

TEST_F(TlsCertificates, OneThatIsDamagedIsReplaced) {
  write("tls.pem", "half a cert");
  ASSERT_NO_FATAL_FAILURE(start({}, in_state_directory()));
  EXPECT_TRUE(says(path("tls.pem") + ": certificate: there is no certificate in it"));
  EXPECT_TRUE(says("chatd makes a new certificate"));
  EXPECT_NE(read("tls.pem").find("BEGIN PRIVATE KEY"), std::string::npos);
  EXPECT_FALSE(fingerprint().empty());
}

TEST_F(TlsCertificates, WhatCannotBeKeptIsServedAllTheSame) {
  ASSERT_NO_FATAL_FAILURE(start({}, {.environment = {{"STATE_DIRECTORY", path("there is none")}}}));
  EXPECT_TRUE(says("the certificate cannot be kept (cannot write " + path("there is none")));
  EXPECT_FALSE(fingerprint().empty());
}

TEST_F(TlsCertificates, TheOperatorSeesIt) {
  ASSERT_NO_FATAL_FAILURE(start({"--admin", "unix:" + path("admin")}));
  const JsonObject tls =
      JsonObject(http_get("unix:" + path("admin"), "/status.json").body).object("tls");
  EXPECT_EQ(tls.text("address"), server().tls().to_string());
  EXPECT_EQ(tls.text("certificate_sha256"), fingerprint());
}

}  // namespace
}  // namespace chatd::test
