"""A member's side of protocol v2 without sockets and clock: datagrams and the time go in, datagrams
and events come out. Written from docs/reference/protocol-v2.md alone. Times are seconds."""

import base64
import collections
import random

import wire

REORDER_S = 0.005
ASK_DELAY_S = 0.003, 0.007
FIRST_TIMEOUT_S, MIN_TIMEOUT_S, MAX_TIMEOUT_S = 0.5, 0.05, 10
KEEP_ALIVE_S = 25
MAX_UNDER_WAY = 64
MIN_WINDOW = 4


class RoundTrip:
    """How long to wait for an answer (RFC 6298, with a floor of 50 ms)."""

    def __init__(self):
        self.smoothed_s = None
        self.variation_s = 0.0

    def add(self, sample_s: float) -> None:
        if self.smoothed_s is None:
            self.smoothed_s, self.variation_s = sample_s, sample_s / 2
            return
        self.variation_s += (abs(self.smoothed_s - sample_s) - self.variation_s) / 4
        self.smoothed_s += (sample_s - self.smoothed_s) / 8

    def timeout_s(self, doublings: int = 0) -> float:
        timeout_s = FIRST_TIMEOUT_S
        if self.smoothed_s is not None:
            timeout_s = max(MIN_TIMEOUT_S, self.smoothed_s + max(4 * self.variation_s, 0.01))
        return min(MAX_TIMEOUT_S, timeout_s * 2 ** doublings)


class Pending:
    """Something that was said and is neither delivered nor refused."""

    def __init__(self, content: bytes, content_type: int):
        self.content = content
        self.content_type = content_type
        self.sent_at = None
        self.times_sent = 0
        self.is_due = True
        self.taken_by = None  # it is an entry not behind this one


class Session:
    """Events are tuples: ("entry", number, wire.Entry), ("gap", first, last), ("delivered",
    client number, number; None: lost in a gap), ("refused", client number, reason), ("over", why)."""

    def __init__(self, answer: dict, now: float, wants_history: bool = True):
        session, log = answer["session"], answer["log"]
        secret = base64.b64decode(session["key"])
        self.id = bytes.fromhex(session["id"])
        self.cipher = session["cipher"]
        self.reset_token = base64.b64decode(session["reset"])
        self.send_key = wire.Key(secret, "to server")
        self.receive_key = wire.Key(secret, "to client")
        self.next_packet = 0
        self.seen = wire.ReplayWindow()
        self.keep_alive_s = min(KEEP_ALIVE_S, answer["idle_timeout"] / 3)

        self.log_epoch = log["epoch"]
        self.next_entry = log["next"]  # of this session's own time, from here on
        self.complete = (log["oldest"] if wants_history else log["next"]) - 1
        self.newest = log["next"] - 1
        self.ahead = {}  # number: entry, beyond the first gap
        self.me = answer["you"]
        self.roster = {member["id"]: member["name"] for member in answer["roster"]}
        self.names = dict(self.roster)  # also of those who have gone

        self.next_number = 1
        self.says = collections.OrderedDict()
        self.round_trip = RoundTrip()
        self.doublings = 0
        self.window = 10.0

        self.have_interval_s = 1.0
        self.have_at = None
        self.ask_at = now if self.complete < self.newest else None
        self.times_asked = 0
        self.asked_up_to = 0
        self.probe_at = now
        self.probes = 0
        self.first_asked_at = None  # while that was once, and nothing was heard
        self.path_response = None
        self.is_leaving = False
        self.leave_at = now
        self.is_over = False
        self.events = []

    # --- In ----------------------------------------------------------------------------------------

    def say(self, content: bytes, content_type: int = wire.TEXT) -> int:
        number = self.next_number
        self.next_number += 1
        self.says[number] = Pending(content, content_type)
        return number

    def leave(self) -> None:
        self.is_leaving = True

    def on_datagram(self, data: bytes, now: float) -> None:
        if self.is_over:
            return
        if len(data) == wire.RESET_BYTES and data[-16:] == self.reset_token:
            self.end("the server does not know this session")
            return
        frames = self.open(data)
        if frames is None:
            return
        if self.first_asked_at is not None:
            self.round_trip.add(now - self.first_asked_at)
            self.first_asked_at = None
        self.probes = 0
        self.probe_at = now + self.keep_alive_s
        for kind, fields in wire.read_frames(frames):
            self.take(kind, fields, now)
        self.settle_lost_echoes()
        self.look_for_gaps(now)

    def open(self, data: bytes) -> bytes | None:
        if not wire.is_datagram(data) or wire.session_of(data) != self.id:
            return None
        number = wire.packet_number_of(data)
        if not self.seen.is_new(number):
            return None
        epoch = number // wire.PACKETS_PER_KEY
        if epoch == self.receive_key.epoch:
            key = self.receive_key
        elif epoch == self.receive_key.epoch + 1:
            key = self.receive_key.next()
        else:
            return None
        frames = wire.unseal(self.cipher, key, data)
        if frames is not None:
            self.receive_key = key
            self.seen.mark(number)
        return frames

    def take(self, kind: int, fields: dict, now: float) -> None:
        if fields.get("epoch", self.log_epoch) != self.log_epoch:
            return
        if kind == wire.LOG:
            for number, entry in enumerate(fields["entries"], fields["first"]):
                self.take_entry(number, entry, now)
        elif kind == wire.HEAD:
            self.newest = max(self.newest, fields["last"])
            self.have_interval_s = fields["have_interval_ms"] / 1000 or self.have_interval_s
            if self.complete == self.newest:
                self.have_at = now
        elif kind == wire.GAP:
            self.take_gap(fields["first"], fields["last"])
        elif kind == wire.REFUSED:
            if self.says.pop(fields["client_number"], None) is not None:
                self.events.append(("refused", fields["client_number"], fields["reason"]))
        elif kind == wire.TAKEN:
            said = self.says.get(fields["client_number"])
            if said is not None:
                said.is_due, said.taken_by = False, self.newest
        elif kind == wire.PATH_CHALLENGE:
            self.path_response = fields["data"]
        elif kind == wire.CLOSED:
            self.end(fields["text"])

    def take_entry(self, number: int, entry: wire.Entry, now: float) -> None:
        self.newest = max(self.newest, number)
        if number <= self.complete or number in self.ahead:
            return
        if self.have_at is None:
            self.have_at = now + self.have_interval_s
        if entry.member == self.me and number >= self.next_entry:
            self.settle(entry.client_number, number, now)
        self.ahead[number] = entry
        self.pass_on()

    def pass_on(self) -> None:
        while self.complete + 1 in self.ahead:
            self.complete += 1
            entry = self.ahead.pop(self.complete)
            if entry.kind == wire.JOINED:
                self.names[entry.member] = entry.content.decode()
            if self.complete >= self.next_entry:
                if entry.kind == wire.JOINED:
                    self.roster[entry.member] = entry.content.decode()
                elif entry.kind == wire.LEFT:
                    self.roster.pop(entry.member, None)
            self.events.append(("entry", self.complete, entry))

    def take_gap(self, first: int, last: int) -> None:
        self.newest = max(self.newest, last)
        if first > self.complete + 1:
            return
        while self.complete < last:
            lost = self.complete + 1
            self.complete = min([last] + [number - 1 for number in self.ahead])
            if self.complete >= lost:
                self.events.append(("gap", lost, self.complete))
            self.pass_on()
        self.pass_on()

    def settle_lost_echoes(self) -> None:
        for number, said in list(self.says.items()):
            if said.taken_by is not None and said.taken_by <= self.complete:
                del self.says[number]
                self.events.append(("delivered", number, None))

    def settle(self, client_number: int, number: int, now: float) -> None:
        said = self.says.pop(client_number, None)
        if said is None:
            return
        self.events.append(("delivered", client_number, number))
        if said.times_sent == 1 and number > self.asked_up_to:
            self.round_trip.add(now - said.sent_at)
        self.doublings = 0
        self.window = min(MAX_UNDER_WAY, self.window + 1 / self.window)
        for other in self.says.values():
            if (other.sent_at is not None and other.taken_by is None
                    and other.sent_at + REORDER_S <= said.sent_at):
                other.is_due = True

    def look_for_gaps(self, now: float) -> None:
        if self.complete >= self.newest:
            self.ask_at = None
            self.times_asked = 0
        elif self.ask_at is None or (self.times_asked > 0 and not self.ahead):
            self.times_asked = 0
            self.ask_at = now + random.uniform(*ASK_DELAY_S)

    def end(self, why: str) -> None:
        self.is_over = True
        self.events.append(("over", why))

    # --- Out ---------------------------------------------------------------------------------------

    def datagrams(self, now: float) -> list[bytes]:
        """What is to be sent now."""
        self.look_for_timeouts(now)
        sealed = []
        while not self.is_over:
            frames = self.next_frames(now)
            if not frames:
                break
            sealed.append(self.seal(frames))
        return sealed

    def look_for_timeouts(self, now: float) -> None:
        timeout_s = self.round_trip.timeout_s(self.doublings)
        late = [said for said in self.says.values()
                if not said.is_due and said.taken_by is None and said.sent_at + timeout_s <= now]
        for said in late:
            said.is_due = True
        if late:
            self.doublings = min(3, self.doublings + 1)
            self.window = max(MIN_WINDOW, self.window / 2)

    def next_frames(self, now: float) -> bytes:
        frames = b""
        if self.path_response is not None:
            frames += wire.path_response(self.path_response)
            self.path_response = None
        if min(self.have_at or now + 1, self.ask_at or now + 1, self.probe_at) <= now:
            frames += self.have(now)
        frames += self.due_says(now, wire.MAX_PLAIN_BYTES - len(frames))
        if self.is_leaving and self.leave_at <= now and not self.says:
            frames += wire.leave()
            self.leave_at = now + self.round_trip.timeout_s()
        return frames

    def have(self, now: float) -> bytes:
        wanted = 0
        if self.ask_at is not None and self.ask_at <= now:
            wanted = self.newest
            timeout_s = self.round_trip.timeout_s(min(2, self.times_asked))
            self.ask_at = now + timeout_s * random.uniform(1, 1.25)
            self.times_asked += 1
        if self.probe_at <= now:
            wanted = self.newest + 1
            self.probe_at = now + self.round_trip.timeout_s(self.probes)
            self.probes += 1
        self.have_at = None
        self.first_asked_at = now if self.next_packet == 0 else None
        self.asked_up_to = max(self.asked_up_to, wanted)
        ranges = []
        for number in sorted(self.ahead):
            if ranges and ranges[-1][1] == number - 1:
                ranges[-1] = (ranges[-1][0], number)
            elif len(ranges) == wire.MAX_RANGES:
                wanted = min(wanted, ranges[-1][1])
                break
            else:
                ranges.append((number, number))
        return wire.have(self.log_epoch, self.complete, wanted, ranges)

    def due_says(self, now: float, room_bytes: int) -> bytes:
        frames = b""
        under_way = sum(not said.is_due and said.taken_by is None for said in self.says.values())
        for number, said in self.says.items():
            if not said.is_due:
                continue
            if under_way >= int(self.window) or number >= next(iter(self.says)) + MAX_UNDER_WAY:
                break
            frame = wire.say(number, said.content, said.content_type)
            if len(frames) + len(frame) > room_bytes:
                break
            frames += frame
            said.sent_at = now
            said.times_sent += 1
            said.is_due = False
            under_way += 1
        return frames

    def seal(self, frames: bytes) -> bytes:
        while self.send_key.epoch < self.next_packet // wire.PACKETS_PER_KEY:
            self.send_key = self.send_key.next()
        number = self.next_packet
        self.next_packet += 1
        return wire.seal(self.cipher, self.send_key, self.id, number, frames)
