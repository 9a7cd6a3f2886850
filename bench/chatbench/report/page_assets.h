// The files in bench/chatbench/report/page, inside the program: a page must not need a file beside
// it, nor chatbench one.
#pragma once

#include <string_view>

namespace chatd::bench {

extern const std::string_view kPageTemplate;  // with %STYLE%, %SCRIPT% and %DATA% to be replaced
extern const std::string_view kPageStyle;
extern const std::string_view kPageScript;

}  // namespace chatd::bench
