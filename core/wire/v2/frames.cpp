#include "core/wire/v2/frames.h"

#include <limits>

namespace chatd::v2 {
namespace {

void write_type(ByteWriter& writer, FrameType type) {
  writer.byte(static_cast<std::uint8_t>(type));
}

bool read_u64(ByteReader& reader, std::uint64_t& value) {
  std::string_view bytes;
  if (!reader.bytes(sizeof value, bytes)) return false;
  value = load_u64(bytes.data());
  return true;
}

void write_u64(ByteWriter& writer, std::uint64_t value) {
  std::array<char, sizeof value> bytes;
  store_u64(value, bytes.data());
  writer.bytes({bytes.data(), bytes.size()});
}

// An enumeration of one byte; a reader passes over values that it does not know.
template <class Enum>
bool read_enum(ByteReader& reader, Enum& value) {
  std::uint8_t byte = 0;
  if (!reader.byte(byte)) return false;
  value = static_cast<Enum>(byte);
  return true;
}

bool read_say(ByteReader& reader, ClientFrame& frame) {
  Say& say = frame.emplace<Say>();
  return reader.varint(say.client_number) && say.client_number > 0 &&
         read_enum(reader, say.content_type) && reader.sized(say.bytes);
}

// Ranges are written as what is missing before them and how long they are, so they cannot overlap.
bool read_have(ByteReader& reader, ClientFrame& frame) {
  Have& have = frame.emplace<Have>();
  std::uint64_t count = 0;
  if (!reader.varint(have.log_epoch) || !reader.varint(have.complete) ||
      !reader.varint(have.wanted) || !reader.varint(count) || count > kMaxRanges) {
    return false;
  }
  std::uint64_t last = have.complete;
  for (; have.range_count < count; ++have.range_count) {
    std::uint64_t missing = 0;
    std::uint64_t length = 0;
    if (!reader.varint(missing) || !reader.varint(length) || missing == 0 || length == 0) {
      return false;
    }
    if (missing > kMaxVarint - last || length > kMaxVarint - last - missing) return false;
    const std::uint64_t first = last + missing + 1;
    last += missing + length;
    have.ranges[have.range_count] = {.first = first, .last = last};
  }
  return true;
}

bool read_path_response(ByteReader& reader, ClientFrame& frame) {
  return read_u64(reader, frame.emplace<PathResponse>().data);
}

bool read_log(ByteReader& reader, ServerFrame& frame) {
  Log& log = frame.emplace<Log>();
  if (!reader.varint(log.log_epoch) || !reader.varint(log.first) || !reader.varint(log.count)) {
    return false;
  }
  if (log.first == 0 || log.count > kMaxVarint - log.first) return false;
  log.entries = reader.rest();
  Entry entry;
  for (std::uint64_t i = 0; i < log.count; ++i) {
    if (!read_entry(reader, entry)) return false;
  }
  log.entries.remove_suffix(reader.rest().size());
  return true;
}

bool read_head(ByteReader& reader, ServerFrame& frame) {
  Head& head = frame.emplace<Head>();
  return reader.varint(head.log_epoch) && reader.varint(head.last) && reader.varint(head.oldest) &&
         reader.varint(head.have_interval_ms);
}

bool read_gap(ByteReader& reader, ServerFrame& frame) {
  Gap& gap = frame.emplace<Gap>();
  std::uint64_t count = 0;
  if (!reader.varint(gap.log_epoch) || !reader.varint(gap.numbers.first) || !reader.varint(count)) {
    return false;
  }
  if (gap.numbers.first == 0 || count == 0 || count > kMaxVarint - gap.numbers.first) return false;
  gap.numbers.last = gap.numbers.first + count - 1;
  return true;
}

bool read_refused(ByteReader& reader, ServerFrame& frame) {
  Refused& refused = frame.emplace<Refused>();
  return reader.varint(refused.client_number) && read_enum(reader, refused.reason) &&
         reader.varint(refused.retry_after_ms);
}

bool read_taken(ByteReader& reader, ServerFrame& frame) {
  return reader.varint(frame.emplace<Taken>().client_number);
}

bool read_path_challenge(ByteReader& reader, ServerFrame& frame) {
  return read_u64(reader, frame.emplace<PathChallenge>().data);
}

bool read_closed(ByteReader& reader, ServerFrame& frame) {
  Closed& closed = frame.emplace<Closed>();
  return read_enum(reader, closed.reason) && reader.sized(closed.text);
}

// kFrame: `type` is one.
ReadResult read_type(ByteReader& reader, std::uint64_t& type) {
  do {
    if (reader.is_empty()) return ReadResult::kEnd;
    if (!reader.varint(type)) return ReadResult::kMalformed;
  } while (type == static_cast<std::uint64_t>(FrameType::kPadding));
  return ReadResult::kFrame;
}

ReadResult result_of(bool is_whole) {
  return is_whole ? ReadResult::kFrame : ReadResult::kMalformed;
}

}  // namespace

std::string_view text_of(CloseReason reason) {
  switch (reason) {
    case CloseReason::kLeft:
      return "you have left the room";
    case CloseReason::kRemoved:
      return "you have been removed from the room";
    case CloseReason::kSilent:
      return "nothing was heard of you for too long";
    case CloseReason::kRoomClosed:
      return "the room has been closed";
    case CloseReason::kMoved:
      return "you have taken your seat again from elsewhere";
  }
  return "";
}

std::size_t entry_head_bytes(const Entry& entry) {
  return 2 + varint_bytes(entry.member) + varint_bytes(entry.client_number) +
         varint_bytes(entry.bytes.size());
}

char* write_entry_head(const Entry& entry, char* to) {
  ByteWriter writer(to);
  writer.byte(static_cast<std::uint8_t>(entry.kind));
  writer.varint(entry.member);
  writer.varint(entry.client_number);
  writer.byte(static_cast<std::uint8_t>(entry.content_type));
  writer.varint(entry.bytes.size());
  return writer.end();
}

bool read_entry(ByteReader& reader, Entry& entry) {
  std::uint64_t member = 0;
  if (!read_enum(reader, entry.kind) || !reader.varint(member) ||
      !reader.varint(entry.client_number) || !read_enum(reader, entry.content_type) ||
      !reader.sized(entry.bytes) || member > std::numeric_limits<MemberId>::max()) {
    return false;
  }
  entry.member = static_cast<MemberId>(member);
  return true;
}

ReadResult read_frame(ByteReader& reader, ClientFrame& frame) {
  std::uint64_t type = 0;
  if (const ReadResult result = read_type(reader, type); result != ReadResult::kFrame) {
    return result;
  }
  switch (type) {
    case static_cast<std::uint64_t>(FrameType::kSay):
      return result_of(read_say(reader, frame));
    case static_cast<std::uint64_t>(FrameType::kHave):
      return result_of(read_have(reader, frame));
    case static_cast<std::uint64_t>(FrameType::kLeave):
      frame.emplace<Leave>();
      return ReadResult::kFrame;
    case static_cast<std::uint64_t>(FrameType::kPathResponse):
      return result_of(read_path_response(reader, frame));
    default:
      return ReadResult::kUnknown;
  }
}

ReadResult read_frame(ByteReader& reader, ServerFrame& frame) {
  std::uint64_t type = 0;
  if (const ReadResult result = read_type(reader, type); result != ReadResult::kFrame) {
    return result;
  }
  switch (type) {
    case static_cast<std::uint64_t>(FrameType::kLog):
      return result_of(read_log(reader, frame));
    case static_cast<std::uint64_t>(FrameType::kHead):
      return result_of(read_head(reader, frame));
    case static_cast<std::uint64_t>(FrameType::kGap):
      return result_of(read_gap(reader, frame));
    case static_cast<std::uint64_t>(FrameType::kRefused):
      return result_of(read_refused(reader, frame));
    case static_cast<std::uint64_t>(FrameType::kTaken):
      return result_of(read_taken(reader, frame));
    case static_cast<std::uint64_t>(FrameType::kPathChallenge):
      return result_of(read_path_challenge(reader, frame));
    case static_cast<std::uint64_t>(FrameType::kClosed):
      return result_of(read_closed(reader, frame));
    default:
      return ReadResult::kUnknown;
  }
}

void write_frame(ByteWriter& writer, const Say& say) {
  write_type(writer, FrameType::kSay);
  writer.varint(say.client_number);
  writer.byte(static_cast<std::uint8_t>(say.content_type));
  writer.sized(say.bytes);
}

void write_frame(ByteWriter& writer, const Have& have) {
  write_type(writer, FrameType::kHave);
  writer.varint(have.log_epoch);
  writer.varint(have.complete);
  writer.varint(have.wanted);
  writer.varint(have.range_count);
  std::uint64_t last = have.complete;
  for (const Range& range : have.has()) {
    writer.varint(range.first - last - 1);
    writer.varint(range.last - range.first + 1);
    last = range.last;
  }
}

void write_frame(ByteWriter& writer, const Leave&) {
  write_type(writer, FrameType::kLeave);
}

void write_frame(ByteWriter& writer, const PathResponse& response) {
  write_type(writer, FrameType::kPathResponse);
  write_u64(writer, response.data);
}

void write_log_head(ByteWriter& writer, std::uint64_t log_epoch, std::uint64_t first,
                    std::uint64_t count) {
  write_type(writer, FrameType::kLog);
  writer.varint(log_epoch);
  writer.varint(first);
  writer.varint(count);
}

void write_frame(ByteWriter& writer, const Head& head) {
  write_type(writer, FrameType::kHead);
  writer.varint(head.log_epoch);
  writer.varint(head.last);
  writer.varint(head.oldest);
  writer.varint(head.have_interval_ms);
}

void write_frame(ByteWriter& writer, const Gap& gap) {
  write_type(writer, FrameType::kGap);
  writer.varint(gap.log_epoch);
  writer.varint(gap.numbers.first);
  writer.varint(gap.numbers.last - gap.numbers.first + 1);
}

void write_frame(ByteWriter& writer, const Refused& refused) {
  write_type(writer, FrameType::kRefused);
  writer.varint(refused.client_number);
  writer.byte(static_cast<std::uint8_t>(refused.reason));
  writer.varint(refused.retry_after_ms);
}

void write_frame(ByteWriter& writer, const Taken& taken) {
  write_type(writer, FrameType::kTaken);
  writer.varint(taken.client_number);
}

void write_frame(ByteWriter& writer, const PathChallenge& challenge) {
  write_type(writer, FrameType::kPathChallenge);
  write_u64(writer, challenge.data);
}

void write_frame(ByteWriter& writer, const Closed& closed) {
  write_type(writer, FrameType::kClosed);
  writer.byte(static_cast<std::uint8_t>(closed.reason));
  writer.sized(closed.text);
}

}  // namespace chatd::v2
