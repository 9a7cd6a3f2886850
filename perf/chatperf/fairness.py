"""What a flood into one room costs the other rooms."""

import contextlib
import os
import subprocess
import time
from pathlib import Path

from . import command, load as loading, machine, programs, report, servers
from .load import Load
from .programs import CannotMeasure, say
from .rounds import Series

DESCRIPTION = """\
Measures quiet rooms of one chatd twice in each round: by themselves, and while another room of a
thousand members is flooded with as much as chatd can send. A flood may take what is left over, but
the quiet rooms' messages, and joins, must come through."""

QUIET = {"rooms": 20, "members": 10, "rate": 400}
FLOOD = Load(rooms=1, members=1000, window=256, flags=("--give-up", "5s"))
ALONE, FLOODED = "alone", "beside a flood"
BUSY_SHARE = 0.8
PATIENCE_S = 20


def cpu_seconds(pid):
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def wait_until_busy(pid):
    """The flood has begun when the server has hardly any time left."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        before, began = cpu_seconds(pid), time.monotonic()
        time.sleep(0.2)
        if cpu_seconds(pid) - before > BUSY_SHARE * (time.monotonic() - began):
            return
    raise CannotMeasure(f"the flood does not keep chatd busy after {PATIENCE_S} s")


@contextlib.contextmanager
def flood(server, cpu, duration_s):
    load = Load(**{**FLOOD.__dict__, "duration_s": duration_s})
    command_line = [programs.ours("chatbench"), "run", "--tcp-port", str(server.tcp_port), "--udp-port",
                    str(server.udp_port), *load.arguments()]
    if cpu is not None:
        command_line += ["--cpu", str(cpu)]
    with subprocess.Popen(command_line, stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL) as process:
        try:
            wait_until_busy(server.pid)
            yield
            if process.poll() is not None:
                raise CannotMeasure("the flood was over before the quiet rooms had been measured")
        finally:
            process.terminate()
            process.wait()


def measure(is_flooded, seconds, cpus):
    server_cpu, tool_cpu = cpus
    quiet = Load(**QUIET, duration_s=seconds, warmup_s=0.3)
    with servers.Chatd(cpu=server_cpu) as server:
        beside = flood(server, tool_cpu, 10 * seconds) if is_flooded else contextlib.nullcontext()
        with beside:
            return loading.run(server, quiet, cpu=tool_cpu)


def work(options):
    about = machine.describe()
    count = options.rounds or (1 if options.quick else 3)
    seconds = 1 if options.quick else 3
    series = {ALONE: Series(), FLOODED: Series()}
    for number in range(count):
        for name, one in series.items():
            try:
                figures = measure(name == FLOODED, seconds, machine.cores())
            except CannotMeasure as trouble:
                one.failures.append(str(trouble))
                say(f"[{number + 1}/{count}] {name}: NO RESULT: {trouble}")
                continue
            one.by_round[number] = figures
            say(f"[{number + 1}/{count}] {name}: p50 {report.duration(figures.p50_ns)}")

    notes = report.Footnotes()
    rows = [[name + notes.mark(one.objections), report.duration(one.median("p50_ns")),
             report.duration(one.median("p99_ns")), report.rate(one.median("lost")),
             report.rate(one.median("joins_per_s"))] for name, one in series.items()]
    text = report.heading("Quiet rooms beside a flooded one", about, [
        f"{QUIET['rooms']} rooms of {QUIET['members']}, {QUIET['rate']} messages/s; the flood: one "
        f"room of {FLOOD.members:,}, {FLOOD.window} messages under way at any time. {count} "
        f"round(s), medians."])
    text += report.table(["quiet rooms", "p50", "p99", "lost", "joins/s"], rows) + notes.text()
    report.write(options.out, "fairness", text, {"machine": about, "rounds": count, **{
        name: one.as_json() for name, one in series.items()}})
    return 0


def main():
    return command.main(work, command.parser(DESCRIPTION).parse_args())
