// What the documents about watching say is true: each metric that they name exists, and each metric
// that exists is named; and whoever is woken by an alert finds out what it means.
#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <fstream>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "server/admin/documents.h"
#include "server/config/reference.h"
#include "tests/support/json.h"
#include "tests/unit/server/admin/example_stats.h"

namespace chatd::test {
namespace {

std::string read_file(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(CHATD_SOURCE_DIR "/" + path).rdbuf();
  return text.str();
}

// The names that Prometheus sees, and those that it makes of a histogram's.
std::set<std::string> all_metrics(bool with_parts) {
  std::istringstream lines(metrics_text(stats_of_two_shards()));
  std::set<std::string> names;
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string hash;
    std::string kind;
    std::string name;
    std::string type;
    words >> hash >> kind >> name >> type;
    if (kind != "TYPE") continue;
    names.insert(name);
    if (type != "histogram" || !with_parts) continue;
    for (const char* part : {"_bucket", "_sum", "_count"}) names.insert(name + part);
  }
  return names;
}

// Every word that looks like a metric.
std::set<std::string> metrics_named_in(const std::string& text) {
  const auto is_part = [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
  };
  std::set<std::string> names;
  for (auto at = text.begin(); at != text.end();) {
    const auto begin = std::find_if(at, text.end(), is_part);
    at = std::find_if_not(begin, text.end(), is_part);
    const std::string word(begin, at);
    if (word.starts_with("chatd_") || word.starts_with("process_")) names.insert(word);
  }
  return names;
}

TEST(Monitoring, TheDashboardAndTheAlertsNameMetricsThatExist) {
  const std::set<std::string> metrics = all_metrics(true);
  for (const char* file : {"docs/monitoring/grafana.json", "docs/monitoring/alerts.yml"}) {
    const std::set<std::string> named = metrics_named_in(read_file(file));
    EXPECT_GE(named.size(), 7u) << file;
    for (const std::string& name : named)
      EXPECT_TRUE(metrics.contains(name)) << file << ": " << name;
  }
  EXPECT_TRUE(JsonObject(read_file("docs/monitoring/grafana.json")).valid());
}

TEST(Monitoring, TheMetricsPageIsWhatTheTablesSay) {
  const std::string page = read_file("docs/reference/metrics.md");
  const auto fresh = config::between_markers(page, "metrics", metrics_table());
  ASSERT_TRUE(fresh) << fresh.error();
  EXPECT_TRUE(page == *fresh) << "run ./dev docs";
  const std::set<std::string> metrics = all_metrics(true);
  for (const std::string& name : metrics_named_in(page)) {
    EXPECT_TRUE(metrics.contains(name)) << name;
  }
}

// What follows `mark` at the beginning of a line, up to `end` or the end of that line.
std::vector<std::string> names_after(const std::string& text, const std::string& mark, char end) {
  std::vector<std::string> names;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    const std::size_t begin = line.find_first_not_of(' ');
    if (begin == std::string::npos || line.compare(begin, mark.size(), mark) != 0) continue;
    const std::string rest = line.substr(begin + mark.size());
    names.push_back(rest.substr(0, rest.find(end)));
  }
  return names;
}

TEST(Monitoring, TheAlertsPageExplainsEveryAlertInTheirOrderAndNoOther) {
  const std::string page = read_file("docs/guide/alerts.md");
  const std::vector<std::string> alerts =
      names_after(read_file("docs/monitoring/alerts.yml"), "- alert: ", ' ');
  EXPECT_GE(alerts.size(), 8u) << "the file has changed its form";
  EXPECT_EQ(names_after(page, "## `", '`'), alerts);
  for (const char* part : {"- **What has happened:** ", "- **What members notice:** ",
                           "- **Look at:** ", "- **Do:** "}) {
    EXPECT_EQ(names_after(page, part, '\n').size(), alerts.size()) << part;
  }
}

// A word with a counter's prefix is a counter on this page, too.
TEST(Monitoring, TheExplanationsOfAlertsNameMetricsThatExist) {
  const std::set<std::string> metrics = all_metrics(true);
  const std::set<std::string> named = metrics_named_in(read_file("docs/guide/alerts.md"));
  EXPECT_GE(named.size(), 5u);
  for (const std::string& name : named) EXPECT_TRUE(metrics.contains(name)) << name;
}

}  // namespace
}  // namespace chatd::test
