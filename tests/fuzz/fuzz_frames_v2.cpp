// Protocol v2's datagrams and frames: whatever comes, what was read can be written and read again,
// views stay within the input, and a reader comes to an end.
#include <string>
#include <string_view>
#include <vector>

#include "core/wire/v2/datagram.h"
#include "core/wire/v2/frames.h"
#include "tests/fuzz/targets.h"

namespace chatd::fuzz {
namespace {

bool is_within(std::string_view part, std::string_view whole) {
  return part.empty() ||
         (part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size());
}

void check(const v2::Say& say, std::string_view input) {
  require(say.client_number > 0, "a client counts from 1");
  require(is_within(say.bytes, input), "what is said lies in the input");
}
void check(const v2::Have& have, std::string_view /*input*/) {
  std::uint64_t last = have.complete;
  for (const v2::Range& range : have.has()) {
    require(range.first > last + 1 && range.last >= range.first,
            "ranges ascend, with gaps between");
    require(range.last <= v2::kMaxVarint, "no number is larger than can be written");
    last = range.last;
  }
}
void check(const v2::Log& log, std::string_view input) {
  require(is_within(log.entries, input), "entries lie in the input");
  v2::ByteReader reader(log.entries);
  v2::Entry entry;
  for (std::uint64_t i = 0; i < log.count; ++i) {
    require(v2::read_entry(reader, entry), "all entries of a log are whole");
    require(is_within(entry.bytes, input), "an entry's bytes lie in the input");
    std::vector<char> head(v2::kMaxEntryHeadBytes + 8);
    const char* const end = v2::write_entry_head(entry, head.data());
    require(end == head.data() + v2::entry_head_bytes(entry), "an entry's head is as long as said");
  }
  require(reader.is_empty(), "nothing lies behind the entries");
}
void check(const v2::Gap& gap, std::string_view /*input*/) {
  require(gap.numbers.first >= 1 && gap.numbers.last >= gap.numbers.first, "a gap has numbers");
}
void check(const v2::Closed& closed, std::string_view input) {
  require(is_within(closed.text, input), "the text lies in the input");
}
template <class Other>
void check(const Other& /*frame*/, std::string_view /*input*/) {}

std::string written(const auto& frame, std::size_t max_bytes) {
  std::string bytes(max_bytes, '\0');
  v2::ByteWriter writer(bytes.data());
  v2::write_frame(writer, frame);
  bytes.resize(static_cast<std::size_t>(writer.end() - bytes.data()));
  return bytes;
}
std::string written(const v2::Log& log, std::size_t max_bytes) {
  std::string bytes(max_bytes, '\0');
  v2::ByteWriter writer(bytes.data());
  v2::write_log_head(writer, log.log_epoch, log.first, log.count);
  bytes.resize(static_cast<std::size_t>(writer.end() - bytes.data()));
  return bytes.append(log.entries);
}

template <class AnyFrame>
void read_all(std::string_view input) {
  v2::ByteReader reader(input);
  AnyFrame frame;
  for (;;) {
    const std::size_t before = reader.rest().size();
    if (v2::read_frame(reader, frame) != v2::ReadResult::kFrame) return;
    require(reader.rest().size() < before, "each frame has a byte at least");
    std::visit([&](const auto& one) { check(one, input); }, frame);

    const std::string again =
        std::visit([&](const auto& one) { return written(one, input.size() + 512); }, frame);
    v2::ByteReader second(again);
    AnyFrame same;
    require(v2::read_frame(second, same) == v2::ReadResult::kFrame, "what was written can be read");
    require(second.is_empty() && same.index() == frame.index(), "it is the same frame");
    require(std::visit([&](const auto& one) { return written(one, input.size() + 512); }, same) ==
                again,
            "a frame has one shortest form");
  }
}

}  // namespace

void fuzz_frames_v2(std::string_view input) {
  read_all<v2::ClientFrame>(input);
  read_all<v2::ServerFrame>(input);
  const auto datagram = v2::parse_datagram(input);
  require(datagram.has_value() == (input.size() >= v2::kMinDatagramBytes && input[0] == 0 &&
                                   input[1] == static_cast<char>(v2::kVersion)),
          "a datagram is known by two bytes and its length");
  if (!datagram) return;
  std::string header(v2::kHeaderBytes, '\0');
  v2::write_header(datagram->session, datagram->packet_number, header.data());
  require(header == input.substr(0, v2::kHeaderBytes), "a header has one encoding");
}

}  // namespace chatd::fuzz
