"""What it costs to get in."""

from . import command, machine, programs, report, rounds, servers, shapes
from .load import Load
from .rounds import Contestant

DESCRIPTION = """\
The server's CPU time per join: chatd with a connection for each member, as people's clients do it,
beside Redis's connect + subscribe; and chatd with several joins pipelined on kept connections."""

ROOMS, MEMBERS = 1000, 10
GOAL_PIPELINED = 5

# A join to chatd also tells the others in the room, with a datagram each; Redis tells nobody. So the
# joins alone are measured with these notices off, and what they add stands beside it.
SILENT = ("--max-notified-members", "1")


def chatd(name, joins_per_connection, server_flags=()):
    return Contestant(name, servers.Chatd, (*shapes.PLAIN, "--joins-per-connection",
                                            str(joins_per_connection)), server_flags)


ONE_EACH = chatd("chatd, a connection each, no notices", 1, SILENT)
PIPELINED = chatd("chatd, pipelined on kept connections, no notices", 50, SILENT)
ONE_EACH_TOLD = chatd("chatd, a connection each, as it comes", 1)
PIPELINED_TOLD = chatd("chatd, pipelined, as it comes", 50)
REDIS = Contestant("redis, connect + subscribe", servers.Redis)


def work(options):
    programs.install_missing([servers.Redis.program])
    about = machine.describe()
    count = options.rounds or (1 if options.quick else 5)
    rooms = 200 if options.quick else ROOMS
    # After the joins a breath of traffic, because a run is a run.
    load = Load(rooms=rooms, members=MEMBERS, rate=20, duration_s=0.5, warmup_s=0, farewell_s=0.5,
                flags=("--connections", "16", "--max-send-lag", "1s"))
    case = f"{rooms * MEMBERS:,} members in {rooms:,} rooms"
    contestants = [ONE_EACH, REDIS, PIPELINED, ONE_EACH_TOLD, PIPELINED_TOLD]
    by_name = rounds.interleave({case: load}, contestants, count, machine.cores())[case]

    notes = report.Footnotes()
    cost = {name: one.median("join_cpu_ns") for name, one in by_name.items()}
    rows = [[name + notes.mark(one.objections), report.microseconds(cost[name]),
             report.microseconds(one.median("visit_cpu_ns")),
             report.rate(one.median("joins_per_s"))] for name, one in by_name.items()]
    text = report.heading("Joins", about, [
        f"{case}, medians of {count} interleaved rounds. 16 connections at a time.", "",
        "A join to chatd includes the end of its TCP connection. With Redis that comes when the "
        "member goes: a *visit* is all of it, joining, a little traffic, leaving. (In chatd a whole "
        "room goes with its host.)"])
    text += report.table(["", "server CPU per join", "per visit", "joins/s"], rows) + "\n"
    against_redis = report.ratio(cost[REDIS.name], cost[ONE_EACH.name])
    visits = report.ratio(by_name[REDIS.name].median("visit_cpu_ns"),
                          by_name[ONE_EACH.name].median("visit_cpu_ns"))
    pipelining = report.ratio(cost[ONE_EACH.name], cost[PIPELINED.name])
    text += report.table(["", "goal", "here", ""], [
        ["Redis ÷ chatd, a connection each, no notices", "≥ 1", report.times(against_redis),
         verdict(against_redis, 1)],
        ["the same, a whole visit", "≥ 1", report.times(visits), verdict(visits, 1)],
        ["chatd, a connection each ÷ pipelined, no notices", f"≥ {GOAL_PIPELINED}", report.times(pipelining),
         verdict(pipelining, GOAL_PIPELINED)]])
    report.write(options.out, "joins", text + notes.text(), {
        "machine": about, "rounds": count, "case": case,
        "contestants": {name: one.as_json() for name, one in by_name.items()}})
    return 0


def verdict(value, goal):
    return "no figure" if value is None else "reached" if value >= goal else "MISSED"


def main():
    return command.main(work, command.parser(DESCRIPTION).parse_args())
