"""Runs a command to its end and writes what the kernel counted of it to a file, as JSON.

measure.py RESULT COMMAND [ARGUMENT...]

The figures are those of wait4(2) for exactly this child and the children it waited for: nothing is sampled.
"""

import json
import os
import sys
import time


def main() -> int:
    result, command = sys.argv[1], sys.argv[2:]
    started = time.monotonic()
    child = os.posix_spawnp(command[0], command, os.environ)
    _, status, used = os.wait4(child, 0)
    taken = {
        "wall_seconds": time.monotonic() - started,
        "cpu_seconds": used.ru_utime + used.ru_stime,
        # Linux counts it in KiB (getrusage(2)).
        "peak_mib": used.ru_maxrss / 1024,
    }
    with open(result, "w", encoding="utf-8") as out:
        json.dump(taken, out)
    return os.waitstatus_to_exitcode(status)


if __name__ == "__main__":
    sys.exit(abs(main()))
