// The status page: one HTML file with all that it needs, built into the program, which looks at
// /status.json once a second. Thread: any.
#pragma once

#include <string>
#include <string_view>

#include "server/admin/http_server.h"

namespace chatd {

HttpResponse status_page();

// server/admin/status_page.html, by the build.
extern const std::string_view kStatusPageHtml;

// What a browser may do for this page: run and show what stands in the page itself (by the hashes
// of its scripts and styles), ask the server it came from, and nothing else.
std::string content_security_policy(std::string_view html);

}  // namespace chatd
