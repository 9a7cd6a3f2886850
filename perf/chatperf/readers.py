"""Those who ask for the list of all rooms, and do not read it, or read it slowly."""

import contextlib
import errno
import select
import socket
import time

from . import wire
from .programs import CannotMeasure

LIST = wire.frame(wire.LIST)
RECEIVE_BUFFER_BYTES = 4096  # what waits for a reader waits at the server
PATIENCE_S = 60


def _source(number, per_address):
    number //= per_address
    return f"127.201.{number // 250}.{number % 250 + 1}"


class Readers(contextlib.AbstractContextManager):
    """`count` connections, so many of each address; on each the list was asked for so often."""

    def __init__(self, server, count, lists_each=1, per_address=100):
        self._sockets = []
        try:
            for number in range(count):
                self._open(server, _source(number, per_address))
            self._ask(LIST * lists_each)
        except OSError as trouble:
            self.close()
            raise CannotMeasure(f"{count} connections that ask for lists cannot be made: "
                                f"{trouble}") from trouble

    def _open(self, server, source):
        peer = socket.socket()
        self._sockets.append(peer)
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER_BYTES)
        peer.bind((source, 0))
        peer.settimeout(PATIENCE_S)
        peer.connect(("127.0.0.1", server.tcp_port))
        peer.setblocking(False)

    def _ask(self, request):
        """A server that does not read either is waited for; one that has closed has answered so."""
        left = {peer.fileno(): (peer, request) for peer in self._sockets}
        deadline = time.monotonic() + PATIENCE_S
        while left and time.monotonic() < deadline:
            writable = self._writable(left)
            for number in writable:
                peer, rest = left[number]
                try:
                    rest = rest[peer.send(rest):]
                except BlockingIOError:
                    continue
                except OSError as trouble:
                    if trouble.errno not in (errno.EPIPE, errno.ECONNRESET):
                        raise
                    rest = b""
                left[number] = (peer, rest)
                if not rest:
                    del left[number]

    @staticmethod
    def _writable(waiting):
        poller = select.poll()
        for number in waiting:
            poller.register(number, select.POLLOUT)
        return [number for number, _ in poller.poll(200)]

    def read_a_little(self, size_bytes, group, groups):
        """From each of one of so many groups as much as has come, up to that."""
        total = 0
        for peer in self._sockets[group::groups]:
            with contextlib.suppress(OSError):
                total += len(peer.recv(size_bytes))
        return total

    def close(self):
        for peer in self._sockets:
            peer.close()
        self._sockets = []

    def __exit__(self, *_):
        self.close()
