#!/usr/bin/env python3
"""A chatd under load, trouble and faults for as long as one likes, and a verdict at the end.

chatbench comes with a few rooms, talks for some seconds, leaves, and comes again. Meanwhile there
are datagrams of noise, connections that dribble or vanish, and members that fall asleep and die;
and a small share of chatd's system calls fails, at random, from a seed (tests/resilience/faults). What is held
to is printed, and the exit code is 0 (PASS) or 1 (FAIL).
"""

import argparse
import json
import re
import subprocess
import sys
import time
from pathlib import Path

from server import Server
from trouble import Dribblers, Garbage, Sleepers, stop_all

# In the order of the fault library's table (tests/resilience/faults/errno_table.h).
TABLE = Path(__file__).parent.parent / "faults" / "errno_table.h"
CALLS = re.findall(r'\{Call::\w+, "(\w+)",', TABLE.read_text(encoding="utf-8"))
FAILING = ["accept4", "close", "epoll_ctl", "epoll_wait", "getsockopt", "recv", "recvmmsg",
           "recvmsg", "send", "sendmmsg"]

WARM_UP_SHARE = 0.25
# What resident memory may grow after the warm-up, by the slope of the line through all samples.
# In a short run what was reserved at the start is still touched for the first time.
LONG_RUN_MINUTES = 10
MAX_GROWTH_BYTES = 2 << 20
MAX_GROWTH_BYTES_SHORT = 6 << 20
MAX_QUIET_CPU_SHARE = 0.05


class Spells:
    """chatbench's comings and goings."""

    def __init__(self, chatbench, server, seed):
        self.chatbench = chatbench
        self.server = server
        self.seed = seed
        self.whole = 0
        self.cut_short = 0  # a fault broke one of its connections while it came in
        self.totals = {}
        self.unexplained = 0

    def run(self, seconds):
        self.seed += 1
        command = [self.chatbench, "run", "--tcp-port", str(self.server.tcp[1]), "--udp-port",
                   str(self.server.udp[1]), "--rooms", "10", "--members", "5", "--rate", "250",
                   "--size", "64-1400", "--warmup", "0", "--drain", "3s", "--duration",
                   f"{seconds:.1f}s", "--one-socket-per-client", "--heartbeat", "10s", "--seed",
                   str(self.seed), "--json", "-"]
        done = subprocess.run(command, capture_output=True, text=True, check=False,
                              timeout=seconds + 60)
        if not done.stdout:
            self.cut_short += 1
            time.sleep(0.2)
            return
        self.whole += 1
        totals = json.loads(done.stdout)["totals"]
        lost_by = totals.pop("lost_by")
        self.unexplained += lost_by["server"] + lost_by["unattributed"]
        for name, value in totals.items():
            self.totals[name] = self.totals.get(name, 0) + value


class Samples:
    """Memory and descriptors over time."""

    def __init__(self, server):
        self.server = server
        self.began = time.monotonic()
        self.rows = []

    def take(self):
        self.rows.append((time.monotonic() - self.began, self.server.resident_bytes(),
                          self.server.descriptors()))

    def growth_bytes(self, warm_up_s):
        """By the line of least squares, from the warm-up to the end."""
        rows = [row for row in self.rows if row[0] >= warm_up_s]
        mean_t = sum(row[0] for row in rows) / len(rows)
        mean_b = sum(row[1] for row in rows) / len(rows)
        spread = sum((row[0] - mean_t) ** 2 for row in rows)
        if spread == 0:
            return 0.0
        slope = sum((row[0] - mean_t) * (row[1] - mean_b) for row in rows) / spread
        return slope * (rows[-1][0] - rows[0][0])


def drops_of(totals):
    return totals.get("dropped_queue_full", 0) + sum(
        value for name, value in totals.items() if name.startswith("dropped_send_"))


def ledger_is_closed(totals):
    """core/stats/counters.h, as far as the books close by themselves."""
    planned = totals.get("deliveries_planned", 0)
    return planned > 0 and planned == totals.get("deliveries_sent", 0) + drops_of(totals)


def soak(options, server, report):
    chatbench = str(Path(options.bin) / "chatbench")
    descriptors_at_start = server.descriptors()
    mask = sum(1 << CALLS.index(name) for name in FAILING)
    server.inject_faults(options.faults_per_million, mask, options.seed)
    troubles = [Garbage(server, options.seed + 1, 0.25), Dribblers(server, options.seed + 2, 0.3),
                Sleepers(server, options.seed + 3, 10.0, chatbench)]
    for trouble in troubles:
        trouble.start()

    duration_s = options.minutes * 60
    spells = Spells(chatbench, server, options.seed)
    samples = Samples(server)
    end = samples.began + duration_s
    while time.monotonic() < end and server.is_running():
        samples.take()
        spells.run(max(1.0, min(10.0, duration_s / 8, end - time.monotonic())))
    if server.is_running():
        samples.take()
    stop_all(troubles)
    if not server.is_running():
        report.check("it goes on", False, f"exit code {server.process.returncode}")
        return

    server.stop_injecting()
    quiet_by = time.monotonic() + 60
    while server.descriptors() > descriptors_at_start and time.monotonic() < quiet_by:
        time.sleep(0.1)
    descriptors_at_end = server.descriptors()
    cpu_before, wall_before = server.cpu_seconds(), time.monotonic()
    time.sleep(2)
    quiet_share = (server.cpu_seconds() - cpu_before) / (time.monotonic() - wall_before)
    cpu_share = cpu_before / (wall_before - samples.began)
    code = server.stop()
    totals = server.totals()

    report.say(f"chatbench: {spells.whole} spells, {spells.cut_short} more cut short by a fault; "
               f"{spells.totals.get('expected_deliveries', 0)} deliveries due, "
               f"{spells.totals.get('lost', 0)} lost")
    report.say(f"trouble: {troubles[0].count} volleys of garbage, {troubles[1].count} bad "
               f"connections, {troubles[2].count} members' sleeps; {server.plan.fired} of "
               f"{server.plan.total_calls} calls failed")
    report.say(f"chatd: {cpu_share:.1%} of a core; " +
               " ".join(f"{name}={value}" for name, value in totals.items()))
    first, last = samples.rows[0], samples.rows[-1]
    warm_up_s = last[0] * WARM_UP_SHARE
    growth = samples.growth_bytes(warm_up_s)
    is_long = options.minutes >= LONG_RUN_MINUTES
    most = MAX_GROWTH_BYTES if is_long else MAX_GROWTH_BYTES_SHORT
    report.check("resident memory is flat", growth <= most,
                 f"{first[1] / 2**20:.1f} MiB at the start, {last[1] / 2**20:.1f} MiB at the end; "
                 f"after {warm_up_s:.0f} s the line grows by {growth / 2**20:.2f} MiB "
                 f"(at most {most / 2**20:.0f})")
    report.check("no descriptor is left", descriptors_at_end == descriptors_at_start,
                 f"{descriptors_at_start} at the start, {descriptors_at_end} at the end, "
                 f"{max(row[2] for row in samples.rows)} at most")
    report.check("it is quiet when nobody talks", quiet_share <= MAX_QUIET_CPU_SHARE,
                 f"{quiet_share:.1%} of a core")
    report.check("it stops when it is told to", code == 0, f"exit code {code}")
    report.check("the ledger is closed", ledger_is_closed(totals),
                 f"planned {totals.get('deliveries_planned', 0)} = sent "
                 f"{totals.get('deliveries_sent', 0)} + dropped {drops_of(totals)}")
    bad = {name: spells.totals.get(name, 0) for name in ("duplicated", "foreign", "corrupted")}
    report.check("nobody hears twice, or what is not his", not any(bad.values()), str(bad))
    report.check("nothing is lost but what is counted", spells.unexplained <= drops_of(totals),
                 f"chatbench misses {spells.unexplained}, chatd counted {drops_of(totals)}")
    report.check("conversations took place", spells.whole > 0, f"{spells.whole} spells")
    errors = re.findall(r".* (?:error|critical) .*", server.log())
    report.check("no error in the log", not errors, "; ".join(errors[:3]) or
                 f"{len(server.log().splitlines())} lines")


class Report:
    def __init__(self, path):
        self.lines = []
        self.has_failed = False
        self.path = path

    def say(self, text):
        self.lines.append(text)
        print(text, flush=True)

    def check(self, what, is_so, figures):
        self.has_failed |= not is_so
        self.say(f"{'ok  ' if is_so else 'FAIL'}  {what}: {figures}")

    def finish(self):
        self.say("verdict: " + ("FAIL" if self.has_failed else "PASS"))
        if self.path:
            Path(self.path).write_text("\n".join(self.lines) + "\n")
        return 1 if self.has_failed else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--faults-per-million", type=int, default=300,
                        help="share of the system calls that fails")
    parser.add_argument("--result", help="write the verdict to this file as well")
    parser.add_argument("--bin", required=True, help="where chatd and chatbench are")
    parser.add_argument("--library", required=True, help="the fault library")
    options = parser.parse_args()
    report = Report(options.result)
    report.say(f"soak: {options.minutes:g} minutes, seed {options.seed}, "
               f"{options.faults_per_million} of a million calls fail")
    server = Server(options.bin, options.library)
    try:
        soak(options, server, report)
        if report.has_failed:
            print(server.log()[-4000:], file=sys.stderr)
    finally:
        server.kill()
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
