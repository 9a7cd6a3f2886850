"""What lists of rooms cost that nobody reads."""

import contextlib
import itertools
import os
import resource
import subprocess
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from . import command, goals, load as loading, machine, programs, readers, report, servers, wire
from .background import Background
from .load import Load
from .programs import CannotMeasure, say
from .rounds import Series
from .shapes import QUIET

DESCRIPTION = """\
RelayHistograms quiet rooms of one chatd that has 20,000 other rooms (and 99,000, without --quick), by
themselves and while connections ask for the list of all rooms and do not read it.
The lists are to cost no more than 64 MiB above what one list is, all of which is given back; talk's
99th percentile is at most twice that without them, and nobody waits for a join."""

MOST_BYTES = 64 * 1024 * 1024
LONGEST_JOIN_S = 0.5
SETTLE_S = 1.0
PATIENCE_S = 120
SOMEBODY = b'{"username":"somebody","ip":"","port":0,"password":""}'
ROOM_FOR_ALL = ("--max-connections", "8192")
CROWD_S = 600  # longer than any measurement


@dataclass(frozen=True)
class Case:
    name: str
    rooms: int
    readers: int = 0
    lists_each: int = 1
    slow_bytes: int = 0  # that each reads of its list, twice a second
    beside: str = ""
    is_quick: bool = True


CASES = [
    Case("20,000 rooms", 20_000),
    Case("… 100 of one address do not read 8 lists each", 20_000, readers=100, lists_each=8,
         beside="20,000 rooms"),
    Case("… 300 do not read 32 lists each", 20_000, readers=300, lists_each=32,
         beside="20,000 rooms"),
    Case("99,000 rooms", 99_000, is_quick=False),
    Case("… 4,096 read their list slowly", 99_000, readers=4_096, slow_bytes=4096,
         beside="99,000 rooms", is_quick=False),
]


def resident_bytes(pid):
    pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
    return pages * resource.getpagesize()


@contextlib.contextmanager
def crowd(server, case, cpu):
    """So many rooms of two, in which hardly anything is said."""
    load = Load(rooms=case.rooms, members=2, rate=1, duration_s=CROWD_S,
                flags=("--joins-per-connection", "50", "--connections", "16"))
    line = [programs.ours("chatbench"), "run", "--tcp-port", str(server.tcp_port), "--udp-port",
            str(server.udp_port), *load.arguments()]
    if cpu is not None:
        line += ["--cpu", str(cpu)]
    with subprocess.Popen(line, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            deadline = time.monotonic() + PATIENCE_S
            while len(wire.rooms(server.tcp_port)) < case.rooms:
                if time.monotonic() > deadline or process.poll() is not None:
                    raise CannotMeasure(f"the {case.rooms:,} rooms are not there")
                time.sleep(0.5)
            yield
        finally:
            process.kill()
            process.wait()


class Slowly(Background):
    """Reads a little from all of them, again and again, one group after the other. It shares a core
    with what measures, and must neither keep that waiting nor take the server's."""

    GROUPS = 250
    ROUND_S = 0.5

    def __init__(self, waiting, size_bytes, cpu):
        super().__init__()
        self._waiting, self._size_bytes, self._cpu = waiting, size_bytes, cpu

    def run(self):
        os.sched_setscheduler(threading.get_native_id(), os.SCHED_IDLE, os.sched_param(0))
        if self._cpu is not None:
            os.sched_setaffinity(threading.get_native_id(), {self._cpu})
        for number in itertools.count():
            if not self.waits(self.ROUND_S / self.GROUPS):
                return
            self._waiting.read_a_little(self._size_bytes, number % self.GROUPS, self.GROUPS)


def join_seconds(server):
    began = time.monotonic()
    with contextlib.suppress(CannotMeasure, OSError):
        wire.ask(server.tcp_port, wire.frame(wire.CREATE, b"waiting room", SOMEBODY))
    return time.monotonic() - began


def measure(case, seconds, cpus):
    server_cpu, tool_cpu = cpus
    quiet = Load(**{**QUIET.__dict__, "duration_s": seconds})
    with servers.Chatd(server_cpu, ROOM_FOR_ALL) as server, crowd(server, case, tool_cpu):
        time.sleep(SETTLE_S)
        before = resident_bytes(server.pid)
        with contextlib.ExitStack() as stack:
            if case.readers:
                waiting = stack.enter_context(
                    readers.Readers(server, case.readers, case.lists_each))
                if case.slow_bytes:
                    stack.enter_context(Slowly(waiting, case.slow_bytes, tool_cpu))
            join_s = join_seconds(server)
            figures = loading.run(server, quiet, cpu=tool_cpu)
            most = resident_bytes(server.pid)
        time.sleep(SETTLE_S)
        figures.result["lists"] = {"grown_bytes": most - before, "join_s": join_s,
                                   "kept_bytes": resident_bytes(server.pid) - before}
        return figures


def median_of(series, key):
    values = sorted(run.result["lists"][key] for run in series.runs)
    return values[len(values) // 2] if values else None


def what_else(one):
    return (("memory", median_of(one, "grown_bytes") > MOST_BYTES),
            ("kept", median_of(one, "kept_bytes") > MOST_BYTES),
            ("join", median_of(one, "join_s") > LONGEST_JOIN_S))


def mebibytes(value):
    return "n/a" if value is None else f"{value / 2 ** 20:.1f} MiB"


def work(options):
    about = machine.describe()
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    count = options.rounds or (1 if options.quick else 3)
    seconds = 2 if options.quick else 5
    cases = command.chosen([case for case in CASES if case.is_quick or not options.quick], options)
    series = {case.name: Series() for case in cases}
    for number in range(count):
        for case in cases:
            try:
                figures = measure(case, seconds, machine.cores())
            except CannotMeasure as trouble:
                series[case.name].failures.append(str(trouble))
                say(f"[{number + 1}/{count}] {case.name}: NO RESULT: {trouble}")
                continue
            series[case.name].by_round[number] = figures
            say(f"[{number + 1}/{count}] {case.name}: p99 {report.duration(figures.p99_ns)}, "
                f"{mebibytes(figures.result['lists']['grown_bytes'])} more")

    notes = report.Footnotes()
    rows = []
    for case in cases:
        one = series[case.name]
        join_s = median_of(one, "join_s")
        rows.append([case.name + notes.mark(one.objections), report.duration(one.median("p50_ns")),
                     report.duration(one.median("p99_ns")), report.rate(one.median("lost")),
                     mebibytes(median_of(one, "grown_bytes")),
                     mebibytes(median_of(one, "kept_bytes")),
                     report.duration(None if join_s is None else join_s * 1e9),
                     *goals.judge(case, series, what_else)])
    text = report.heading("Lists of rooms that nobody reads", about, [
        f"{QUIET.rooms} quiet rooms of {QUIET.members}, {QUIET.rate:.0f} messages/s in all, beside "
        f"so many others. {count} round(s) of {seconds} s, medians. The goal: nothing is lost, p99 "
        f"is at most {goals.MOST_TIMES} times that without readers, {mebibytes(MOST_BYTES)} more "
        f"memory at most, given back when they have gone, and a join within {LONGEST_JOIN_S} s."])
    text += report.table(["rooms", "p50", "p99", "lost", "memory", "kept", "a join",
                          "p99 / without", "goal"], rows) + notes.text()
    report.write(options.out, "lists", text, {"machine": about, "rounds": count, **{
        name: one.as_json() for name, one in series.items()}})
    return 0


def main():
    return command.main(work, command.case_parser(DESCRIPTION).parse_args())
