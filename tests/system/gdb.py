# SPDX-License-Identifier: BSD-2-Clause
"""Debian's gdb on VMX: the processor's breakpoints, which QEMU's VMRUN does not arm, in a
guest of the manifest; then the core of one that is made, and a trace."""
import os

from harness import control, image
from harness.machine import Machine, cores_for
from system import _linux
from system._linux import step
from system.bhctl import gdb_files

SECONDS = 1500
CHECKS = ("watch_guest", "watch_hbreak", "watch_reads", "watch_awatch", "watch_returns",
          "watch_detached", "watch_answers", "watch_run", "watch_run_says", "watch_dump",
          "watch_core", "watch_trace", "watch_traced", "watch_destroy", "watch")


def vmx(results, folder):
    cores, first, last = cores_for("bochs", 2)
    echo = os.path.join(image.BUILD, "tests/guest/echo.elf")
    files = {"vmlinuz": _linux.payload()["vmlinuz"], "echo": echo,
             "privileged.cpio": control.initrd(folder, {"boot/echo": echo, **gdb_files()})}
    guests = [_linux.privileged("bhwatch,poweroff", cores=str(first), vcpus="1"),
              {"name": "box", "kernel": "echo", "memory": "16M", "vcpus": "1",
               "cores": str(last)}]
    disk = image.make(folder, image.manifest(guests, extra="guest-memory = 96M"), files,
                      "hybrid")
    with Machine("bochs", disk, folder, cores=cores, memory=768, timeout=SECONDS * 2) as m:
        for check in CHECKS:
            step(results, m, f"gdb.{check}", rf"\[linux\] .*TEST {check} ok", SECONDS, 0)
        results.check(m.wait_end(SECONDS), "gdb.powers_off", "the machine still runs")


def tests():
    return []


def soak():
    return [("gdb.vmx", vmx)]
