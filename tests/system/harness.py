# SPDX-License-Identifier: BSD-2-Clause
"""What the tests themselves rest on."""
import os
import signal
import subprocess
import time

from harness.patience import Patience

SECONDS = 2
SPIN = "while :; do :; done"


def share(command):
    """Of @SECONDS, what the clock of a session that runs @command counts."""
    process = subprocess.Popen(["sh", "-c", command], start_new_session=True)
    patience, start = Patience(process.pid), time.monotonic()
    while time.monotonic() - start < SECONDS:
        time.sleep(0.2)
        patience.seconds()
    passed = patience.seconds() / (time.monotonic() - start)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    return passed


def patience(results, _folder):
    """A session that sleeps waits for no core; of one with four threads a core each
    waits most of its time."""
    asleep = share(f"sleep {SECONDS * 10}")
    starved = share(f"{SPIN} & " * (4 * (os.cpu_count() or 1)) + "wait")
    results.check(asleep > 0.5, "harness.patience_sleeps", f"{asleep:.2f}")
    results.check(starved < 0.6, "harness.patience_starves", f"{starved:.2f}")
    results.check(starved > 0, "harness.patience_goes_on", f"{starved:.2f}")


def tests():
    return [("harness.patience", patience)]
