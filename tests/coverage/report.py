#!/usr/bin/env python3
"""What the tests have run of core, server and client: a table of lines and branches by folder and
file, and a verdict. What reads a stranger's bytes is held to every branch: there the exit code is 1
for anything less, and the missing ones are named. ./dev coverage calls it:

    report.py ROOT PROFILE BINARY...
"""

import json
import os
import subprocess
import sys

LAYERS = ("core", "server", "client")
# Parsers, tokens, addresses and names.
COMPLETE = ("core/wire/v1/", "core/base/hidden.", "core/base/ip_address.", "core/base/names.",
            "core/base/utf8.")
KINDS = ("lines", "branches")


def export(root, profile, binaries):
    objects = [argument for binary in binaries[1:] for argument in ("-object", binary)]
    sources = [os.path.join(root, layer) for layer in LAYERS]
    command = ["llvm-cov", "export", "-instr-profile", profile, binaries[0], *objects, *sources]
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)["data"][0]


def add(total, figures):
    for kind in KINDS:
        total[kind][0] += figures[kind]["covered"]
        total[kind][1] += figures[kind]["count"]


def empty():
    return {kind: [0, 0] for kind in KINDS}


def row(name, total):
    cells = []
    for kind in KINDS:
        covered, count = total[kind]
        share = f"{100 * covered / count:6.1f} %" if count else "     - %"
        cells.append(f"{covered:6} of {count:6} {share}")
    return f"{name:44} {cells[0]}   {cells[1]}"


def is_complete(total):
    return all(covered == count for covered, count in total.values())


def missing(file):
    """Lines that never ran, and the sides of conditions that were never taken."""
    found = set()
    for segment in file["segments"]:
        line, _, count, has_count, is_entry, is_gap = segment[:6]
        if has_count and count == 0 and is_entry and not is_gap:
            found.add(f"{line}: never run")
    sides = {}
    for line, column, _, _, taken, not_taken, *_ in file["branches"]:
        side = sides.setdefault((line, column), [0, 0])
        side[0] += taken
        side[1] += not_taken
    for (line, column), (taken, not_taken) in sides.items():
        for count, word in ((taken, "true"), (not_taken, "false")):
            if count == 0:
                found.add(f"{line}: the condition at column {column} is never {word}")
    return sorted(found, key=lambda text: int(text.split(":")[0]))


def main():
    root, profile, *binaries = sys.argv[1:]
    data = export(root, profile, binaries)
    files, folders, layers, everything = {}, {}, {}, empty()
    incomplete = []
    for file in sorted(data["files"], key=lambda one: one["filename"]):
        name = os.path.relpath(file["filename"], root)
        total = files[name] = empty()
        folder = folders.setdefault(os.path.dirname(name), empty())
        layer = layers.setdefault(name.split("/")[0], empty())
        for one in (total, folder, layer, everything):
            add(one, file["summary"])
        if name.startswith(COMPLETE) and not is_complete(total):
            incomplete.append((name, missing(file)))

    print(f"{'':44} {'lines':^24}   {'branches':^24}")
    for folder in sorted(folders):
        print(row(folder + "/", folders[folder]))
        for name in sorted(files):
            if os.path.dirname(name) == folder:
                print(row("  " + os.path.basename(name), files[name]))
    print()
    for layer in LAYERS:
        print(row(layer, layers.get(layer, empty())))
    print(row("all", everything))

    for prefix in COMPLETE:
        folder, begin = os.path.split(prefix)
        for entry in sorted(os.listdir(os.path.join(root, folder))):
            name = f"{folder}/{entry}"
            if entry.startswith(begin) and entry.endswith(".cpp") and name not in files:
                incomplete.append((name, ["0: not measured at all"]))
    for name, places in incomplete:
        print(f"\n{name} is not covered completely:")
        for place in places:
            print(f"  {name}:{place}")
    return 1 if incomplete else 0


sys.exit(main())
