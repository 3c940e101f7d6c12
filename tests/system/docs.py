# SPDX-License-Identifier: BSD-2-Clause
"""docs/guests.md: each of its manifest lines, as they stand there, starts what
they are said to start. What a guest does beyond that is its own test's."""
import os
import re

from harness import bios, image
from harness.machine import ROOT, Machine
from system import _linux
from system.guests import UBOOT, payloads, stream
from system.uefi import OVMF

SECONDS = 300
EXAMPLE = re.compile(r"^```\n(\[guest (\w+)\]\n.*?)^```", re.M | re.S)
# Of each guest: what it says once it is up
SAYS = {"box": "this is an isolated guest",
        "seabios": "SeaBIOS (version",
        "ipxe": "iPXE initialising devices",
        "grub": "GNU GRUB version 2",
        "uboot": "U-Boot 20",
        "ovmf": "UEFI Interactive Shell v2",
        "stub": "this is an isolated guest",
        "memtest_efi": "SMP: 2T (PAR)",
        "memtest": "SMP: 2T (PAR)",
        "kernel": "DONE "}


def examples():
    """{guest's name: its lines}."""
    with open(os.path.join(ROOT, "docs/guests.md")) as f:
        return {name: text for text, name in EXAMPLE.findall(f.read())}


def files(folder):
    """The packages' files by the names that the lines give them."""
    debian = payloads()
    boot = os.path.join(debian, "boot")
    return {**bios.FILES, "OVMF.fd": OVMF,
            "vmlinuz": os.path.join(_linux.GUESTS, "vmlinuz"),
            "initrd.img": os.path.join(_linux.GUESTS, "isolated.cpio"),
            "ipxe.lkrn": os.path.join(boot, "ipxe.lkrn"),
            "grub.lkrn": bios.grub_image(folder, ("normal", "ls", "echo", "lsmmap")),
            "memtest86+x64.bin": os.path.join(boot, "memtest86+x64.bin"),
            "memtest86+x64.efi": os.path.join(boot, "memtest86+x64.efi"),
            "u-boot.rom": os.path.join(debian, UBOOT.format("qemu-x86_64")),
            "kernel.elf": os.path.join(image.BUILD, "tests/guest/multiboot32.elf"),
            "ramdisk.img": b"a disk", "symbols.map": b"symbols"}


def says(machine, name):
    """Blanks do not count: cursors move in the midst of words."""
    return SAYS[name].replace(" ", "") in stream(machine, name).replace(" ", "")


def run(results, folder):
    """All of them at once."""
    lines = examples()
    results.check(set(lines) == set(SAYS), "docs.guests.all", f"examples: {sorted(lines)}")
    manifest = image.manifest([]) + "".join(lines.values())
    disk = image.make(folder, manifest, files(folder))
    with Machine("qemu", disk, folder, cores=3, memory=2048, timeout=SECONDS + 60) as m:
        end = m.clock() + SECONDS
        silent = set(SAYS)
        while silent and m.clock() < end and not m.wait_end(1):
            silent = {n for n in silent if not says(m, n)}
        for name in SAYS:
            results.check(name not in silent, f"docs.guests.{name}",
                          f"not '{SAYS[name]}': " + stream(m, name)[-400:])
        results.check(not re.search(r"bulkhead\.conf:\d+:", m.text()), "docs.guests.manifest",
                      "the manifest has faults")
        if silent:
            results.note(m.tail())


def tests():
    return [("docs.guests", run)]
