// Asks chatd's admin endpoint, over HTTP (libcurl): one connection, kept for the next question.
// Thread: one.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <tl/expected.hpp>

#include "client/ctl/admin_address.h"

namespace chatd::client {

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

  // To look, and to have something done. An error says why there is no answer, and what to do; one
  // that is longer than any of chatd's is none.
  tl::expected<EndpointAnswer, std::string> get(const std::string& path,
                                                const Parameters& parameters = {});
  tl::expected<EndpointAnswer, std::string> post(const std::string& path,
                                                 const Parameters& parameters = {},
                                                 long timeout_ms = kTimeoutMs);

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

}  // namespace chatd::client
