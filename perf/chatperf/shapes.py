"""The cases that the comparisons have in common."""

from .load import Load

SHAPES = {"1 × 1,000": (1, 1000), "100 × 10": (100, 10)}

# How clients use UDP. A TCP client always puts what it has to say into one write and takes what has
# come in one read; whether a UDP client does the like is a choice, so each has its own row.
PLAIN = ("--gro", "off", "--gso", "off")
GRO_RECEIVERS = ("--gro", "on", "--gso", "off")
TRAINS_BOTH_WAYS = ("--gro", "on", "--gso", "on")


def window_cases(windows, **times):
    return {f"{shape}, window {window}": Load(rooms=rooms, members=members, window=window, **times)
            for shape, (rooms, members) in SHAPES.items() for window in windows}


def rate_cases(deliveries_per_s, **times):
    return {f"{shape}, {wanted:,} deliveries/s":
            Load(rooms=rooms, members=members, rate=wanted / (members - 1), **times)
            for shape, (rooms, members) in SHAPES.items() for wanted in deliveries_per_s}
