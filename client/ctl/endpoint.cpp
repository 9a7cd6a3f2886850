#include "client/ctl/endpoint.h"

#include <curl/curl.h>
#include <sys/un.h>

#include <cerrno>
#include <cstddef>
#include <cstring>

namespace chatd::client::ctl {
namespace {

constexpr std::string_view kUnix = "unix:";
constexpr std::string_view kHttp = "http://";

}  // namespace

tl::expected<AdminAddress, std::string> parse_admin_address(const std::string& text) {
  AdminAddress address{.text = text, .socket_path = {}, .url = {}};
  if (text.starts_with(kUnix)) {
    address.socket_path = text.substr(kUnix.size());
    address.url = "http://localhost";
    if (!address.socket_path.starts_with('/')) {
      return tl::unexpected<std::string>("unix: needs an absolute path, as in " +
                                         std::string(kUsualPlace));
    }
    if (address.socket_path.size() >= sizeof(sockaddr_un::sun_path)) {
      return tl::unexpected<std::string>("the path of the socket file is too long");
    }
    return address;
  }
  address.url = text.starts_with(kHttp) ? text : std::string(kHttp) + text;
  if (address.url.ends_with('/')) address.url.pop_back();
  const std::string_view authority = std::string_view(address.url).substr(kHttp.size());
  // curl takes much for an address that was never meant for one.
  const bool is_plain = authority.find_first_not_of(
                            "0123456789abcdefghijklmnopqrstuvwxyz"
                            "ABCDEFGHIJKLMNOPQRSTUVWXYZ.:-[]") == std::string_view::npos;
  const std::size_t colon = authority.rfind(':');
  if (!is_plain || colon == std::string_view::npos || colon == 0 || colon + 1 == authority.size()) {
    return tl::unexpected<std::string>("write unix:/PATH, 127.0.0.1:PORT or [::1]:PORT");
  }
  return address;
}

namespace {

constexpr long kConnectTimeoutMs = 5'000;

// A page of a thousand rooms has half a megabyte at most, and so have the metrics of 255 shards.
constexpr std::size_t kMaxBodyBytes = std::size_t{16} << 20;

// Less than it was given ends the transfer.
std::size_t append(const char* data, std::size_t size, std::size_t count, void* body) {
  auto& text = *static_cast<std::string*>(body);
  if (size * count > kMaxBodyBytes - text.size()) return 0;
  text.append(data, size * count);
  return size * count;
}

}  // namespace

struct Endpoint::Curl {
  CURL* handle = ::curl_easy_init();

  Curl() = default;
  Curl(const Curl&) = delete;
  Curl& operator=(const Curl&) = delete;
  ~Curl() { ::curl_easy_cleanup(handle); }
};

Endpoint::Endpoint(AdminAddress address) : address_(std::move(address)), curl_(new Curl) {
  if (curl_->handle == nullptr) return;
  CURL* const curl = curl_->handle;
  ::curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  ::curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, kConnectTimeoutMs);
  ::curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http");
  // What the environment says about proxies is not meant for this machine's own sockets.
  ::curl_easy_setopt(curl, CURLOPT_PROXY, "");
  ::curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, &append);
  if (!address_.socket_path.empty()) {
    ::curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, address_.socket_path.c_str());
  }
}

Endpoint::~Endpoint() = default;

tl::expected<EndpointAnswer, std::string> Endpoint::get(const std::string& path,
                                                        const Parameters& parameters) {
  ::curl_easy_setopt(curl_->handle, CURLOPT_TIMEOUT_MS, kTimeoutMs);
  ::curl_easy_setopt(curl_->handle, CURLOPT_HTTPGET, 1L);
  return ask(path, parameters);
}

tl::expected<EndpointAnswer, std::string> Endpoint::post(const std::string& path,
                                                         const Parameters& parameters,
                                                         long timeout_ms) {
  ::curl_easy_setopt(curl_->handle, CURLOPT_TIMEOUT_MS, timeout_ms);
  ::curl_easy_setopt(curl_->handle, CURLOPT_POST, 1L);
  ::curl_easy_setopt(curl_->handle, CURLOPT_POSTFIELDS, "");
  return ask(path, parameters);
}

// The next question is asked with its own method again.
tl::expected<EndpointAnswer, std::string> Endpoint::remove(const std::string& path,
                                                           const Parameters& parameters) {
  ::curl_easy_setopt(curl_->handle, CURLOPT_TIMEOUT_MS, kTimeoutMs);
  ::curl_easy_setopt(curl_->handle, CURLOPT_HTTPGET, 1L);
  ::curl_easy_setopt(curl_->handle, CURLOPT_CUSTOMREQUEST, "DELETE");
  auto answer = ask(path, parameters);
  ::curl_easy_setopt(curl_->handle, CURLOPT_CUSTOMREQUEST, nullptr);
  return answer;
}

tl::expected<EndpointAnswer, std::string> Endpoint::ask(const std::string& path,
                                                        const Parameters& parameters) {
  CURL* const curl = curl_->handle;
  if (curl == nullptr) return tl::unexpected<std::string>("libcurl does not start");
  std::string url = address_.url + path;
  char separator = '?';
  for (const auto& [name, value] : parameters) {
    char* const escaped = ::curl_easy_escape(curl, value.data(), static_cast<int>(value.size()));
    if (escaped == nullptr) return tl::unexpected<std::string>("there is not enough memory");
    url.append(1, separator).append(name).append("=").append(escaped);
    ::curl_free(escaped);
    separator = '&';
  }
  EndpointAnswer answer;
  ::curl_easy_setopt(curl, CURLOPT_URL, url.c_str());
  ::curl_easy_setopt(curl, CURLOPT_WRITEDATA, &answer.body);
  const CURLcode code = ::curl_easy_perform(curl);
  if (code != CURLE_OK) return tl::unexpected(explain(code));
  ::curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &answer.status);
  return answer;
}

std::string Endpoint::explain(int curl_code) const {
  const auto code = static_cast<CURLcode>(curl_code);
  if (code == CURLE_OPERATION_TIMEDOUT) {
    return "chatd at " + address_.text + " does not answer: look at its log, and at its threads " +
           "(top -H)";
  }
  if (code != CURLE_COULDNT_CONNECT) {
    return "what is at " + address_.text + " does not answer as chatd does (" +
           ::curl_easy_strerror(code) + "): is it chatd's admin endpoint?";
  }
  long os_error = 0;
  ::curl_easy_getinfo(curl_->handle, CURLINFO_OS_ERRNO, &os_error);
  if (os_error == EACCES) {
    return address_.text + " may not be opened: run chatctl as chatd's user, or in its group";
  }
  std::string why;
  if (os_error != 0) why = std::string(" (") + std::strerror(static_cast<int>(os_error)) + ")";
  return "no chatd answers at " + address_.text + why + ": is it running with --admin " +
         address_.text + "? chatctl --admin ADDRESS, or CHATCTL_ADMIN, says where to ask";
}

}  // namespace chatd::client::ctl
