"""The pictures of README.md, made afresh from the real programs: ./dev pictures

The status page is a browser's, under chatbench's load; the conversation is that of three `chat`s,
each typed into in a terminal of its own (tmux), and drawn by the browser as the terminals show it.
"""

import argparse
import html
import os
import re
import subprocess
import sys
import tempfile
import time

FOLDER = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(FOLDER, "..", "..", "tests", "browser"))
from status_page import Chatd, Page, open_browser, wait_for  # noqa: E402 (its folder is known now)

ROOM = "kitchen"
CHART_S = 120  # what the page's charts show
CROWD_S = (45, 30)  # when in that time another room fills, and for how long it talks
# Terminals, as columns and rows; who is in the first one opens the room.
TERMINALS = {"alice": (64, 17), "bob": (50, 8), "carol": (50, 7)}
# Who says what, in this order.
CONVERSATION = [
    ("alice", "Who is coming to dinner tonight?"),
    ("bob", "Me! I bring «brød» and blåbær."),
    ("carol", "I can be there at seven."),
    ("alice", "Seven is good. Soup and pancakes."),
    ("carol", '{"sender":"bob","message":"cake!"}'),
    ("bob", "Nice try, carol."),
    ("alice", "/who"),
    ("bob", "I am off to the baker's."),
    ("bob", "/quit"),
    ("carol", "See you at seven!"),
]

STYLE = """
body { margin: 0; padding: 10px; background: #d8d8d2; display: inline-grid; gap: 10px;
       grid-template-columns: auto auto; }
section { background: #1d1f21; border-radius: 7px; overflow: hidden; }
section:first-child { grid-row: 1 / 3; }
h1 { margin: 0; padding: 3px; background: #3c3f41; color: #c5c8c6; text-align: center;
     font: 12px "DejaVu Sans", sans-serif; }
pre { margin: 0; padding: 8px 10px; color: #e4e4e0; font: 13px/1.32 "DejaVu Sans Mono", monospace; }
.s1 { font-weight: bold; } .s2 { opacity: 0.65; } .s3 { font-style: italic; }
.s31 { color: #e5786d; } .s32 { color: #95c36e; } .s33 { color: #e9c062; } .s34 { color: #81a2d8; }
.s35 { color: #c397d8; } .s36 { color: #70c0b1; } .s90 { color: #909090; }
.cursor { background: #e4e4e0; }
"""


class Terminals:
    """A terminal for each person, in a tmux server that is nobody else's."""

    def __init__(self, work):
        self.tmux = ["tmux", "-f", "/dev/null", "-S", os.path.join(work, "tmux")]

    def run(self, *arguments):
        return subprocess.run([*self.tmux, *arguments], check=True, capture_output=True,
                              text=True).stdout

    def open(self, name, command):
        columns, rows = TERMINALS[name]
        # A shell stays behind, so that what a program that has ended wrote is still to be seen.
        self.run("new-session", "-d", "-s", name, "-x", str(columns), "-y", str(rows),
                 "env", "LANG=C.UTF-8", "HISTFILE=", "PS1=$ ", "bash", "--norc", "--noprofile")
        self.run("set-option", "-t", name, "status", "off")
        wait_for("a prompt", lambda: self.text(name).startswith("$"))
        self.type(name, command)

    def type(self, name, line):
        self.run("send-keys", "-t", name, "-l", line)
        self.run("send-keys", "-t", name, "Enter")

    def text(self, name):
        return self.run("capture-pane", "-p", "-t", name)

    def as_html(self, name):
        """As it looks, colours and all: only the attributes that chat and the shell use."""
        rows = self.run("capture-pane", "-e", "-p", "-t", name).split("\n")
        column, row = map(int, self.run("display-message", "-p", "-t", name,
                                        "#{cursor_x} #{cursor_y}").split())
        drawn, styles = [], []
        for number, line in enumerate(rows[:TERMINALS[name][1]]):
            out = ""
            for part in re.split(r"(\x1b\[[0-9;]*m)", line):
                if part.startswith("\x1b"):
                    for code in part[2:-1].split(";"):
                        if code == "39":  # the usual colour
                            styles = [style for style in styles if len(style) < 3]
                        else:
                            styles = [] if code in ("", "0") else [*styles, "s" + code]
                elif part:
                    out += f'<span class="{" ".join(styles)}">{html.escape(part)}</span>'
            if number == row:
                plain = re.sub(r"\x1b\[[0-9;]*m", "", line)
                out += " " * (column - len(plain)) + '<span class="cursor"> </span>'
            drawn.append(out or " ")
        return f"<section><h1>{name}</h1><pre style='width:{TERMINALS[name][0]}ch'>" + \
            "\n".join(drawn) + "</pre></section>"

    def close(self):
        subprocess.run([*self.tmux, "kill-server"], check=False, capture_output=True)


def draw_conversation(page, folder, chatd, work):
    terminals = Terminals(work)
    try:
        environment = f"chat --server {chatd.tls}"
        # What is to be seen is what people type: the port is the one that the kernel has picked.
        with open(os.path.join(work, "chat"), "w", encoding="utf-8") as script:
            script.write(f'#!/bin/sh\nexec {folder}/{environment} "$@"\n')
        os.chmod(script.name, 0o755)
        os.environ["PATH"] = work + ":" + os.environ["PATH"]
        for name in TERMINALS:
            verb = "create" if name == "alice" else "join"
            terminals.open(name, f"chat {verb} {ROOM} --name {name}")
            wait_for(f"{name} is in", lambda name=name: f"as {name}" in terminals.text(name))
        present = set(TERMINALS)
        for name, line in CONVERSATION:
            terminals.type(name, line)
            if line == "/quit":
                present.remove(name)
                line = f"{name} left"
            others = present - {name}
            if not line.startswith("/"):
                wait_for(f"{others} hear {line}", lambda line=line, others=others: all(
                    line[:20] in terminals.text(other) for other in others))
            time.sleep(0.3)  # /who, and what a terminal still draws
        drawn = "".join(terminals.as_html(name) for name in TERMINALS)
    finally:
        terminals.close()
    path = os.path.join(work, "conversation.html")
    with open(path, "w", encoding="utf-8") as file:
        file.write(f"<meta charset=utf-8><style>{STYLE}</style>{drawn}")
    page.browser.get("file://" + path)
    page.resize(*page.browser.execute_script(
        "const box = document.body.getBoundingClientRect();"
        "return [Math.ceil(box.width), Math.ceil(box.height)]"))
    page.keep("chat")


def start_load(folder, chatd, seconds, *flags):
    return subprocess.Popen(
        [os.path.join(folder, "chatbench"), "run", "--tcp-port", chatd.tcp, "--udp-port", chatd.udp,
         "--arrivals", "poisson", "--size", "64:70,512:20,1400:10", "--duration", f"{seconds}s",
         *flags],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def draw_status_page(page, folder, chatd):
    page.browser.get(chatd.page)
    loads = [start_load(folder, chatd, CHART_S + 30,
                        "--rooms", "40", "--members", "25", "--rate", "800")]
    try:
        wait_for("members appear", lambda: page.text("members") == "1000")
        time.sleep(CROWD_S[0])
        loads.append(start_load(folder, chatd, CROWD_S[1],
                                "--rooms", "1", "--members", "300", "--rate", "60"))
        time.sleep(CHART_S - CROWD_S[0])
        for scheme in ("light", "dark"):
            page.color_scheme(scheme)
            page.resize(1000, 700)
            page.keep("status-" + scheme)
    finally:
        for load in loads:
            load.terminate()
            load.wait()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bin", required=True, help="where chatd, chat and chatbench are")
    parser.add_argument("--out", default=FOLDER, help="where the pictures go (default: here)")
    arguments = parser.parse_args()
    folder = os.path.abspath(arguments.bin)
    browser = open_browser("/usr/bin/chromedriver")
    chatd = Chatd(folder)
    try:
        page = Page(browser, arguments.out)
        page.resize(1200, 800)
        with tempfile.TemporaryDirectory() as work:
            draw_conversation(page, folder, chatd, work)
        draw_status_page(page, folder, chatd)
    finally:
        browser.quit()
        chatd.stop()


if __name__ == "__main__":
    main()
