"""chatd beside a naive relay and three message brokers, on the same cases."""

from . import command, compare_goals, machine, programs, report, rounds, servers, shapes
from .compare_goals import BROKERS_IN_CLEAR, BROKERS_OVER_TLS
from .rounds import Contestant

DESCRIPTION = """\
Runs the same workloads against chatd (protocol v1, v2, and rooms with both), a naive UDP relay, and
Redis, NATS and mosquitto in clear and over TLS, one directly after the other, in several rounds,
and compares server CPU per delivery and latency (medians). The server has one core, chatbench
another. Brokers that are missing are installed from Debian; each run gets a server of its own on
free loopback ports."""

V1_TRAINS = Contestant("chatd v1, trains both ways", servers.Chatd, shapes.TRAINS_BOTH_WAYS)
MIXED_GRO = Contestant("chatd v1 and v2, receivers with UDP_GRO", servers.ChatdMixed,
                       shapes.GRO_RECEIVERS)
NAIVE = Contestant("naive UDP relay", servers.Naive, shapes.PLAIN)
CONTESTANTS = [compare_goals.V1_PLAIN, compare_goals.V1_GRO, V1_TRAINS, compare_goals.V2_PLAIN,
               compare_goals.V2_GRO, compare_goals.MIXED_PLAIN, MIXED_GRO, NAIVE,
               *BROKERS_IN_CLEAR, *BROKERS_OVER_TLS]

# What the table sets others in proportion to.
BASES = {"÷ v1 plain": compare_goals.V1_PLAIN, "÷ v2 plain": compare_goals.V2_PLAIN,
         "÷ v2 GRO": compare_goals.V2_GRO}


# So long chatd may need to find out how large a datagram each of a thousand members takes.
WARMUP_S = 2.0


def cases_for(quick):
    if quick:
        only_large = {"1 × 1,000": shapes.SHAPES["1 × 1,000"]}
        return shapes.window_cases([1, 16, 64], among=only_large, duration_s=0.4, warmup_s=WARMUP_S)
    return {**shapes.window_cases([1, 16, 64], duration_s=0.8, warmup_s=WARMUP_S),
            **shapes.rate_cases([10_000, 20_000], duration_s=1.5, warmup_s=0.2)}


def table_of(case, by_name, notes):
    rows = []
    for name, series in by_name.items():
        ratios = [report.times(rounds.ratio(series, by_name[base.name])) for base in BASES.values()]
        rows.append([
            name + notes.mark(series.objections), report.microseconds(series.median("cpu_ns")),
            *ratios, report.duration(series.median("p50_ns")),
            report.duration(series.median("p99_ns")),
            report.rate(series.median("deliveries_per_s"))])
    head = ["server", "CPU per delivery", *BASES, "p50", "p99", "deliveries/s"]
    return f"## {case}\n\n" + report.table(head, rows) + "\n"


def work(options):
    needed = [kind.program for kind in servers.BROKERS]
    programs.install_missing([*needed, "openssl"])
    about = machine.describe()
    versions = {name: programs.version_of(name) for name in ("chatd", *needed)}
    count = options.rounds or (1 if options.quick else 3)
    cases = {case: load for case, load in cases_for(options.quick).items() if options.only in case}
    if not cases:
        raise programs.CannotMeasure(f"no case is named so: {options.only}")
    series = rounds.interleave(cases, CONTESTANTS, count, machine.cores())

    notes = report.Footnotes()
    tables = "".join(table_of(case, by_name, notes) for case, by_name in series.items())
    text = report.heading("chatd beside other servers", about, [
        f"Medians of {count} interleaved rounds; 128-byte payloads; one sender in each room; server "
        "and chatbench on a core each. CPU is the server's, all threads, softirq included. A ratio "
        "is the median of those within the rounds.", "",
        "Versions: " + "; ".join(f"{name}: {text}" for name, text in versions.items()) + ".", "",
        "A window is the number of messages under way in each room. «Plain» clients send and "
        "receive datagram by datagram; with UDP_GRO a receiver takes a train in one piece; «both "
        "ways» means that a sender's messages in hand leave as one train, too. «v1 and v2»: every "
        "other member of a room speaks v2, the sender v1. «Over TLS»: TLS 1.3, AES-256-GCM."])
    text += tables + "## What it is meant to reach\n\n" + compare_goals.table(series)
    text += notes.text()
    report.write(options.out, "compare", text, {
        "machine": about, "versions": versions, "rounds": count,
        "cases": {case: {name: one.as_json() for name, one in by_name.items()}
                  for case, by_name in series.items()}})
    return 0


def main():
    parser = command.parser(DESCRIPTION)
    parser.add_argument("--only", metavar="TEXT", default="", help="the cases with TEXT in their "
                        "name, as in 'window 64'")
    return command.main(work, parser.parse_args())
