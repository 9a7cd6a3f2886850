"""chatd beside the bare loop that does what is unavoidable and nothing else (bench/baselines/lower_bound)."""

import statistics

from . import command, machine, report, rounds, servers, shapes
from .rounds import Contestant

DESCRIPTION = """\
Runs chatd and the bare loop of bench/baselines/lower_bound one directly after the other, and prints by how much
chatd's CPU per delivery, its receive side included, is more: the median of the rounds' ratios."""

GOAL = 1.15
MODES = {"plain clients": shapes.PLAIN, "receivers with UDP_GRO": shapes.GRO_RECEIVERS,
         "trains both ways": shapes.TRAINS_BOTH_WAYS}
CONTESTANTS = [Contestant("chatd", servers.Chatd), Contestant("lower-bound", servers.LowerBound)]


def cases_for(quick):
    times = {"duration_s": 0.4 if quick else 0.8, "warmup_s": 0.2}
    cases = {}
    for mode, flags in MODES.items():
        cases.update({f"{case}, {mode}": load for case, load in
                      shapes.window_cases([1, 16] if quick else [1, 16, 64], flags=flags,
                                          **times).items()
                      # One message is no train: there is nothing to tell apart.
                      if load.window > 1 or mode == "plain clients"})
    return cases


def ratios_of(by_name):
    """Of each round: both were measured within a few seconds."""
    ours, bare = by_name["chatd"].by_round, by_name["lower-bound"].by_round
    found = [report.ratio(ours[n].cpu_ns, bare[n].cpu_ns) for n in ours if n in bare]
    return [value for value in found if value is not None]


def work(options):
    about = machine.describe()
    count = options.rounds or (2 if options.quick else 5)
    series = rounds.interleave(cases_for(options.quick), CONTESTANTS, count, machine.cores())
    notes = report.Footnotes()
    rows, data = [], {}
    for case, by_name in series.items():
        ratios = ratios_of(by_name)
        middle = statistics.median(ratios) if ratios else None
        word = "no figure" if middle is None else "reached" if middle <= GOAL else "MISSED"
        spread = f"{min(ratios):.2f}–{max(ratios):.2f}" if ratios else "n/a"
        objections = by_name["chatd"].objections + by_name["lower-bound"].objections
        rows.append([case + notes.mark(dict.fromkeys(objections)),
                     report.microseconds(by_name["chatd"].median("cpu_ns")),
                     report.microseconds(by_name["lower-bound"].median("cpu_ns")),
                     report.times(middle), spread, word])
        data[case] = {"ratios": ratios, **{name: one.as_json() for name, one in by_name.items()}}
    text = report.heading("chatd beside the bare loop", about, [
        f"CPU per delivery, 128-byte payloads, {count} interleaved rounds; the ratio is the median "
        f"of the rounds' ratios, and is meant to be at most {GOAL}."])
    text += report.table(["case", "chatd", "lower-bound", "chatd ÷ lower bound", "of the rounds", ""], rows)
    report.write(options.out, "lower-bound", text + notes.text(), {"machine": about, "rounds": count,
                                                             "cases": data})
    return 0


def main():
    return command.main(work, command.parser(DESCRIPTION).parse_args())
