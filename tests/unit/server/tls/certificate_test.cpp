// Certificates as text: made, read, and refused with a reason.
#include "server/tls/certificate.h"

#include <gtest/gtest.h>
#include <openssl/x509v3.h>

#include <chrono>
#include <string>

namespace chatd {
namespace {

IpAddress ip(std::string_view text) {
  return IpAddress::parse(text).value();
}

std::string made() {
  return make_self_signed({"chat.example"}, {ip("192.0.2.1"), ip("2001:db8::1")}).value();
}

std::string certificate_in(const std::string& text) {
  return text.substr(text.find("-----BEGIN CERTIFICATE"));
}
std::string key_in(const std::string& text) {
  return text.substr(0, text.find("-----BEGIN CERTIFICATE"));
}

std::string refusal(std::string_view certificates, std::string_view key) {
  const auto parsed = parse_certificate(certificates, key);
  return parsed ? "" : parsed.error();
}

TEST(Certificate, OneThatIsMadeNamesWhereItIs) {
  const std::string text = made();
  const auto parsed = parse_certificate(text, text);
  ASSERT_TRUE(parsed) << parsed.error();
  X509* const leaf = parsed->leaf.get();
  for (const char* const name : {"chat.example", "localhost"}) {
    EXPECT_EQ(X509_check_host(leaf, name, 0, 0, nullptr), 1) << name;
  }
  EXPECT_EQ(X509_check_host(leaf, "other.example", 0, 0, nullptr), 0);
  EXPECT_EQ(X509_check_ip_asc(leaf, "192.0.2.1", 0), 1);
  EXPECT_EQ(X509_check_ip_asc(leaf, "2001:db8::1", 0), 1);
  EXPECT_EQ(X509_check_ip_asc(leaf, "192.0.2.2", 0), 0);
  EXPECT_EQ(EVP_PKEY_get_bits(parsed->key.get()), 256);
  EXPECT_EQ(X509_self_signed(leaf, 1), 1);
}

TEST(Certificate, OneThatIsMadeIsGoodForTenYears) {
  const std::string text = made();
  const auto parsed = parse_certificate(text, text);
  ASSERT_TRUE(parsed);
  EXPECT_FALSE(parsed->has_expired());
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  const std::int64_t left_s =
      parsed->expires_at_s - std::chrono::duration_cast<std::chrono::seconds>(now).count();
  EXPECT_GT(left_s, 9 * 365 * 86'400);
  EXPECT_LE(left_s, 10 * 365 * 86'400);
}

TEST(Certificate, NoTwoAreAlike) {
  const std::string one = made();
  const std::string two = made();
  const auto first = parse_certificate(one, one);
  const auto second = parse_certificate(two, two);
  ASSERT_TRUE(first && second);
  EXPECT_EQ(first->fingerprint.size(), 95U);
  EXPECT_NE(first->fingerprint, second->fingerprint);
}

// Names come from the machine's configuration, and are no way to write other things into it.
TEST(Certificate, NamesThatAreNoneAreLeftOut) {
  const auto text = make_self_signed({"a,DNS:evil.example", "", std::string(300, 'a'), "b c"},
                                     {ip("fe80::1"), ip("0.0.0.0")});
  ASSERT_TRUE(text) << text.error();
  const auto parsed = parse_certificate(*text, *text);
  ASSERT_TRUE(parsed);
  EXPECT_EQ(X509_check_host(parsed->leaf.get(), "evil.example", 0, 0, nullptr), 0);
  EXPECT_EQ(X509_check_host(parsed->leaf.get(), "localhost", 0, 0, nullptr), 1);
}

TEST(Certificate, TheFirstIsTheServersAndTheOthersAreItsChain) {
  const std::string own = made();
  const std::string authority = made();
  const std::string all = certificate_in(own) + certificate_in(authority) + certificate_in(made());
  const auto parsed = parse_certificate(all, key_in(own));
  ASSERT_TRUE(parsed) << parsed.error();
  EXPECT_EQ(parsed->chain.size(), 2U);
  EXPECT_EQ(parsed->fingerprint, parse_certificate(own, own)->fingerprint);
  EXPECT_EQ(refusal(certificate_in(authority) + certificate_in(own), key_in(own)),
            "the key is not that of the certificate: the server's own certificate has to be the "
            "first one in its file");
}

TEST(Certificate, WhatIsNoneIsRefusedWithAReason) {
  const std::string own = made();
  EXPECT_EQ(refusal("", key_in(own)),
            "certificate: there is no certificate in it (-----BEGIN CERTIFICATE-----)");
  EXPECT_EQ(refusal(key_in(own), key_in(own)),
            "certificate: there is no certificate in it (-----BEGIN CERTIFICATE-----)");
  const std::string certificate = certificate_in(own);
  EXPECT_EQ(refusal(certificate.substr(0, 200), key_in(own))
                .find("certificate: a certificate in it"
                      " cannot be read ("),
            0U);
  EXPECT_EQ(refusal(certificate, certificate).find("key: there is no private key in it"), 0U);
  std::string damaged = key_in(own);
  damaged[60] = damaged[60] == 'A' ? 'B' : 'A';
  EXPECT_NE(refusal(certificate, damaged), "");
  // Nothing of an error stays for who comes next.
  EXPECT_TRUE(parse_certificate(own, own));
}

}  // namespace
}  // namespace chatd
