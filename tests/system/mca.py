# SPDX-License-Identifier: BSD-2-Clause
"""Errors that the machine has corrected: a stock Linux as privileged guest reports them, by
its own poll of the banks that it sees. Debian's cloud kernels have no machine checks, so
this is the one for machines."""
import os

from harness import image
from harness.machine import Machine
from system import _linux
from system._linux import privileged, step
from system.boot import POLL_S

KERNEL = os.path.join(_linux.GUESTS, "linux-image-amd64.vmlinuz")
SECONDS = 300
STATUS = 0x9400000000000151  # VAL, EN, ADDRV; corrected


def inject(m, core, bank, address):
    m.monitor(f"mce {core} {bank} {STATUS:#x} 0 {address:#x} 0")


def linux(results, folder):
    """An error of a core that a vCPU lives on is that vCPU's, any other vCPU 0's."""
    disk = image.make(folder, image.manifest([privileged("mce", cores="1-2", vcpus="2")]),
                      {**_linux.payload(), "vmlinuz": KERNEL})
    with Machine("qemu", disk, folder, cores=3, memory=1024, timeout=SECONDS * 2,
                 person=True) as m:
        if not step(results, m, "mca.linux_waits", r"TEST mce waits", SECONDS):
            return
        start = m.seen
        for core, bank, cpu, address in ((0, 3, 0, 0x12345000), (2, 4, 1, 0x23456000)):
            inject(m, core, bank, address)
            step(results, m, f"mca.core{core}_is_logged",
                 rf"mce: warning: core {core}, bank {bank}: an error that was corrected: "
                 rf"status {STATUS:016x}, address {address:x}", 6 * POLL_S, start)
            step(results, m, f"mca.linux_reports_core{core}",
                 rf"mce: \[Hardware Error\]: CPU {cpu}: Machine Check: 0 Bank {bank}: "
                 rf"{STATUS:x}", 60, start)
            step(results, m, f"mca.linux_has_address{core}",
                 rf"mce: \[Hardware Error\]: TSC [0-9a-f]+ ADDR {address:x}", 60, start)
        step(results, m, "mca.linux_ok", r"TEST mce ok", SECONDS)


def tests():
    return [("mca.linux", linux)]
