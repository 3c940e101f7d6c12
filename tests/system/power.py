# SPDX-License-Identifier: BSD-2-Clause
"""How the machine ends when its guests do not end by themselves: the privileged
guest's triple fault resets it; after a crash the reason stays, for as long as
the manifest says. (A key: tests/system/bad_input.py.)"""
import os

from harness import image
from harness.machine import Machine

SECONDS = {"qemu": 90, "bochs": 240}
STAYS_S = 4
RESETS = r"ends: resetting the machine"


def machine(emulator, folder, guests, extra=""):
    files = {"ends.elf": os.path.join(image.BUILD, "tests/guest/ends.elf")}
    disk = image.make(folder, image.manifest(guests, extra=extra), files, "hybrid")
    return Machine(emulator, disk, folder, "bios", memory=512, timeout=SECONDS[emulator])


def guest(name, cmdline, **keys):
    return {"name": name, "kernel": "ends.elf", "cmdline": cmdline, **keys}


def triple_fault(emulator):
    """An isolated guest that never ends is no reason to stay on."""
    where = f"power.{'svm' if emulator == 'qemu' else 'vmx'}.triple_fault"
    guests = [guest("owner", "triple", privileged="yes"),
              guest("box", "loop", memory="16M", cores="1")]

    def run(results, folder):
        with machine(emulator, folder, guests) as m:
            results.check(m.expect(r"guest owner resets: triple fault", SECONDS[emulator]),
                          f"{where}.is_a_reset", m.tail())
            results.check(m.expect(RESETS, 30), f"{where}.resets_the_machine", m.tail())
    return run


def crash(results, folder):
    guests = [guest("box", "triple", memory="16M")]
    with machine("qemu", folder, guests, f"reboot_after = {STAYS_S}") as m:
        said = m.expect(r"\[(\d+\.\d+) [^]]*\] ends: error: guest box crashed: triple fault; no guest "
                        rf"runs now; the machine restarts in {STAYS_S} s", SECONDS["qemu"])
        results.check(said, "power.crash.reason_stays", m.tail())
        ends = m.expect(r"\[(\d+\.\d+) [^]]*\] " + RESETS, STAYS_S + 20)
        results.check(ends, "power.crash.restarts", m.tail())
        if said and ends:
            stayed = float(ends[1]) - float(said[1])
            results.check(STAYS_S - 0.5 < stayed < STAYS_S + 5, "power.crash.after",
                          f"after {stayed:.1f} s")


def tests():
    return [("power.vmx", triple_fault("bochs")), ("power.svm", triple_fault("qemu")),
            ("power.crash", crash)]
