"""One run of chatbench, and the figures that a run is asked for."""

import json
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

from . import programs
from .programs import CannotMeasure

EXIT_INVALID = 3
# How chatbench ends an objection that is about all figures but this one (engine/verdict.cpp).
CPU_STAYS_GOOD = "CPU time per delivery stays good"


@dataclass(frozen=True)
class Load:
    """What chatbench does to a server. A window, or a rate in messages per second."""

    rooms: int
    members: int
    window: int = 0
    rate: float = 0.0
    duration_s: float = 1.0
    warmup_s: float = 0.3
    farewell_s: float = 0  # to wait for the server to deal with everybody's leaving, and count that
    flags: tuple = field(default=())

    def arguments(self):
        loop = ["--window", str(self.window)] if self.window else ["--rate", f"{self.rate:.6g}"]
        # One sender in each room: Redis can then be spared its own messages (broker_target.h).
        return ["--rooms", str(self.rooms), "--members", str(self.members), "--senders", "1",
                "--duration", f"{self.duration_s:g}s", "--warmup", f"{self.warmup_s:g}s",
                *loop, *self.flags]


@dataclass
class Figures:
    """Of one run. None: not measured."""

    result: dict

    def _get(self, *keys):
        value = self.result
        for key in keys:
            if value is None:
                return None
            value = value.get(key)
        return value

    @property
    def cpu_ns(self):
        return self._get("server", "cpu_ns_per_delivery")

    @property
    def server_share(self):
        return self._get("server", "cpu_share")

    @property
    def p50_ns(self):
        return self._get("response_time", "p50_ns")

    @property
    def p99_ns(self):
        return self._get("response_time", "p99_ns")

    @property
    def deliveries_per_s(self):
        return self._get("rates", "delivered_per_s")

    @property
    def max_ns(self):
        return self._get("response_time", "max_ns")

    @property
    def delivered(self):
        return self._get("totals", "delivered")

    @property
    def expected(self):
        return self._get("totals", "expected_deliveries")

    @property
    def lost(self):
        return self._get("totals", "lost")

    @property
    def joins_per_s(self):
        return self._get("joins", "rate_per_s")

    @property
    def join_cpu_ns(self):
        return self._get("joins", "server_cpu_ns_per_join")

    @property
    def visit_cpu_ns(self):
        """Per member, from before it came until after it has gone; with Load.farewell_s only."""
        cpu_s = self._get("visits_server_cpu_s")
        return None if cpu_s is None or not self.joined else cpu_s * 1e9 / self.joined

    @property
    def joined(self):
        return self._get("joins", "count")

    @property
    def bytes_per_member(self):
        return self._get("server", "resident_bytes_per_member")

    @property
    def objections(self):
        """Why the figures may not be trusted; empty: they may."""
        reasons = list(self._get("invalid_because") or [])
        if self.lost:
            reasons.append(f"{self.lost} of {self._get('totals', 'expected_deliveries')} "
                           "deliveries were lost")
        return reasons

    def objections_to(self, figure):
        """The same for one figure. A server that is faster than chatbench costs what it costs: if
        such runs were left out, the slowest ones would remain."""
        return [reason for reason in self.objections
                if figure != "cpu_ns" or not reason.endswith(CPU_STAYS_GOOD)]


def cpu_s_of(pid):
    """CPU time of all threads, as the scheduler counts it."""
    total = 0
    for task in Path(f"/proc/{pid}/task").iterdir():
        total += int((task / "schedstat").read_text().split()[0])
    return total / 1e9


def run(server, load, cpu=None, timeout_s=300):
    """Puts the load on a running server. Raises CannotMeasure when there is no result."""
    command = [programs.ours("chatbench"), "run", "--target", server.target, "--host", server.host,
               "--server-pid", str(server.pid), "--json", "-", *server.client_flags,
               *load.arguments()]
    for flag, port in (("--tcp-port", server.tcp_port), ("--udp-port", server.udp_port)):
        if port:
            command += [flag, str(port)]
    if cpu is not None:
        command += ["--cpu", str(cpu)]
    before_s = cpu_s_of(server.pid)
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=timeout_s,
                              check=False)
    except subprocess.TimeoutExpired as late:
        raise CannotMeasure(f"{' '.join(command)}: no end after {timeout_s} s") from late
    if done.returncode not in (0, EXIT_INVALID):
        raise CannotMeasure(f"{' '.join(command)}: exit code {done.returncode}: "
                            f"{done.stderr.strip()[-500:]}")
    figures = Figures(json.loads(done.stdout))
    if load.farewell_s:
        time.sleep(load.farewell_s)
        figures.result["visits_server_cpu_s"] = cpu_s_of(server.pid) - before_s
    return figures
