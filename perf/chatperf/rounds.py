"""Interleaved runs. What a shared machine does changes within minutes, so servers are compared within
a round, one directly after the other, and several rounds are made; a median forgives one that
somebody disturbed."""

import statistics
from dataclasses import dataclass, field

from . import load as loading, report
from .programs import CannotMeasure, say


@dataclass(frozen=True)
class Contestant:
    """A server with the way it is used."""

    name: str
    server: type
    flags: tuple = ()  # chatbench's
    server_flags: tuple = ()


@dataclass
class Series:
    """The runs of one contestant in one case."""

    by_round: dict = field(default_factory=dict)  # Figures by the round's number
    failures: list = field(default_factory=list)  # sentences: rounds without figures

    @property
    def runs(self):
        return list(self.by_round.values())

    def _trusted(self, figure):
        good = [run for run in self.runs if not run.objections_to(figure)]
        return good or self.runs

    def median(self, name):
        values = [getattr(run, name) for run in self._trusted(name)]
        values = [value for value in values if value is not None]
        return statistics.median(values) if values else None

    @property
    def objections(self):
        """Of the runs that the medians are made of."""
        said = [reason for run in self._trusted("all") for reason in run.objections]
        return list(dict.fromkeys(said + self.failures))

    def as_json(self):
        return {"runs": [run.result for run in self.runs], "failures": self.failures,
                "objections": self.objections}


def ratio(one, other, figure="cpu_ns"):
    """The median of the rounds' ratios: what was measured within a few seconds is compared."""
    pairs = [(one.by_round[number], other.by_round[number]) for number in one.by_round
             if number in other.by_round]
    trusted = [(a, b) for a, b in pairs
               if not a.objections_to(figure) and not b.objections_to(figure)]
    ratios = [report.ratio(getattr(a, figure), getattr(b, figure)) for a, b in trusted or pairs]
    ratios = [value for value in ratios if value is not None]
    return statistics.median(ratios) if ratios else None


def measure(contestant, load, server_cpu, tool_cpu):
    """One run against a fresh server."""
    with contestant.server(cpu=server_cpu, flags=contestant.server_flags) as server:
        flagged = loading.Load(**{**load.__dict__, "flags": load.flags + contestant.flags})
        return loading.run(server, flagged, cpu=tool_cpu)


def interleave(cases, contestants, rounds, cpus):
    """`cases` is {name: Load}. Returns {case name: {contestant name: Series}}."""
    series = {case: {c.name: Series() for c in contestants} for case in cases}
    total = rounds * len(cases) * len(contestants)
    count = 0
    for number in range(rounds):
        for case, load in cases.items():
            # Each round begins with another one: no one always follows the same.
            first = number % len(contestants)
            for contestant in contestants[first:] + contestants[:first]:
                count += 1
                try:
                    figures = measure(contestant, load, *cpus)
                except CannotMeasure as trouble:
                    series[case][contestant.name].failures.append(str(trouble))
                    say(f"[{count}/{total}] {case}, {contestant.name}: NO RESULT: {trouble}")
                    continue
                series[case][contestant.name].by_round[number] = figures
                word = "" if not figures.objections else "  INVALID"
                cost = "n/a" if figures.cpu_ns is None else f"{figures.cpu_ns / 1000:.3f} us"
                say(f"[{count}/{total}] {case}, {contestant.name}: {cost} a delivery{word}")
    return series
