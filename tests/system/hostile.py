# SPDX-License-Identifier: BSD-2-Clause
"""Guests that execute random bytes at CPL 0 (tests/guest/random.c), several at
once on both cores, beside one that must not notice (tests/guest/witness.c).
Each may die, with a reason in the log, or go on for ever by itself: then each of
its vCPUs still says what it does when it is asked. tests/soak runs this for
hours."""
import os
import re
import time

from harness import image
from harness.machine import Machine, cores_for

PROGRAMS = ("random.elf", "witness.elf")
NOT_STARTED = re.compile(r"guest (r\d+) does not start")
ENDED = re.compile(r"guest (r\d+) (crashed: .+|powers off.*|resets.*)")
VCPUS = 3  # one runs random bytes, one watches it, one is in real mode
TRIES = 4  # boots, where the emulator dies of it
# What goes on by itself then is looked at and left: soak waits no longer either
SECONDS = {"qemu": 150, "bochs": 200}
WITNESS_SECONDS = 900  # and the guest that ends has these, on a host that is busy
# A vCPU's answer to the key `v` (hv/vm/stats.c)
STATE = re.compile(r"vm: guest (\S+): vCPU (\d+) on core \d+ (.+) at (\S+), rflags ([0-9a-f]+), "
                   r"interrupt (-?\d+) waits, \d+ exits, (\d+) more")
LOOKS = 2
LOOK_SECONDS = 20
IF = 0x200


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


def look(machine, unended):
    """Have every vCPU say what it does: {(guest, vCPU): its answer}."""
    begin = len(machine.text())
    machine.send("v")
    asked = {(g, n) for g in unended for n in range(VCPUS)}
    end = machine.clock() + LOOK_SECONDS
    while machine.clock() < end:
        found = {(m[1], int(m[2])): m for m in STATE.finditer(machine.text()[begin:])}
        if asked <= found.keys():
            break
        time.sleep(0.5)
    return found


def hangs(first, last):
    """Why a vCPU with these two answers is stuck in the hypervisor, or None."""
    if not last:
        return "does not answer: its core hangs"
    if not first or int(last[7]):
        return None
    if last[3] == "halts" and int(last[5], 16) & IF and int(last[6]) >= 0:
        return f"sleeps although interrupt {last[6]} waits for it"
    return None


def look_at_unended(results, machine, seed, count):
    """The time is over. {guest: what is wrong with it} of those that have not
    ended, None for one that goes on by itself."""
    ended = {m[1] for m in ENDED.finditer(machine.text())}
    unended = [f"r{seed + i}" for i in range(count) if f"r{seed + i}" not in ended]
    looks = [look(machine, unended) for _ in range(LOOKS)]
    # Who ends while we look has ended
    ended = {m[1] for m in ENDED.finditer(machine.text())}
    never = {m[1] for m in NOT_STARTED.finditer(machine.text())}
    verdict = {guest: "it never started" for guest in never}
    for guest in (g for g in unended if g not in never):
        pairs = [[answers.get((guest, n)) for answers in looks] for n in range(VCPUS)]
        for n, (_, last) in enumerate(pairs):
            if last:
                results.note(f"note: {guest} has not ended: vCPU {n} {last[3]} at {last[4]}, "
                             f"rflags {last[5]}, {last[7]} exits since the look before")
        faults = [f"vCPU {n} {hangs(*pair)}" for n, pair in enumerate(pairs) if hangs(*pair)]
        verdict[guest] = None if guest in ended else "; ".join(faults) or None
    return verdict


def judge(results, where, text, seed, count, unended):
    """@unended: look_at_unended()'s."""
    ended = {m[1] for m in ENDED.finditer(text)}
    results.check(not re.search(r"\bpanic", text, re.I), f"{where}.no_panic",
                  "the hypervisor panicked")
    for i in range(count):
        guest = f"r{seed + i}"
        results.check(guest in ended or unended.get(guest, "?") is None, f"{where}.{guest}",
                      unended.get(guest) or "the log does not say how the guest ended")
    results.check("[witness] DONE 6 0" in text, f"{where}.witness",
                  "the guest beside them noticed, or never came to its end")


def boot(results, emulator, folder, seed, count, rounds, witness_rounds):
    """One machine: what it said (None: its emulator died), and what became of
    guests that had not ended when the time was over."""
    files = {p: os.path.join(image.BUILD, "tests/guest", p) for p in PROGRAMS}
    cores, first, _ = cores_for(emulator, 2)
    conf = image.manifest(guests(seed, count, rounds, witness_rounds, first))
    disk = image.make(folder, conf, files, "hybrid")
    unended = {}
    with Machine(emulator, disk, folder, "bios", cores, memory=768, person=True,
                 timeout=SECONDS[emulator] + WITNESS_SECONDS +
                 (LOOKS + 1) * LOOK_SECONDS) as machine:
        end = time.monotonic() + SECONDS[emulator]
        while time.monotonic() < end and machine.process.poll() is None:
            machine.expect(r"\n", 1)
            if finished(machine.text(), count) or re.search(r"\bpanic", machine.text(), re.I):
                break
        machine.expect(r"(?!)", 1)
        if not finished(machine.text(), count):
            machine.expect(r"\[witness\] DONE|(?i:panic)", WITNESS_SECONDS, 0)
            if machine.died():
                results.note(f"note: the emulator itself died at seed {seed}")
                return None, {}
            unended = look_at_unended(results, machine, seed, count)
            results.note(machine.tail())
        return machine.text(), unended


def run(results, emulator, folder, seed, count, rounds=1000, witness_rounds=1000):
    """Boot @count random guests of seeds from @seed; True: all went well."""
    where = f"hostile.{'svm' if emulator == 'qemu' else 'vmx'}"
    before = len(results.failed)
    for again in range(TRIES):
        text, unended = boot(results, emulator, folder, seed + again * count, count,
                             rounds, witness_rounds)
        if text is not None:
            judge(results, where, text, seed + again * count, count, unended)
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
