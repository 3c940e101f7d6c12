# SPDX-License-Identifier: BSD-2-Clause
"""A stock multiboot hypervisor as an isolated guest: Debian's Xen, which brings
its own first guest, a Debian kernel, to that guest's init. It needs no nested
virtualization: domain 0 is paravirtual."""
import gzip
import os

from harness import image
from harness.machine import Machine, cores_for
from system import _linux
from system._linux import step
from system.guests import payloads
from system.kernels import payload

KIND = {"qemu": "uefi", "bochs": "hybrid"}
FIRMWARE = {"qemu": "ovmf", "bochs": "bios"}
SECONDS = {"qemu": 420, "bochs": 1500}
XEN = "boot/xen-4.17-amd64.gz"
CONSOLE = "console=com1 com1=115200,8n1"
# QUIRK(tcg-7.2): IRET at CPL 3 reads its stack as the supervisor (x86's
# helper_iret_protected), which SMAP forbids. A paravirtual kernel does that.
OPTIONS = {"qemu": " smap=0", "bochs": ""}


def xen():
    with gzip.open(os.path.join(payloads(), XEN)) as f:
        return f.read()


def boot(emulator, way, vcpus):
    """To the init of domain 0, all vCPUs at work, off by domain 0's request."""
    def run(results, folder):
        where = f"xen.{emulator}.{way}"
        cores, first, last = cores_for(emulator, vcpus)
        guest = {"name": "xen", "kernel": "xen", "boot": way, "memory": "512M",
                 "vcpus": str(vcpus), "cores": f"{first}-{last}",
                 "cmdline": f"{CONSOLE} dom0_mem=256M{OPTIONS[emulator]}"}
        modules = [f"dom0 console=hvc0 cryptomgr.notests "
                   f"bulkhead.test=cpus,poweroff bulkhead.cpus={vcpus}",
                   "isolated.cpio"]
        conf = image.manifest([guest]) + "".join(f"module = {m}\n" for m in modules)
        files = {"xen": xen(), "dom0": payload("6.1"),
                 "isolated.cpio": os.path.join(_linux.GUESTS, "isolated.cpio")}
        disk = image.make(folder, conf, files, KIND[emulator])
        with Machine(emulator, disk, folder, FIRMWARE[emulator], cores=cores,
                     memory=1024, timeout=SECONDS[emulator]) as m:
            step(results, m, f"{where}.starts", r"Xen version 4\.17", 120)
            step(results, m, f"{where}.dom0", r"\[xen\].*Xen version: 4\.17",
                 SECONDS[emulator])
            step(results, m, f"{where}.init", r"\[xen\] TEST up ok", SECONDS[emulator])
            step(results, m, f"{where}.cpus", r"\[xen\] TEST cpus ok", 120)
            step(results, m, f"{where}.off", r"guest xen powers off", 120)
    return run


def tests():
    return [("xen.qemu.multiboot2", boot("qemu", "multiboot2", 2))]


def soak():
    return [("xen.qemu.multiboot", boot("qemu", "multiboot", 1)),
            ("xen.bochs.multiboot2", boot("bochs", "multiboot2", 1))]
