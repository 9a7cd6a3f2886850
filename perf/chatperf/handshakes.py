"""What TLS handshakes cost those who talk."""

import json
import re
import statistics
import subprocess
import tempfile

from . import command, programs
from .programs import CannotMeasure, say

DESCRIPTION = """\
A room of fifty people who say 400 messages a second, by themselves and beside clients that shake
hands over TLS, round by round: the 99th percentile of a message's latency, and chatd's share of a
processor. One shard, so that handshakes and talk have one thread, and it has a core of its own. The
others share the second one, and chatbench goes first there: what is measured is chatd, not they."""

ROUNDS = 5
SECONDS = 8
RATES = (0, 500)
TALK = ("--rooms", "1", "--members", "50", "--rate", "400", "--warmup", "1s")


class Chatd:
    def __enter__(self):
        self._process = subprocess.Popen(
            ["taskset", "-c", "0", programs.ours("chatd"), "--tcp-port", "0", "--udp-port", "0", "--tls-port", "0",
             "--log-level", "error", "--rate-limits", "off", "--shards", "1",
             "--max-connections", "10000"],
            stdout=subprocess.PIPE, text=True)
        ready = self._process.stdout.readline()
        self.ports = {name: port for name, port in re.findall(r"(\w+)=\S*:(\d+)", ready)}
        if "tls" not in self.ports:
            raise CannotMeasure(f"chatd does not serve TLS: {ready!r}")
        self.pid = self._process.pid
        return self

    def __exit__(self, *_):
        self._process.terminate()
        self._process.wait()


def measure(rate, seconds):
    """One look at the talk beside so many handshakes a second."""
    with Chatd() as chatd, tempfile.NamedTemporaryFile("r", suffix=".json") as result:
        visitors = None
        if rate > 0:
            visitors = subprocess.Popen(
                ["nice", "-n", "10", "taskset", "-c", "1", programs.ours("chatd_handshakes"), "--port", chatd.ports["tls"], "--rate",
                 str(rate), "--seconds", str(seconds + 2)], stdout=subprocess.PIPE, text=True)
        subprocess.run(
            [programs.ours("chatbench"), "run", "--tcp-port", chatd.ports["tcp"], "--udp-port",
             chatd.ports["udp"], "--server-pid", str(chatd.pid), "--duration", f"{seconds}s",
             "--cpu", "1", *TALK, "--json", result.name], check=False, stdout=subprocess.DEVNULL)
        talk = json.load(open(result.name, encoding="utf-8"))
        shaken = json.loads(visitors.communicate()[0]) if visitors else None
        return talk, shaken


def work(options):
    rounds, seconds = (1, 2) if options.quick else (options.rounds or ROUNDS, SECONDS)
    looks = {rate: [] for rate in RATES}
    for number in range(rounds):
        for rate in RATES if number % 2 == 0 else reversed(RATES):
            looks[rate].append(measure(rate, seconds))
            say(f"round {number + 1}, {rate} handshakes/s: {summary(looks[rate][-1:])}")
    for rate in RATES:
        print(f"{rate:5} handshakes/s: {summary(looks[rate])}")
    return 0


def main():
    return command.main(work, command.parser(DESCRIPTION).parse_args())


def summary(looks):
    """The medians of some looks."""
    def median(value):
        return statistics.median(value(talk) for talk, _ in looks)

    text = (f"talk p50 {median(lambda t: t['response_time']['p50_ns'] / 1000):.0f} us, "
            f"p99 {median(lambda t: t['response_time']['p99_ns'] / 1000):.0f} us, "
            f"chatd {100 * median(lambda t: t['server']['cpu_share']):.0f} % of a processor")
    shaken = [each for _, each in looks if each]
    if shaken:
        text += (f"; handshakes p50 {statistics.median(s['p50_us'] for s in shaken):.0f} us, "
                 f"p99 {statistics.median(s['p99_us'] for s in shaken):.0f} us, "
                 f"failed {sum(s['failed'] for s in shaken)}")
    return text

