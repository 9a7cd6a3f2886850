#include "server/admin/status_page.h"

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>
#include <string>

namespace chatd::test {
namespace {

TEST(StatusPage, IsTheFileByteForByte) {
  std::ostringstream file;
  file << std::ifstream(CHATD_SOURCE_DIR "/server/admin/status_page.html").rdbuf();
  EXPECT_FALSE(kStatusPageHtml.empty());
  EXPECT_EQ(kStatusPageHtml, file.str());
}

// Without what would need 'unsafe-inline', or another server.
TEST(StatusPage, NeedsNothingThatItsPolicyForbids) {
  for (const char* what : {" style=\"", " onclick=", " onload=", "http://", "https://", "@import",
                           "eval(", "<script ", "<style "}) {
    std::string page(kStatusPageHtml);
    // The name of a vocabulary, which no browser fetches.
    const std::string svg = "http://www.w3.org/2000/svg";
    for (std::size_t at = page.find(svg); at != std::string::npos; at = page.find(svg)) {
      page.erase(at, svg.size());
    }
    EXPECT_EQ(page.find(what), std::string::npos) << what;
  }
}

// The digests are those of the words between the tags: printf … | openssl dgst -sha256 -binary |
// base64.
TEST(StatusPage, ItsPolicyNamesTheHashesOfItsScriptsAndStyles) {
  const std::string policy =
      content_security_policy("<style>a{}</style><script>1</script><script>2</script>");
  EXPECT_EQ(policy,
            "default-src 'none'; connect-src 'self'; img-src data:; script-src "
            "'sha256-a4ayc/80/OGda4BO/1o/V0etpOqiLx1JwB5S3beHW0s=' "
            "'sha256-1HNeOiZeFu7gP1lxi5tdAwGcB9i2xR+Q2jpmbuwTqzU='; style-src "
            "'sha256-X1RutGBrXCt9KkSaXMK7tHftWiRscFHOhxsS8tv8hBk='; base-uri 'none'; form-action "
            "'none'; frame-ancestors 'none'");
}

}  // namespace
}  // namespace chatd::test
