# SPDX-License-Identifier: BSD-2-Clause
"""Faults of our own, which a debugger makes: each ends in a panic that says what
it was."""
import os
import struct

from harness import gdb, image
from harness.machine import Machine
from system._linux import step

SECONDS = 90
ENDS = os.path.join(image.BUILD, "tests/guest/ends.elf")
WITNESS = os.path.join(image.BUILD, "tests/guest/witness.elf")
JUMP_HERE, UNDEFINED = 0xfeeb, 0x0b0f  # JMP to itself, UD2
TCG_SIGNATURE, TCG_PATCH = 0x60fb1, 0x10000ff  # CPUID 1:EAX of its `max`
CET_CPU = "tigerlake"  # of Bochs' models
STACK_BYTES = 0x8000  # arch/x86/cpu/percpu.h
STACK_END = 0x2000    # arch/x86/cpu/cpu_area.h: above the guard
LATE = "console_input_init"  # the log is on every console by then


def early_archive(path, data):
    """An uncompressed cpio archive of one file, as an initrd begins with."""
    name = path.encode() + b"\0"
    fields = (1, 0o100644, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name), 0)
    header = b"070701" + b"".join(b"%08x" % field for field in fields)
    entry = (header + name).ljust((len(header + name) + 3) & ~3, b"\0")
    return entry + data.ljust((len(data) + 3) & ~3, b"\0")


def made_up_patch():
    """A container with a patch for QEMU's CPU, which takes none."""
    equivalence = struct.pack("<IIIHH", TCG_SIGNATURE, 0, 0, 1, 0) + bytes(16)
    patch = struct.pack("<IIHBBIIIHBB", 0, TCG_PATCH, 0, 0, 0, 0, 0, 0, 1, 0, 0).ljust(512, b"\0")
    return (struct.pack("<III", 0x00414d44, 0, len(equivalence)) + equivalence +
            struct.pack("<II", 1, len(patch)) + patch)


def microcode_is_tried(results, m):
    """On every core, before the CPU is asked for its features."""
    if not step(results, m, "stacks.starts", r"init: Bulkhead .*started by", SECONDS):
        return
    step(results, m, "stacks.microcode_of_core_0",
         rf"microcode: warning: the CPU stays at revision (0x[0-9a-f]+): it did not take the "
         rf"update to {TCG_PATCH:#x} of kernel/x86/microcode/AuthenticAMD.bin", SECONDS)
    step(results, m, "stacks.microcode_of_core_1",
         rf"microcode: warning: core 1 stays at revision (0x[0-9a-f]+): it did not take the "
         rf"update to {TCG_PATCH:#x}", SECONDS)


def overflow(results, m):
    """The core's stack is used up but for a word."""
    with gdb.attach(m) as d:
        d.run_to(gdb.body(LATE), SECONDS)
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
        d.run_to(gdb.body(LATE), SECONDS)
        d.run_to(gdb.body("log_ring_write"), SECONDS)
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
    """No guest runs: the faults come before one would start. The privileged one's
    initrd has microcode."""
    initrd = early_archive("kernel/x86/microcode/AuthenticAMD.bin", made_up_patch())
    disk = image.make(folder, image.manifest([
        {"name": "linux", "privileged": "yes", "kernel": "ends.elf", "initrd": "early.cpio"}]),
        {"ends.elf": ENDS, "early.cpio": initrd})
    with Machine("qemu", disk, folder, memory=512, timeout=SECONDS * 4, person=True,
                 options=["--keep-reset"]) as m:
        overflow(results, m)
        if "QEMU TCG CPU" in m.text():
            m.seen = 0
            microcode_is_tried(results, m)
        m.monitor("system_reset")
        first = guard_changes(results, m)
        m.monitor("system_reset")
        with gdb.attach(m) as d:
            d.run_to(gdb.body(LATE), SECONDS)
            results.check(d.word(gdb.symbol("__stack_chk_guard")) != first,
                          "stacks.guard_is_new_at_each_boot", hex(first))


def control_flow(where, place, function, command, error):
    """Bochs' CPU has CET. A guest runs; then, at @place of @function, @command of Bochs'
    debugger makes it the target of a wrong branch, which is #CP with @error."""
    def run(results, folder):
        commands = os.path.join(folder, "debugger")
        with open(commands, "w") as f:
            f.write(f"lb {place(function):#x}\nc\n{command}\nc\n")
        disk = image.make(folder, image.manifest([
            {"name": "good", "kernel": "ends.elf", "memory": "16M", "cores": "0"}]),
            {"ends.elf": ENDS}, "grub-bios")
        with Machine("bochs", disk, folder, "bios", cores=1, memory=512, timeout=SECONDS * 4,
                     options=["--cpu", CET_CPU, "--debug", commands]) as m:
            step(results, m, f"{where}.is_enforced",
                 r"cet: the hypervisor runs with shadow stacks and indirect branch tracking",
                 SECONDS)
            step(results, m, f"{where}.guest_runs", r"vm: guest good starts", SECONDS)
            step(results, m, f"{where}.is_found",
                 rf"panic: exception 21 \(#CP control protection\), error {error:#x}"
                 r".* at [0-9a-f]{16}", SECONDS)
            step(results, m, f"{where}.ends", r"panic: the machine is stopped", 20)
    return run


# The function that ends a guest returns to what is no return address of its caller's; the
# handler of an exit, which is called by a table, begins behind its ENDBR64 (SDM 3A 6.15,
# *Interrupt 21--Control Protection Exception*)
WRONG_RETURN = ("wrong_return", gdb.body, "vm_end", "set rsp = rsp + 8", 1)
WRONG_CALL = ("wrong_call", gdb.symbol, "exit_port", "set rip = rip + 4", 3)


def in_service(results, folder):
    """A core hangs in the service of a guest and goes on; then it meets an
    exception there. The log says for whom both were."""
    disk = image.make(folder, image.manifest([
        {"name": "witness", "kernel": "witness.elf", "memory": "16M", "cores": "1",
         "cmdline": "rounds=1000000"}]), {"witness.elf": WITNESS})
    place = gdb.body("msr_write")  # the guest sets its timer all the time
    with Machine("qemu", disk, folder, cores=3, memory=512, timeout=SECONDS * 4,
                 person=True) as m:
        if not step(results, m, "in_service.starts", r"guest witness starts", SECONDS):
            return
        with gdb.attach(m) as d:
            d.run_to(place, SECONDS)
            code = d.word(place)
            d.set_word(place, code & ~0xffff | JUMP_HERE)
        step(results, m, "in_service.hang_is_reported",
             r"watchdog: error: core 1 has been in the hypervisor for 5 s, in the service of "
             r"guest witness, vCPU 0; its last exit: WRMSR", SECONDS)
        step(results, m, "in_service.hang_has_a_place",
             r"watchdog: error: core 1 (is at [0-9a-f]{16}|does not take an NMI; on its stack, "
             r"outermost first: [0-9a-f]{16})", SECONDS)
        with gdb.attach(m) as d:
            d.run_to(gdb.body("timer_run"), SECONDS)
            d.set_word(place, code)
        step(results, m, "in_service.hang_is_over",
             r"watchdog: warning: core 1 goes on after \d+ s", SECONDS)
        with gdb.attach(m) as d:
            d.run_to(place, SECONDS)
            d.set_word(place, code & ~0xffff | UNDEFINED)
        step(results, m, "in_service.exception_names_the_guest",
             r"panic: exception 6 \(#UD invalid opcode\), error 0, in the service of guest "
             r"witness:0 at [0-9a-f]{16}", SECONDS)
        step(results, m, "in_service.exit_is_named",
             r"panic: the last exit of guest witness, vCPU 0: WRMSR, reason", 20)


def tests():
    return [("faults.stacks", stacks), ("faults.in_service", in_service)] + [
        (f"faults.{row[0]}", control_flow(*row)) for row in (WRONG_RETURN, WRONG_CALL)]
