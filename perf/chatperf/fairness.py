"""What others do in their rooms, and what it costs a quiet one."""

import contextlib
import json
import os
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from . import command, goals, load as loading, machine, programs, report, servers, visitors, wire
from .load import Load
from .programs import CannotMeasure, say
from .rounds import Series
from .shapes import PLAIN, QUIET

DESCRIPTION = """\
RelayHistograms quiet rooms of one chatd, in each round by themselves and beside others who do what they
may: a room of a thousand that is flooded with as much as chatd can send; two thousand who say 3,000
messages a second, and the same while ten a second join them; fifteen hundred of one address who say
600, and the same while three a second leave; a flooded room of one address, and a hundred of them.
A flood may take what is left over, but the quiet rooms' messages, and joins, must come through:
nothing is lost, and the 99th percentile is at most twice that beside the flood alone."""

ALONE = "alone"
BUSY_SHARE = 0.8
LEAST_OF_FLOOD = 0.8
FLOOD_NICENESS = 5
PATIENCE_S = 30


@dataclass(frozen=True)
class Case:
    name: str
    flood: Load = None
    joins_per_s: float = 0
    leaves_per_s: float = 0
    beside: str = ""  # the case whose 99th percentile is the measure
    server_flags: tuple = ()


# Behind one address there may be one person: loopback is no exception here.
ONE_ADDRESS = ("--limit-loopback",)
# Whoever floods would otherwise be the creator of a quiet room, too.
SOMEBODY_ELSE = ("--first-address", "127.2.0.1")
# With plain receivers all this is more than chatd can send: messages wait in those rooms, always.
BIG = Load(rooms=1, members=2000, rate=3000, flags=("--senders", "2000", *PLAIN))
CROWD = Load(rooms=1, members=1500, rate=600, flags=(
    "--senders", "1500", "--sockets", "1500", "--joins-per-connection", "50", *PLAIN))
ONE_ROOM = Load(rooms=1, members=1000, window=256, flags=(
    "--give-up", "5s", "--sockets", "1000", "--joins-per-connection", "50", *PLAIN))
MANY_ROOMS = Load(rooms=100, members=20, window=64, flags=(
    "--give-up", "5s", "--sockets", "2000", "--joins-per-connection", "50", *PLAIN))

CASES = [
    Case(ALONE),
    Case("beside a flooded room of 1,000",
         Load(rooms=1, members=1000, window=256, flags=("--give-up", "5s", *PLAIN))),
    Case("beside 2,000 who say 3,000/s", BIG),
    Case("… while 10/s join them", BIG, joins_per_s=10, beside="beside 2,000 who say 3,000/s"),
    Case("beside 1,500 of one address who say 600/s", CROWD, server_flags=ONE_ADDRESS),
    Case("… while 3/s leave", CROWD, leaves_per_s=3, server_flags=ONE_ADDRESS,
         beside="beside 1,500 of one address who say 600/s"),
    Case("beside a flooded room of one address", ONE_ROOM, server_flags=ONE_ADDRESS),
    Case("… a hundred of them", MANY_ROOMS, server_flags=ONE_ADDRESS,
         beside="beside a flooded room of one address"),
]


def busy_seconds(pid):
    """On a processor or waiting for one: others may want it as well. All threads together."""
    total_ns = 0
    for task in Path(f"/proc/{pid}/task").iterdir():
        running, waiting, _ = (task / "schedstat").read_text(encoding="ascii").split()
        total_ns += int(running) + int(waiting)
    return total_ns / 1e9


def wait_until(condition, what):
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        if condition():
            return
    raise CannotMeasure(f"{what} after {PATIENCE_S} s")


def is_busy(pid):
    """A closed loop has begun when the server has hardly any time left."""
    before, began = busy_seconds(pid), time.monotonic()
    time.sleep(0.2)
    return busy_seconds(pid) - before > BUSY_SHARE * (time.monotonic() - began)


def all_are_in(server, load):
    time.sleep(0.2)
    return sum(wire.rooms(server.tcp_port).values()) >= load.rooms * load.members


def begin_flood(server, load):
    """They speak as soon as all are in."""
    wait_until(lambda: all_are_in(server, load), "not everybody of the flood is in")
    if load.window:
        wait_until(lambda: is_busy(server.pid), "the flood does not keep chatd busy")
    else:
        time.sleep(1)


@contextlib.contextmanager
def flood(server, case, cpu, duration_s):
    load = Load(**{**case.flood.__dict__, "duration_s": duration_s})
    command_line = [programs.ours("chatbench"), "run", "--tcp-port", str(server.tcp_port),
                    "--udp-port", str(server.udp_port), "--json", "-", *load.arguments()]
    if cpu is not None:
        command_line += ["--cpu", str(cpu)]
    # It shares a core with what measures, and must not keep that waiting.
    with subprocess.Popen(command_line, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                          preexec_fn=lambda: os.nice(FLOOD_NICENESS)) as process:
        try:
            begin_flood(server, load)
            objections = []
            yield objections
            if process.poll() is not None:
                raise CannotMeasure("the flood was over before the quiet rooms had been measured")
            objections += objections_to(load, end_flood(process))
        finally:
            process.kill()
            process.wait()


def end_flood(process):
    """What it has done until then, as chatbench's JSON. SIGINT would do nothing in the background of
    a shell that ignores it there."""
    process.send_signal(signal.SIGTERM)
    try:
        told, _ = process.communicate(timeout=PATIENCE_S)
        return json.loads(told)
    except (subprocess.TimeoutExpired, json.JSONDecodeError) as trouble:
        raise CannotMeasure("the flood does not end") from trouble


def objections_to(load, result):
    """Whether there was a flood, where one was to be."""
    said_per_s = result["rates"]["sent_per_s"]
    if load.rate and said_per_s < LEAST_OF_FLOOD * load.rate:
        return [f"of the {load.rate:.0f} messages/s beside them only {said_per_s:.0f} were said"]
    return []


def company(server, case, seconds):
    """Who comes and goes meanwhile."""
    if not case.joins_per_s and not case.leaves_per_s:
        return contextlib.nullcontext()
    sizes = wire.rooms(server.tcp_port)
    room = max(sizes, key=sizes.get)
    if case.joins_per_s:
        return visitors.Joins(server, room, case.joins_per_s)
    # For the measurement, and as long again for what surrounds it.
    count = int(case.leaves_per_s * (2 * seconds + 15))
    return visitors.Departures(server, room, case.leaves_per_s, count)


def measure(case, seconds, cpus):
    server_cpu, tool_cpu = cpus
    quiet = Load(**{**QUIET.__dict__, "duration_s": seconds,
                    "flags": (*QUIET.flags, *SOMEBODY_ELSE)})
    with servers.Chatd(cpu=server_cpu, flags=case.server_flags) as server:
        if case.flood is None:
            return loading.run(server, quiet, cpu=tool_cpu)
        with flood(server, case, tool_cpu, 10 * seconds + 60) as objections:
            with company(server, case, seconds) as guests:
                figures = loading.run(server, quiet, cpu=tool_cpu)
        if guests is not None and guests.failures:
            objections.append(f"{len(guests.failures)} of {guests.count} who came or went could "
                              f"not: {guests.failures[0]}")
        figures.result["invalid_because"] += objections
        return figures


def work(options):
    about = machine.describe()
    count = options.rounds or (1 if options.quick else 3)
    seconds = 2 if options.quick else 5
    cases = command.chosen(CASES, options)
    series = {case.name: Series() for case in cases}
    for number in range(count):
        for case in cases:
            one = series[case.name]
            try:
                figures = measure(case, seconds, machine.cores())
            except CannotMeasure as trouble:
                one.failures.append(str(trouble))
                say(f"[{number + 1}/{count}] {case.name}: NO RESULT: {trouble}")
                continue
            one.by_round[number] = figures
            say(f"[{number + 1}/{count}] {case.name}: lost {figures.lost}, p50 "
                f"{report.duration(figures.p50_ns)}, p99 {report.duration(figures.p99_ns)}")

    notes = report.Footnotes()
    rows = []
    for case in cases:
        one = series[case.name]
        rows.append([case.name + notes.mark(one.objections), report.duration(one.median("p50_ns")),
                     report.duration(one.median("p99_ns")), report.rate(one.median("lost")),
                     report.rate(one.median("joins_per_s")), *goals.judge(case, series)])
    text = report.heading("Quiet rooms beside others", about, [
        f"{QUIET.rooms} quiet rooms of {QUIET.members}, {QUIET.rate:.0f} messages/s in all. "
        f"{count} round(s) of {seconds} s, medians. The goal: nothing is lost, and where others "
        f"come or go, or have many rooms, p99 is at most {goals.MOST_TIMES} times that of the row "
        "above."])
    head = ["quiet rooms", "p50", "p99", "lost", "joins/s", "p99 / row above", "goal"]
    text += report.table(head, rows) + notes.text()
    report.write(options.out, "fairness", text, {"machine": about, "rounds": count, **{
        name: one.as_json() for name, one in series.items()}})
    return 0


def main():
    return command.main(work, command.case_parser(DESCRIPTION).parse_args())
