// The train of the bare loop: what fits into one, and what is left of it for who sent some of it.
#include "bench/baselines/lower_bound/train.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace chatd::bench {
namespace {

std::string text_of(const iovec& piece) {
  return {static_cast<const char*>(piece.iov_base), piece.iov_len};
}

std::string text_of(const std::vector<iovec>& pieces) {
  std::string text;
  for (const iovec& piece : pieces) text += text_of(piece);
  return text;
}

TEST(FloorTrain, EndsWithAShorterMessage) {
  Train train;
  EXPECT_TRUE(train.add(0, "aaaa"));
  EXPECT_FALSE(train.add(0, "longer"));
  EXPECT_TRUE(train.add(1, "bbbb"));
  EXPECT_TRUE(train.add(0, "cc"));
  EXPECT_FALSE(train.add(0, "dd"));
  EXPECT_EQ(train.count(), 3u);
  EXPECT_EQ(train.segment_bytes(), 4u);
  EXPECT_EQ(text_of(train.all()), "aaaabbbbcc");
  train.clear();
  EXPECT_TRUE(train.add(0, "longer"));
  EXPECT_EQ(text_of(train.all()), "longer");
}

TEST(FloorTrain, HasTheKernelsLimits) {
  Train train;
  for (std::size_t i = 0; i < Train::kMaxSegments; ++i) EXPECT_TRUE(train.add(0, "x"));
  EXPECT_FALSE(train.add(0, "x"));
  train.clear();
  const std::string large(4000, 'x');
  std::size_t count = 0;
  while (train.add(0, large)) ++count;
  EXPECT_EQ(count, Train::kMaxBytes / large.size());
}

TEST(FloorTrain, LeavesOutWhatASenderSentItself) {
  Train train;
  for (const auto& [sender, text] : std::vector<std::pair<Train::Sender, std::string>>{
           {7, "a1"}, {7, "a2"}, {3, "b1"}, {7, "a3"}, {3, "b"}}) {
    ASSERT_TRUE(train.add(sender, text));
  }
  EXPECT_EQ(std::vector<Train::Sender>(train.senders().begin(), train.senders().end()),
            (std::vector<Train::Sender>{3, 7}));
  std::vector<iovec> pieces;
  EXPECT_EQ(train.without(3, pieces), 3u);
  EXPECT_EQ(text_of(pieces), "a1a2a3");
  EXPECT_EQ(pieces.size(), 2u);
  pieces.clear();
  EXPECT_EQ(train.without(7, pieces), 2u);
  EXPECT_EQ(text_of(pieces), "b1b");
  pieces.clear();
  EXPECT_EQ(train.without(5, pieces), 5u);
  EXPECT_EQ(pieces.size(), 1u);
}

TEST(FloorTrain, NothingIsLeftForAnOnlySender) {
  Train train;
  ASSERT_TRUE(train.add(1, "a"));
  std::vector<iovec> pieces;
  EXPECT_EQ(train.without(1, pieces), 0u);
  EXPECT_TRUE(pieces.empty());
}

}  // namespace
}  // namespace chatd::bench
