#include "server/data/udp_sender.h"

#include <algorithm>
#include <cerrno>
#include <string_view>
#include <tuple>
#include <utility>

namespace chatd {
namespace {

Counter reason_of(int error) {
  switch (error) {
    case ECONNREFUSED:
    case ENOPROTOOPT:
      return Counter::kDroppedSendRefused;
    case EMSGSIZE:
      return Counter::kDroppedSendTooBig;
    case ENETUNREACH:
    case EHOSTUNREACH:
    case ENETDOWN:
    case EHOSTDOWN:
    case ENONET:
      return Counter::kDroppedSendUnreachable;
    case ENOBUFS:
    case ENOMEM:
      return Counter::kDroppedSendNoBuffers;
    default:
      return Counter::kDroppedSendFailed;
  }
}

// What the kernel says to a train that it cannot send but whose messages it may take one by one:
// larger than the path's MTU allows (EMSGSIZE, before Linux 6.9 EINVAL), or a route on which
// nothing can cut it (EIO).
bool may_be_about_trains(int error) {
  return error == EMSGSIZE || error == EINVAL || error == EIO || error == EOPNOTSUPP;
}

bool is_bundle(Outbox::Kind kind) {
  return kind == Outbox::Kind::kBundle || kind == Outbox::Kind::kLargeBundle;
}

bool is_probe(Outbox::Kind kind) {
  return kind == Outbox::Kind::kProbe;
}

// Into fragments, here or on its way.
bool may_be_cut(Outbox::Kind kind) {
  return kind != Outbox::Kind::kLargeBundle && !is_probe(kind);
}

}  // namespace

UdpSender::UdpSender(Io& io, int fd, int family, std::size_t max_whole_bytes, ErrorQueue& errors,
                     Counters& counters, LocalAddresses* locals, std::size_t max_lanes)
    : io_(io),
      fd_(fd),
      family_(family),
      max_whole_bytes_(max_whole_bytes),
      errors_(errors),
      locals_(locals),
      counters_(counters),
      fragmentation_(io, fd),
      lanes_(io, fd, family, max_whole_bytes, max_lanes),
      batch_(family, locals) {
  deferred_.reserve(kMaxDeferred);
  deferred_destinations_.reserve(kMaxDeferred);
}

UdpSender::Progress UdpSender::send(const Outbox& out, TimeMs now_ms) {
  now_ms_ = now_ms;
  is_shared_full_ = false;
  lanes_.look_after();
  for (std::size_t batches = 0;; ++batches) {
    const Progress progress = flush_batch(out);
    if (progress != Progress::kDone) return progress;
    if (!fill(out)) break;
    if (batches == kMaxBatchesPerCall) return Progress::kMore;
  }
  if (!deferred_.empty()) {
    is_second_try_ = true;
    return Progress::kDeferred;
  }
  next_ = {};  // the next outbox is read from its beginning
  if (fragmentation_.is_allowed()) fragmentation_.forbid();
  return Progress::kDone;
}

void UdpSender::drop_pending(const Outbox& out, Counter reason) {
  is_second_try_ = !deferred_.empty();  // no device is asked: they come into the batch as well
  do {
    while (!batch_.is_empty()) drop_first(reason);
  } while (fill(out));
  next_ = {};
}

// Sends until the batch is empty or nothing more goes out. sendmmsg stops at the first entry that
// fails, so the entry at fault is always the first one of a call that sends none.
UdpSender::Progress UdpSender::flush_batch(const Outbox& out) {
  while (!batch_.is_empty()) {
    if (is_probe(entries_[batch_.first()].kind)) {
      send_probe(out);
      continue;
    }
    const IpAddress& ip = ip_of(out, batch_.first());
    if (lanes_.are_in_use()) {
      if (const auto lane = lanes_.find(ip)) {
        send_by_lane(*lane, out);
        continue;
      }
    }
    if (!is_shared_full_) {
      const std::size_t sent = batch_.submit(io_, fd_, run_for_shared(out));
      if (sent > 0) {
        full_since_ms_.reset();
        note_addresses(out, sent);
        count_sent(sent);
        continue;
      }
      if (errno != EAGAIN && errno != EWOULDBLOCK) {
        handle(errno, out);
        continue;
      }
      counters_.add(Counter::kSendsPostponed);
      is_shared_full_ = true;
      if (!full_since_ms_) full_since_ms_ = now_ms_;
    }
    if (!may_take_lane(destination_of(out, entries_[batch_.first()].item))) {
      return Progress::kSocketFull;
    }
    const auto lane = lanes_.take(ip, now_ms_);
    if (!lane) return Progress::kSocketFull;
    send_by_lane(*lane, out);
  }
  return Progress::kDone;
}

// All entries up to the first one whose address is kept to a lane.
std::size_t UdpSender::run_for_shared(const Outbox& out) {
  if (!lanes_.are_in_use()) return batch_.end() - batch_.first();
  std::size_t end = batch_.first() + 1;
  while (end < batch_.end() && !lanes_.find(ip_of(out, end))) ++end;
  return end - batch_.first();
}

// The first entries, as far as they are for one address. What its lane has no room for is lost:
// others get on meanwhile, so it is the way there that takes no more.
void UdpSender::send_by_lane(int lane_fd, const Outbox& out) {
  const std::size_t first = batch_.first();
  const IpAddress& ip = ip_of(out, first);
  std::size_t count = 1;
  while (first + count < batch_.end() && ip_of(out, first + count) == ip) ++count;
  if (lanes_.source()) batch_.leave_from(first, count, *lanes_.source());
  const std::size_t sent = batch_.submit(io_, lane_fd, count);
  if (sent > 0) {
    note_addresses(out, sent);
    count_sent(sent);
  } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
    while (count-- > 0) drop_first(Counter::kDroppedSendQueueFull);
  } else {
    handle(errno, out);
  }
}

// With one address alone to send to, nobody else is held up: then all wait for the socket as long
// as it gets on, and nothing is lost. When it does not, somebody quiet may wait in a room behind
// it. A lane sends from the address that the datagram names; an IPv6 socket has none for IPv4 by
// itself.
bool UdpSender::may_take_lane(const Endpoint& destination) const {
  const bool has_changed = addresses_changed_ms_ && now_ms_ < *addresses_changed_ms_ + kSoonMs;
  const bool has_others = (last_ip_ && destination.ip != *last_ip_) || has_changed;
  const bool is_stuck = full_since_ms_ && now_ms_ >= *full_since_ms_ + kStuckMs;
  if (!has_others && !is_stuck) return false;
  return can_leave_by_lane(destination);
}

bool UdpSender::can_leave_by_lane(const Endpoint& destination) const {
  return family_ == AF_INET || !destination.ip.is_v4() || lanes_.source() ||
         (locals_ != nullptr && locals_->find(destination.via));
}

// By a socket of its own, for how the kernel treats what is too large for a path is the socket's
// affair. Whether it goes out or not: it is a question, and no answer is one as well.
void UdpSender::send_probe(const Outbox& out) {
  const std::size_t first = batch_.first();
  const auto probe_fd = can_leave_by_lane(destination_of(out, entries_[first].item))
                            ? lanes_.probing_socket()
                            : std::nullopt;
  if (probe_fd) {
    if (lanes_.source()) batch_.leave_from(first, 1, *lanes_.source());
    batch_.submit(io_, *probe_fd, 1);
  }
  batch_.pop(1);
  forget_failures();
}

// Whether datagrams go to several addresses these days: as far as the ends of batches tell.
void UdpSender::note_addresses(const Outbox& out, std::size_t sent) {
  const IpAddress& first = ip_of(out, batch_.first());
  const IpAddress& last = ip_of(out, batch_.first() + sent - 1);
  if (last != first || (last_ip_ && first != *last_ip_)) addresses_changed_ms_ = now_ms_;
  last_ip_ = last;
}

void UdpSender::handle(int error, const Outbox& out) {
  const Item item = entries_[batch_.first()].item;
  const bool is_train = entries_[batch_.first()].message_count > 1;
  const Outbox::Kind kind = entries_[batch_.first()].kind;
  if (error == EMSGSIZE && !is_train && may_be_cut(kind) && !fragmentation_.is_allowed()) {
    return fragmentation_.allow();  // the same entry again, and the rest of the outbox
  }
  const Endpoint& destination = destination_of(out, item);
  // The same entry again.
  if (error == EINTR || is_others_error(error, destination, is_train)) return;
  const bool may_be_source = error == EINVAL || error == ENETUNREACH;
  if (may_be_source && destination.via != 0 && locals_ != nullptr &&
      locals_->has_lost(destination.via)) {
    return rewind(out);
  }
  if ((error == ENOBUFS || error == ENOMEM) && !is_second_try_ && deferred_.size() < kMaxDeferred) {
    rewind(out);
    defer(out, item);
    fill_limit_ = kCautiousFill;
    ++next_.destination;
    next_.first_message = 0;
  } else if (is_train && may_be_about_trains(error)) {
    counters_.add(Counter::kTrainFallbacks);
    no_gso_peers_.add(destination, error, now_ms_);
    rewind(out);
  } else {
    if (train_of(out, item).message_count > 1) no_gso_peers_.on_single_refused(destination, error);
    drop_first(reason_of(error));
  }
}

// Whether the failure is another datagram's ICMP error rather than this entry's own: an entry fails
// for its own sake every time, and where the kernel has no route, which is found out. Such errors
// can be forged at any rate; but then they stand in the error queue. So what counts are failures
// that nothing there explains.
bool UdpSender::is_others_error(int error, const Endpoint& destination, bool is_train) {
  if (!may_be_pending(error)) return false;
  if (errors_.drain(now_ms_) == 0) ++unexplained_;
  ++retries_;
  // Its messages then go alone, which costs nobody one.
  if (is_train && may_be_about_trains(error)) return retries_ < kMaxTrainRetries;
  const bool may_be_route = error == EHOSTUNREACH || error == ENETUNREACH || error == EACCES;
  if (may_be_route && retries_ >= kRetriesBeforeCheck && !std::exchange(has_checked_, true) &&
      !io_.has_route(destination, family_)) {
    return false;
  }
  return unexplained_ < kMaxUnexplained && retries_ < kMaxRetries;
}

// The batch has another first entry.
void UdpSender::forget_failures() {
  retries_ = unexplained_ = 0;
  has_checked_ = false;
}

// What is left of the batch is filled in again, since it now goes in another way.
void UdpSender::rewind(const Outbox& out) {
  const Entry& first = entries_[batch_.first()];
  if (is_second_try_) {
    next_deferred_ = first.deferred_index;
    for (std::size_t i = batch_.end(); i-- > batch_.first();) {
      deferred_[entries_[i].deferred_index] = entries_[i].item;
    }
  } else {
    next_ = first.item;
    // What was put off behind it will be met again.
    while (!deferred_.empty() && !is_before(deferred_.back(), next_)) {
      erase_deferred(out, deferred_.back());
      deferred_.pop_back();
    }
  }
  batch_.clear();
  forget_failures();
}

// The next items of the outbox into the empty batch. False when there are none.
bool UdpSender::fill(const Outbox& out) {
  batch_.clear();
  if (is_second_try_) {
    if (fill_again(out)) return true;
    for (const Item& item : deferred_) erase_deferred(out, item);
    deferred_.clear();
    next_deferred_ = 0;
    is_second_try_ = false;
  }
  const auto groups = out.groups();
  for (; next_.group < groups.size(); ++next_.group, next_.train = 0) {
    if (!fill_group(out, groups[next_.group])) return true;
  }
  return !batch_.is_empty();
}

// False: the batch is full.
bool UdpSender::fill_group(const Outbox& out, const Outbox::SendGroup& group) {
  for (; next_.train < group.train_count; ++next_.train, next_.destination = 0) {
    SendBatch::Form form;
    while (next_.destination < group.destination_count) {
      if (is_deferred(destination_of(out, next_))) {
        if (deferred_.size() < kMaxDeferred) {
          defer(out, next_);
        } else if (batch_.is_empty()) {
          count_dropped(group.kind, train_of(out, next_).message_count - next_.first_message,
                        Counter::kDroppedSendNoBuffers);
        } else {
          return false;  // what is counted must not be met again: see rewind()
        }
      } else if (!add(out, next_, form)) {
        return false;
      }
      ++next_.destination;
      next_.first_message = 0;
    }
  }
  next_.destination = 0;
  return true;
}

bool UdpSender::fill_again(const Outbox& out) {
  for (; next_deferred_ < deferred_.size(); ++next_deferred_) {
    SendBatch::Form form;
    if (!add(out, deferred_[next_deferred_], form)) return true;
  }
  return !batch_.is_empty();
}

// `form` is the train's in this batch, made when it is first needed. False: the batch is full.
bool UdpSender::add(const Outbox& out, Item& item, SendBatch::Form& form) {
  // It leaves by another socket, and what stands before it by this one.
  if (is_probe(out.groups()[item.group].kind) && !batch_.is_empty()) return false;
  const Outbox::Train& train = train_of(out, item);
  const bool goes_one_by_one =
      item.first_message > 0 ||
      (train.message_count > 1 && no_gso_peers_.contains(destination_of(out, item), now_ms_));
  if (goes_one_by_one) return add_messages(out, item);

  if (is_full()) return false;
  if (form.pieces == nullptr) {
    form = batch_.form(out.pieces(train), train.message_count > 1 ? train.segment_bytes : 0);
    if (form.pieces == nullptr) return false;
  }
  append(out, item, form, train.message_count, train.segment_bytes);
  return true;
}

bool UdpSender::add_messages(const Outbox& out, Item& item) {
  const Outbox::Train& train = train_of(out, item);
  for (; item.first_message < train.message_count; ++item.first_message) {
    if (is_full()) return false;
    const std::string_view message = out.message(train, item.first_message);
    const SendBatch::Form form = batch_.form({&message, 1}, 0);
    if (form.pieces == nullptr) return false;
    append(out, item, form, 1, message.size());
  }
  return true;
}

void UdpSender::append(const Outbox& out, const Item& item, const SendBatch::Form& form,
                       std::uint32_t message_count, std::size_t message_bytes) {
  const Outbox::Kind kind = out.groups()[item.group].kind;
  if (message_bytes > max_whole_bytes_ && may_be_cut(kind) && !fragmentation_.is_allowed()) {
    fragmentation_.allow();
  }
  entries_[batch_.end()] = {.item = item,
                            .deferred_index = static_cast<std::uint32_t>(next_deferred_),
                            .message_count = message_count,
                            .kind = kind};
  batch_.add(destination_of(out, item), form);
}

// A device's queue is full: what goes through it waits, what goes elsewhere does not.
void UdpSender::defer(const Outbox& out, const Item& item) {
  deferred_.push_back(item);
  ++deferred_destinations_[destination_of(out, item)];
}

// One by one: to clear the whole map would give its memory back.
void UdpSender::erase_deferred(const Outbox& out, const Item& item) {
  const auto found = deferred_destinations_.find(destination_of(out, item));
  if (found != deferred_destinations_.end() && --found->second == 0) {
    deferred_destinations_.erase(found);
  }
}

void UdpSender::count_sent(std::size_t count) {
  for (std::size_t i = batch_.first(); i < batch_.first() + count; ++i) {
    const Entry& entry = entries_[i];
    if (entry.message_count > 1) counters_.add(Counter::kTrainsSent);
    if (entry.kind == Outbox::Kind::kMessage) {
      counters_.add(Counter::kDeliveriesSent, entry.message_count);
    } else if (is_bundle(entry.kind)) {
      counters_.add(Counter::kBundlesSent, entry.message_count);
    } else if (entry.kind == Outbox::Kind::kNotice) {
      counters_.add(Counter::kNoticesSent);
    }
  }
  batch_.pop(count);
  forget_failures();
}

void UdpSender::drop_first(Counter reason) {
  const Entry& entry = entries_[batch_.first()];
  count_dropped(entry.kind, entry.message_count, reason);
  batch_.pop(1);
  forget_failures();
}

void UdpSender::count_dropped(Outbox::Kind kind, std::uint32_t message_count, Counter reason) {
  if (kind == Outbox::Kind::kMessage) counters_.add(reason, message_count);
  if (is_bundle(kind)) counters_.add(Counter::kBundlesDropped, message_count);
  if (kind == Outbox::Kind::kNotice) counters_.add(Counter::kNoticesDropped);
}

bool UdpSender::is_before(const Item& a, const Item& b) {
  return std::tie(a.group, a.train, a.destination) < std::tie(b.group, b.train, b.destination);
}

const IpAddress& UdpSender::ip_of(const Outbox& out, std::size_t entry) const {
  return destination_of(out, entries_[entry].item).ip;
}

const Outbox::Train& UdpSender::train_of(const Outbox& out, const Item& item) {
  return out.trains(out.groups()[item.group])[item.train];
}

const Endpoint& UdpSender::destination_of(const Outbox& out, const Item& item) {
  return out.destinations(out.groups()[item.group])[item.destination];
}

}  // namespace chatd
