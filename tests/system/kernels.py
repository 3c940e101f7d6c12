# SPDX-License-Identifier: BSD-2-Clause
"""Stock Debian kernels as isolated guests: to init on one, two and four vCPUs,
with a boot log that has nothing to complain of; by bzImage and PVH, with more
than 4 GiB; and what a panic and a reboot lead to."""
import lzma
import os
import re
import struct

from harness import image
from harness.machine import Machine, cores_for
from system import _linux
from system._linux import isolated, step

KERNELS = {"6.1-cloud": "vmlinuz",
           "6.1": "linux-image-amd64.vmlinuz",
           "6.12-cloud": "linux-image-6.12-cloud-amd64.vmlinuz",
           "6.12": "linux-image-6.12-amd64.vmlinuz"}
SECONDS = {"qemu": 300, "bochs": 900}
KIND = {"qemu": "uefi", "bochs": "hybrid"}
FIRMWARE = {"qemu": "ovmf", "bochs": "bios"}

# Lines of the kernel's own that no platform could spare it
NOISE = (
    # 6.12 on any AMD CPU without CPPC, real ones too
    r"amd_pstate: the _CPC object is not present in SBIOS or ACPI disabled",
    # Any machine whose keyboard controller has no port for a mouse
    r"i8042: PNP: PS/2 appears to have AUX port disabled",
)
# QEMU's cores stand still while its host runs something else, and the guest's
# time goes on; Bochs' time is its instructions
QEMU_NOISE = (r"hrtimer: interrupt took \d+ ns",)
# Any of these ends a test, whatever the level it is logged at
BAD = r"BUG:|WARNING:|Oops|Call Trace|Kernel panic|self-detected stall|soft lockup"
# With these vCPUs that wait for each other give up their cores
PARAVIRTUAL = ("kvm-guest: PV spinlocks enabled",
               "kvm-guest: setup PV IPIs",
               "kvm-guest: setup PV sched yield",
               "kvm-guest: KVM setup pv remote TLB flush")


def path(kernel):
    return os.path.join(_linux.GUESTS, KERNELS[kernel])


def machine(emulator, folder, guest, files, cores, memory=1024):
    files = {**files, "isolated.cpio": os.path.join(_linux.GUESTS, "isolated.cpio")}
    disk = image.make(folder, image.manifest([guest]), files, KIND[emulator])
    return Machine(emulator, disk, folder, FIRMWARE[emulator], cores=cores,
                   memory=memory, timeout=SECONDS[emulator])


def clean_log(results, where, text):
    """What the guest's klog test printed, but for the kernel's own noise."""
    noise = NOISE + (QEMU_NOISE if ".qemu." in where else ())
    left = [line for line in re.findall(r"\[box\] KLOG (.*)", text)
            if not any(re.search(n, line) for n in noise)]
    results.check(not left, f"{where}.clean_log", "; ".join(left))
    found = re.search(r"\[box\].*(" + BAD + ")", text)
    results.check(not found, f"{where}.no_trace", found and found[0])


def gives_way(results, where, text):
    """vCPUs that share cores do not burn each other's time."""
    missing = [line for line in PARAVIRTUAL if line not in text]
    results.check(not missing, f"{where}.paravirtual", "; ".join(missing))
    results.check("[box] TEST steal ok" in text, f"{where}.steal", "no time was stolen")


def boot(emulator, kernel, vcpus, on=None):
    """To init, all vCPUs at work, a clean log, off by ACPI. @on: so many cores,
    which they share by turns."""
    def run(results, folder):
        where = f"kernels.{emulator}.{kernel}.{vcpus}"
        where += f"on{on}" if on else ""
        cores, first, last = cores_for(emulator, on or vcpus)
        guest = isolated("cpus,klog,steal,poweroff" if on else "cpus,klog,poweroff",
                         vcpus=vcpus, memory="384M", cores=f"{first}-{last}")
        guest["cmdline"] += f" bulkhead.cpus={vcpus}"
        with machine(emulator, folder, guest, {"vmlinuz": path(kernel)},
                     cores) as m:
            step(results, m, f"{where}.init", r"\[box\] TEST up ok", SECONDS[emulator])
            step(results, m, f"{where}.cpus", r"\[box\] TEST cpus ok", 120)
            step(results, m, f"{where}.klog", r"\[box\] TEST klog ok", 60)
            step(results, m, f"{where}.off", r"guest box powers off", 60)
            clean_log(results, where, m.text())
            if on:
                gives_way(results, where, m.text())
    return run


def payload(kernel):
    """The ELF in an xz-compressed bzImage (boot.rst, payload_offset)."""
    with open(path(kernel), "rb") as f:
        data = f.read()
    offset, length = struct.unpack_from("<II", data, 0x248)
    start = (data[0x1f1] + 1) * 512 + offset
    return lzma.LZMADecompressor().decompress(data[start:start + length])


def large(way):
    """5 GiB: RAM below the PCI hole and above 4 GiB."""
    def run(results, folder):
        where = f"kernels.qemu.5G.{way}"
        kernel = payload("6.1") if way == "pvh" else path("6.1")
        guest = isolated("klog,poweroff", memory="5G", cores="0", boot=way)
        with machine("qemu", folder, guest, {"vmlinuz": kernel}, 1, 6144) as m:
            found = m.expect(r"\[box\] +memory +(\d+) MiB", SECONDS["qemu"])
            results.check(found and int(found[1]) > 4600, f"{where}.memory",
                          f"{found and found[1]} MiB")
            step(results, m, f"{where}.off", r"guest box powers off", 60)
            high = re.search(r"e820: \[mem 0x0*100000000-0x0*1bfffffff\] usable", m.text())
            results.check(high, f"{where}.above_4g", "no RAM from 4 GiB to 7 GiB")
            clean_log(results, where, m.text())
    return run


def ends_again(how, log):
    """A panic with panic=1, or a reboot: the guest starts again, and only it."""
    def run(results, folder):
        where = f"kernels.qemu.{how}"
        guest = isolated(how, memory="128M", cores="0")
        guest["cmdline"] += " panic=1"
        with machine("qemu", folder, guest, {"vmlinuz": path("6.1-cloud")}, 1) as m:
            step(results, m, f"{where}.first", r"\[box\] TEST up ok", SECONDS["qemu"])
            step(results, m, f"{where}.end", log, 60)
            step(results, m, f"{where}.resets", r"guest box resets: it reset itself", 60)
            step(results, m, f"{where}.again", r"\[box\] TEST up ok", SECONDS["qemu"])
    return run


# Bochs emulates 55 million instructions a second for all cores together: the
# large kernels and four vCPUs take it three to six minutes each (`tests/run
# --long kernels`)
EVERY_TIME = [("qemu", "6.1-cloud", 1), ("qemu", "6.1-cloud", 2), ("qemu", "6.1-cloud", 4),
              ("qemu", "6.1", 1), ("qemu", "6.1", 2), ("qemu", "6.1", 4),
              ("qemu", "6.12-cloud", 2), ("qemu", "6.12", 1),
              ("qemu", "6.1-cloud", 4, 1), ("qemu", "6.1-cloud", 8, 2),
              ("bochs", "6.1-cloud", 1), ("bochs", "6.1-cloud", 2)]
SOAK = [("qemu", "6.12-cloud", 1), ("qemu", "6.12-cloud", 4), ("qemu", "6.12", 2),
        ("qemu", "6.12", 4), ("bochs", "6.1-cloud", 4), ("bochs", "6.1", 1), ("bochs", "6.1", 2),
        ("bochs", "6.1", 4), ("bochs", "6.12-cloud", 1), ("bochs", "6.12-cloud", 2),
        ("bochs", "6.12", 1), ("bochs", "6.1-cloud", 4, 1), ("bochs", "6.1-cloud", 8, 2)]


def cases(rows):
    return [(f"kernels.{e}.{k}.{n}" + (f"on{on[0]}" if on else ""), boot(e, k, n, *on))
            for e, k, n, *on in rows]


def tests():
    return cases(EVERY_TIME) + [
        ("kernels.qemu.5G.linux", large("linux")),
        ("kernels.qemu.5G.pvh", large("pvh")),
        ("kernels.qemu.panic", ends_again("panic", r"\[box\].*Kernel panic")),
        ("kernels.qemu.reboot", ends_again("reboot", r"\[box\] TEST reboot: now"))]


def soak():
    return cases(SOAK)
