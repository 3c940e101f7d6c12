# SPDX-License-Identifier: BSD-2-Clause
"""What an exit, a boot and an idle machine cost, where the TSC counts
instructions: for scripts/bench and for the system test that holds the targets.
See docs/performance.md."""
import os
import re

from harness import image
from harness.machine import Machine

KEYS = ("cpuid", "rdmsr", "wrmsr", "port_in", "vlapic_read", "hypercall",
        "first_touch", "timer", "self_ipi", "ipi", "boot")
# The third side saves the next RIP, as real AMD processors do
REACH = {"cpuid": 165, "rdmsr": 280, "port_in": 180, "hypercall": 145, "timer": 1050,
         "self_ipi": 720}
# What an exit cost before its registers were cleared and its indexes masked
# (commit df4f617), and how many exits a sequence has. With `speculation = off`
# each exit may cost so many instructions more.
BEFORE = {
    "svm": {"cpuid": 260, "rdmsr": 376, "wrmsr": 376, "port_in": 208, "vlapic_read": 735,
            "hypercall": 242, "timer": 1426, "self_ipi": 914},
    "vmx": {"cpuid": 145, "rdmsr": 246, "wrmsr": 383, "port_in": 178, "vlapic_read": 793,
            "hypercall": 127, "timer": 924, "self_ipi": 666},
}
SEQUENCE_EXITS = {"timer": 3, "self_ipi": 2}
MORE = 20
# At most this
TARGET = {side: {key: n + MORE * SEQUENCE_EXITS.get(key, 1) for key, n in was.items()}
          for side, was in BEFORE.items()}
TARGET["svm"]["boot"] = 60_000_000  # of which the TSC is measured for 50,000,000
TARGET["svm_nrip"] = REACH
# At most so many instructions more an exit than with `metering = off`; by exits that
# are one each
METERED = {"counters_per_exit": 4, "histograms_per_exit": 25}
METERED_EXITS = ("cpuid", "rdmsr", "wrmsr", "port_in", "hypercall")
IMAGE_BYTES = 640 << 10
RAM_BYTES = {2048: 6 << 20, 8192: 8 << 20}  # by the machine's MiB

EMULATOR = {"svm": "qemu", "vmx": "bochs", "svm_nrip": "bochs"}
# Bochs' CPU model where it isn't the usual one: this one saves the next RIP
CPU = {"svm_nrip": "ryzen"}
# The way to the hypervisor that takes the fewest instructions
KIND = {"qemu": "grub-bios", "bochs": "hybrid"}
# QUIRK(tcg-7.2): a core that takes INIT is charged, with -icount, all instructions it
# could have run until QEMU's next timer, up to 27 million. This controller's
# frame timer runs every millisecond and so bounds them at half a million.
FRAME_TIMER = ["--arg", "-device", "--arg", "piix3-usb-uhci",
               "--arg", "-device", "--arg", "usb-kbd"]
SECONDS = 400
BOOT_TRIES = 10


class Failed(Exception):
    """The machine did not come as far as the figure."""


def counting(emulator, folder, conf, files, cores, memory, person=False, cpu=None):
    """A machine that counts instructions, by the manifest @conf. @person: somebody
    types. @cpu: a CPU model of the emulator's."""
    disk = image.make(folder, conf, files, KIND[emulator])
    qemu = emulator == "qemu"
    options = ["--icount", *FRAME_TIMER] if qemu else []
    return Machine(emulator, disk, folder, "bios", cores=cores, memory=memory,
                   options=options + (["--cpu", cpu] if cpu else []), timeout=SECONDS,
                   person=person or qemu)


def machine(side, folder, guests, files, cores, memory, speculation="off",
            metering="counters"):
    conf = image.manifest(guests, extra=f"speculation = {speculation}\nmetering = {metering}")
    return counting(EMULATOR[side], folder, conf, files, cores, memory, cpu=CPU.get(side))


def expect(m, pattern, seconds=SECONDS):
    found = m.expect(pattern, seconds)
    if not found:
        raise Failed(f"no /{pattern}/ on {m.name}; the serial log ends:\n{m.tail()}")
    return found


def kept(m):
    """Bytes that the hypervisor on @m says it keeps."""
    return int(re.search(r"hypervisor keeps (\d+) KiB", m.text())[1]) << 10


def exits(side, folder, cores=1, smp=False, speculation="off", metering="counters",
          memory=512, notes=None):
    """Medians of the benchmark guest (tests/bench/exits.c) alone on a machine of
    @cores cores and @memory MiB; @smp: on two of them, with the IPI between them.
    @notes: a dict that gets ram_bytes."""
    os.makedirs(folder, exist_ok=True)
    guest = {"name": "bench", "kernel": "exits.elf", "memory": "16M",
             "vcpus": 2 if smp else 1, "cores": "0-1" if smp else "0",
             "cmdline": "smp" if smp else "one"}
    files = {"exits.elf": os.path.join(image.BUILD, "tests/bench/exits.elf")}
    with machine(side, folder, [guest], files, cores, memory, speculation, metering) as m:
        m.leave_menu(SECONDS)
        expect(m, "BENCH done")
        if notes is not None:
            notes["ram_bytes"] = kept(m)
        return {k: int(v) for k, v in re.findall(r"BENCH (\w+) (\d+)", m.text())}


def metering(side, folder):
    """What an exit costs more with counters and with histograms than with neither:
    {key of METERED: the most of the exits of METERED_EXITS}."""
    got = {how: exits(side, os.path.join(folder, how), metering=how)
           for how in ("off", "counters", "histograms")}
    return {f"{how}_per_exit": max(got[how][key] - got["off"][key] for key in METERED_EXITS)
            for how in ("counters", "histograms")}


def boot(side, folder, memory=2048, cores=2):
    """Ticks from the hypervisor's entry to the privileged guest's first
    instruction, and the bytes it keeps, with two Linux guests.

    QUIRK(tcg-7.2): with -icount the cores take turns on one clock, and it is up to the
    host's time whose turn it is. While core 0 loads the privileged guest, core 1 may
    zero 4 million ticks' worth of the other one's memory, which counts, too. So it is the
    least of some boots, until one is within the target."""
    least = None
    for _ in range(BOOT_TRIES if EMULATOR[side] == "qemu" else 1):
        figures = boot_once(side, folder, memory, cores)
        least = min(least or figures, figures)
        if least[0] <= TARGET[side].get("boot", 0):
            break
    return least


def boot_once(side, folder, memory, cores):
    os.makedirs(folder, exist_ok=True)
    files = {name: os.path.join(image.BUILD, "guests", name)
             for name in ("vmlinuz", "privileged.cpio", "isolated.cpio")}
    guests = [
        {"name": "linux", "privileged": "yes", "kernel": "vmlinuz",
         "initrd": "privileged.cpio", "cmdline": "console=ttyS0"},
        {"name": "box", "kernel": "vmlinuz", "initrd": "isolated.cpio",
         "memory": "128M", "cores": str(cores - 1), "cmdline": "console=ttyS0"},
    ]
    with machine(side, folder, guests, files, cores, memory) as m:
        m.leave_menu(SECONDS)
        ticks = int(expect(m, r"privileged guest starts (\d+) ticks")[1])
        return ticks, kept(m)


def image_bytes():
    return os.path.getsize(os.path.join(image.BUILD, "bulkhead.elf"))
