// From a room's log to protocol v2's datagrams in the outbox.
//
// Every member with protocol v2 gets the same entries, its own among them, so a group of entries is
// laid out as bundles once: datagrams' frames, each with as many whole entries as fit. Then each
// member's copies are sealed under its own key, straight into the outbox. The bundles of a group
// leave as a train (core/room/train_planner.h), whose segments must have one length: shorter ones
// are padded. How large a bundle may be differs between members (core/room/mtu_search.h): there is
// a sender for each size, with a layout of its own.
//
// Use: prepare(), and then send(), as often as need be. Thread: one at a time. Nothing is
// allocated.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string_view>

#include "core/base/endpoint.h"
#include "core/crypto/packet_key.h"
#include "core/room/message_store.h"
#include "core/room/outbox.h"
#include "core/room/room_log.h"
#include "core/room/session.h"
#include "core/room/train_planner.h"
#include "core/wire/v2/frames.h"

namespace chatd {

class BundleSender {
 public:
  // Bundles of up to so many bytes; ordinary ones also keep to what `limits` say of a segment.
  BundleSender(const MessageStore& store, const TrainLimits& limits,
               std::uint32_t max_bundle_bytes);

  // Entries from `number` to before `end`, as many as fit a group of so many bytes, but one at
  // least. All must be there.
  void prepare(const RoomLog& log, std::uint64_t number, std::uint64_t end,
               std::uint32_t max_bytes = kMaxTrainBytes);
  // Entries in the group.
  std::uint32_t size() const { return size_; }
  std::uint32_t bundle_count() const { return bundle_count_; }
  // What a member gets for it, with seals and padding.
  std::uint32_t size_bytes() const {
    return bundle_count_ * (stride_bytes_ + static_cast<std::uint32_t>(v2::kOverheadBytes));
  }
  // In the outbox's units, for each member that gets it: a sealed datagram costs about twice what a
  // message in a train does.
  std::uint32_t work_per_member() const { return Outbox::kWorkPerTrain + 2 * bundle_count_; }
  void send(Session& session, const Endpoint& to, Outbox& out);

  // One datagram with these frames; at most kMaxBundleBytes with its seal.
  void send_frames(Outbox::Kind kind, std::string_view frames, Session& session, const Endpoint& to,
                   Outbox& out);
  // A datagram of so many bytes, for a path to show that it takes it.
  void send_probe(const v2::PathChallenge& challenge, std::uint32_t size_bytes, Session& session,
                  const Endpoint& to, Outbox& out);
  // One with this frame.
  template <class Frame>
  void send_frame(Outbox::Kind kind, const Frame& frame, Session& session, const Endpoint& to,
                  Outbox& out) {
    std::array<char, kMaxFrameBytes> plain;
    v2::ByteWriter writer(plain.data());
    v2::write_frame(writer, frame);
    const auto size_bytes = static_cast<std::size_t>(writer.end() - plain.data());
    send_frames(kind, {plain.data(), size_bytes}, session, to, out);
  }

 private:
  static constexpr std::uint32_t kMaxBundles = kMaxPlannedMessages;
  static constexpr std::size_t kMaxFrameBytes = 16 + v2::kMaxClosedTextBytes;
  // In a byte, as a varint.
  static constexpr std::uint32_t kMaxEntriesPerBundle = 63;

  struct Bundle {
    std::uint64_t first;  // number
    std::uint32_t count;
    std::uint32_t size_bytes;  // of its frames
  };

  static std::uint32_t log_head_bytes(std::uint64_t first);
  void plan(const RoomLog& log, std::uint64_t number, std::uint64_t end, std::uint32_t max_bytes);
  bool add_entry(std::uint64_t number, std::uint32_t entry_bytes, std::uint32_t max_bytes);
  void write(const RoomLog& log, std::uint64_t number);
  void use_key_of(Session& session);
  char* seal(Session& session, std::string_view plain, char* to);
  void seal_train(std::uint32_t first, std::uint32_t count, Session& session, Outbox& out);

  const MessageStore& store_;
  const std::uint32_t max_plain_bytes_;
  const std::uint32_t max_segments_;
  Sealer sealer_;

  std::uint32_t size_ = 0;
  std::uint32_t bundle_count_ = 0;
  std::uint32_t stride_bytes_ = 0;  // of the longest; the others are padded to it in plain_
  std::array<Bundle, kMaxBundles> bundles_;
  std::unique_ptr<char[]> plain_;
};

}  // namespace chatd
