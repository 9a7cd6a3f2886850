"""Servers under test: each started on free loopback ports, on a core of its own, in a folder of its
own, and ended by its process id. A measurement gets a fresh one, so that none inherits another's
rooms.

The brokers' configurations take away what has nothing to do with passing on messages and would only
slow them down (files, logs), and the limits that would make them drop some:

  redis      no snapshots, no append-only file, no limit on a subscriber's output buffer
  nats       logs to nowhere, up to 1 GB waiting per client
  mosquitto  no persistence, no logs, no limit on queued messages, Nagle's algorithm off

With TLS they have a certificate that is made for the run, and chatbench chooses version and cipher
(broker_tls.h), the same for all.
"""

import ctypes
import os
import re
import resource
import select
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

from . import programs
from .programs import CannotMeasure

PATIENCE_S = 20
LIBC = ctypes.CDLL(None)


def free_port(host):
    """A TCP port of this address that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind((host, 0))
        return probe.getsockname()[1]


class Server:
    """A running server: use it in a `with` statement."""

    target = ""  # chatbench's name for it
    program = ""
    client_flags = ()  # that chatbench needs to speak to it

    def __init__(self, cpu=None, flags=(), host="127.0.0.1"):
        self.host = host
        self._cpu = cpu
        self._flags = list(flags)
        self._process = None
        self._folder = None
        self.tcp_port = 0
        self.udp_port = 0

    @property
    def pid(self):
        return self._process.pid

    def __enter__(self):
        self._folder = Path(tempfile.mkdtemp(prefix="chatperf-"))
        try:
            self._start()
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(self, *_):
        self._stop()

    def _start(self):
        raise NotImplementedError

    def _launch(self, command, stdout):
        def before_exec():
            os.setpgrp()  # Ctrl-C is ours to deal with
            # And it ends with us, whatever becomes of us (PR_SET_PDEATHSIG, prctl(2)).
            LIBC.prctl(1, signal.SIGTERM)
            # A broker wants a descriptor for each member, and not all of them ask for more.
            _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
            if self._cpu is not None:
                os.sched_setaffinity(0, {self._cpu})

        self._process = subprocess.Popen(  # pylint: disable=consider-using-with
            command, cwd=self._folder, stdin=subprocess.DEVNULL, stdout=stdout,
            stderr=(self._folder / "stderr").open("wb"), preexec_fn=before_exec)

    def _complaint(self):
        text = (self._folder / "stderr").read_text(errors="replace").strip()
        log = self._folder / "stdout"
        if log.exists():
            text += log.read_text(errors="replace").strip()
        return text[-500:] or "it says nothing"

    def _stop(self):
        if self._process is not None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(PATIENCE_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            if self._process.stdout is not None:
                self._process.stdout.close()
            self._process = None
        shutil.rmtree(self._folder, ignore_errors=True)


class OwnServer(Server):
    """One of ours: picks its ports itself and says so in its ready line."""

    ready_line = ""

    def _command(self):
        return [programs.ours(self.program), "--host", self.host, "--udp-port", "0", *self._flags]

    def _start(self):
        self._launch(self._command(), subprocess.PIPE)
        self.ready_line = self._ready_line()
        self.udp_port = self._port(self.ready_line, "udp")
        self.tcp_port = self._port(self.ready_line, "tcp")

    def _ready_line(self):
        readable, _, _ = select.select([self._process.stdout], [], [], PATIENCE_S)
        line = self._process.stdout.readline().decode() if readable else ""
        if " ready " not in line:
            raise CannotMeasure(f"{self.program} does not start: {self._complaint()}")
        return line

    @staticmethod
    def _port(line, name):
        found = re.search(rf"\b{name}=\S*:(\d+)", line)
        return int(found.group(1)) if found else 0


class Chatd(OwnServer):
    target = "chatd"
    program = "chatd"
    tls_port = "off"

    def _command(self):
        # One core, one shard: what is compared is one loop with one loop.
        # And room for all messages that are on their way to it, see shapes.ROOMY.
        return [*super()._command(), "--tcp-port", "0", "--tls-port", self.tls_port,
                "--log-level", "error", "--shards", "1", "--rate-limits", "off",
                "--receive-buffer", "64MiB"]


class ChatdV2(Chatd):
    """Members join over TLS, and datagrams are sealed."""

    target = "chatd-v2"
    tls_port = "0"

    def _start(self):
        super()._start()
        self.tcp_port = self._port(self.ready_line, "tls")


class ChatdMixed(ChatdV2):
    """Half the members of a room with protocol v1, half with v2."""

    target = "chatd-mixed"


class Naive(OwnServer):
    target = "naive"
    program = "chatd_naive"


class LowerBound(OwnServer):
    target = "lower-bound"
    program = "chatd_lower_bound"


class Broker(Server):
    """One of the others: its port is chosen here, and it is ready when it accepts connections."""

    is_tls = False  # it speaks TLS and nothing else

    def _command(self):
        raise NotImplementedError

    def _start(self):
        if self.is_tls:
            self.client_flags = ("--tls-ca", self._make_certificate())
        for attempt in range(3):  # somebody may have taken the port meanwhile
            self.tcp_port = free_port(self.host)
            with (self._folder / "stdout").open("wb") as out:
                self._launch([programs.find(self.program), *self._command(), *self._flags], out)
            if self._accepts():
                return
            if attempt == 2:
                raise CannotMeasure(f"{self.program} does not start: {self._complaint()}")
            self._process.kill()
            self._process.wait()

    def _accepts(self):
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline and self._process.poll() is None:
            try:
                socket.create_connection((self.host, self.tcp_port), 1).close()
                return True
            except OSError:
                time.sleep(0.02)
        return False

    @property
    def _pem(self):
        """Certificate and key."""
        return str(self._folder / "server.pem")

    def _make_certificate(self):
        """As chatd makes its own (ECDSA P-256, signed by itself): clients trust it alone."""
        done = subprocess.run(
            [programs.find("openssl"), "req", "-x509", "-newkey", "ec", "-pkeyopt",
             "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=localhost",
             "-addext", f"subjectAltName=IP:{self.host}", "-keyout", self._pem, "-out", self._pem],
            capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise CannotMeasure(f"no certificate for {self.program}: {done.stderr.strip()[-500:]}")
        return self._pem

    def _write(self, name, text):
        path = self._folder / name
        path.write_text(text)
        return str(path)


class Redis(Broker):
    target = "redis"
    program = "redis-server"

    def _command(self):
        ports = f"port {self.tcp_port}"
        if self.is_tls:
            ports = f"""\
port 0
tls-port {self.tcp_port}
tls-cert-file {self._pem}
tls-key-file {self._pem}
tls-auth-clients no"""
        return [self._write("redis.conf", f"""\
bind {self.host}
protected-mode no
{ports}
dir {self._folder}
save ""
appendonly no
loglevel warning
logfile ""
maxclients 19000
client-output-buffer-limit pubsub 0 0 0
""")]


class Nats(Broker):
    target = "nats"
    program = "nats-server"

    def _command(self):
        tls = ""
        if self.is_tls:
            tls = f"tls {{ cert_file: {self._pem}, key_file: {self._pem}, timeout: {PATIENCE_S} }}"
        return ["-c", self._write("nats.conf", f"""\
host: {self.host}
port: {self.tcp_port}
log_file: /dev/null
max_connections: 100000
max_pending: 1GB
{tls}
""")]


class Mosquitto(Broker):
    target = "mosquitto"
    program = "mosquitto"

    def _command(self):
        # Started by root it would become a user who may not read the key.
        tls = f"certfile {self._pem}\nkeyfile {self._pem}\nuser root" if self.is_tls else ""
        return ["-c", self._write("mosquitto.conf", f"""\
listener {self.tcp_port} {self.host}
allow_anonymous true
persistence false
log_type none
max_queued_messages 0
set_tcp_nodelay true
{tls}
""")]


class RedisTls(Redis):
    is_tls = True


class NatsTls(Nats):
    is_tls = True


class MosquittoTls(Mosquitto):
    is_tls = True


BROKERS = [Redis, Nats, Mosquitto]
BROKERS_WITH_TLS = [RedisTls, NatsTls, MosquittoTls]
