# SPDX-License-Identifier: BSD-2-Clause
"""Graphics cards: none, several, and one whose GOP has no pixels in memory. The
machine starts all the same, and the log says which screen it has."""
import os
import re

from harness import image
from harness.machine import Machine
from system._linux import step

SECONDS = 120
FILLER = 12 << 20
NO_SCREEN = r"console: no screen that text can be drawn on"
SCREEN = r"console: screen of \d+ x \d+ pixels at 0x[0-9a-f]+"
BLT_ONLY = ["-vga", "none", "-device", "virtio-gpu-pci"]
ROWS = {"none": (["-vga", "none"], NO_SCREEN),
        "two": (["-device", "secondary-vga"], SCREEN),
        "blt_only": (BLT_ONLY, NO_SCREEN),
        "blt_and_linear": ([*BLT_ONLY, "-device", "bochs-display"], SCREEN)}


def row(name):
    def run(results, folder):
        words, line = ROWS[name]
        filler = os.path.join(folder, "filler.bin")
        with open(filler, "wb") as f:
            f.truncate(FILLER)
        disk = image.make(folder, image.manifest(
            [{"name": "box", "kernel": "ends.elf", "memory": "16M", "cmdline": "poweroff"}]),
            {"ends.elf": os.path.join(image.BUILD, "tests/guest/ends.elf"),
             "filler.bin": filler})
        options = [w for word in words for w in ("--arg", word)]
        with Machine("qemu", disk, folder, cores=2, memory=512, timeout=2 * SECONDS,
                     options=options) as m:
            for percent in ("0 of 12 MiB (0", "12 of 12 MiB (100"):
                step(results, m, f"screens.{name}.progress_{percent.split()[0]}",
                     re.escape(f"Bulkhead: filler.bin, {percent} %)"), SECONDS, 0)
            step(results, m, f"screens.{name}.screen", line, SECONDS, 0)
            step(results, m, f"screens.{name}.guest", r"guest box powers off", SECONDS, 0)
            m.wait_end(30)
    return run


def tests():
    return [(f"screens.{name}", row(name)) for name in ROWS]
