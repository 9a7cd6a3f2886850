#include "server/admin/status_page.h"

#include <sodium/crypto_hash_sha256.h>
#include <sodium/utils.h>

#include <array>
#include <cstddef>

namespace chatd {
namespace {

// " 'sha256-…'" for each element of this name.
std::string hashes_of(std::string_view html, std::string_view begin, std::string_view end) {
  std::string hashes;
  for (std::size_t at = html.find(begin); at != std::string_view::npos; at = html.find(begin)) {
    html.remove_prefix(at + begin.size());
    const std::string_view text = html.substr(0, html.find(end));
    std::array<unsigned char, crypto_hash_sha256_BYTES> digest;
    crypto_hash_sha256(digest.data(), reinterpret_cast<const unsigned char*>(text.data()),
                       text.size());
    std::array<char,
               sodium_base64_ENCODED_LEN(crypto_hash_sha256_BYTES, sodium_base64_VARIANT_ORIGINAL)>
        base64;
    sodium_bin2base64(base64.data(), base64.size(), digest.data(), digest.size(),
                      sodium_base64_VARIANT_ORIGINAL);
    hashes.append(" 'sha256-").append(base64.data()).append("'");
  }
  return hashes;
}

}  // namespace

std::string content_security_policy(std::string_view html) {
  return "default-src 'none'; connect-src 'self'; img-src data:; script-src" +
         hashes_of(html, "<script>", "</script>") + "; style-src" +
         hashes_of(html, "<style>", "</style>") +
         "; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
}

HttpResponse status_page() {
  return {.status = 200,
          .content_type = "text/html; charset=utf-8",
          .body = std::string(kStatusPageHtml),
          .headers = {{"Content-Security-Policy", content_security_policy(kStatusPageHtml)}}};
}

}  // namespace chatd
