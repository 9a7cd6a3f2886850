"""Those who make trouble for the server: each a thread that goes on until it is told to stop."""

import random
import signal
import socket
import struct
import subprocess
import threading
import time


class Trouble(threading.Thread):
    """Calls act() now and then, from a random stream of its own."""

    def __init__(self, server, seed, period_s):
        super().__init__(daemon=True)
        self.server = server
        self.random = random.Random(seed)
        self.period_s = period_s
        self.count = 0
        self._end = threading.Event()

    def run(self):
        while not self._end.wait(self.random.uniform(0.5, 1.5) * self.period_s):
            try:
                self.act()
                self.count += 1
            except OSError:
                pass  # the server, or the machine, would not have it: that is its right
        self.clean_up()

    def stop(self):
        self._end.set()

    def act(self):
        raise NotImplementedError

    def clean_up(self):
        pass


class Garbage(Trouble):
    """Datagrams of noise, and of what begins well."""

    def act(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
            for _ in range(self.random.randrange(1, 20)):
                noise = self.random.randbytes(self.random.choice([0, 1, 3, 40, 200, 1400, 5000]))
                if self.random.random() < 0.5:
                    token = self.random.choice([b"%032x" % self.random.getrandbits(128),
                                                self.random.randbytes(16)])
                    noise = bytes([4, len(token)]) + b"room" + token + noise
                peer.sendto(noise, self.server.udp)


class Dribblers(Trouble):
    """Connections that say half a word, or nothing, or nonsense, or vanish."""

    MOST = 60

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.held = []

    def act(self):
        for peer in self.held:
            if self.random.random() < 0.1:
                try:
                    peer.send(b"\x04", socket.MSG_DONTWAIT)
                except OSError:
                    pass
        if len(self.held) > self.MOST:
            for peer in self.held[:20]:
                peer.close()
            del self.held[:20]
        peer = socket.create_connection(self.server.tcp, timeout=2)
        kind = self.random.randrange(4)
        if kind == 0:
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            peer.close()
            return
        if kind == 1:
            peer.send(self.random.randbytes(self.random.randrange(1, 400)))
        if kind == 2:
            peer.send(bytes([4, 2, 0]) + b"\x00" * 20)
        self.held.append(peer)

    def clean_up(self):
        for peer in self.held:
            peer.close()


class Sleepers(Trouble):
    """A small chatbench whose members fall asleep while they are spoken to, and never wake up."""

    def __init__(self, server, seed, period_s, chatbench):
        super().__init__(server, seed, period_s)
        self.chatbench = chatbench

    def act(self):
        process = subprocess.Popen(
            [self.chatbench, "run", "--tcp-port", str(self.server.tcp[1]), "--udp-port",
             str(self.server.udp[1]), "--rooms", "2", "--members", "4", "--rate", "40",
             "--one-socket-per-client", "--duration", "1m", "--seed",
             str(self.random.randrange(1 << 30))],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            self._end.wait(self.random.uniform(1, 3))
            process.send_signal(signal.SIGSTOP)
            self._end.wait(self.random.uniform(1, 4))
        finally:
            process.kill()
            process.wait()


def stop_all(troubles):
    for trouble in troubles:
        trouble.stop()
    end = time.monotonic() + 30
    for trouble in troubles:
        trouble.join(max(0.0, end - time.monotonic()))
