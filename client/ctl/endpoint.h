// chatd's admin endpoint: where it is, and how it is asked.
//
// Thread: one.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>
#include <vector>

namespace chatd::client::ctl {

// Where chatd's admin endpoint is, as --admin says it: unix:/run/chatd/admin.sock, 127.0.0.1:9100
// or http://127.0.0.1:9100/.
struct AdminAddress {
  std::string text;         // as it was given
  std::string socket_path;  // empty: TCP
  std::string url;          // without a slash at the end
};

inline constexpr std::string_view kUsualPlace = "unix:/run/chatd/admin.sock";

// An error is a sentence without a full stop.
tl::expected<AdminAddress, std::string> parse_admin_address(const std::string& text);

// Asks chatd's admin endpoint, over HTTP (libcurl): one connection, kept for the next question.
struct EndpointAnswer {
  long status = 0;
  std::string body;

  bool is_success() const { return status >= 200 && status < 300; }
};

using Parameters = std::vector<std::pair<std::string, std::string>>;

class Endpoint {
 public:
  explicit Endpoint(AdminAddress address);
  Endpoint(const Endpoint&) = delete;
  Endpoint& operator=(const Endpoint&) = delete;
  ~Endpoint();

  // To look, and to have something done. An error says why there is no answer, and what to do. An
  // answer that is longer than any of chatd's is an error.
  tl::expected<EndpointAnswer, std::string> get(const std::string& path,
                                                const Parameters& parameters = {});
  tl::expected<EndpointAnswer, std::string> post(const std::string& path,
                                                 const Parameters& parameters = {},
                                                 long timeout_ms = kTimeoutMs);
  // To have something taken back.
  tl::expected<EndpointAnswer, std::string> remove(const std::string& path,
                                                   const Parameters& parameters);

  // chatd gives its shards two seconds to answer.
  static constexpr long kTimeoutMs = 15'000;
  // A reload after an upgrade is done when the new program has taken over, or when this one has
  // waited a minute for it and has reloaded itself.
  static constexpr long kReloadTimeoutMs = 90'000;

 private:
  struct Curl;

  tl::expected<EndpointAnswer, std::string> ask(const std::string& path,
                                                const Parameters& parameters);
  std::string explain(int curl_code) const;

  AdminAddress address_;
  std::unique_ptr<Curl> curl_;
};

}  // namespace chatd::client::ctl
