// Brings all members into their rooms over TCP: many connections at a time, several joins on each,
// asked for without waiting for the answers in between.
//
// chatd binds a member to the address that its TCP connection comes from. So a connection speaks
// for members of one address, and calls from that address. The first member of a room creates it;
// the others may only be sent for once that has been answered. Connections are opened in the order
// of the members, so a creator is never behind those who wait for it.
//
// Thread: one at a time; run() blocks.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "bench/chatbench/net/member_sockets.h"
#include "bench/chatbench/target/join_pacer.h"
#include "bench/chatbench/target/target.h"
#include "client/net/address.h"
#include "client/net/unique_fd.h"
#include "core/wire/v1/frame.h"
#include "core/wire/v1/token.h"

namespace chatd::bench {

class JoinDriver {
 public:
  // `rooms` are the rooms' names. `discard` empties the members' sockets: the notices of those who
  // join later come in meanwhile.
  JoinDriver(const TargetConfig& config, const client::Address& server,
             const MemberSockets& sockets, const std::vector<std::string>& rooms,
             std::function<void()> discard);

  tl::expected<void, std::string> run();
  // The members' tokens; those of members who did not get in are Token().
  std::vector<Token> take_tokens() { return std::move(tokens_); }
  std::uint64_t connections() const { return opened_; }

 private:
  // One TCP connection, for members first..end-1.
  struct Link {
    UniqueFd socket;
    std::uint32_t next_to_send = 0;
    std::uint32_t next_to_answer = 0;
    std::uint32_t end = 0;
    bool is_connected = false;
    bool waits = false;        // for a room, or for its share of the rate
    std::uint32_t events = 0;  // that epoll watches for
    std::string to_send;
    std::string received;
  };
  using Done = tl::expected<void, std::string>;

  Done join_all();
  void settle();
  bool is_creator(std::uint32_t member) const;
  Done open_links();
  Done open_link(std::size_t index);
  Done wait();
  Done serve(Link& link, std::uint32_t events);
  Done read(Link& link);
  Done take_answers(Link& link);
  Done take_answer(Link& link, const FrameView& frame);
  void ask(Link& link);
  // Goes on with the links that wait; whether the server owes an answer to any.
  bool resume_waiting();
  Done write(Link& link);
  void watch(Link& link);
  void close(Link& link);
  std::uint32_t allowed() const;
  bool may_send_one();
  std::string who(std::uint32_t member) const;

  const TargetConfig& config_;
  client::Address server_;
  const MemberSockets& sockets_;
  const std::vector<std::string>& rooms_;
  std::function<void()> discard_;
  UniqueFd epoll_;
  std::vector<Link> links_;
  std::vector<std::size_t> idle_;  // links without a connection
  std::vector<Token> tokens_;
  std::vector<bool> room_exists_;
  std::vector<char> buffer_;
  std::uint32_t next_member_ = 0;  // of the next connection
  std::uint32_t joined_ = 0;
  std::uint64_t asked_ = 0;
  std::uint64_t opened_ = 0;
  std::optional<JoinPacer> pace_;
  std::int64_t progress_ms_ = 0;
};

}  // namespace chatd::bench
