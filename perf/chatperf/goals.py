"""What is asked of quiet rooms beside others: nothing is lost, and hardly anything is late."""

from . import report

MOST_TIMES = 2  # the 99th percentile, beside that of the case which it is compared with


def judge(case, series, others=lambda one: ()):
    """How many times its `beside`'s p99 a case has, and whether the goals are met. `others` gives
    what else is asked of it, as (word, is missed)."""
    one = series[case.name]
    lost, p99 = one.median("lost"), one.median("p99_ns")
    if lost is None or p99 is None:
        return "", "no result"
    if case.beside not in series:
        return "", "met" if lost == 0 else "MISSED: lost"
    times = report.ratio(p99, series[case.beside].median("p99_ns"))
    asked = [("lost", lost != 0), ("p99", times is None or times > MOST_TIMES), *others(one)]
    missed = [word for word, is_missed in asked if is_missed]
    return report.times(times), "MISSED: " + ", ".join(missed) if missed else "met"
