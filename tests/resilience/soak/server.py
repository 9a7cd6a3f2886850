"""The chatd under test: started with the fault library, watched through /proc."""

import ctypes
import mmap
import os
import re
import signal
import subprocess
import tempfile
from pathlib import Path


class FaultPlan(ctypes.Structure):
    """tests/resilience/faults/fault_plan.h, which holds the places of the fields with assertions."""

    _fields_ = [
        ("is_on", ctypes.c_uint32),
        ("call", ctypes.c_uint32),
        ("first", ctypes.c_uint32),
        ("last", ctypes.c_uint32),
        ("error", ctypes.c_int32),
        ("chance_per_million", ctypes.c_uint32),
        ("random_calls", ctypes.c_uint64),
        ("seed", ctypes.c_uint64),
        ("fired", ctypes.c_uint32),
        ("failed_option", ctypes.c_uint32),
        ("sleepers", ctypes.c_uint32),
        ("total_calls", ctypes.c_uint64),
    ]


class Server:
    """One chatd process."""

    FLAGS = ["--shards", "2", "--tcp-port", "0", "--udp-port", "0", "--tls-port", "off", "--idle-timeout", "30s",
             "--handshake-timeout", "5s", "--max-connections", "500",
             # Names and tokens fall anywhere into tables of this size, which are reserved at the
             # start and touched as they are used: small ones are warm within a minute.
             "--max-members", "10000", "--max-rooms", "1000"]

    def __init__(self, bin_dir, library):
        self._plan_file = tempfile.NamedTemporaryFile(prefix="chatd-soak-")
        self._plan_file.truncate(mmap.PAGESIZE)
        self._memory = mmap.mmap(self._plan_file.fileno(), mmap.PAGESIZE)
        self.plan = FaultPlan.from_buffer(self._memory)
        self._log_file = tempfile.NamedTemporaryFile(prefix="chatd-soak-log-", mode="w+")
        environment = os.environ | {"LD_PRELOAD": str(library),
                                    "CHATD_TEST_FAULTS": self._plan_file.name}
        self.process = subprocess.Popen([str(Path(bin_dir) / "chatd"), *self.FLAGS],
                                        env=environment, stdout=subprocess.PIPE,
                                        stderr=self._log_file, text=True)
        ready = self.process.stdout.readline()
        ports = re.fullmatch(r"chatd ready tcp=127\.0\.0\.1:(\d+) udp=127\.0\.0\.1:(\d+)\n", ready)
        if not ports:
            raise RuntimeError(f"chatd does not start: {self.log()}")
        self.tcp = ("127.0.0.1", int(ports[1]))
        self.udp = ("127.0.0.1", int(ports[2]))

    def inject_faults(self, chance_per_million, calls, seed):
        """From now on each of these calls (bits, as in Call) may fail."""
        self.plan.chance_per_million = chance_per_million
        self.plan.random_calls = calls
        self.plan.seed = seed
        self.plan.is_on = 1

    def stop_injecting(self):
        self.plan.is_on = 0

    def is_running(self):
        return self.process.poll() is None

    def resident_bytes(self):
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"^VmRSS:\s+(\d+)", status, re.MULTILINE)[1]) * 1024

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def cpu_seconds(self):
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def stop(self):
        """The exit code, or None if it does not end in time."""
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(10)
        except subprocess.TimeoutExpired:
            return None

    def kill(self):
        if self.is_running():
            self.process.kill()
            self.process.wait()

    def log(self):
        return Path(self._log_file.name).read_text()

    def totals(self):
        """What it counted, from its last words."""
        line = re.search(r"totals: (.*)", self.log())
        pairs = re.findall(r"(\w+)=(\d+)", line[1]) if line else []
        return {name: int(value) for name, value in pairs}
