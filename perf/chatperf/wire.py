"""As much of protocol v1 (docs/reference/protocol.md) as a measurement needs beside chatbench: the
list of rooms, and members who come and go."""

import json
import socket

from .programs import CannotMeasure

HEADER_BYTES = 32
SIZE_BYTES = 29
CREATE, JOIN, LIST = 1, 2, 3
COMPLETED = 2
PATIENCE_S = 20


def frame(operation, room=b"", payload=b""):
    return (bytes([len(room), operation, 0]) + len(payload).to_bytes(SIZE_BYTES, "big") + room
            + payload)


def _read(connection, count):
    data = b""
    while len(data) < count:
        piece = connection.recv(count - len(data))
        if not piece:
            raise CannotMeasure("chatd closed a connection before it answered")
        data += piece
    return data


def ask(port, request, source="127.0.0.1"):
    """The outcome of one request, as a dictionary. The frames before it are skipped."""
    with socket.create_connection(("127.0.0.1", port), PATIENCE_S, (source, 0)) as connection:
        connection.sendall(request)
        while True:
            header = _read(connection, HEADER_BYTES)
            body = _read(connection, header[0] + int.from_bytes(header[3:], "big"))
            if header[2] == COMPLETED:
                return json.loads(body[header[0]:])


def rooms(port):
    """{name: how many are in it}"""
    return {name: room["count"] for name, room in ask(port, frame(LIST))["rooms"].items()}


class Member:
    """Someone who joined a room and says nothing. Its socket takes what its buffer holds."""

    def __init__(self, server, room, name, source):
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((source, 0))
        self._server = ("127.0.0.1", server.udp_port)
        self._room = room.encode()
        self._name = name
        wanted = {"username": name, "ip": "", "port": self._socket.getsockname()[1], "password": ""}
        answer = ask(server.tcp_port, frame(JOIN, self._room, json.dumps(wanted).encode()), source)
        if answer["status"] != 201:
            raise CannotMeasure(f"{name} may not join: {answer['status']} {answer['message']}")
        self._token = bytes.fromhex(answer["token"])

    def leave(self):
        word = json.dumps({"sender": "system", "operation": 2, "username": self._name}).encode()
        self._socket.sendto(bytes([len(self._room), len(self._token)]) + self._room + self._token
                            + word, self._server)

    def close(self):
        self._socket.close()
