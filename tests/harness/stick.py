# SPDX-License-Identifier: BSD-2-Clause
"""The image of `make usb`: a copy with other files on its FAT partition, and how many
instructions its Debian takes to the login prompt, with Bulkhead and without. See
docs/performance.md."""
import os
import re
import shutil
import struct
import subprocess

from harness import bench, figures, image
from harness.machine import ROOT, Machine

IMAGE = os.path.join(image.BUILD, "bulkhead.img")
LIVE = os.path.join(image.BUILD, "live")
MANIFEST = os.path.join(ROOT, "boot/live/bulkhead.conf")
SECTOR = 512
LOGIN = "bulkhead login: "
# One core, as linux_boot
CORES, MEMORY = 1, 2048
SECONDS = 3000
MOST = 1.05  # with Bulkhead, for 1 without
# The first of a bzImage that QEMU's -kernel loads (Linux' Documentation/arch/x86/
# boot.rst, code32_start)
LINUX_ENTRY = 0x100000
# An idle machine waits for its disk, and its clock does not run ahead meanwhile
WAIT_IDLE = ["--arg", "-icount", "--arg", "sleep=on"]


def read(path, at, size):
    with open(path, "rb") as f:
        f.seek(at)
        return f.read(size)


def copy(folder, files, changed=False):
    """FOLDER/disk.img, with @files ({name: text}) in the folder bulkhead of the FAT
    partition, which is the second; @changed: such a file is there already."""
    disk = os.path.join(folder, "disk.img")
    shutil.copyfile(IMAGE, disk)
    entries = struct.unpack_from("<Q", read(disk, SECTOR, 92), 72)[0] * SECTOR
    first = struct.unpack_from("<Q", read(disk, entries + 128, 128), 32)[0]
    for name, text in files.items():
        path = os.path.join(folder, name)
        with open(path, "w") as f:
            f.write(text)
        subprocess.run(["mcopy", *(["-o"] if changed else []), "-i",
                        f"{disk}@@{first * SECTOR}", path, "::bulkhead/" + name], check=True)
    return disk


def manifest(beside):
    """The stick's; without the isolated guest unless @beside."""
    with open(MANIFEST) as f:
        text = f.read()
    return text if beside else text[:text.index("# Owns nothing but")]


def linux_options():
    """Of QEMU: the same Linux as the manifest's privileged guest."""
    words = re.search(r"^cmdline = (.*)$", manifest(False), re.M)[1]
    return ["--kernel", LIVE + "/vmlinuz", "--initrd", LIVE + "/initrd.img",
            "--append", words]


def counts_of(path):
    """(hypervisor's, all others') since struct counts of tests/plugin/share.c began."""
    hv, other, hv_before, other_before, begun = struct.unpack("<5Q", read(path, 0, 40))
    if not begun:
        raise bench.Failed("what is counted never began")
    return hv - hv_before, other - other_before


def boot(folder, native=False, beside=False):
    """Instructions of the hypervisor and of the guests from the hypervisor's entry, or
    from Linux' own if @native, to the login prompt on the serial line. @beside: with
    the isolated guest of the stick."""
    os.makedirs(folder, exist_ok=True)
    out = os.path.join(folder, "counts")
    plugin = f"file={figures.PLUGIN}/share.so,counts={out}"
    options = ["--icount", *WAIT_IDLE, "--cpu", figures.CPU, *bench.FRAME_TIMER,
               "--boot-as", "usb", "--arg", "-plugin", "--arg",
               plugin + (f",from={LINUX_ENTRY:#x}" if native else "")]
    disk = copy(folder, {"bulkhead.conf": manifest(beside)}, changed=True)
    seen = []
    with Machine("qemu", disk, folder, "bios", cores=CORES, memory=MEMORY, timeout=SECONDS,
                 person=True, options=options + (linux_options() if native else [])) as m:
        m.when(LOGIN, lambda: seen.append(counts_of(out)))
        if not native:
            m.leave_menu(SECONDS)
        bench.expect(m, re.escape(LOGIN), SECONDS)
    os.unlink(disk)
    return seen[0]


def costs(folder):
    """What the instructions are with Bulkhead for 1 without it, and all the counts."""
    got = {"hypervisor": 0, "guest": 0, "native": 0}
    got["hypervisor"], got["guest"] = boot(os.path.join(folder, "bulkhead"))
    other, got["native"] = boot(os.path.join(folder, "native"), native=True)
    if other:
        raise bench.Failed(f"without Bulkhead, {other} instructions lie at its addresses")
    got["ratio"] = round((got["hypervisor"] + got["guest"]) / got["native"], 4)
    return got
