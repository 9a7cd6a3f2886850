"""Joins over TLS and talks over UDP: what protocol v2 needs of a network. Written from
docs/reference/protocol-v2.md and, for the frames on TCP, docs/reference/protocol.md."""

import json
import random
import select
import socket
import ssl
import time

import session as session_of
import wire

CREATE, JOIN = 1, 2
COMPLETED = 2
TICK_S = 0.005


class Refused(Exception):
    def __init__(self, answer: dict):
        super().__init__(answer["message"])
        self.status = answer["status"]


def read_exactly(stream, size: int) -> bytes:
    data = b""
    while len(data) < size:
        part = stream.recv(size - len(data))
        assert part, "the server has closed the connection"
        data += part
    return data


def read_frame(stream) -> tuple[int, dict]:
    """State and payload."""
    header = read_exactly(stream, 32)
    body = read_exactly(stream, header[0] + int.from_bytes(header[3:], "big"))
    return header[2], json.loads(body[header[0]:])


def connect_tls(address: tuple[str, int]) -> ssl.SSLSocket:
    """The certificate may be one that the server has made itself, so nobody checks it here."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.set_alpn_protocols(["chatd/2"])
    return context.wrap_socket(socket.create_connection(address, timeout=20))


def enter(stream, operation: int, room: str, **fields) -> dict:
    """The answer to a create or join, which has succeeded."""
    name = room.encode()
    payload = json.dumps({"ip": "", "port": 0, "password": "", **fields}).encode()
    stream.sendall(bytes([len(name), operation, 0]) + len(payload).to_bytes(29, "big") +
                   name + payload)
    while True:
        state, answer = read_frame(stream)
        if state != COMPLETED:
            continue
        if answer["status"] != 201:
            raise Refused(answer)
        return answer


class Client:
    """One member. `loss`: the share of datagrams that it throws away, in either direction."""

    def __init__(self, tls_address: tuple[str, int], operation: int, room: str, username: str,
                 cipher: str, loss: float = 0.0, seed: int = 1, **fields):
        with connect_tls(tls_address) as stream:
            self.answer = enter(stream, operation, room, username=username, protocol=2,
                                ciphers=[cipher], **fields)
        assert self.answer["session"]["cipher"] == cipher, "the server took another cipher"
        endpoint = self.answer["endpoints"][0]
        host = endpoint.get("host", tls_address[0])
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.setblocking(False)
        self.socket.connect((host, endpoint["port"]))
        self.session = session_of.Session(self.answer, time.monotonic())
        self.username = username
        self.loss = loss
        self.random = random.Random(seed)
        self.dropped = 0
        self.events = []

    def is_lost(self) -> bool:
        if self.random.random() >= self.loss:
            return False
        self.dropped += 1
        return True

    def move(self) -> None:
        """Goes on from another port."""
        peer = self.socket.getpeername()
        self.socket.close()
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.setblocking(False)
        self.socket.connect(peer)

    def say(self, text: str) -> int:
        return self.session.say(text.encode())

    def turn(self) -> None:
        """Takes what has come, and sends what is due."""
        while True:
            try:
                data = self.socket.recv(65536)
            except (BlockingIOError, ConnectionRefusedError):
                break
            if not self.is_lost():
                self.session.on_datagram(data, time.monotonic())
        for data in self.session.datagrams(time.monotonic()):
            if not self.is_lost():
                self.socket.send(data)
        self.events += self.session.events
        self.session.events = []

    def entries(self) -> list[tuple[int, str]]:
        """Number and text of each entry, as it would be shown."""
        shown = []
        for event in self.events:
            if event[0] == "entry":
                shown.append((event[1], self.text_of(event[2])))
            elif event[0] == "gap":
                shown.append((event[1], f"{event[2] - event[1] + 1} lost"))
        return shown

    def text_of(self, entry: wire.Entry) -> str:
        if entry.kind == wire.JOINED:
            return f"{entry.content.decode()} joined"
        if entry.kind == wire.LEFT:
            return f"{entry.content.decode()} left"
        name = self.session.names.get(entry.member, "?")
        if entry.content_type == wire.V1_PAYLOAD:
            return f"{name}: {json.loads(entry.content)['message']}"
        return f"{name}: {entry.content.decode()}"


def turn_until(clients: list[Client], is_done, what: str, patience_s: float = 60) -> None:
    """All of them take turns until it is so."""
    give_up_at = time.monotonic() + patience_s
    while not is_done():
        assert time.monotonic() < give_up_at, f"has not happened: {what}"
        select.select([client.socket for client in clients], [], [], TICK_S)
        for client in clients:
            client.turn()
