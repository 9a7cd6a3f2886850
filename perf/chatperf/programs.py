"""The programs that are measured: ours are built, the others are Debian's."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / "build" / "release"
BIN = BUILD / "bin"
OURS = ["chatd", "chatbench", "chatd_naive", "chatd_lower_bound", "chatd_handshakes"]

# Program -> the Debian package that has it.
PACKAGES = {
    "redis-server": "redis-server",
    "nats-server": "nats-server",
    "mosquitto": "mosquitto",
    "openssl": "openssl",
}


class CannotMeasure(Exception):
    """What failed, and what to do about it: a sentence for a person."""


def say(text):
    print(text, file=sys.stderr, flush=True)


def build():
    """Builds our programs into build/release/bin; says nothing when there is nothing to do."""
    for command in (
        [str(ROOT / "dev"), "build", "release"],
        ["cmake", "--build", "--preset", "release", "--target", *OURS],
    ):
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise CannotMeasure(f"the build failed:\n{done.stdout}{done.stderr}")


def ours(name):
    path = BIN / name
    if not path.exists():
        raise CannotMeasure(f"there is no {path}: run without --no-build")
    return str(path)


def find(program):
    """Where a Debian program is, or None. Servers live in /usr/sbin, which is not in every PATH."""
    return shutil.which(program, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")


def install_missing(programs):
    """Installs the packages of the programs that are not there.

    Debian starts a server when it is installed. That would listen on its well-known port, and would
    go on doing so after we have left; so a policy-rc.d forbids it meanwhile (where none is in
    place already), and what systemd enabled for the next boot is disabled again.
    """
    missing = [PACKAGES[p] for p in programs if find(p) is None]
    if not missing:
        return
    if shutil.which("apt-get") is None:
        raise CannotMeasure(f"please install {' '.join(missing)}: there is no apt-get here")
    as_root = [] if os.geteuid() == 0 else ["sudo"]
    say(f"installing Debian packages: {' '.join(missing)}")
    policy = Path("/usr/sbin/policy-rc.d")
    is_ours = not policy.exists()
    if is_ours:
        subprocess.run([*as_root, "sh", "-c", f"printf '#!/bin/sh\\nexit 101\\n' >{policy}; "
                        f"chmod +x {policy}"], check=True)
    apt = [*as_root, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq", "-y",
           "-o", "DPkg::Lock::Timeout=300"]
    try:
        install = [*apt, "install", "--no-install-recommends", *missing]
        if subprocess.run(install, capture_output=True, check=False).returncode != 0:
            subprocess.run([*apt, "update"], capture_output=True, check=False)
            done = subprocess.run(install, capture_output=True, text=True, check=False)
            if done.returncode != 0:
                raise CannotMeasure(f"could not install {' '.join(missing)}:\n{done.stderr}")
    finally:
        if is_ours:
            subprocess.run([*as_root, "rm", "-f", str(policy)], check=False)
    if shutil.which("systemctl"):
        subprocess.run([*as_root, "systemctl", "disable", *missing], capture_output=True,
                       check=False)


def version_of(program):
    """The first line of `program --version`, or a word that it is not there."""
    path = find(program) or (ours(program) if program in OURS else None)
    if path is None:
        return "not installed"
    flag = "-h" if program == "mosquitto" else "--version"
    done = subprocess.run([path, flag], capture_output=True, text=True, check=False)
    lines = (done.stdout + done.stderr).strip().splitlines()
    return lines[0].strip() if lines else "unknown"
