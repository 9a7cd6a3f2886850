#!/usr/bin/env python3
"""The test vectors of docs/reference/protocol-v2.md, for the client that was written from that page.

usage: vectors.py PAGE
Exit code 77: what this takes is not here.
"""

import json
import pathlib
import sys

try:
    import session
    import wire
except ImportError as missing:
    print(f"skipped: {missing} (Debian: python3-cryptography)")
    sys.exit(77)

CHACHA, AES = "chacha20-poly1305", "aes-256-gcm"


def read_examples(page: str) -> dict[str, bytes]:
    examples = {}
    for block in page.split("```hex ")[1:]:
        name, dump = block.split("```")[0].split("\n", 1)
        examples[name] = b"".join(
            bytes.fromhex(line[4:].split("|")[0]) for line in dump.splitlines())
    return examples


def payload_of(frame: bytes) -> dict:
    return json.loads(frame[32 + frame[0]:])


def check_keys(examples: dict[str, bytes]) -> None:
    for direction in ("to server", "to client"):
        key = wire.Key(bytes(range(32)), direction)
        name = direction.replace(" ", "-")
        assert examples[f"key-{name}"] == key.bytes
        assert examples[f"next-key-{name}"] == key.next().bytes


def check_frames(examples: dict[str, bytes]) -> None:
    data = bytes.fromhex("0123456789abcdef")
    written = {"say": wire.say(1, b"hi"), "have": wire.have(1, 7, 9, []),
               "have-ranges": wire.have(1, 4, 10, [(6, 7), (10, 10)]), "leave": wire.leave(),
               "path-response": wire.path_response(data)}
    for name, frame in written.items():
        assert examples[f"frame-{name}"] == frame, name

    def read(name: str) -> tuple[int, dict]:
        frames = list(wire.read_frames(examples[f"frame-{name}"]))
        assert len(frames) == 1, name
        return frames[0]

    assert read("log") == (wire.LOG, {"epoch": 1, "first": 8, "entries": [
        wire.Entry(wire.SAID, 1, 300, wire.TEXT, b"hello, bob"),
        wire.Entry(wire.SAID, 3, 1, wire.TEXT, b"hi")]})
    assert [entry.kind for entry in read("log-kinds")[1]["entries"]] == [2, 1, 1, 3]
    assert read("head") == (
        wire.HEAD, {"epoch": 1, "last": 9, "oldest": 3, "have_interval_ms": 1000})
    assert read("gap") == (wire.GAP, {"epoch": 1, "first": 1, "last": 2})
    assert read("refused") == (
        wire.REFUSED, {"client_number": 2, "reason": 1, "retry_after_ms": 500})
    assert read("taken") == (wire.TAKEN, {"client_number": 300})
    assert read("path-challenge") == (wire.PATH_CHALLENGE, {"data": data})
    assert read("closed") == (wire.CLOSED, {"reason": 1, "text": "you have left the room"})


def check_seals(examples: dict[str, bytes]) -> None:
    up, down = (wire.Key(bytes(range(32)), each) for each in ("to server", "to client"))
    sealed = {
        "chacha-to-server": (CHACHA, up, wire.have(1, 7, 8, [])),
        "chacha-to-client": (CHACHA, down, examples["frame-log"]),
        "aes-to-server": (AES, up, examples["frame-say"]),
        "aes-to-client": (AES, down, examples["frame-log"]),
        "chacha-next-key": (CHACHA, up.next(), examples["frame-say"]),
        "aes-next-key": (AES, down.next(), examples["frame-head"]),
    }
    for name, (cipher, key, frames) in sealed.items():
        datagram = examples[name]
        number = wire.packet_number_of(datagram)
        assert number // wire.PACKETS_PER_KEY == key.epoch, name
        assert wire.unseal(cipher, key, datagram) == frames, name
        assert wire.seal(cipher, key, wire.session_of(datagram), number, frames) == datagram, name
        changed = datagram[:-1] + bytes([datagram[-1] ^ 1])
        assert wire.unseal(cipher, key, changed) is None, name


def check_session(examples: dict[str, bytes]) -> None:
    """bob's session, from his answer to the reset."""
    assert payload_of(examples["join-request"])["protocol"] == 2
    answer = payload_of(examples["join-completed"])
    bob = session.Session(answer, 0, wants_history=False)
    assert bob.datagrams(0) == [examples["chacha-to-server"]]
    bob.say(b"hi")
    bob.datagrams(0)
    bob.on_datagram(examples["chacha-to-client"], 1)
    bob.on_datagram(examples["chacha-to-client"], 1)  # once more: nothing happens
    assert [event[:2] for event in bob.events] == [
        ("entry", 8), ("delivered", 1), ("entry", 9)], bob.events
    assert not bob.says
    bob.on_datagram(examples["reset"][:-1] + b"?", 2)
    assert not bob.is_over
    bob.on_datagram(examples["reset"], 2)
    assert bob.is_over


def main() -> None:
    examples = read_examples(pathlib.Path(sys.argv[1]).read_text(encoding="utf-8"))
    check_keys(examples)
    check_frames(examples)
    check_seals(examples)
    check_session(examples)


if __name__ == "__main__":
    main()
