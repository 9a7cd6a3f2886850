"""A million members in one chatd."""

from . import command, machine, report, rounds, servers, shapes
from .load import Load
from .rounds import Contestant

DESCRIPTION = """\
Joins a million members in 100,000 rooms to one chatd, and looks at its memory and at what it does
when nobody speaks (a message a second is all that passes)."""

ROOM_SIZE = 10
GOAL_BYTES = 256
GOAL_IDLE_SHARE = 0.01
CASE = "idle"


def work(options):
    about = machine.describe()
    rooms = (options.max or (100_000 if options.quick else 1_000_000)) // ROOM_SIZE
    count = options.rounds or 1
    load = Load(rooms=rooms, members=ROOM_SIZE, rate=1, duration_s=2 if options.quick else 5,
                warmup_s=1, flags=(*shapes.PLAIN, "--joins-per-connection", "50", "--connections", "16",
                                   "--max-send-lag", "1s"))
    chatd = Contestant("chatd", servers.Chatd)
    series = rounds.interleave({CASE: load}, [chatd], count, machine.cores())[CASE][chatd.name]

    bytes_each = series.median("bytes_per_member")
    idle = series.median("server_share")
    joined = series.median("joined")
    wanted = rooms * ROOM_SIZE

    def row(what, value, goal, is_met):
        word = "no figure" if is_met is None else "reached" if is_met else "MISSED"
        return [what, goal, value, word]

    rows = [
        row("members that got in", report.rate(joined), f"{wanted:,}",
            None if joined is None else joined == wanted),
        row("joins per second", report.rate(series.median("joins_per_s")), "", True)[:3] + [""],
        row("resident bytes per member, beyond the empty server", report.rate(bytes_each),
            f"≤ {GOAL_BYTES}", None if bytes_each is None else bytes_each <= GOAL_BYTES),
        row("idle CPU, share of a core", "n/a" if idle is None else f"{idle:.2%}",
            f"< {GOAL_IDLE_SHARE:.0%}", None if idle is None else idle < GOAL_IDLE_SHARE),
    ]
    notes = report.Footnotes()
    mark = notes.mark(series.objections)
    text = report.heading(f"{wanted:,} members in {rooms:,} rooms", about,
                          [f"One process, {count} run(s).{mark}"])
    text += report.table(["", "goal", "here", ""], rows) + notes.text()
    report.write(options.out, "million", text, {"machine": about, "rounds": count,
                                                **series.as_json()})
    return 0


def main():
    parser = command.parser(DESCRIPTION)
    parser.add_argument("--max", metavar="MEMBERS", type=int,
                        help="members (default: 1,000,000; 100,000 with --quick)")
    return command.main(work, parser.parse_args())
