// How large a bundle a member's path takes (DPLPMTUD: RFC 8899; RFC 9000, section 14.3).
//
// A datagram costs much the same whatever it holds, the server as well as the member: in larger
// bundles the same entries cost less. But only 1,200 bytes pass everywhere, and a router that drops
// more need not say so. So it is tried: a probe is a datagram of the size in question, with a
// PATH_CHALLENGE and padding, that may not be cut on its way. When the PATH_RESPONSE comes back,
// that size is proven, and bundles grow to it. A probe that is lost costs nobody an entry.
//
// There is no timer. Who is sent more than one bundle at a time would gain by larger ones, so that
// is when the next size is tried; three probes in vain, and it is left alone for ten minutes.
//
// A path may shrink, and swallow what it took before (a black hole). What a member misses is always
// sent again in bundles of 1,200 bytes, so it arrives; and that something was missed is when the
// proven size is tried again. If that is in vain, bundles are small again.
//
// Who answers a probe that it has not got harms itself. Another address is another path: the search
// starts over. Thread: one at a time.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "core/base/time.h"

namespace chatd {

// UDP payload. 1,200 bytes pass everywhere; 1,452 are an Ethernet's 1,500 over IPv6 (20 more over
// IPv4 would hold no further entry), and 8,952 the same of a jumbo frame of 9,000. A size more is a
// layout more in each turn of a room whose members differ.
inline constexpr std::array<std::uint32_t, 3> kBundleSizes{1200, 1452, 8952};

class MtuSearch {
 public:
  // RFC 8899, sections 5.1.1 and 5.1.2.
  static constexpr std::uint8_t kMaxProbes = 3;
  static constexpr TimeMs kProbeTimeoutMs = 1000;
  static constexpr TimeMs kRaiseAfterMs = 600'000;
  // That something is lost on the way is ordinary: a proven size is tried no more often than this.
  static constexpr TimeMs kProveAgainAfterMs = 2000;

  // Sizes are given as indexes into kBundleSizes.
  std::uint8_t proven() const { return proven_; }

  // More than one bundle of the proven size goes to the member at once, and its path may take up to
  // `largest`. The size of the probe to send now; nothing: none. `mark` is what the first probe of
  // a size is to ask to be repeated: any number that no other one has.
  std::optional<std::uint8_t> on_many_bundles(TimeMs now_ms, std::uint8_t largest,
                                              std::uint64_t mark) {
    if (asked_ == kNone && (proven_ >= largest || now_ms < rests_until_ms_)) return std::nullopt;
    return probe(now_ms, static_cast<std::uint8_t>(proven_ + 1), mark);
  }
  // The member misses something. The same.
  std::optional<std::uint8_t> on_loss(TimeMs now_ms, std::uint64_t mark) {
    const bool is_recent = tries_ > 0 && now_ms < sent_at_ms_ + kProveAgainAfterMs;
    if (asked_ == kNone && (proven_ == 0 || is_recent)) return std::nullopt;
    return probe(now_ms, proven_, mark);
  }
  // What probes for the size that is asked for want repeated.
  std::uint64_t mark() const { return mark_; }

  // False: it answers no probe that is open.
  bool on_response(std::uint64_t mark) {
    if (asked_ == kNone || mark != mark_) return false;
    proven_ = asked_;
    asked_ = kNone;
    return true;
  }

 private:
  static constexpr std::uint8_t kNone = 0;  // 1,200 bytes are never asked for

  // The next one for the size that is asked for; for `size` if there is none.
  std::optional<std::uint8_t> probe(TimeMs now_ms, std::uint8_t size, std::uint64_t mark) {
    if (asked_ == kNone) {
      asked_ = size;
      mark_ = mark;
      tries_ = 0;
    } else if (now_ms < sent_at_ms_ + kProbeTimeoutMs) {
      return std::nullopt;
    } else if (tries_ == kMaxProbes) {
      give_up();
      return std::nullopt;
    }
    ++tries_;
    sent_at_ms_ = now_ms;
    return asked_;
  }

  void give_up() {
    if (asked_ == proven_) proven_ = 0;
    asked_ = kNone;
    rests_until_ms_ = sent_at_ms_ + kRaiseAfterMs;
  }

  std::uint64_t mark_ = 0;
  TimeMs sent_at_ms_ = 0;      // the last probe
  TimeMs rests_until_ms_ = 0;  // until then no larger size is tried: one has been given up
  std::uint8_t proven_ = 0;    // passes
  std::uint8_t asked_ = kNone;
  std::uint8_t tries_ = 0;  // for that; or for the last that was
};

}  // namespace chatd
