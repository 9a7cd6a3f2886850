#!/usr/bin/env python3
"""Every flag that --help names is in the manual page, and every flag in the page is in --help.

usage: manual_pages.py FOLDER_OF_THE_PROGRAMS FOLDER_OF_THE_PAGES
"""

import pathlib
import re
import shutil
import subprocess
import sys

PAGES = {
    "chatd.8": [["chatd"]],
    "chatctl.8": [["chatctl"], ["chatctl", "kick"], ["chatctl", "ban"], ["chatctl", "unban"]],
    "chat.1": [["chat"], ["chat", "create"], ["chat", "join"], ["chat", "rooms"]],
    "chatbench.1": [["chatbench"], ["chatbench", "run"], ["chatbench", "compare"]],
}


def flags_of_help(programs: pathlib.Path, command: list[str]) -> set[str]:
    text = subprocess.run([programs / command[0], *command[1:], "--help"], check=True,
                          stdout=subprocess.PIPE, text=True, timeout=20).stdout
    return set(re.findall(r"^ +(?:-h,)?(--[a-z0-9-]+)", text, re.MULTILINE))


def flags_of_page(page: pathlib.Path) -> set[str]:
    """Those that a .TP introduces."""
    tags = re.findall(r"^\.TP\n(.*)$", page.read_text(), re.MULTILINE)
    return {flag for tag in tags for flag in re.findall(r"--[a-z0-9-]+", tag.replace("\\-", "-"))}


def main() -> int:
    programs, folder = map(pathlib.Path, sys.argv[1:])
    wrong = []
    for name, commands in PAGES.items():
        page = folder / name
        there = flags_of_page(page)
        wanted = set().union(*(flags_of_help(programs, command) for command in commands))
        if not wanted:
            wrong.append(f"{name}: --help names no flags")
        wrong += [f"{name}: {flag} is missing" for flag in sorted(wanted - there)]
        wrong += [f"{name}: there is no {flag}" for flag in sorted(there - wanted)]
        if shutil.which("man"):
            said = subprocess.run(["man", "--warnings", "-E", "UTF-8", "-l", "-Tutf8", "-Z", page],
                                  stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True).stderr
            wrong += [f"{name}: {line}" for line in said.splitlines()]
    print("\n".join(wrong) or "manual pages: every flag, and no other")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
