#include "tests/sim/shard.h"

#include <algorithm>
#include <utility>

#include "core/wire/v1/datagram.h"
#include "tests/sim/switchboard.h"

namespace chatd::sim {
namespace {

constexpr std::uint64_t kTurnUs = 30;

}  // namespace

Shard::Shard(World& world, Network& network, Model& model, Audit& audit, Switchboard& board,
             const ServerClock& clock, const RelayConfig& config)
    : world_(world),
      network_(network),
      model_(model),
      audit_(audit),
      board_(board),
      clock_(clock),
      shard_(config.shard),
      config_(config),
      relay_(std::in_place, config, clock.now_ms(world.now_us)),
      out_(world.scenario.outbox_work, config.limits.max_room_members),
      kernel_(world, network),
      sender_(world, network, kernel_, config.shard) {}

Shard::~Shard() {
  for (const std::uint32_t packet : datagrams_) world_.packets.release(packet);
  for (const std::uint32_t packet : strays_) world_.packets.release(packet);
}

// --- What comes ----------------------------------------------------------------------------------

void Shard::on_datagram(std::uint32_t packet) {
  if (datagrams_.size() >= world_.scenario.receive_buffer) {
    relay_->counters().add(Counter::kReceiveBufferDrops);
    return world_.packets.release(packet);
  }
  datagrams_.push_back(packet);
  wake();
}

void Shard::on_refusal(const Endpoint& destination) {
  refusals_.push_back(destination);
  wake();
}

void Shard::on_request(std::uint32_t connection) {
  requests_.push_back(connection);
  wake();
}

void Shard::on_shard_message(ShardMessage message) {
  messages_.push_back(std::move(message));
  wake();
}

bool Shard::on_stray(std::uint32_t packet) {
  if (strays_.size() >= world_.scenario.mailbox) return false;
  strays_.push_back(packet);
  wake();
  return true;
}

void Shard::drain_socket() {
  kernel_.drain();
  udp_is_full_ = false;
  wake();
}

void Shard::go_on() {
  is_paused_ = false;
  wake();
}

void Shard::wake() {
  if (std::exchange(is_awake_, true)) return;
  world_.plan(world_.dice.roll(kTurnUs), EventKind::kTurn, 0, shard_);
}

void Shard::on_timer() {
  if (timer_us_ && *timer_us_ <= world_.now_us) timer_us_.reset();
  wake();
}

// --- The duty cycle (server/shard/shard.cpp)
// -----------------------------------------------------------

void Shard::turn() {
  is_awake_ = false;
  if (is_paused_) return;
  const TimeMs now_ms = clock_.now_ms(world_.now_us);
  world_.note(Step::kTurn, shard_, model_.debts().owed_by(shard_), now_ms);
  make_room();
  take_refusals(now_ms);
  expire(now_ms);
  drain_messages(now_ms);
  obey(now_ms);
  serve_requests(now_ms);
  write_lists(now_ms);
  send(now_ms);
  receive(now_ms);
  if (!has_unsent_) fan_out();
  send(now_ms);
  audit_.check_counters(*relay_, shard_, sender_.notices_dropped());
  if (has_work()) wake();
  set_timer();
}

bool Shard::has_work() const {
  const bool can_send = !is_stuck() && (has_unsent_ || relay_->has_waiting());
  return can_send || !datagrams_.empty() || !strays_.empty() || !refusals_.empty() ||
         !requests_.empty() || !messages_.empty() || !orders_.empty() ||
         relay_->has_lists_to_write(clock_.now_ms(world_.now_us));
}

bool Shard::is_at_rest() const {
  return !has_work() && !has_unsent_ && !relay_->has_waiting() && !relay_->next_deadline() &&
         out_.is_empty() && relay_->roster().members().size() == 0 &&
         relay_->roster().rooms().size() == 0;
}

void Shard::set_timer() {
  std::optional<TimeMs> deadline_ms = relay_->next_deadline();
  if (put_off_until_ms_) {
    deadline_ms = std::min(deadline_ms.value_or(*put_off_until_ms_), *put_off_until_ms_);
  }
  if (!deadline_ms) return;
  const std::uint64_t at_us = clock_.when_us(world_.now_us, *deadline_ms);
  if (timer_us_ && *timer_us_ <= at_us) return;
  timer_us_ = at_us;
  world_.events.plan(at_us, EventKind::kTimer, 0, shard_);
}

void Shard::make_room() {
  if (!is_stuck() || !out_.is_full()) return;
  sender_.abandon(out_, relay_->counters(), Counter::kDroppedSendQueueFull);
  audit_.check_sent(*relay_, shard_);
  out_.clear();
  has_unsent_ = false;
  put_off_until_ms_.reset();
}

void Shard::take_refusals(TimeMs now_ms) {
  while (!refusals_.empty() && !out_.is_full()) {
    const Endpoint destination = refusals_.front();
    refusals_.pop_front();
    audit_.begin(shard_, out_);
    model_.on_refused(now_ms, shard_, destination);
    relay_->on_refused(now_ms, destination, out_);
    audit_.end(*relay_, out_);
  }
}

bool Shard::is_gone(const Membership& member) const {
  const std::uint32_t slot = member.token.slot();
  const auto& members = relay_->roster().members();
  return !members.contains(slot) || !(members[slot].token == member.token);
}

void Shard::expire(TimeMs now_ms) {
  const bool was_full = out_.is_full();
  const std::size_t fanouts_before = out_.fanouts().size();
  audit_.begin(shard_, out_);
  relay_->on_deadline(now_ms, out_);
  if (was_full && out_.fanouts().size() > fanouts_before) {
    world_.fail("members expire although the outbox is full");
  }
  const bool stopped_early = relay_->next_deadline().value_or(now_ms + 1) <= now_ms;
  if (stopped_early) {
    const Model::IsGone gone = [this](const Membership& member) { return is_gone(member); };
    model_.on_deadline(now_ms, shard_, &gone);
  } else {
    model_.on_deadline(now_ms, shard_, nullptr);
  }
  audit_.end(*relay_, out_);
}

void Shard::receive(TimeMs now_ms) {
  while (!strays_.empty() && !out_.is_full()) {
    take_in(now_ms, strays_.front());
    strays_.pop_front();
  }
  for (std::size_t i = 0; i < world_.scenario.datagrams_per_turn; ++i) {
    if (datagrams_.empty() || out_.is_full()) return;
    const std::uint32_t packet = datagrams_.front();
    datagrams_.pop_front();
    if (!hand_over(packet)) take_in(now_ms, packet);
  }
}

void Shard::take_in(TimeMs now_ms, std::uint32_t number) {
  const Packet& packet = world_.packets[number];
  audit_.begin(shard_, out_);
  const Counter outcome =
      model_.on_datagram(now_ms, shard_, packet.from, packet.claim, packet.size_bytes);
  relay_->on_datagram(now_ms, packet.from,
                      std::string_view(packet.bytes).substr(0, packet.size_bytes), out_);
  world_.note(Step::kJudged, shard_, static_cast<std::uint64_t>(outcome), packet.claim.message);
  audit_.check(*relay_, shard_, outcome);
  audit_.check(*relay_, shard_, Counter::kDeliveriesPlanned);
  audit_.end(*relay_, out_, packet.size_bytes);
  post();
  world_.packets.release(number);
}

// A datagram whose token names another shard goes there (server/group/shard_line.cpp).
bool Shard::hand_over(std::uint32_t number) {
  const Packet& packet = world_.packets[number];
  const auto owner = shard_of_datagram(std::string_view(packet.bytes).substr(0, packet.size_bytes));
  if (!owner || *owner == shard_ || *owner >= model_.shards().count()) return false;
  if (board_.hand_over(*owner, number)) {
    relay_->counters().add(Counter::kDatagramsHandedOver);
    return true;
  }
  for (const Counter counter : {Counter::kDatagramsReceived, Counter::kDroppedMailboxFull}) {
    relay_->counters().add(counter);
    ++model_.expected(shard_, counter);
  }
  world_.packets.release(number);
  return true;
}

void Shard::fan_out() {
  if (!relay_->has_waiting()) return;
  audit_.begin(shard_, out_);
  relay_->fan_out(out_);
  if (out_.is_full()) world_.seen.saw(Sight::kOutboxFull);
  audit_.end(*relay_, out_);
}

void Shard::send(TimeMs now_ms) {
  if (udp_is_full_ || put_off_until_ms_.value_or(now_ms) > now_ms || out_.is_empty()) return;
  put_off_until_ms_.reset();
  switch (sender_.send(out_, relay_->counters())) {
    case Sender::Progress::kDone:
      audit_.check_sent(*relay_, shard_);
      out_.clear();
      has_unsent_ = false;
      return;
    case Sender::Progress::kMore:
      break;
    case Sender::Progress::kSocketFull:
      udp_is_full_ = kernel_.is_full();
      break;
    case Sender::Progress::kPutOff:
      put_off_until_ms_ = now_ms + Sender::kPutOffMs;
  }
  has_unsent_ = true;
  out_.extend();
}

void Shard::say_goodbye() {
  is_paused_ = false;
  turn();
  drop_waiting();
  const Model::IsGone gone = [this](const Membership& member) { return is_gone(member); };
  for (bool everyone_is_told = false; !everyone_is_told && world_.ok();) {
    audit_.begin(shard_, out_);
    everyone_is_told = relay_->disconnect_all(out_);
    model_.on_disconnect_all(shard_, gone);
    audit_.end(*relay_, out_);
    send_goodbyes();
  }
  audit_.check_counters(*relay_, shard_, sender_.notices_dropped());
  audit_.compare(clock_.now_ms(world_.now_us), *relay_, shard_);
}

void Shard::drop_waiting() {
  const std::uint64_t before = relay_->counters()[Counter::kDroppedSendAtStop];
  relay_->drop_waiting();
  audit_.check_dropped(*relay_, shard_, relay_->counters()[Counter::kDroppedSendAtStop] - before);
}

void Shard::send_goodbyes() {
  Sender::Progress progress = Sender::Progress::kMore;
  while (progress != Sender::Progress::kDone && world_.ok()) {
    progress = sender_.send(out_, relay_->counters());
    if (progress != Sender::Progress::kSocketFull) continue;
    sender_.abandon(out_, relay_->counters(), Counter::kDroppedSendAtStop);
    break;
  }
  audit_.check_sent(*relay_, shard_);
  out_.clear();
  has_unsent_ = false;
}

}  // namespace chatd::sim
