// Whatever answers in the place of chatd's admin endpoint: chatctl turns its pages only so far.
#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "client/ctl/endpoint.h"
#include "client/ctl/pages.h"
#include "tests/support/admin_impostor.h"

namespace chatd::client::ctl {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;

constexpr std::size_t kNoByteBound = SIZE_MAX;

class EndlessPages : public testing::Test {
 protected:
  EndlessPages() : socket_path_(testing::TempDir() + "pages-test-" + std::to_string(::getpid())) {}
  ~EndlessPages() override { ::unlink(socket_path_.c_str()); }

  // Of an endpoint that always has one page more, each with these rows.
  tl::expected<Pages, PagesFailure> read(const std::string& rows, const PageBounds& bounds,
                                         std::optional<std::uint64_t> limit = {}) {
    const test::AdminImpostor impostor(socket_path_, [&](int n) {
      pages_given_ = n + 1;
      return R"({"rooms":[)" + rows + R"(],"next":")" + std::to_string(n) + R"("})";
    });
    const auto place = parse_admin_address("unix:" + socket_path_);
    EXPECT_TRUE(place.has_value());
    Endpoint endpoint(*place);
    return read_pages(endpoint, "", limit, bounds);
  }
  static void expect_given_up(const tl::expected<Pages, PagesFailure>& pages) {
    ASSERT_FALSE(pages.has_value());
    EXPECT_NE(pages.error().reason.find("there is no end to the pages"), std::string::npos)
        << pages.error().reason;
  }

  std::string socket_path_;
  int pages_given_ = 0;
};

TEST_F(EndlessPages, EndAfterSoManyBytes) {
  const std::string row = R"({"name":")" + std::string(1000, 'x') + R"("})";
  expect_given_up(read(row, {.max_bytes = 20'000, .max_time = hours(1)}));
  EXPECT_EQ(pages_given_, 20);  // some 1,030 bytes each
}

TEST_F(EndlessPages, WithoutARowEndAfterSoLong) {
  const auto began = std::chrono::steady_clock::now();
  constexpr milliseconds kMaxTime{100};
  expect_given_up(read("", {.max_bytes = kNoByteBound, .max_time = kMaxTime}));
  EXPECT_GE(std::chrono::steady_clock::now() - began, kMaxTime);
}

TEST_F(EndlessPages, EndWithTheRowsThatAreWanted) {
  const auto pages = read("{}", {.max_bytes = kNoByteBound, .max_time = hours(1)}, 7);
  ASSERT_TRUE(pages.has_value());
  EXPECT_EQ(pages->rows.size(), 7U);
  EXPECT_EQ(pages_given_, 7);
}

// No test waits for these to be over; but there they are.
TEST_F(EndlessPages, HaveBoundsUnlessToldOtherwise) {
  EXPECT_LE(PageBounds().max_bytes, std::size_t{1} << 30);
  EXPECT_LE(PageBounds().max_time, std::chrono::minutes(2));
}

}  // namespace
}  // namespace chatd::client::ctl
