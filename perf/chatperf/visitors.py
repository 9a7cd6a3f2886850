"""Those who come into a room, or go, so many times a second while something else is measured."""

import time

from . import wire
from .background import Background
from .programs import CannotMeasure


def _source(number):
    """An address of its own, or few others': 127.0.0.0/16 is people's, 127.1 and up chatbench's."""
    return f"127.200.{number // 250 % 250}.{number % 250 + 1}"


class Visitors(Background):
    """act() is called per_s times a second."""

    def __init__(self, server, room, per_s):
        super().__init__()
        self.server = server
        self.room = room
        self.count = 0
        self.failures = []
        self.members = []
        self._per_s = per_s

    def __exit__(self, *exception):
        super().__exit__(*exception)
        for member in self.members:
            member.close()

    def run(self):
        begin = time.monotonic()
        while self.waits(begin + self.count / self._per_s - time.monotonic()):
            try:
                self.act()
            except (OSError, CannotMeasure) as trouble:
                self.failures.append(str(trouble))
            self.count += 1

    def act(self):
        raise NotImplementedError


class Joins(Visitors):
    """Each from an address of its own. They stay."""

    def act(self):
        self.members.append(wire.Member(self.server, self.room, f"visitor{self.count}",
                                        _source(self.count)))


class Departures(Visitors):
    """Of members who joined before; all from one address."""

    def __init__(self, server, room, per_s, count):
        super().__init__(server, room, per_s)
        self._leaving = [wire.Member(server, room, f"visitor{number}", _source(0))
                         for number in range(count)]
        self.members = list(self._leaving)

    def act(self):
        if self._leaving:
            self._leaving.pop().leave()
