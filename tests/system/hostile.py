# SPDX-License-Identifier: BSD-2-Clause
"""Guests that execute random bytes at CPL 0 (tests/guest/random.c), several at
once on both cores, beside one that must not notice (tests/guest/witness.c).
Each may die, with a reason in the log. tests/soak runs this for hours."""
import os
import re

from harness import image
from harness.machine import Machine, cores_for

PROGRAMS = ("random.elf", "witness.elf")
ENDED = re.compile(r"guest (r\d+) (crashed: .+|powers off.*|resets.*)")
VCPUS = 3  # one runs random bytes, one watches it, one is in real mode
TRIES = 4  # boots, where the emulator dies of it
SECONDS = {"qemu": 300, "bochs": 600}


def guests(seed, count, rounds, witness_rounds, first):
    """Manifest entries: guests of seeds @seed and up, and the witness, on core
    @first and the next."""
    found = []
    for i in range(count):
        entry = {"name": f"r{seed + i}", "kernel": "random.elf", "memory": "16M",
                 "vcpus": VCPUS, "cores": str(first + i % 2),
                 "cmdline": f"seed={seed + i} rounds={rounds}"}
        if i % 2:
            entry.update({"testdev": "yes", "debug_console": "yes"})
        found.append(entry)
    found.append({"name": "witness", "kernel": "witness.elf", "memory": "16M",
                  "cores": str(first), "cmdline": f"rounds={witness_rounds}"})
    return found


def finished(text, count):
    ended = {m[1] for m in ENDED.finditer(text)}
    return len(ended) == count and "[witness] DONE" in text


def judge(results, where, text, seed, count):
    ended = {m[1] for m in ENDED.finditer(text)}
    results.check(not re.search("panic", text, re.I), f"{where}.no_panic",
                  "the hypervisor panicked")
    for i in range(count):
        results.check(f"r{seed + i}" in ended, f"{where}.r{seed + i}",
                      "the log does not say how the guest ended")
    results.check("[witness] DONE 6 0" in text, f"{where}.witness",
                  "the guest beside them noticed, or never came to its end")


def emulator_died(folder):
    """Random code finds the emulators' own bugs too. QUIRK(tcg-7.2): it may abort."""
    with open(os.path.join(folder, "emulator.log"), errors="replace") as f:
        return re.search(r"assertion failed|Aborted|Segmentation fault|>>PANIC<<", f.read())


def boot(results, emulator, folder, seed, count, rounds, witness_rounds):
    """One machine; None if its emulator died, else what it said."""
    files = {p: os.path.join(image.BUILD, "tests/guest", p) for p in PROGRAMS}
    cores, first, _ = cores_for(emulator, 2)
    conf = image.manifest(guests(seed, count, rounds, witness_rounds, first))
    disk = image.make(folder, conf, files, "hybrid")
    with Machine(emulator, disk, folder, "bios", cores, memory=768,
                 timeout=SECONDS[emulator]) as machine:
        while machine.expect(r"\n", SECONDS[emulator]):
            if finished(machine.text(), count) or "panic" in machine.text().lower():
                break
        machine.expect(r"(?!)", 1)
        text = machine.text()
        if not finished(text, count) and emulator_died(folder):
            results.note(f"note: the emulator itself died at seed {seed}")
            return None
        if not finished(text, count):
            results.note(machine.tail())
        return text


def run(results, emulator, folder, seed, count, rounds=1000, witness_rounds=1000):
    """Boot @count random guests of seeds from @seed; True: all went well."""
    where = f"hostile.{'svm' if emulator == 'qemu' else 'vmx'}"
    before = len(results.failed)
    for again in range(TRIES):
        text = boot(results, emulator, folder, seed + again * count, count,
                    rounds, witness_rounds)
        if text is not None:
            judge(results, where, text, seed + again * count, count)
            return len(results.failed) == before
    return results.check(False, where, f"the emulator died {TRIES} times")


def resets(results, emulator, folder):
    """A guest that does nothing but reset starts once a second, not as often as
    it can, and another on its core goes on."""
    where = f"hostile.{'svm' if emulator == 'qemu' else 'vmx'}.resets"
    files = {p: os.path.join(image.BUILD, "tests/guest", p) for p in ("ends.elf", "witness.elf")}
    cores, first, _ = cores_for(emulator, 1)
    conf = [{"name": "looper", "kernel": "ends.elf", "memory": "16M", "cores": str(first),
             "cmdline": "reset"},
            {"name": "witness", "kernel": "witness.elf", "memory": "16M",
             "cores": str(first), "cmdline": "rounds=1000"}]
    disk = image.make(folder, image.manifest(conf), files, "hybrid")
    with Machine(emulator, disk, folder, "bios", cores, memory=512,
                 timeout=SECONDS[emulator]) as m:
        done = m.expect(r"\[witness\] DONE 6 0", SECONDS[emulator])
        results.check(done, f"{where}.witness", m.tail())
        for _ in range(3):
            m.expect(r"guest looper starts", SECONDS[emulator])
        times = [float(t) for t in
                 re.findall(r"\[(\d+\.\d+) [^]]*\] vm: guest looper starts", m.text())]
    gaps = [round(b - a, 2) for a, b in zip(times, times[1:])]
    results.check(gaps and min(gaps) > 0.9, f"{where}.once_a_second", f"gaps of {gaps} s")


def tests():
    return [("hostile.svm.resets", lambda r, f: resets(r, "qemu", f)),
            ("hostile.vmx.resets", lambda r, f: resets(r, "bochs", f)),
            ("hostile.svm", lambda r, f: run(r, "qemu", f, 15, 13)),  # 28 may write over its count
            ("hostile.vmx", lambda r, f: run(r, "bochs", f, 1, 6, 200, 200))]
