#!/usr/bin/env python3
"""The units are sound for systemd; the service exposes little and forbids nothing that chatd needs.

chatd serves three shards and its admin endpoint under the unit's own rules for system calls,
address families and executable memory, without privileges; whatever they forbid kills it
here. A member is let in, hears what another one says, the configuration is loaded again,
another process takes over, and is drained.

usage: service.py FOLDER_OF_THE_PROGRAMS UNIT
Exit code 77: what this takes is not here.
"""

import ctypes
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile

PR_SET_CHILD_SUBREAPER = 36
WORST_EXPOSURE = 2.0
PATIENCE_S = 20
SKIPPED = 77
AF = {"AF_UNIX": 1, "AF_INET": 2, "AF_INET6": 10, "AF_NETLINK": 16}
PROT_WRITE, PROT_EXEC = 2, 4


def skip(reason: str) -> None:
    print(f"skipped: {reason}")
    sys.exit(SKIPPED)


def output_of(*command: str) -> str:
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert done.returncode == 0, f"{' '.join(command)}:\n{done.stdout}"
    return done.stdout


def settings(unit: str, name: str) -> list[str]:
    return re.findall(rf"^{name}=(.*)$", unit, re.MULTILINE)


def expand(words: list[str]) -> set[str]:
    """System calls and groups of them (@system-service) as plain names."""
    names = set()
    for word in words:
        if not word.startswith("@"):
            names.add(word)
            continue
        lines = output_of("systemd-analyze", "syscall-filter", word).splitlines()[1:]
        listed = [line.strip() for line in lines if line.strip() and not line.strip().startswith("#")]
        names |= expand(listed)
    return names


def allowed_calls(unit: str) -> set[str]:
    # Every allow list has these in it (systemd.exec(5)), and the loader and libc of Debian do too.
    allowed = expand(["@default"])
    for line in settings(unit, "SystemCallFilter"):
        if line.startswith("~"):
            allowed -= expand(line[1:].split())
        else:
            allowed |= expand(line.split())
    return allowed


def confine(seccomp, unit: str):
    """What a child does before it becomes chatd: the unit's rules, where EPERM is death."""
    rules = seccomp.SyscallFilter(seccomp.KILL_PROCESS)
    families = sorted(AF[name] for name in settings(unit, "RestrictAddressFamilies")[0].split())
    for name in sorted(allowed_calls(unit)):
        try:
            number = seccomp.resolve_syscall(seccomp.Arch(), name)
        except RuntimeError:
            continue
        if number < 0:  # of another architecture
            continue
        if name == "socket":
            for family in families:
                rules.add_rule(seccomp.ALLOW, name, seccomp.Arg(0, seccomp.EQ, family))
        elif name == "mmap":  # MemoryDenyWriteExecute=
            both = PROT_WRITE | PROT_EXEC
            for permitted in (0, PROT_WRITE, PROT_EXEC):
                rules.add_rule(seccomp.ALLOW, name,
                               seccomp.Arg(2, seccomp.MASKED_EQ, both, permitted))
        elif name in ("mprotect", "pkey_mprotect"):
            rules.add_rule(seccomp.ALLOW, name, seccomp.Arg(2, seccomp.MASKED_EQ, PROT_EXEC, 0))
        else:
            rules.add_rule(seccomp.ALLOW, name)

    def before_exec() -> None:
        if os.geteuid() == 0:  # as root this needs no privilege, and chatd shall have none
            os.setgroups([])
            os.setresgid(65534, 65534, 65534)
            os.setresuid(65534, 65534, 65534)
        rules.load()  # no_new_privs goes with it

    return before_exec


def check_that_rules_bite(seccomp, unit: str) -> None:
    """A program that does what is forbidden dies: the rules are in force."""
    forbidden = subprocess.run(
        ["/usr/bin/python3", "-c", "import socket; socket.socket(socket.AF_PACKET)"],
        preexec_fn=confine(seccomp, unit), stderr=subprocess.DEVNULL)
    assert forbidden.returncode == -signal.SIGSYS, f"a packet socket: {forbidden.returncode}"


def become_subreaper() -> None:
    """Whom a child leaves behind is ours: a chatd that has taken over."""
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def exit_status(pid: int) -> int:
    signal.alarm(PATIENCE_S)  # ends this test
    _, status = os.waitpid(pid, 0)
    signal.alarm(0)
    return os.waitstatus_to_exitcode(status)


def check_chatd(seccomp, unit: str, bin_folder: pathlib.Path, work: pathlib.Path) -> None:
    program = shutil.copy(bin_folder / "chatd", work / "chatd")
    config = work / "chatd.toml"
    admin = work / "run" / "admin"
    config.write_text("[network]\ntcp_port = 0\nudp_port = 0\n[tls]\nport = 0\n[data_plane]\nshards = 3\n"
                      f"[admin]\nlisten = 'unix:{admin}'\n")
    os.chmod(work, 0o755)
    admin.parent.mkdir()
    os.chmod(admin.parent, 0o777)
    log = open(work / "log", "w+")
    # With a service manager, the first process ends when another one has taken over.
    chatd = subprocess.Popen([program, "--config", config], stdout=subprocess.PIPE, stderr=log,
                             text=True, preexec_fn=confine(seccomp, unit),
                             env={**os.environ, "NOTIFY_SOCKET": "@nobody-listens-here"})
    hosts = []
    successor = 0
    try:
        ready = chatd.stdout.readline()
        match = re.match(r"chatd ready tcp=\S+ udp=\S+ tls=(127\.0\.0\.1:\d+)$", ready)
        assert match, f"not ready: {ready!r}, exit code {chatd.poll()}"
        place = ["--server", match[1]]
        chat = str(bin_folder / "chat")
        host = subprocess.Popen([chat, "create", "kitchen", "--name", "alice", "--timeout",
                                 str(PATIENCE_S), *place], stdin=subprocess.PIPE,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        hosts.append(host)
        assert "you are in kitchen" in host.stderr.readline()
        subprocess.run([chat, "join", "kitchen", "--name", "bob", *place], input="hello\n",
                       text=True, check=True, timeout=PATIENCE_S, capture_output=True)
        with socket.socket(socket.AF_UNIX) as page:
            page.settimeout(PATIENCE_S)
            page.connect(str(admin))
            page.sendall(b"GET /metrics HTTP/1.0\r\n\r\n")
            answer = page.recv(64)
            assert b" 200 " in answer, answer
        chatd.send_signal(signal.SIGHUP)
        assert "bob: hello\n" in host.stdout, "alice heard nothing"
        chatd.send_signal(signal.SIGUSR1)
        assert chatd.wait(PATIENCE_S) == 0, f"exit code {chatd.returncode}"
        log.seek(0)
        successor = int(re.search(r"handed over to process (\d+)", log.read())[1])
        subprocess.run([chat, "join", "kitchen", "--name", "carol", *place], input="hello\n",
                       text=True, check=True, timeout=PATIENCE_S, capture_output=True)
        assert "carol: hello\n" in host.stdout, "alice heard nothing after the hand-over"
        os.kill(successor, signal.SIGUSR2)
        host.send_signal(signal.SIGTERM)
        status = exit_status(successor)
        assert status == 0, f"the successor ended with {status}"
    except BaseException:
        for process in [chatd, *hosts]:
            process.kill()
        if successor:
            os.kill(successor, signal.SIGKILL)
        log.seek(0)
        print(log.read())
        raise
    log.seek(0)
    text = log.read()
    assert "reload: nothing has changed" in text, text
    assert not re.search(r"^\S+ (warn|error|critical) ", text, re.MULTILINE), text


def main() -> None:
    bin_folder, unit_path = map(pathlib.Path, sys.argv[1:])
    if not shutil.which("systemd-analyze"):
        skip("systemd-analyze is not installed (Debian package systemd)")
    unit = unit_path.read_text()
    exposure = output_of("systemd-analyze", "security", "--offline=true", str(unit_path))
    score = float(re.search(r"Overall exposure level for \S+: ([0-9.]+)", exposure)[1])
    assert score <= WORST_EXPOSURE, exposure

    with tempfile.TemporaryDirectory() as folder:
        work = pathlib.Path(folder)
        # Verified with the program that was built, for the one in /usr/sbin may not be there.
        copy = work / "chatd.service"
        copy.write_text(unit.replace("/usr/sbin/chatd", str(bin_folder / "chatd")))
        ports = shutil.copy(unit_path.with_suffix(".socket"), work / "chatd.socket")
        tls = shutil.copy(unit_path.with_name("chatd-tls.socket"), work / "chatd-tls.socket")
        said = output_of("systemd-analyze", "verify", "--man=no", str(copy), str(ports), str(tls))
        assert not said, said
        print(f"units: verified, exposure {score}", flush=True)
        try:
            import seccomp
        except ImportError:
            skip("the rules were not tried, for there is no Python module seccomp "
                 "(Debian package python3-seccomp, for /usr/bin/python3)")
        become_subreaper()
        check_that_rules_bite(seccomp, unit)
        check_chatd(seccomp, unit, bin_folder, work)
    print("chatd serves, reloads, hands over and drains under the unit's rules")


if __name__ == "__main__":
    main()
