"""What all commands of perf/ have in common."""

import argparse
import signal
import sys

from . import programs


def parser(description, epilog=None):
    made = argparse.ArgumentParser(description=description, epilog=epilog,
                                   formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--out", metavar="FOLDER", default=str(programs.ROOT / "build" / "perf"),
                      help="where the JSON and Markdown files go (default: build/perf)")
    made.add_argument("--rounds", metavar="K", type=int,
                      help="interleaved rounds, of which the medians are taken")
    made.add_argument("--quick", action="store_true", help="fewer cases, shorter runs")
    made.add_argument("--no-build", action="store_true", help="take the programs as they are")
    return made


def case_parser(description):
    """For a command with named cases, `name` and `beside`."""
    made = parser(description)
    made.add_argument("--only", metavar="TEXT", default="",
                      help="the cases with TEXT in their name, or in that of the row that they "
                           "are compared with")
    return made


def chosen(cases, options):
    found = [case for case in cases if options.only in case.name + case.beside]
    if not found:
        raise programs.CannotMeasure(f"no case is named so: {options.only}")
    return found


def main(work, options):
    """Runs work(options) and turns what it raises into an exit code."""
    # As Ctrl-C does: so that servers are ended and folders removed.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        if not options.no_build:
            programs.build()
        return work(options)
    except programs.CannotMeasure as trouble:
        print(f"{sys.argv[0]}: {trouble}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
