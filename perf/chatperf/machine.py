"""What the figures were measured on, and which core is whose."""

import os
import platform

from .programs import say


def cores():
    """(the server's, chatbench's): two different ones, or (None, None) where there is only one."""
    free = sorted(os.sched_getaffinity(0))
    if len(free) < 2:
        say("only one core here: the server and chatbench share it, and the figures show that")
        return None, None
    return free[0], free[-1]


def describe():
    model = "unknown CPU"
    with open("/proc/cpuinfo", encoding="utf-8") as info:
        for line in info:
            if line.startswith("model name"):
                model = line.split(":", 1)[1].strip()
                break
    return {"kernel": f"{platform.system()} {platform.release()}", "cpu": model,
            "cores": os.cpu_count(), "load_before": os.getloadavg()[0]}
