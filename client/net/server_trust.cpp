#include "client/net/server_trust.h"

namespace chatd::client {
namespace {

// "chat.example:8001", "[2001:db8::7]:8001".
std::string name_of(const ServerCertificate& certificate) {
  const std::string port = std::to_string(certificate.peer.port());
  const bool is_v6 = certificate.host.find(':') != std::string::npos;
  return (is_v6 ? "[" + certificate.host + "]:" : certificate.host + ":") + port;
}

tl::unexpected<Error> untrusted(std::string reason) {
  return failure(ErrorKind::kUntrusted, std::move(reason));
}

std::string not_known(const std::string& server, const std::string& doubt) {
  return "the certificate of " + server + " is not known here" +
         (doubt.empty() ? "" : " (" + doubt + ")");
}

}  // namespace

tl::expected<void, Error> ServerTrust::check(const ServerCertificate& certificate) {
  const std::string server = name_of(certificate);
  const auto found = read_fingerprint(certificate.fingerprint);
  if (!found) return untrusted(server + " has shown no certificate");
  if (!wishes_.pin.empty()) return check_pin(server, *found);
  if (certificate.is_trusted || certificate.peer.is_loopback() || *found == trusted_) return {};
  const auto known = known_ ? known_->fingerprint_of(server) : std::nullopt;
  if (!known) return check_new(server, *found, certificate.doubt);
  if (*known == *found) return {};
  return untrusted(server +
                   " has another certificate than the one that you trust. Somebody may be in "
                   "between, or it has a new one.\n  trusted: " +
                   *known + "\n  now:     " + *found +
                   "\nIf its operator says that it is new, remove the line of " + server +
                   " from " + known_->file().string() + " and try again");
}

tl::expected<void, Error> ServerTrust::check_pin(const std::string& server,
                                                 const std::string& found) const {
  if (wishes_.pin == found) return {};
  return untrusted(server +
                   " has another certificate than --pin says. Somebody may be in between, or it "
                   "has a new one: ask its operator.\n  --pin: " +
                   wishes_.pin + "\n  now:   " + found);
}

tl::expected<void, Error> ServerTrust::check_new(const std::string& server,
                                                 const std::string& found,
                                                 const std::string& doubt) {
  if (wishes_.trusts_new) {
    trust(server, found);
    return {};
  }
  if (!wishes_.ask) {
    return untrusted(not_known(server, doubt) + ".\n  now: " + found +
                     "\nIf that is what its operator says (chatd logs it, and `chatctl status` "
                     "shows it), say it after --pin, or --trust-new to remember it");
  }
  const auto answer = wishes_.ask(
      "chat: " + not_known(server, doubt) + ".\n  " + found +
      "\nIts operator can tell whether it is the right one: chatd logs it, `chatctl status` shows "
      "it.\nTrust it from now on? (y/n): ");
  if (!answer) return failure(ErrorKind::kInterrupted, "interrupted");
  if (!*answer) return untrusted("you do not trust the certificate of " + server);
  trust(server, found);
  return {};
}

void ServerTrust::trust(const std::string& server, const std::string& fingerprint) {
  trusted_ = fingerprint;
  std::string why = "there is no directory for it (HOME is not set)";
  if (known_) {
    const auto remembered = known_->remember(server, fingerprint);
    if (remembered) return;
    why = remembered.error();
  }
  if (wishes_.tell) wishes_.tell("the certificate of " + server + " is not remembered: " + why);
}

}  // namespace chatd::client
