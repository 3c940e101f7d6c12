# SPDX-License-Identifier: BSD-2-Clause
"""What guests write, on its way to the terminal: a guest floods both its
consoles and forges lines (tests/guest/flood.c) beside one that must not notice.
One core, where time is the number of instructions. A third guest crashes, and
its registers go the same way."""
import os
import re

from harness import image
from harness.machine import Machine

SECONDS = {"qemu": 300, "bochs": 300}
POLITE = 100
# A whole REP OUTS of 64 bytes. It takes several exits, as each stops by time
# (system.bounds has their limit), and what is measured from inside has the UART's
# interrupts in it, which a fast wire answers at once.
BOUND = {"qemu": 220000, "bochs": 140000}
DUMP_US = 100
OURS = "init: Bulkhead"  # before it speak firmware and GRUB
HARMFUL = re.compile(rb"[^\r\n\t\x20-\x7e]")


def raw(machine):
    with open(machine.serial_path, "rb") as f:
        data = f.read()
    return data[data.index(OURS.encode()):]


def forged(text):
    """Lines that pass for somebody else's than the flooding guest's."""
    return [line for line in text.splitlines()
            if "FORGED" in line and not line.startswith("[flood] ")]


def dump_is_short(results, where, text):
    """In instructions / 1000. Where the segments, the local APIC and the last exits
    begin, the core looks at its interrupts."""
    lines = re.findall(r"\[log\] \[(\d+\.\d+) 0 crash:0\] (\w+: error: .*)", text)
    looks = [i for i, (_, line) in enumerate(lines)
             if re.match(r"\w+: error: (es |base |vCPU )", line)]
    parts = [[float(t) for t, _ in lines[a:b]]
             for a, b in zip([0, *looks], [*looks, len(lines)])]
    took = [round((part[-1] - part[0]) * 1e6) for part in parts if part]
    results.check(len(took) == 4 and max(took) <= DUMP_US, f"{where}.crash_dump",
                  f"{len(lines)} lines in {took} us")


def output(results, emulator, folder):
    where = f"output.{'svm' if emulator == 'qemu' else 'vmx'}"
    programs = ("flood.elf", "witness.elf", "ends.elf")
    files = {p: os.path.join(image.BUILD, "tests/guest", p) for p in programs}
    conf = [{"name": "flood", "kernel": "flood.elf", "memory": "16M", "cores": "0",
             "debug_console": "yes",
             "cmdline": f"bound={BOUND[emulator]} polite={POLITE}"},
            {"name": "witness", "kernel": "witness.elf", "memory": "16M", "cores": "0",
             "cmdline": "rounds=100"},
            {"name": "crash", "kernel": "ends.elf", "memory": "16M", "cores": "0",
             "cmdline": "triple"}]
    disk = image.make(folder, image.manifest(conf), files, "hybrid")
    options = ["--icount"] if emulator == "qemu" else []
    with Machine(emulator, disk, folder, "bios", 1, memory=512, person=True,
                 options=options, timeout=SECONDS[emulator]) as m:
        m.leave_menu(SECONDS[emulator])
        ended = m.expect(r"ends: powering the machine off", SECONDS[emulator])
        m.wait_end(20)
        text = m.text()
        results.check(ended, f"{where}.ends", m.tail())
        results.check("[witness] DONE 6 0" in text, f"{where}.witness", m.tail())
        for found in re.finditer(r"\[flood\] (PASS|FAIL) (\S+) \[.*?\]:?(.*)", text):
            results.check(found[1] == "PASS", f"{where}.{found[2]}", found[3])
        results.check("[flood] DONE 3 0" in text, f"{where}.bounded", m.tail())
        data = raw(m)
    bad = HARMFUL.search(data)
    results.check(not bad, f"{where}.harmless", bad and repr(data[:bad.end()][-200:]))
    results.check("FORGED" in text and not forged(text), f"{where}.no_forgery",
                  "\n".join(forged(text)))
    polite = len(re.findall(rf"\[flood\] polite \d+ of {POLITE}", text))
    results.check(polite == POLITE, f"{where}.polite_loses_nothing", f"{polite} of {POLITE}")
    if emulator == "qemu":  # a million instructions a millisecond
        dump_is_short(results, where, text)
    else:  # QEMU's wire has no speed
        results.check(re.search(r"\[flood\] \(\d+ bytes are lost\)", text),
                      f"{where}.loss_is_told", "")
    results.check(re.search(r"debug: guest flood: \d+ lines are lost", text),
                  f"{where}.lines_lost_are_told", "")
    results.check("vm: guest witness starts" in text and "vm: guest flood powers off" in text,
                  f"{where}.log_is_whole", m.tail())


def tests():
    return [("output.svm", lambda r, f: output(r, "qemu", f)),
            ("output.vmx", lambda r, f: output(r, "bochs", f))]
