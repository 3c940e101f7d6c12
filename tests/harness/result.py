# SPDX-License-Identifier: BSD-2-Clause
"""Counting: each check is one line now and one number at the end."""
import threading


class Results:
    def __init__(self):
        self.passed = 0
        self.failed = []
        self.guest_checks = set()  # names, whatever the back-end
        self.lock = threading.Lock()

    def check(self, ok, name, why=""):
        """Record one check; the line goes out at once."""
        with self.lock:
            if ok:
                self.passed += 1
                print(f"ok    {name}", flush=True)
            else:
                self.failed.append(name)
                print(f"FAIL  {name}: {why}", flush=True)
        return bool(ok)

    def note(self, text):
        with self.lock:
            print(text, flush=True)
