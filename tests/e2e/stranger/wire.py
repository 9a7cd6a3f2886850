"""Protocol v2's datagrams and frames, written from docs/reference/protocol-v2.md alone.

Nothing here was taken from chatd's code: where this client and chatd do not understand each other,
the page is wrong or says too little.
"""

import dataclasses
import hashlib
import struct

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, ChaCha20Poly1305

VERSION = 2
HEADER_BYTES = 18
TAG_BYTES = 16
RESET_BYTES = HEADER_BYTES + 16
MAX_DATAGRAM_BYTES = 1200
MAX_PLAIN_BYTES = MAX_DATAGRAM_BYTES - HEADER_BYTES - TAG_BYTES
MAX_SAY_BYTES = 1100
MAX_RANGES = 16
PACKETS_PER_KEY = 1 << 22
REPLAY_WINDOW = 448
CIPHERS = {"aes-256-gcm": AESGCM, "chacha20-poly1305": ChaCha20Poly1305}

PADDING, SAY, HAVE, LEAVE, PATH_RESPONSE = 0x00, 0x01, 0x02, 0x03, 0x04
LOG, HEAD, GAP, REFUSED, PATH_CHALLENGE, CLOSED = 0x10, 0x11, 0x12, 0x13, 0x14, 0x15
TAKEN = 0x16
SAID, JOINED, LEFT = 1, 2, 3
TEXT, V1_PAYLOAD, SEALED = 0, 1, 2


# --- Keys and seals --------------------------------------------------------------------------------


def derive(key: bytes, purpose: bytes) -> bytes:
    return hashlib.blake2b(purpose, key=key, digest_size=32).digest()


class Key:
    """One direction's: number `epoch`, of 2^22 packets."""

    def __init__(self, secret: bytes, direction: str):
        self.bytes = derive(secret, b"chatd/2 " + direction.encode())
        self.epoch = 0

    def next(self) -> "Key":
        key = object.__new__(Key)
        key.bytes = derive(self.bytes, b"chatd/2 next key")
        key.epoch = self.epoch + 1
        return key


def header(session: bytes, packet_number: int) -> bytes:
    return bytes([0, VERSION]) + session + struct.pack(">Q", packet_number)


def nonce(packet_number: int) -> bytes:
    return bytes(4) + struct.pack(">Q", packet_number)


def seal(cipher: str, key: Key, session: bytes, packet_number: int, frames: bytes) -> bytes:
    head = header(session, packet_number)
    return head + CIPHERS[cipher](key.bytes).encrypt(nonce(packet_number), frames, head)


def unseal(cipher: str, key: Key, datagram: bytes) -> bytes | None:
    """The frames; None: it was not sealed under this key."""
    number = packet_number_of(datagram)
    try:
        return CIPHERS[cipher](key.bytes).decrypt(
            nonce(number), datagram[HEADER_BYTES:], datagram[:HEADER_BYTES])
    except InvalidTag:
        return None


def is_datagram(data: bytes) -> bool:
    return len(data) > HEADER_BYTES + TAG_BYTES and data[0] == 0 and data[1] == VERSION


def session_of(datagram: bytes) -> bytes:
    return datagram[2:10]


def packet_number_of(datagram: bytes) -> int:
    return struct.unpack_from(">Q", datagram, 10)[0]


class ReplayWindow:
    """Which packet numbers have been seen."""

    def __init__(self):
        self.newest = -1
        self.seen = set()

    def is_new(self, number: int) -> bool:
        return number > self.newest - REPLAY_WINDOW and number not in self.seen

    def mark(self, number: int) -> None:
        self.newest = max(self.newest, number)
        self.seen.add(number)
        if len(self.seen) > 4 * REPLAY_WINDOW:
            self.seen = {each for each in self.seen if each > self.newest - REPLAY_WINDOW}


# --- Frames ----------------------------------------------------------------------------------------


class Malformed(Exception):
    """A frame that is cut short, or has a value that cannot be."""


def varint(value: int) -> bytes:
    for code, size in enumerate((1, 2, 4, 8)):
        if value < 1 << (8 * size - 2):
            return (value | code << (8 * size - 2)).to_bytes(size, "big")
    raise ValueError(value)


def sized(content: bytes) -> bytes:
    return varint(len(content)) + content


class Reader:
    def __init__(self, data: bytes):
        self.data = data
        self.at = 0

    def is_empty(self) -> bool:
        return self.at == len(self.data)

    def bytes(self, size: int) -> bytes:
        if size > len(self.data) - self.at:
            raise Malformed("cut short")
        self.at += size
        return self.data[self.at - size:self.at]

    def byte(self) -> int:
        return self.bytes(1)[0]

    def varint(self) -> int:
        first = self.byte()
        value = first & 0x3f
        for byte in self.bytes((1 << (first >> 6)) - 1):
            value = value << 8 | byte
        return value

    def sized(self) -> bytes:
        return self.bytes(self.varint())


@dataclasses.dataclass
class Entry:
    kind: int
    member: int
    client_number: int
    content_type: int
    content: bytes


def read_entry(reader: Reader) -> Entry:
    return Entry(reader.byte(), reader.varint(), reader.varint(), reader.byte(), reader.sized())


def read_log(reader: Reader) -> dict:
    epoch, first, count = reader.varint(), reader.varint(), reader.varint()
    return {"epoch": epoch, "first": first, "entries": [read_entry(reader) for _ in range(count)]}


def read_gap(reader: Reader) -> dict:
    epoch, first, count = reader.varint(), reader.varint(), reader.varint()
    if first == 0 or count == 0:
        raise Malformed("an empty gap")
    return {"epoch": epoch, "first": first, "last": first + count - 1}


SERVER_FRAMES = {
    LOG: read_log,
    HEAD: lambda reader: {"epoch": reader.varint(), "last": reader.varint(),
                          "oldest": reader.varint(), "have_interval_ms": reader.varint()},
    GAP: read_gap,
    REFUSED: lambda reader: {"client_number": reader.varint(), "reason": reader.byte(),
                             "retry_after_ms": reader.varint()},
    TAKEN: lambda reader: {"client_number": reader.varint()},
    PATH_CHALLENGE: lambda reader: {"data": reader.bytes(8)},
    CLOSED: lambda reader: {"reason": reader.byte(), "text": reader.sized().decode()},
}


def read_frames(frames: bytes):
    """Pairs of type and fields, up to the first that is not known or not whole."""
    reader = Reader(frames)
    while not reader.is_empty():
        try:
            kind = reader.varint()
            if kind == PADDING:
                continue
            if kind not in SERVER_FRAMES:
                return
            fields = SERVER_FRAMES[kind](reader)
        except Malformed:
            return
        yield kind, fields


def say(client_number: int, content: bytes, content_type: int = TEXT) -> bytes:
    return bytes([SAY]) + varint(client_number) + bytes([content_type]) + sized(content)


def have(epoch: int, complete: int, wanted: int, ranges: list[tuple[int, int]]) -> bytes:
    """`ranges`: first and last number of what is there beyond `complete`."""
    frame = bytes([HAVE]) + varint(epoch) + varint(complete) + varint(wanted) + varint(len(ranges))
    before = complete
    for first, last in ranges:
        frame += varint(first - before - 1) + varint(last - first + 1)
        before = last
    return frame


def leave() -> bytes:
    return bytes([LEAVE])


def path_response(data: bytes) -> bytes:
    return bytes([PATH_RESPONSE]) + data
