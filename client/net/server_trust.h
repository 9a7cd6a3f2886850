// Whether the server that answers is the one that the person means. In this order:
//
//  - --pin: its certificate has this fingerprint, or it is not the one.
//  - An authority that this machine trusts says so.
//  - It is on this machine (127.0.0.0/8, ::1). What goes there can be read and changed by nobody
//    but the machine itself, so there is nothing to ask; and a chatd that is tried out makes a new
//    certificate at each start, which must not look like an attack.
//  - It has the certificate that it had when the person came to trust it (known_servers.h). With
//    another one it is refused, whatever the flags: somebody may be in between.
//  - It is new: on a terminal the person is asked; with --trust-new nobody is, and it is trusted.
//    Otherwise it is refused.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <utility>

#include "client/net/known_servers.h"
#include "client/net/server_address.h"

namespace chatd::client {

class ServerTrust {
 public:
  struct Wishes {
    std::string pin = {};  // in the form of read_fingerprint(); empty: none
    bool trusts_new = false;
    // Asks the person, who says yes or no; nothing: the asking was interrupted. Without it there is
    // nobody to ask.
    std::function<std::optional<bool>(const std::string& question)> ask = {};
    // Says something that is no error.
    std::function<void(const std::string& text)> tell = {};
  };

  // Nothing is remembered without a file.
  ServerTrust(Wishes wishes, std::optional<KnownServers> known)
      : wishes_(std::move(wishes)), known_(std::move(known)) {}

  tl::expected<void, Error> check(const ServerCertificate& certificate);
  // From here on the terminal belongs to the talk.
  void stop_asking() { wishes_.ask = {}; }

 private:
  tl::expected<void, Error> check_pin(const std::string& server, const std::string& found) const;
  tl::expected<void, Error> check_new(const std::string& server, const std::string& found,
                                      const std::string& doubt);
  void trust(const std::string& server, const std::string& fingerprint);

  Wishes wishes_;
  std::optional<KnownServers> known_;
  std::string trusted_;  // the fingerprint that was found good in this run
};

}  // namespace chatd::client
