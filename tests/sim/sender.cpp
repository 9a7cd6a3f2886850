#include "tests/sim/sender.h"

#include <algorithm>
#include <string_view>

#include "tests/sim/words.h"

namespace chatd::sim {
namespace {

Counter reason_of(Kernel::Word word) {
  switch (word) {
    case Kernel::Word::kUnreachable:
      return Counter::kDroppedSendUnreachable;
    case Kernel::Word::kRefused:
      return Counter::kDroppedSendRefused;
    case Kernel::Word::kTooBig:
      return Counter::kDroppedSendTooBig;
    case Kernel::Word::kDeviceFull:
      return Counter::kDroppedSendNoBuffers;
    default:
      return Counter::kDroppedSendFailed;
  }
}

}  // namespace

Sender::Progress Sender::send(const Outbox& out, Counters& counters) {
  Progress progress = Progress::kDone;
  if (is_second_try_ && !send_put_off(out, counters)) progress = Progress::kSocketFull;
  for (std::size_t i = 0; progress == Progress::kDone && find_item(out); ++i) {
    if (i == kTrainsPerCall) {
      progress = Progress::kMore;
    } else if (is_put_off(out, next_)) {
      put_off(out, next_, counters);
      ++next_.destination;
    } else if (!send_item(out, next_, counters)) {
      progress = Progress::kSocketFull;
    } else {
      ++next_.destination;
      next_.first_message = 0;
    }
  }
  unload();
  if (progress != Progress::kDone) return progress;
  if (!put_off_.empty()) {
    is_second_try_ = true;
    return Progress::kPutOff;
  }
  next_ = {};
  return Progress::kDone;
}

bool Sender::send_put_off(const Outbox& out, Counters& counters) {
  for (; next_put_off_ < put_off_.size(); ++next_put_off_) {
    if (!send_item(out, put_off_[next_put_off_], counters)) return false;
  }
  put_off_.clear();
  next_put_off_ = 0;
  is_second_try_ = false;
  return true;
}

bool Sender::find_item(const Outbox& out) {
  for (; next_.fanout < out.fanouts().size(); ++next_.fanout, next_.train = 0) {
    const Outbox::Fanout& fanout = out.fanouts()[next_.fanout];
    for (; next_.train < fanout.train_count; ++next_.train, next_.destination = 0) {
      if (next_.destination < fanout.destination_count) return true;
    }
    next_.destination = 0;
  }
  return false;
}

bool Sender::send_item(const Outbox& out, Item& item, Counters& counters) {
  const Outbox::Train& train = train_of(out, item);
  const Endpoint& to = destination_of(out, item);
  const auto port = network_.find_port(to);
  const bool is_plain = port && *port < plain_.size() && plain_[*port] != 0;
  if (train.message_count == 1 || is_plain || item.first_message > 0) {
    return send_one_by_one(out, item, counters);
  }
  const Kernel::Word word = kernel_.send(to, train.segment_bytes, /*is_train=*/true);
  if (word != Kernel::Word::kTaken) return handle(out, item, word, true, counters);
  counters.add(Counter::kTrainsSent);
  transmit(out, item, train.message_count, counters);
  return true;
}

bool Sender::send_one_by_one(const Outbox& out, Item& item, Counters& counters) {
  const Outbox::Train& train = train_of(out, item);
  while (item.first_message < train.message_count) {
    const std::string_view message = out.message(train, item.first_message);
    const Kernel::Word word = kernel_.send(destination_of(out, item), message.size(), false);
    if (word == Kernel::Word::kTaken) {
      transmit(out, item, 1, counters);
    } else if (word == Kernel::Word::kSocketFull) {
      return handle(out, item, word, false, counters);
    } else if (word == Kernel::Word::kDeviceFull && !is_second_try_) {
      put_off(out, item, counters);
      return true;
    } else {
      drop(out, item, 1, reason_of(word), counters);
    }
    ++item.first_message;
  }
  return true;
}

bool Sender::handle(const Outbox& out, Item& item, Kernel::Word word, bool is_train,
                    Counters& counters) {
  if (word == Kernel::Word::kSocketFull) {
    counters.add(Counter::kSendsPostponed);
    return false;
  }
  if (word == Kernel::Word::kDeviceFull && !is_second_try_) {
    put_off(out, item, counters);
    return true;
  }
  if (is_train && word == Kernel::Word::kNoTrains) {
    counters.add(Counter::kTrainFallbacks);
    const auto port = network_.find_port(destination_of(out, item));
    if (plain_.size() <= *port) plain_.resize(*port + 1);
    plain_[*port] = 1;
    return send_one_by_one(out, item, counters);
  }
  drop(out, item, train_of(out, item).message_count - item.first_message, reason_of(word),
       counters);
  return true;
}

void Sender::put_off(const Outbox& out, const Item& item, Counters& counters) {
  if (put_off_.size() == kMaxPutOff) {
    const Item oldest = put_off_.front();
    drop(out, oldest, train_of(out, oldest).message_count - oldest.first_message,
         Counter::kDroppedSendNoBuffers, counters);
    put_off_.erase(put_off_.begin());
  }
  put_off_.push_back(item);
}

bool Sender::is_put_off(const Outbox& out, const Item& item) const {
  return std::any_of(put_off_.begin(), put_off_.end(), [&](const Item& other) {
    return destination_of(out, other) == destination_of(out, item);
  });
}

void Sender::abandon(const Outbox& out, Counters& counters, Counter reason) {
  const auto drop_rest = [&](const Item& item) {
    drop(out, item, train_of(out, item).message_count - item.first_message, reason, counters);
  };
  for (; next_put_off_ < put_off_.size(); ++next_put_off_) drop_rest(put_off_[next_put_off_]);
  put_off_.clear();
  next_put_off_ = 0;
  is_second_try_ = false;
  for (; find_item(out); ++next_.destination, next_.first_message = 0) drop_rest(next_);
  next_ = {};
}

void Sender::drop(const Outbox& out, const Item& item, std::uint32_t count, Counter reason,
                  Counters& counters) {
  world_.note(Step::kCannotSend, shard_, static_cast<std::uint64_t>(reason),
              destination_of(out, item).port);
  const Outbox::Kind kind = out.fanouts()[item.fanout].kind;
  if (kind == Outbox::Kind::kMessage) counters.add(reason, count);
  if (kind == Outbox::Kind::kNotice) {
    counters.add(Counter::kNoticesDropped);
    ++notices_dropped_;
  }
}

// The kernel cuts a train at its end of the path: messages travel alone.
void Sender::transmit(const Outbox& out, const Item& item, std::uint32_t count,
                      Counters& counters) {
  const Outbox::Kind kind = out.fanouts()[item.fanout].kind;
  if (kind == Outbox::Kind::kMessage) counters.add(Counter::kDeliveriesSent, count);
  if (kind == Outbox::Kind::kNotice) counters.add(Counter::kNoticesSent);
  const auto port = network_.find_port(destination_of(out, item));
  if (!port) return;
  world_.note(Step::kSendsTrain, shard_, *port, count);
  load(out, item);
  for (std::uint32_t i = 0; i < count; ++i) {
    network_.send_to_client(*port, loaded_[item.first_message + i]);
  }
}

void Sender::load(const Outbox& out, const Item& item) {
  if (!loaded_.empty() && loaded_fanout_ == item.fanout && loaded_train_ == item.train) return;
  unload();
  loaded_fanout_ = item.fanout;
  loaded_train_ = item.train;
  const Outbox::Train& train = train_of(out, item);
  const bool is_message = out.fanouts()[item.fanout].kind == Outbox::Kind::kMessage;
  for (std::uint32_t i = 0; i < train.message_count; ++i) {
    const std::string_view bytes = out.message(train, i);
    const std::uint32_t number = world_.packets.make();
    Packet& packet = world_.packets[number];
    packet.bytes.assign(bytes);
    packet.size_bytes = bytes.size();
    if (is_message) packet.message = id_in(bytes).value_or(0);
    loaded_.push_back(number);
  }
}

void Sender::unload() {
  for (const std::uint32_t packet : loaded_) world_.packets.release(packet);
  loaded_.clear();
}

}  // namespace chatd::sim
