#!/usr/bin/env python3
"""A stranger's client and chatd: what was written from docs/reference/protocol-v2.md alone works.

Two members speak protocol v2, each with another cipher, and one of them loses a third of its
datagrams in both directions: they hear everything once, and in one order. A third one speaks
protocol v1.

usage: talk.py CHATD
Exit code 77: what this takes is not here.
"""

import json
import pathlib
import re
import socket
import ssl
import subprocess
import sys
import tempfile
import time

try:
    import client
except ImportError as missing:
    print(f"skipped: {missing} (Debian: python3-cryptography)")
    sys.exit(77)

PATIENCE_S = 20
LOSS = 0.3
MESSAGES = 150
ROOM = "kitchen"
LOG_NAME = "chatd.log"


class Chatd:
    def __init__(self, program: pathlib.Path, folder: pathlib.Path):
        self.log = folder / LOG_NAME
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                [program, "--host", "127.0.0.1", "--tcp-port", "0", "--udp-port", "0",
                 "--tls-port", "0"], stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=folder)
        self.tcp, self.tls, self.udp = self.ports()

    def ports(self) -> list[tuple[str, int]]:
        give_up_at = time.monotonic() + PATIENCE_S
        while time.monotonic() < give_up_at and self.process.poll() is None:
            text = self.log.read_text(encoding="utf-8", errors="replace")
            ready = re.search(r"^chatd ready (.*)$", text, re.MULTILINE)
            if ready:
                served = dict(each.split("=") for each in ready.group(1).split())
                return [("127.0.0.1", int(served[name].rsplit(":")[-1]))
                        for name in ("tcp", "tls", "udp")]
            time.sleep(0.01)
        raise AssertionError(f"chatd does not say where it serves:\n{self.log.read_text()}")

    def stop(self) -> None:
        self.process.terminate()
        assert self.process.wait(PATIENCE_S) == 0, self.log.read_text()


class OldMember:
    """One with protocol v1."""

    def __init__(self, chatd: Chatd, username: str):
        self.username = username
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.connect(chatd.udp)
        self.socket.setblocking(False)
        with socket.create_connection(chatd.tcp, timeout=PATIENCE_S) as stream:
            answer = client.enter(stream, client.JOIN, ROOM, username=username, ip="127.0.0.1",
                                  port=self.socket.getsockname()[1])
        self.token = bytes.fromhex(answer["token"])
        self.session = None
        self.heard = []

    def say(self, text: str) -> None:
        name = ROOM.encode()
        payload = json.dumps({"sender": self.username, "message": text}).encode()
        self.socket.send(bytes([len(name), len(self.token)]) + name + self.token + payload)

    def turn(self) -> None:
        while True:
            try:
                payload = json.loads(self.socket.recv(65536)[2:])
            except BlockingIOError:
                return
            self.heard.append(payload)

    def talk(self) -> list[str]:
        return [f"{each['sender']}: {each['message']}" for each in self.heard
                if each["sender"] != "system"]


def talk_of(member: client.Client) -> list[str]:
    return [text for _, text in member.entries() if ": " in text]


def check_whole(member: client.Client) -> None:
    """Every number once, in order, and nothing lost."""
    numbers = [number for number, _ in member.entries()]
    assert numbers == list(range(numbers[0], numbers[-1] + 1)), numbers
    assert not any(event[0] == "gap" for event in member.events)
    assert not any(event[0] == "refused" for event in member.events)
    delivered = [event[1] for event in member.events if event[0] == "delivered"]
    assert sorted(delivered) == list(range(1, member.session.next_number)), delivered


def check_talk(chatd: Chatd) -> None:
    alice = client.Client(chatd.tls, client.CREATE, ROOM, "alice", "chacha20-poly1305",
                          history=1000)
    bob = client.Client(chatd.tls, client.JOIN, ROOM, "bob", "aes-256-gcm", loss=LOSS)
    carol = OldMember(chatd, "carol")
    members = [alice, bob, carol]
    client.turn_until(members, lambda: "carol" in alice.session.roster.values() and
                      "carol" in bob.session.roster.values(), "alice and bob know that carol came")
    for i in range(MESSAGES):
        alice.say(f"alice {i}")
        bob.say(f"bob {i} «üñí»\n")
        if i % 10 == 0:
            carol.say(f"carol {i}")
        for member in members:
            member.turn()
    said = 2 * MESSAGES + MESSAGES // 10
    client.turn_until(members, lambda: len(talk_of(alice)) == said and len(talk_of(bob)) == said and
                      not alice.session.says and not bob.session.says, "all was said and heard")
    client.turn_until(members, lambda: len(carol.talk()) == said - MESSAGES // 10,
                      "carol has heard all that the others have said")
    assert talk_of(alice) == talk_of(bob)
    for name in ("alice", "bob", "carol"):
        own = [text for text in talk_of(alice) if text.startswith(f"{name}: ")]
        assert len(set(own)) == len(own), f"something of {name}'s came twice"
        # Protocol v1 keeps the order of each sender.
        heard = [text for text in carol.talk() if text.startswith(f"{name}: ")]
        assert heard == ([] if name == "carol" else own), f"what carol has heard of {name}"
    check_whole(alice)
    check_whole(bob)
    assert bob.dropped > 20, "the network of this test has lost nothing"
    print(f"{said} messages; bob's network has lost {bob.dropped} datagrams")

    check_history(chatd, members, talk_of(alice))
    check_move(alice, bob, members)
    check_refusal(alice, members)
    check_leaving(alice, bob, carol, members)


def check_history(chatd: Chatd, members: list, said_before: list[str]) -> None:
    """Who comes late reads what was said before, over a bad network; and it takes its seat again."""
    dave = client.Client(chatd.tls, client.JOIN, ROOM, "dave", "aes-256-gcm", loss=LOSS, seed=2)
    client.turn_until(members + [dave], lambda: len(talk_of(dave)) == len(said_before),
                      "dave has read the history")
    assert talk_of(dave) == said_before
    check_whole(dave)
    again = client.Client(chatd.tls, client.JOIN, ROOM, "dave", "chacha20-poly1305",
                          token=dave.answer["token"])
    assert again.answer["you"] == dave.answer["you"]
    assert again.answer["session"]["id"] != dave.answer["session"]["id"]
    client.turn_until(members + [dave, again], lambda: dave.session.is_over,
                      "the session that dave had before is over")
    again.session.leave()
    client.turn_until(members + [again], lambda: again.session.is_over, "dave has left")


def check_move(alice: client.Client, bob: client.Client, members: list) -> None:
    """An address changes, and nobody has to say so."""
    bob.move()
    bob.say("from elsewhere")
    alice.say("where are you?")
    client.turn_until(members, lambda: not bob.session.says and not alice.session.says and
                      talk_of(alice) == talk_of(bob), "bob is heard, and hears, from another port")
    check_whole(bob)


def check_refusal(alice: client.Client, members: list) -> None:
    number = alice.session.say(b"\x1b[2J")
    client.turn_until(members, lambda: ("refused", number, 3) in alice.events,
                      "what is not text is refused")


def check_leaving(alice: client.Client, bob: client.Client, carol: OldMember,
                  members: list) -> None:
    bob.session.leave()
    client.turn_until(members, lambda: bob.session.is_over, "bob has left")
    client.turn_until(members, lambda: "bob" not in alice.session.roster.values() and
                      carol.heard[-1].get("message") == "bob left", "the others know it")
    alice.session.leave()
    client.turn_until(members, lambda: alice.session.is_over, "alice has left")
    client.turn_until(members, lambda: carol.heard[-1].get("message") == "You have been disconnected",
                      "the room has ended with its host")


def check_wrong_port(chatd: Chatd) -> None:
    """Keys do not travel in the clear."""
    with socket.create_connection(chatd.tcp, timeout=PATIENCE_S) as stream:
        try:
            client.enter(stream, client.CREATE, "plain", username="eve", protocol=2)
        except client.Refused as refused:
            assert refused.status == 400, refused
            assert str(chatd.tls[1]) in str(refused), refused
            return
    raise AssertionError("a join with protocol 2 was taken without TLS")


def main() -> None:
    assert ssl.HAS_TLSv1_3
    with tempfile.TemporaryDirectory() as folder:
        chatd = Chatd(pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(folder))
        try:
            check_wrong_port(chatd)
            check_talk(chatd)
        except BaseException:
            print(chatd.log.read_text(encoding="utf-8", errors="replace"))
            raise
        finally:
            chatd.process.terminate()
        chatd.stop()


if __name__ == "__main__":
    main()
