# SPDX-License-Identifier: BSD-2-Clause
"""Seconds for which a process had the host's cores when it asked for them. A test
beside other work then waits longer, and a hung emulator is ended no later."""
import os
import time

TICK = os.sysconf("SC_CLK_TCK")
LOOK_SECONDS = 0.1  # a look at all threads takes a millisecond


def stolen():
    """Seconds for which another machine had this host's cores, a core: as far as
    the host is told (proc(5), /proc/stat)."""
    with open("/proc/stat", encoding="ascii") as f:
        fields = f.readline().split()
    return int(fields[8]) / TICK / (os.cpu_count() or 1)


def members(session):
    """The processes of a session: an emulator is a child of its script."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            if os.getsid(int(pid)) == session:
                found.append(pid)
        except ProcessLookupError:
            pass
    return found


def waits(session):
    """{thread: seconds for which it could run and did not}, of all in @session (the
    kernel's sched-stats.rst: /proc/PID/schedstat)."""
    found = {}
    for pid in members(session):
        try:
            for thread in os.listdir(f"/proc/{pid}/task"):
                with open(f"/proc/{pid}/task/{thread}/schedstat", encoding="ascii") as f:
                    found[thread] = int(f.read().split()[1]) / 1e9
        except (FileNotFoundError, ProcessLookupError):
            pass
    return found


class Patience:
    """The clock of the session that a process leads. It stands while the thread that
    waits most for a core waits: the others may wait for that one."""

    def __init__(self, session):
        self.session = session
        self.passed = 0.0
        self.last, self.waits, self.stolen = time.monotonic(), waits(session), stolen()

    def seconds(self):
        """Since it was made. Never back."""
        now = time.monotonic()
        if now - self.last >= LOOK_SECONDS:
            then, before, self.waits = self.last, self.waits, waits(self.session)
            gone, self.stolen = self.stolen, stolen()
            self.last = now
            lost = max([w - before.get(t, 0) for t, w in self.waits.items()], default=0)
            self.passed += max(now - then - lost - (self.stolen - gone), 0)
        return self.passed
