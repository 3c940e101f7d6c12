# SPDX-License-Identifier: BSD-2-Clause
"""Memory that is kept back for guests to come (guest-memory): the privileged guest sees
it as soft reserved, and its touch breaks nothing."""
from harness import image
from harness.machine import Machine
from system import _linux
from system._linux import QEMU_CORES, privileged, step

SECONDS = 240
MEBIBYTES = 64


def run(results, folder):
    conf = image.manifest([privileged("pool", vcpus="1")],
                          extra=f"guest-memory = {MEBIBYTES}M")
    disk = image.make(folder, conf, _linux.payload(), "uefi")
    with Machine("qemu", disk, folder, cores=QEMU_CORES, timeout=SECONDS * 2) as m:
        step(results, m, "pool.up", r"\[linux\] .*TEST up ok", SECONDS, 0)
        step(results, m, "pool.touched", r"\[linux\] .*TEST pool ok", SECONDS, 0)
        for name, line in (
                ("kept", rf"\b{MEBIBYTES} MiB are kept for guests to come"),
                ("e820", r"BIOS-e820: \[mem .*\] soft reserved"),
                ("told", r"guest linux touches 0x[0-9a-f]+, a guest's memory")):
            step(results, m, f"pool.{name}", line, SECONDS, 0)
        for word in ("BUG:", "Oops", "Call Trace"):
            results.check(word not in m.text(), f"pool.no_{word.strip(':').split()[0]}",
                          f"the log has '{word}'")


def tests():
    return [("pool", run)]
