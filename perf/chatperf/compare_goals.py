"""What chatd is meant to reach beside other servers, and whether it does."""

from dataclasses import dataclass

from . import report, rounds, servers, shapes
from .rounds import Contestant

V1_PLAIN = Contestant("chatd v1, plain clients", servers.Chatd, shapes.PLAIN)
V1_GRO = Contestant("chatd v1, receivers with UDP_GRO", servers.Chatd, shapes.GRO_RECEIVERS)
V2_PLAIN = Contestant("chatd v2, plain clients", servers.ChatdV2, shapes.PLAIN)
V2_GRO = Contestant("chatd v2, receivers with UDP_GRO", servers.ChatdV2, shapes.GRO_RECEIVERS)
MIXED_PLAIN = Contestant("chatd v1 and v2, plain clients", servers.ChatdMixed, shapes.PLAIN)
BROKERS_IN_CLEAR = [Contestant(kind.target, kind) for kind in servers.BROKERS]
BROKERS_OVER_TLS = [Contestant(f"{kind.target} over TLS", kind)
                    for kind in servers.BROKERS_WITH_TLS]
REDIS, REDIS_TLS = BROKERS_IN_CLEAR[0], BROKERS_OVER_TLS[0]

LARGE = "1 × 1,000"


@dataclass(frozen=True)
class AtMost:
    """CPU per delivery, in microseconds."""

    case: str
    ours: Contestant
    wanted: float

    def row(self, by_name):
        value = by_name[self.ours.name].median("cpu_ns")
        word = "no figure" if value is None else _word(value <= self.wanted * 1000)
        return [self.case, self.ours.name, "", f"≤ {self.wanted:g} µs", report.microseconds(value),
                word]


@dataclass(frozen=True)
class Cheaper:
    """Another's CPU per delivery (or latency) is so many times ours."""

    case: str
    ours: Contestant
    than: Contestant
    wanted: float
    figure: str = "cpu_ns"

    def row(self, by_name):
        value = rounds.ratio(by_name[self.than.name], by_name[self.ours.name], self.figure)
        word = "no figure" if value is None else _word(value >= self.wanted)
        what = self.than.name + (", p50" if self.figure == "p50_ns" else "")
        return [self.case, self.ours.name, what, f"≥ {self.wanted:g} × cheaper",
                report.times(value), word]


@dataclass(frozen=True)
class NoDearer:
    """Ours is at most so many times the dearest of the others."""

    case: str
    ours: Contestant
    than: tuple
    wanted: float

    def row(self, by_name):
        ratios = [rounds.ratio(by_name[self.ours.name], by_name[one.name]) for one in self.than]
        value = None if None in ratios else min(ratios)
        word = "no figure" if value is None else _word(value <= self.wanted)
        return [self.case, self.ours.name, " or ".join(one.name for one in self.than),
                f"≤ {self.wanted:g} ×", report.times(value), word]


def _word(is_reached):
    return "reached" if is_reached else "MISSED"


def _window(window, shape=LARGE):
    return f"{shape}, window {window}"


GOALS = [
    AtMost(_window(64), V2_PLAIN, 0.42),
    Cheaper(_window(64), V2_PLAIN, REDIS, 1.3),
    Cheaper(_window(64), V2_PLAIN, REDIS_TLS, 1.6),
    AtMost(_window(64), V2_GRO, 0.3),
    AtMost(_window(16), V2_PLAIN, 0.85),
    Cheaper(_window(16), V2_PLAIN, REDIS, 1.6),
    Cheaper(_window(1), V2_PLAIN, REDIS, 1.6),
    NoDearer(_window(1), V2_PLAIN, (V1_PLAIN,), 1.12),
    *(NoDearer(_window(window), MIXED_PLAIN, (V1_PLAIN, V2_PLAIN), 1.1) for window in (1, 16, 64)),
    *(Cheaper(_window(1, shape), V1_PLAIN, REDIS, 1.6) for shape in shapes.SHAPES),
    *(Cheaper(_window(window, shape), V1_GRO, broker, 2.5) for shape in shapes.SHAPES
      for window in (16, 64) for broker in BROKERS_IN_CLEAR[:2]),
    Cheaper(f"{LARGE}, 20,000 deliveries/s", V1_PLAIN, REDIS, 1.7, figure="p50_ns"),
]


def table(series):
    rows = [goal.row(series[goal.case]) for goal in GOALS if goal.case in series]
    return report.table(["case", "", "against", "goal", "here", ""], rows)
