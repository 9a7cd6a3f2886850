"""chatd beside a naive relay and three message brokers, on the same cases."""

from . import command, machine, programs, report, rounds, servers, shapes
from .rounds import Contestant

DESCRIPTION = """\
Runs the same workloads against chatd, a naive UDP relay, Redis, NATS and mosquitto, one directly
after the other, in several rounds, and compares server CPU per delivery and latency (medians).
The server has one core, chatbench another. Brokers that are missing are installed from Debian; each
run gets a server of its own on free loopback ports."""

CHATD_PLAIN = Contestant("chatd, plain clients", servers.Chatd, shapes.PLAIN)
CHATD_GRO = Contestant("chatd, receivers with UDP_GRO", servers.Chatd, shapes.GRO_RECEIVERS)
CHATD_TRAINS = Contestant("chatd, trains both ways", servers.Chatd, shapes.TRAINS_BOTH_WAYS)
NAIVE = Contestant("naive UDP relay", servers.Naive, shapes.PLAIN)
BROKERS = [Contestant(kind.target, kind) for kind in servers.BROKERS]
CONTESTANTS = [CHATD_PLAIN, CHATD_GRO, CHATD_TRAINS, NAIVE, *BROKERS]


def cases_for(quick):
    if quick:
        return {**shapes.window_cases([1, 16, 64], duration_s=0.4, warmup_s=0.2),
                **shapes.rate_cases([20_000], duration_s=1, warmup_s=0.2)}
    return {**shapes.window_cases([1, 16, 64, 256], duration_s=0.8, warmup_s=0.2),
            **shapes.rate_cases([10_000, 20_000], duration_s=1.5, warmup_s=0.2)}


def table_of(case, by_name, notes):
    base = {c.name: by_name[c.name].median("cpu_ns") for c in (CHATD_PLAIN, CHATD_GRO)}
    rows = []
    for name, series in by_name.items():
        cpu = series.median("cpu_ns")
        rows.append([
            name + notes.mark(series.objections), report.microseconds(cpu),
            report.times(report.ratio(cpu, base[CHATD_PLAIN.name])),
            report.times(report.ratio(cpu, base[CHATD_GRO.name])),
            report.duration(series.median("p50_ns")), report.duration(series.median("p99_ns")),
            report.rate(series.median("deliveries_per_s"))])
    head = ["server", "CPU per delivery", "÷ chatd plain", "÷ chatd GRO", "p50", "p99",
            "deliveries/s"]
    return f"## {case}\n\n" + report.table(head, rows) + "\n"


def cheapest(by_name, contestants):
    known = [(by_name[c.name].median("cpu_ns"), c.name) for c in contestants]
    known = [pair for pair in known if pair[0] is not None]
    return min(known) if known else (None, "no broker")


def goals(series):
    """What chatd is meant to reach, and what it does: rows of a table."""
    rows = []

    def add(what, value, wanted, against):
        word = "no figure" if value is None else "reached" if value >= wanted else "MISSED"
        rows.append([what, against, f"≥ {wanted:g}", report.times(value), word])

    redis = servers.Redis.target
    for shape in shapes.SHAPES:
        by_name = series.get(f"{shape}, window 1")
        if by_name:
            add(f"{shape}, one at a time, CPU",
                report.ratio(by_name[redis].median("cpu_ns"),
                             by_name[CHATD_PLAIN.name].median("cpu_ns")), 1.6, redis)
        for window in (16, 64):
            by_name = series.get(f"{shape}, window {window}")
            if not by_name:
                continue
            best, name = cheapest(by_name, BROKERS)
            for contestant, wanted in ((CHATD_GRO, 2.5), (CHATD_TRAINS, 2.5), (CHATD_PLAIN, 1)):
                add(f"{shape}, window {window}, CPU, {contestant.name}",
                    report.ratio(best, by_name[contestant.name].median("cpu_ns")), wanted, name)
    by_name = series.get("1 × 1,000, 20,000 deliveries/s")
    if by_name:
        add("1 × 1,000 at 20,000 deliveries/s, p50",
            report.ratio(by_name[redis].median("p50_ns"),
                         by_name[CHATD_PLAIN.name].median("p50_ns")), 1.7, redis)
    return rows


def work(options):
    programs.install_missing([kind.program for kind in servers.BROKERS])
    about = machine.describe()
    versions = {name: programs.version_of(name)
                for name in ("chatd", *(kind.program for kind in servers.BROKERS))}
    count = options.rounds or (1 if options.quick else 3)
    series = rounds.interleave(cases_for(options.quick), CONTESTANTS, count, machine.cores())

    notes = report.Footnotes()
    tables = "".join(table_of(case, by_name, notes) for case, by_name in series.items())
    text = report.heading("chatd beside other servers", about, [
        f"Medians of {count} interleaved rounds; 128-byte payloads; one sender in each room; server "
        "and chatbench on a core each. CPU is the server's, all threads, softirq included.", "",
        "Versions: " + "; ".join(f"{name}: {text}" for name, text in versions.items()) + ".", "",
        "A window is the number of messages under way in each room. «Plain» clients send and "
        "receive datagram by datagram; with UDP_GRO a receiver takes a train in one piece; «both "
        "ways» means that a sender's messages in hand leave as one train, too."])
    text += tables + "## What it is meant to reach\n\nThe other's figure divided by chatd's.\n\n"
    text += report.table(["case", "against", "goal", "here", ""], goals(series)) + notes.text()
    report.write(options.out, "compare", text, {
        "machine": about, "versions": versions, "rounds": count,
        "cases": {case: {name: one.as_json() for name, one in by_name.items()}
                  for case, by_name in series.items()}})
    return 0


def main():
    return command.main(work, command.parser(DESCRIPTION).parse_args())
