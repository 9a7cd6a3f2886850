"""The cases that the comparisons have in common."""

from .load import Load

SHAPES = {"1 × 1,000": (1, 1000), "100 × 10": (100, 10)}

# How clients use UDP. A TCP client always puts what it has to say into one write and takes what has
# come in one read; whether a UDP client does the like is a choice, so each has its own row.
PLAIN = ("--gro", "off", "--gso", "off")
GRO_RECEIVERS = ("--gro", "on", "--gso", "off")
TRAINS_BOTH_WAYS = ("--gro", "on", "--gso", "on")


# UDP has no flow control, so what is under way must find room: a hundred rooms of ten with windows of
# 256 are 230,000 datagrams on their way to members, of some 800 bytes each as the kernel counts.
ROOMY = ("--receive-buffer", "512M")
# A slow server takes seconds for so many: that is no loss.
PATIENT = ("--give-up", "5s", "--drain", "5s")

# Rooms in which little is said, beside those who do much.
QUIET = Load(rooms=20, members=10, rate=400, flags=PATIENT)


def window_cases(windows, flags=(), among=None, **times):
    return {f"{shape}, window {window}":
            Load(rooms=rooms, members=members, window=window, flags=(*flags, *ROOMY, *PATIENT), **times)
            for shape, (rooms, members) in (among or SHAPES).items() for window in windows}


def rate_cases(deliveries_per_s, **times):
    return {f"{shape}, {wanted:,} deliveries/s":
            Load(rooms=rooms, members=members, rate=wanted / (members - 1), **times)
            for shape, (rooms, members) in SHAPES.items() for wanted in deliveries_per_s}
