#include "client/ctl/pages.h"

#include <simdjson.h>

#include <algorithm>

#include "client/ctl/json_fields.h"
#include "core/base/json_writer.h"

namespace chatd::client::ctl {
namespace {

constexpr std::uint64_t kLargestPage = 1000;

// Whether it is a page of chatd's.
bool add_page(const std::string& body, Pages& pages) {
  simdjson::dom::parser parser;
  simdjson::dom::element root;
  simdjson::dom::array rows;
  if (parser.parse(body).get(root) != simdjson::SUCCESS) return false;
  if (root[pages.rows_key].get(rows) != simdjson::SUCCESS) return false;
  for (const simdjson::dom::element row : rows) pages.rows.push_back(simdjson::minify(row));
  pages.next = text_of(root, "next");
  pages.total = number_of(root, "total");
  return true;
}

}  // namespace

std::string Pages::json() const {
  JsonWriter json;
  json.begin_object();
  if (room) {
    json.member("room", *room);
    json.member("total", total);
  }
  json.key(rows_key);
  json.begin_array();
  for (const std::string& row : rows) json.raw(row);
  json.end_array();
  json.member("next", next);
  json.end_object();
  return json.take();
}

tl::expected<Pages, PagesFailure> read_pages(Endpoint& endpoint, const std::string& room,
                                             std::optional<std::uint64_t> limit,
                                             const PageBounds& bounds) {
  const auto give_up_at = std::chrono::steady_clock::now() + bounds.max_time;
  std::size_t size_bytes = 0;
  Pages pages;
  pages.rows_key = room.empty() ? "rooms" : "members";
  if (!room.empty()) pages.room = room;
  do {
    const std::string from = pages.next;
    const std::size_t before = pages.rows.size();
    const std::uint64_t wanted = limit ? std::min(*limit - before, kLargestPage) : kLargestPage;
    Parameters parameters{{"limit", std::to_string(wanted)}};
    if (!room.empty()) parameters.emplace_back("room", room);
    if (!from.empty()) parameters.emplace_back("after", from);
    auto answer = endpoint.get("/" + pages.rows_key, parameters);
    if (!answer) return tl::unexpected(PagesFailure{std::move(answer.error())});
    if (!answer->is_success() || !add_page(answer->body, pages)) {
      return tl::unexpected(PagesFailure{"", std::move(*answer)});
    }
    size_bytes += answer->body.size();
    if (pages.rows.size() - before > wanted || (!pages.next.empty() && pages.next == from)) {
      return tl::unexpected(PagesFailure{
          "what answers does not turn its pages as chatd does: --admin says where to ask"});
    }
    if (size_bytes > bounds.max_bytes || std::chrono::steady_clock::now() > give_up_at) {
      return tl::unexpected(
          PagesFailure{"there is no end to the pages: --limit N ends them after N rows"});
    }
  } while (!pages.next.empty() && (!limit || pages.rows.size() < *limit));
  return pages;
}

}  // namespace chatd::client::ctl
