"""Tables and files."""

import json
import textwrap
from datetime import datetime, timezone
from pathlib import Path

from .programs import say


def microseconds(ns):
    if ns is None:
        return "n/a"
    value = ns / 1000
    return f"{value:.3f} µs" if value < 10 else f"{value:.1f} µs"


NEVER_NS = 2 ** 64 - 1  # chatbench's word for what did not come


def duration(ns):
    if ns is None:
        return "n/a"
    if ns >= NEVER_NS:
        return "never"
    if ns < 1e6:
        return f"{ns / 1e3:.0f} µs"
    return f"{ns / 1e6:.2f} ms" if ns < 1e7 else f"{ns / 1e6:.1f} ms"


def rate(value):
    return "n/a" if value is None else f"{value:,.0f}"


def ratio(a, b):
    """a / b, or None."""
    return a / b if a is not None and b and max(a, b) < NEVER_NS else None


def times(value):
    return "n/a" if value is None else f"{value:.2f}"


def table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "| " + " | ".join("---" for _ in head) + " |"]
    lines += ["| " + " | ".join(str(cell) for cell in row) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def heading(title, machine, lines):
    when = datetime.now(timezone.utc).strftime("%Y-%m-%d %H:%M UTC")
    about = (f"{when}; {machine['kernel']}, {machine['cpu']}, {machine['cores']} cores; "
             f"load average before: {machine['load_before']:.2f}.")
    return f"# {title}\n\n{about}\n\n" + "".join(f"{line}\n" for line in lines) + "\n"


class Footnotes:
    """What stands against a figure, told once below the tables."""

    def __init__(self):
        self._numbers = {}

    def mark(self, objections):
        marks = [self._numbers.setdefault(text, len(self._numbers) + 1) for text in objections]
        return "" if not marks else " INVALID " + ",".join(f"[{number}]" for number in marks)

    def text(self):
        lines = [f"[{number}] {text}\n" for text, number in self._numbers.items()]
        return "\n" + "\n".join(lines) if lines else ""


COLUMNS = 100


def wrapped(markdown):
    """Sentences at the width of every document; tables and headings stay whole."""
    lines = (line if len(line) <= COLUMNS or line.startswith(("|", "#")) else
             textwrap.fill(line, COLUMNS, break_long_words=False, break_on_hyphens=False)
             for line in markdown.split("\n"))
    return "\n".join(lines)


def write(folder, name, markdown, data):
    """Prints the Markdown, and writes it and the data into the folder."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    markdown = wrapped(markdown)
    (folder / f"{name}.md").write_text(markdown, encoding="utf-8")
    (folder / f"{name}.json").write_text(json.dumps(data, indent=1), encoding="utf-8")
    print(markdown)
    say(f"written: {folder / name}.md and .json")
