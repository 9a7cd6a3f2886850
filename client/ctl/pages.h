// Rooms and members, a page after the other until there are no more. Thread: one.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <tl/expected.hpp>

#include "client/ctl/endpoint.h"

namespace chatd::client::ctl {

// All pages as one: rows as JSON, and the last page's other fields.
struct Pages {
  std::string rows_key;           // "rooms" or "members"
  std::vector<std::string> rows;  // JSON of each
  std::string next;               // empty: there are no more
  std::optional<std::string> room;
  std::uint64_t total = 0;  // of the room's members

  // As the endpoint would have said it on one page.
  std::string json() const;
};

// Why there are none: no answer, or an answer that says failure.
struct PagesFailure {
  std::string reason;  // when there is no answer
  std::optional<EndpointAnswer> answer = {};
};

// Where turning pages ends, whatever the other end says: it need not be chatd. All rows of a
// million rooms fit, several times.
struct PageBounds {
  std::size_t max_bytes = std::size_t{1} << 30;
  std::chrono::milliseconds max_time{120'000};
};

// `room` empty: all rooms, otherwise its members. Not more than `limit` rows, if there is one.
tl::expected<Pages, PagesFailure> read_pages(Endpoint& endpoint, const std::string& room,
                                             std::optional<std::uint64_t> limit,
                                             const PageBounds& bounds = {});

}  // namespace chatd::client::ctl
