"""A line between two networks on this machine, which delays, loses and reorders what it carries.

Each end is a network namespace with a TUN device, and a thread here passes IP packets from one to
the other, whatever is in them. (netem would do the same in the kernel, but many kernels lack it.)
It takes root. What is started while the `with` statement of an end lasts belongs to that end.
"""

import contextlib
import ctypes
import fcntl
import heapq
import itertools
import os
import random
import select
import struct
import subprocess
import time
from dataclasses import dataclass

from .background import Background
from .programs import CannotMeasure

LIBC = ctypes.CDLL(None, use_errno=True)
CLONE_NEWNET = 0x40000000
TUNSETIFF = 0x400454CA
IFF_TUN, IFF_NO_PI = 0x0001, 0x1000
THIS_NETWORK = "/proc/thread-self/ns/net"
DEVICE = "line"
PACKET_BYTES = 65536
SERVER_IP = "10.9.0.1"
# One for each connection of chatbench's; loopback's clients have as many as they like.
CLIENT_IPS = [f"10.9.0.{number}" for number in range(2, 66)]


@dataclass(frozen=True)
class Weather:
    """Of each of the two ways."""

    loss: float = 0  # 0 to 1
    delay_ms: float = 0
    jitter_ms: float = 0  # at most so much more, for each packet by itself: so they overtake


def _enter(network):
    if LIBC.setns(network, CLONE_NEWNET) != 0:
        raise CannotMeasure(f"setns: {os.strerror(ctypes.get_errno())}")


class _End:
    """One of the two networks."""

    def __init__(self, addresses):
        self.bytes = 0  # that have come from here
        before = os.open(THIS_NETWORK, os.O_RDONLY)
        try:
            if LIBC.unshare(CLONE_NEWNET) != 0:
                raise CannotMeasure(
                    f"no networks of our own: {os.strerror(ctypes.get_errno())} (run it as root)")
            self._network = os.open(THIS_NETWORK, os.O_RDONLY)
            try:
                self.device = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
            except OSError as trouble:
                raise CannotMeasure(f"/dev/net/tun: {trouble.strerror}") from trouble
            fcntl.ioctl(self.device, TUNSETIFF,
                        struct.pack("16sH", DEVICE.encode(), IFF_TUN | IFF_NO_PI))
            commands = ["link set lo up", f"link set {DEVICE} up txqueuelen 20000"]
            commands += [f"addr add {address}/24 dev {DEVICE}" for address in addresses]
            done = subprocess.run(["ip", "-batch", "-"], input="\n".join(commands), text=True,
                                  capture_output=True, check=False)
            if done.returncode != 0:
                raise CannotMeasure(f"ip: {done.stderr.strip()}")
        finally:
            _enter(before)
            os.close(before)

    @contextlib.contextmanager
    def inside(self):
        before = os.open(THIS_NETWORK, os.O_RDONLY)
        _enter(self._network)
        try:
            yield
        finally:
            _enter(before)
            os.close(before)

    def close(self):
        os.close(self.device)
        os.close(self._network)


class LossyLine(Background):
    """Between the network of a server, at SERVER_IP, and that of its clients, at CLIENT_IPS."""

    def __init__(self, weather, seed=1):
        super().__init__()
        self.weather = weather
        self._random = random.Random(seed)
        self.server = _End([SERVER_IP])
        self.clients = _End(CLIENT_IPS)
        self._order = itertools.count()
        self._waiting = []  # (when it is due, a number, the packet, the end that it goes to)

    def __exit__(self, *trouble):
        super().__exit__(*trouble)
        self.server.close()
        self.clients.close()

    @property
    def bytes(self):
        """With IP headers, both ways, lost ones too."""
        return self.server.bytes + self.clients.bytes

    def run(self):
        # The end is noticed within a tenth of a second.
        while self.waits(0):
            wait_s = 0.1
            if self._waiting:
                wait_s = max(0, min(wait_s, self._waiting[0][0] - time.monotonic()))
            readable, _, _ = select.select([self.server.device, self.clients.device], [], [], wait_s)
            for here, there in ((self.server, self.clients), (self.clients, self.server)):
                if here.device in readable:
                    self._take(here, there)
            self._pass_on()

    def _take(self, here, there):
        while True:
            try:
                packet = os.read(here.device, PACKET_BYTES)
            except BlockingIOError:
                return
            here.bytes += len(packet)
            if self._random.random() < self.weather.loss:
                continue
            delay_ms = self.weather.delay_ms + self._random.random() * self.weather.jitter_ms
            heapq.heappush(self._waiting, (time.monotonic() + delay_ms / 1000, next(self._order),
                                           packet, there.device))

    def _pass_on(self):
        while self._waiting and self._waiting[0][0] <= time.monotonic():
            _, _, packet, device = heapq.heappop(self._waiting)
            with contextlib.suppress(OSError):  # what the kernel takes for no packet
                os.write(device, packet)
