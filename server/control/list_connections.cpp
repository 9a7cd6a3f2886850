// How connections read room lists: in turns, each a bounded piece at a time.
#include <algorithm>
#include <cerrno>
#include <utility>

#include "server/control/connections.h"

namespace chatd {
namespace {

constexpr std::size_t kMaxListBytesPerTurn = 256 * 1024;  // of all connections
// What a call costs, in bytes that could be sent meanwhile.
constexpr std::size_t kPieceOverheadBytes = 16 * 1024;
// A reader that takes so much of a list within the handshake timeout is given that time again.
constexpr std::size_t kProgressBytes = 64 * 1024;

}  // namespace

// Makes lists, for all who have asked; what is ready goes to them.
void Connections::write_lists(TimeMs now_ms) {
  if (!port_.has_lists_to_write(now_ms)) return;
  port_.write_lists(now_ms);
  for (const PeerShards::Reply& reply : port_.replies()) deliver(now_ms, reply);
  cut_oldest_list(now_ms);
}

// Lists that are read slowly hold memory. While it is enough for one more, everybody reads as
// slowly as they like; when others have waited for it as long as a request may take, those who read
// the oldest list have had at least that time.
void Connections::cut_oldest_list(TimeMs now_ms) {
  const auto since_ms = port_.lists_wait_since();
  if (!since_ms || now_ms - *since_ms < limits_.handshake_timeout_ms) return;
  std::optional<std::uint64_t> oldest;
  const auto number_of = [this](std::uint32_t slot) -> std::optional<std::uint64_t> {
    if (!connections_.contains(slot) || !connections_[slot].list) return std::nullopt;
    return connections_[slot].list->list().number();
  };
  for (std::uint32_t slot = 0; slot < connections_.slot_end(); ++slot) {
    const auto number = number_of(slot);
    if (number && (!oldest || *number < *oldest)) oldest = number;
  }
  for (std::uint32_t slot = 0; oldest && slot < connections_.slot_end(); ++slot) {
    if (number_of(slot) != oldest) continue;
    counters_.add(Counter::kConnectionsTimedOut);
    log_.say(now_ms, RateLimitedLog::Reason::kConnectionTimedOut, spdlog::level::info,
             "connection from {} closed: it reads a room list so slowly that others had to wait "
             "for a newer one",
             connections_[slot].peer);
    close(slot);
  }
}

void Connections::enqueue_list(std::uint32_t slot) {
  if (!std::exchange(connections_[slot].is_in_list_queue, true)) list_queue_.push_back(slot);
}

// In turns, until all sockets are full or the turn's share is sent.
void Connections::send_lists(TimeMs now_ms) {
  for (std::size_t sent_bytes = 0; sent_bytes < kMaxListBytesPerTurn && !list_queue_.empty();) {
    const std::uint32_t slot = list_queue_.front();
    list_queue_.pop_front();
    connections_[slot].is_in_list_queue = false;
    sent_bytes += kPieceOverheadBytes + send_piece(now_ms, slot);
  }
}

// Returns what the socket has taken. A slow reader's takes little: a piece is not copied whole each
// time for the few bytes of it that can be sent, but is twice as long as what was taken last.
std::size_t Connections::send_piece(TimeMs now_ms, std::uint32_t slot) {
  Connection& connection = connections_[slot];
  ListReader behind = *connection.list;
  const std::size_t size_bytes = behind.read(piece_.get(), connection.piece_bytes);
  const ssize_t count = connection.stream.send(io_, {piece_.get(), size_bytes});
  if (count < 0) {
    if (errno == EINTR) {
      enqueue_list(slot);
    } else if (errno != EAGAIN && errno != EWOULDBLOCK) {
      close_broken(now_ms, slot);
    }  // otherwise an event says when it can go on
    return 0;
  }
  const auto sent_bytes = static_cast<std::size_t>(count);
  connection.piece_bytes = std::clamp(2 * sent_bytes, kMinPieceBytes, kMaxPieceBytes);
  if (sent_bytes == size_bytes) {
    connection.list = std::move(behind);
  } else {
    connection.list->skip(sent_bytes);
  }
  connection.progress_bytes += sent_bytes;
  if (connection.progress_bytes >= kProgressBytes || connection.list->left_bytes() == 0) {
    connection.progress_bytes = 0;
    put_deadline_off(now_ms, slot);
  }
  if (connection.list->left_bytes() > 0) {
    enqueue_list(slot);
  } else {
    connection.list.reset();
    connection.state = Connection::State::kServing;
    schedule(slot);
  }
  return sent_bytes;
}

}  // namespace chatd
