"""What a delivery costs in small and large rooms, in few and many: it should be the same."""

from pathlib import Path

from . import command, machine, report, rounds, servers, shapes, svg
from .load import Load
from .rounds import Contestant

DESCRIPTION = """\
chatd's CPU per delivery for rooms of 10 to 10,000 members, and for 1 to 100,000 rooms of 10, at the
same number of deliveries per second, with trains turned off: they would make crowded cases cheaper,
and hide what this is about. Prints by how much the dearest case is above the cheapest, and plots both lines."""

GOAL_SPREAD = 0.20
DELIVERIES_PER_S = 100_000
ROOM_SIZES = [10, 30, 100, 300, 1000, 3000, 10_000]
ROOM_COUNTS = [1, 10, 100, 1000, 10_000, 100_000]
SMALL_ROOM = 10
# Several per connection: those share an address, and so there are as many sockets.
JOINING = ("--joins-per-connection", "10", "--connections", "16")
# A large room's fan-out is under way for long: nothing is late because of that.
PATIENCE = ("--give-up", "5s", "--drain", "5s", "--max-send-lag", "200ms")


def case(rooms, members, quick):
    return Load(rooms=rooms, members=members, rate=DELIVERIES_PER_S / (members - 1),
                duration_s=0.5 if quick else 1.5, warmup_s=0.2,
                flags=(*shapes.PLAIN, *JOINING, *PATIENCE))


def lines_for(options):
    """{line: {x: case name}} and the cases; some are on both lines."""
    lines = {
        "one room, by its members": {n: (1, n) for n in ROOM_SIZES if n <= options.max},
        f"rooms of {SMALL_ROOM}, by their number":
            {n: (n, SMALL_ROOM) for n in ROOM_COUNTS if n * SMALL_ROOM <= options.max},
    }
    cases = {f"{rooms:,} × {members:,}": case(rooms, members, options.quick)
             for points in lines.values() for rooms, members in points.values()}
    names = {line: {x: f"{rooms:,} × {members:,}" for x, (rooms, members) in points.items()}
             for line, points in lines.items()}
    return names, cases


def spread_of(costs):
    return None if not costs else max(costs) / min(costs) - 1


def work(options):
    about = machine.describe()
    if options.max is None:
        options.max = 100_000 if options.quick else 1_000_000
    count = options.rounds or (1 if options.quick else 3)
    names, cases = lines_for(options)
    chatd = Contestant("chatd", servers.Chatd, server_flags=("--gso", "off"))
    series = rounds.interleave(cases, [chatd], count, machine.cores())

    notes = report.Footnotes()
    text = report.heading("What a delivery costs, by the number and size of rooms", about, [
        f"{DELIVERIES_PER_S:,} deliveries/s in each case, 128-byte payloads, no trains; medians "
        f"of {count} rounds. No case is meant to be dearer than the cheapest by more than "
        f"{GOAL_SPREAD:.0%}."])
    plotted, data = {}, {}
    for line, points in names.items():
        found = {x: series[name][chatd.name] for x, name in points.items()}
        costs = {x: one.median("cpu_ns") for x, one in found.items()}
        known = {x: cost for x, cost in costs.items() if cost is not None}
        rows = [[f"{points[x]}{notes.mark(one.objections)}", report.microseconds(costs[x]),
                 report.duration(one.median("p50_ns")), report.duration(one.median("p99_ns")),
                 report.rate(one.median("deliveries_per_s"))] for x, one in found.items()]
        spread = spread_of(list(known.values()))
        word = ("no figures" if spread is None else
                f"{spread:.0%} between the cheapest and the dearest: "
                + ("flat enough" if spread <= GOAL_SPREAD else "MISSED"))
        text += (f"## {line.capitalize()}\n\n" + report.table(
            ["rooms × members", "CPU per delivery", "p50", "p99", "deliveries/s"], rows)
            + f"\n{word}.\n\n")
        plotted[line] = [(x, cost / 1000) for x, cost in known.items()]
        data[line] = {"spread": spread, "cost_ns": costs}
    if any(plotted.values()):
        Path(options.out).mkdir(parents=True, exist_ok=True)
        svg.write(Path(options.out) / "cost.svg", "CPU per delivery", "members, or rooms (log scale)",
                  "µs", {line: points for line, points in plotted.items() if points})
        text += "![CPU per delivery](cost.svg)\n"
    report.write(options.out, "cost", text + notes.text(), {
        "machine": about, "rounds": count, "lines": data,
        "cases": {name: by_name[chatd.name].as_json() for name, by_name in series.items()}})
    return 0


def main():
    parser = command.parser(DESCRIPTION)
    parser.add_argument("--max", metavar="MEMBERS", type=int,
                        help="skip cases with more (default: 1,000,000; 100,000 with --quick)")
    return command.main(work, parser.parse_args())
