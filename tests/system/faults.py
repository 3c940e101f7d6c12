# SPDX-License-Identifier: BSD-2-Clause
"""Faults of our own, which a debugger makes: each ends in a panic that says what
it was."""
import os

from harness import gdb, image
from harness.machine import Machine
from system._linux import step

SECONDS = 90
CET_CPU = "tigerlake"  # of Bochs' models
STACK_BYTES = 0x8000  # arch/x86/cpu/percpu.h
STACK_END = 0x2000    # arch/x86/cpu/cpu_area.h: above the guard
LATE = "console_input_init"  # the log is on every console by then


def overflow(results, m):
    """The core's stack is used up but for a word."""
    with gdb.attach(m) as d:
        d.run_to(gdb.symbol(LATE), SECONDS)
        base = d.register(gdb.RSP) & -STACK_BYTES
        d.set_register(gdb.RSP, base + STACK_END + 8)
    step(results, m, "stacks.overflow_is_named",
         r"panic: exception 8 \(#DF double fault\), error 0: the stack of core 0 "
         r"overflowed at [0-9a-f]{16}", SECONDS)
    step(results, m, "stacks.overflow_has_registers", r"panic: +rip [0-9a-f]{16}", 20)
    step(results, m, "stacks.overflow_ends", r"panic: the machine is stopped", 20)


def guard_changes(results, m):
    """A function that has an array on its stack finds another value beside it
    than it has put there."""
    with gdb.attach(m) as d:
        d.run_to(gdb.symbol(LATE), SECONDS)
        d.run_to(gdb.symbol("log_ring_write"), SECONDS)
        guard = gdb.symbol("__stack_chk_guard")
        value = d.word(guard)
        results.check(value & 0xff == 0 and value >> 8, "stacks.guard_has_a_value",
                      hex(value))
        d.set_word(guard, value ^ 0x100)
    step(results, m, "stacks.array_is_named",
         r"panic: an array on the stack was written past its end", SECONDS)
    step(results, m, "stacks.array_ends", r"panic: the machine is stopped", 20)
    return value


def stacks(results, folder):
    """No guest is needed: the faults come before one would start."""
    disk = image.make(folder, None, {"text": b"This is no kernel.\n"})
    with Machine("qemu", disk, folder, memory=512, timeout=SECONDS * 4, person=True,
                 options=["--keep-reset"]) as m:
        overflow(results, m)
        m.monitor("system_reset")
        first = guard_changes(results, m)
        m.monitor("system_reset")
        with gdb.attach(m) as d:
            d.run_to(gdb.symbol(LATE), SECONDS)
            results.check(d.word(gdb.symbol("__stack_chk_guard")) != first,
                          "stacks.guard_is_new_at_each_boot", hex(first))


def control_flow(results, folder):
    """Bochs' CPU has CET. A guest runs and ends; the function that ends it
    returns to an address that no call has put on the stack."""
    commands = os.path.join(folder, "debugger")
    with open(commands, "w") as f:
        f.write(f"lb {gdb.symbol('vm_end'):#x}\nc\nset rsp = rsp + 8\nc\n")
    disk = image.make(folder, image.manifest([
        {"name": "good", "kernel": "ends.elf", "memory": "16M", "cores": "0"}]),
        {"ends.elf": os.path.join(image.BUILD, "tests/guest/ends.elf")}, "grub-bios")
    with Machine("bochs", disk, folder, "bios", cores=1, memory=512, timeout=SECONDS * 4,
                 options=["--cpu", CET_CPU, "--debug", commands]) as m:
        step(results, m, "control_flow.is_enforced",
             r"cet: the hypervisor runs with shadow stacks and indirect branch tracking",
             SECONDS)
        step(results, m, "control_flow.guest_runs", r"\[good\] DONE 0 0", SECONDS)
        step(results, m, "control_flow.wrong_return_is_found",
             r"panic: exception 21 \(#CP control protection\), error 0x1 at [0-9a-f]{16}",
             SECONDS)
        step(results, m, "control_flow.ends", r"panic: the machine is stopped", 20)


def tests():
    return [("faults.stacks", stacks), ("faults.control_flow", control_flow)]
