// The page holds the whole result, needs nothing from elsewhere, and takes no value for markup.
// (That it looks well is for eyes: chatbench run --html.)
#include "bench/chatbench/report/formats.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "tests/unit/bench/example_result.h"

namespace chatd::bench {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr std::string_view kDataBegins = "<script type=\"application/json\" id=\"data\">";
constexpr std::string_view kScriptEnds = "</script>";

// What a browser gives the page's own script as data: everything up to the first </script>.
std::string data_of(std::string_view page) {
  const std::size_t begin = page.find(kDataBegins) + kDataBegins.size();
  return std::string(page.substr(begin, page.find(kScriptEnds, begin) - begin));
}

std::size_t count_of(std::string_view text, std::string_view what) {
  std::size_t count = 0;
  for (std::size_t at = 0; (at = text.find(what, at)) != std::string_view::npos; ++at) ++count;
  return count;
}

TEST(HtmlReport, HoldsTheWholeResult) {
  const auto read = parse_json(data_of(to_html(example_result())));
  ASSERT_TRUE(read) << read.error();
  EXPECT_EQ(*read, example_result());
}

TEST(HtmlReport, TakesNoValueForMarkup) {
  constexpr std::string_view kAttack =
      "</script><script>alert(1)</script><!--<script> %SCRIPT% %STYLE% & \" ' <img src=x "
      "onerror=y>";
  RunResult result = example_result();
  result.settings.target = kAttack;
  result.settings.size_bytes = kAttack;
  result.machine.cpu_model = kAttack;
  result.machine.governor = kAttack;
  result.invalid_because = {std::string(kAttack)};
  result.slo->checks[0].actual = kAttack;
  const std::string page = to_html(result);

  const std::string plain = to_html(example_result());
  for (const char* markup : {"<script", "</script", "<!--", "<img", "<style"}) {
    EXPECT_EQ(count_of(page, markup), count_of(plain, markup)) << markup;
  }
  const auto read = parse_json(data_of(page));
  ASSERT_TRUE(read) << read.error();
  EXPECT_EQ(*read, result) << "what was escaped means the same";
}

// The script puts text into elements as text; these would parse it.
TEST(HtmlReport, ScriptParsesNoTextAsMarkup) {
  const std::string page = to_html(example_result());
  for (const char* sink :
       {"innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval("}) {
    EXPECT_THAT(page, Not(HasSubstr(sink)));
  }
}

TEST(HtmlReport, NeedsNothingFromElsewhere) {
  const std::string page = to_html(example_result());
  EXPECT_THAT(page, HasSubstr("default-src 'none'"));
  EXPECT_THAT(page, testing::StartsWith("<!DOCTYPE html>"));
  EXPECT_THAT(page, testing::EndsWith("</html>\n"));
  for (const char* mark : {"%STYLE%", "%DATA%", "%SCRIPT%"})
    EXPECT_THAT(page, Not(HasSubstr(mark)));
  for (const char* request : {"src=", "url(", "@import", "fetch(", "XMLHttpRequest", "https:"}) {
    EXPECT_THAT(page, Not(HasSubstr(request)));
  }
  // A name, not an address: SVG elements are made in this namespace.
  EXPECT_EQ(count_of(page, "http:"), count_of(page, "http://www.w3.org/2000/svg"));
}

}  // namespace
}  // namespace chatd::bench
