// A client of the TLS port. It takes any certificate; tests look at which one it was.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "server/os/unique_fd.h"
#include "tests/support/control_peer.h"
#include "tests/support/socket_address.h"

struct ssl_st;
struct ssl_ctx_st;
struct ssl_session_st;

namespace chatd::test {

// What a client shows when it comes back.
class TlsTicket {
 public:
  TlsTicket() = default;
  explicit TlsTicket(ssl_session_st* session);
  ssl_session_st* get() const { return session_.get(); }
  explicit operator bool() const { return session_ != nullptr; }

 private:
  std::shared_ptr<ssl_session_st> session_;
};

struct TlsPeerOptions {
  std::string protocol = "chatd/2";  // ALPN; "": it offers none
  bool knows_tls13 = true;           // or nothing above 1.2
  TlsTicket ticket = {};
  std::string source_ip = {};
  // The socket is connected, and shake_hands() is for the test to call.
  bool waits = false;
};

class TlsPeer : public ControlPeer {
 public:
  // Connects and shakes hands. See `connected`.
  explicit TlsPeer(const SocketAddress& server, const TlsPeerOptions& options = {});
  TlsPeer(TlsPeer&&) = default;
  ~TlsPeer() override;

  // Whether our side of the handshake is done. The server's is when it has sent something.
  bool connected() const { return connected_; }
  bool shake_hands();
  // Sends the first message of a handshake, and waits for nothing.
  void begin();
  // OpenSSL's words for why something has failed last.
  const std::string& failure() const { return failure_; }

  bool is_resumed() const;
  std::string protocol() const;     // that both speak
  std::string fingerprint() const;  // SHA-256 of the server's certificate, as chatd writes it
  // The last one that has come; they come with the first bytes that are read.
  TlsTicket ticket() const;

  bool send(std::string_view bytes, Deadline deadline = kPatience) override;
  // Says that no more comes; the socket stays.
  void finish_sending();
  // Asks for new keys on both sides, which takes an answer.
  void ask_for_new_keys();
  // To the socket as it is.
  bool send_raw(std::string_view bytes);
  int fd() const { return fd_.get(); }

 private:
  struct Free {
    void operator()(ssl_st* ssl) const;
    void operator()(ssl_ctx_st* context) const;
  };
  bool receive_more(Deadline deadline) override;

  UniqueFd fd_;
  std::unique_ptr<ssl_ctx_st, Free> context_;
  std::unique_ptr<ssl_st, Free> ssl_;
  bool connected_ = false;
  std::string failure_;
};

}  // namespace chatd::test
