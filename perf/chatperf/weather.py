"""What messages take to arrive on networks that lose some of what they carry."""

from dataclasses import replace

from . import command, machine, programs, report, servers
from .load import Load, run
from .lossy_line import SERVER_IP, LossyLine, Weather
from .programs import CannotMeasure, say
from .rounds import Contestant, Series

DESCRIPTION = """\
A room of twenty people who hear forty messages a second, over a line with a round trip of 100 ms
that loses 0, 1, 5 and 10 % of all packets in each direction: chatd with protocol v2 and v1, and
Redis and NATS, which use TCP. How long it takes until a message has arrived, and all that was said
before it; and how many bytes the line carried for each byte that was delivered. It takes root, for
networks of its own."""

CONTESTANTS = [
    Contestant("chatd v2", servers.ChatdV2),
    Contestant("chatd v1", servers.Chatd),
    Contestant("redis", servers.Redis),
    Contestant("nats", servers.Nats),
]
LOSSES = (0, 0.01, 0.05, 0.10)
CALM = Weather(delay_ms=47.5, jitter_ms=5)
ROUND_TRIP_MS = 100
PAYLOAD_BYTES = 128
# One address, so that it is the same for all; whoever is late is waited for, and counts.
LOAD = Load(rooms=1, members=20, rate=40, duration_s=30, warmup_s=2, flags=(
    "--connections", "4", "--give-up", "60s", "--drain", "20s",
    "--max-send-lag", "1s", "--one-socket-per-client"))
GOAL = "p99 at 5 % loss: at most two round trips and 100 ms, and less than over TCP"


def measure(contestant, weather, load, seed):
    with LossyLine(weather, seed) as line:
        with line.server.inside():
            server = contestant.server(host=SERVER_IP, flags=contestant.server_flags)
            server.__enter__()
        try:
            with line.clients.inside():
                before = line.bytes
                figures = run(server, load)
                figures.result["line_bytes"] = line.bytes - before
        finally:
            server.__exit__()
    return figures


def bytes_per_byte(series):
    """Of the line, joins included, for each byte of payload that was delivered."""
    values = [figures.result["line_bytes"] / (figures.delivered * PAYLOAD_BYTES)
              for figures in series.runs if figures.delivered]
    return f"{min(values):.1f}" if values else "n/a"


def lost_of(series):
    lost, expected = (sum(getattr(figures, name) or 0 for figures in series.runs)
                      for name in ("lost", "expected"))
    return f"{100 * lost / expected:.1f} %" if expected else "n/a"


def row(name, series):
    return [name, *(report.duration(series.median(figure)) for figure in
                    ("p50_ns", "p99_ns", "max_ns")), lost_of(series), bytes_per_byte(series)]


def verdict(by_name):
    ours = by_name["chatd v2"].median("p99_ns")
    theirs = [by_name[name].median("p99_ns") for name in ("redis", "nats")]
    if ours is None or None in theirs:
        return f"Goal: {GOAL}: no figures."
    is_reached = ours <= (2 * ROUND_TRIP_MS + 100) * 1e6 and ours < min(theirs)
    return f"Goal: {GOAL}: {'reached' if is_reached else 'MISSED'}."


def work(options):
    needed = ["redis-server", "nats-server"]
    programs.install_missing(needed)
    about = machine.describe()
    count = options.rounds or (1 if options.quick else 2)
    load = replace(LOAD, duration_s=10) if options.quick else LOAD
    losses = (0.05,) if options.quick else LOSSES
    found = {loss: {c.name: Series() for c in CONTESTANTS} for loss in losses}
    for number in range(count):
        for loss in losses:
            for contestant in CONTESTANTS:
                series = found[loss][contestant.name]
                try:
                    figures = measure(contestant, replace(CALM, loss=loss), load, number + 1)
                except CannotMeasure as trouble:
                    series.failures.append(str(trouble))
                    say(f"{loss:.0%} loss, {contestant.name}: NO RESULT: {trouble}")
                    continue
                series.by_round[number] = figures
                say(f"{loss:.0%} loss, {contestant.name}: p99 {report.duration(figures.p99_ns)}")
    text = report.heading("Messages over lines that lose packets", about, [
        f"A room of 20, 40 messages/s of {PAYLOAD_BYTES} bytes from one member, {load.duration_s:g} "
        f"s, {count} rounds (medians); a round trip of {ROUND_TRIP_MS} ms, 5 ms of jitter; each "
        "packet of either way is lost with this probability. A message has arrived when all before "
        "it have, too. «Bytes»: on the line, with headers and joins, for each byte that arrived."])
    head = ["server", "p50", "p99", "max", "never came", "bytes"]
    for loss, by_name in found.items():
        text += f"## {loss:.0%} of all packets lost, each way\n\n"
        text += report.table(head, [row(name, series) for name, series in by_name.items()]) + "\n"
    if 0.05 in found:
        text += verdict(found[0.05]) + "\n"
    report.write(options.out, "weather", text, {
        "machine": about, "rounds": count,
        "cases": {f"{loss:.0%}": {name: one.as_json() for name, one in by_name.items()}
                  for loss, by_name in found.items()}})
    return 0


def main():
    return command.main(work, command.parser(DESCRIPTION).parse_args())
