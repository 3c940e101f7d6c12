# SPDX-License-Identifier: BSD-2-Clause
"""A stock Linux as a guest, with the symbols of its -dbg package: Debian's gdb, at the
other end of a serial line as it may be at that of an SSH session, stops it, looks and
steps; Debian's crash opens cores of it and of one whose kernel lies where it likes. It
is not the cloud kernel: crash wants one that knows machine checks."""
import os
import re
import select
import subprocess

from harness import control, image
from harness.guests import QEMU10
from harness.machine import ROOT, Machine, cores_for
from system import _linux
from system._linux import step

CACHE = os.path.join(image.BUILD, "cache")
KERNEL = os.path.join(_linux.GUESTS, "linux-image-amd64.vmlinuz")
VMLINUX = os.path.join(CACHE, "symbols/vmlinux")
GDB = os.path.join(CACHE, "gdb")
CRASH = os.path.join(CACHE, "crash")
SECONDS = {"qemu": 1200, "bochs": 3600}
CRASH_SECONDS = 600
MEMORY_MIB = 1280
DISK_MIB = 512
DISK_START = 1 << 20  # of its file system: scripts/mkdisk
BEFORE = ("sym_run", "sym_up", "sym_line")
AFTER = ("sym_detached", "sym_lives", "sym_random", "sym_random_up", "sym_disk",
         "sym_dump_fixed", "sym_dump_random", "sym_goes_on", "symbols")
CORES = ("fixed", "random")
# A sleep of the guest's comes to hrtimer_nanosleep(). cat is all that is between gdb
# and the line, a descriptor.
GDB_COMMANDS = """set confirm off
set pagination off
set width 0
set remotetimeout 300
file {vmlinux}
target remote | sh -c 'cat <&{line} & cat >&{line}; kill $!'
info threads
hbreak hrtimer_nanosleep
continue
backtrace
print init_task.comm
print/u jiffies
print saved_command_line
stepi
next
info symbol $pc
finish
delete
break hrtimer_nanosleep
continue
print/u jiffies
next
next
info symbol $pc
delete
detach
"""
# By name: what gdb says, in this order
GDB_SAYS = (("threads", r"Thread 2 .*vCPU 1"),
            ("hbreak", r"\n(Thread \d+ hit )?Breakpoint 1, hrtimer_nanosleep \(rqtp="),
            ("lines", r"#0  hrtimer_nanosleep \(.*\) at kernel/time/hrtimer\.c:\d+"),
            ("backtrace", r"#\d+ .*do_syscall_64 \(.*\) at arch/x86/entry/common\.c:\d+"),
            ("variable", r'= "swapper/0'),
            ("jiffies", r"= \d{6,}\n"),
            ("string", r'= 0x[0-9a-f]+ "console=ttyS0 .*nokaslr'),
            ("steps", r"hrtimer_nanosleep( \+ \d+)? in section \.text"),
            ("finish", r"in common_nsleep \(.*\n(.*\n)?Value returned"),
            ("break", r"\n(Thread \d+ hit )?Breakpoint 2, hrtimer_nanosleep \(rqtp="),
            ("later", r"= \d{6,}\n"),
            ("steps_on", r"hrtimer_nanosleep \+ \d+ in section \.text"),
            ("detach", r"\[Inferior 1 \(.*\) detached\]"))
CRASH_COMMANDS = ("sys", "ps", "bt -a", "log", "print jiffies", "quit")
CRASH_SAYS = (("tasks", r"TASKS: \d\d"), ("release", r"RELEASE: 6\.1\.0-\d+-amd64"),
              ("ps", r"\n +1 +0 .* init\n"),
              ("bt", r'COMMAND: "(.*\n)+? #0 \[[0-9a-f]+\] \w+ at ffffffff[0-9a-f]+\n'),
              ("log", r"\] Linux version 6\.1\."), ("print", r"= \d{6,}\n"))


def judge(results, where, text, patterns):
    """@patterns, one after the other in @text."""
    at = 0
    for name, pattern in patterns:
        found = re.compile(pattern).search(text, at)
        if not results.check(found, f"{where}.{name}", f"it does not say /{pattern}/"):
            results.note(text[-4000:])
        at = found.end() if found else at


def drain(line):
    """What firmware has said there: OVMF has its console on each serial line."""
    while select.select([line], [], [], 1)[0]:
        os.read(line, 65536)


def debug(results, m, folder, where, seconds):
    """gdb at the other end of the line. What it says is in FOLDER/gdb.log. A line may
    spoil bytes: Bochs' UART gives one twice now and then."""
    commands, log = os.path.join(folder, "gdb.commands"), os.path.join(folder, "gdb.log")
    with open(commands, "w") as f:
        f.write(GDB_COMMANDS.format(vmlinux=VMLINUX, line=m.line))
    drain(m.line)
    with open(log, "w") as f:
        try:
            subprocess.run([os.path.join(GDB, "usr/bin/gdb"), "-nx", "-batch", "-x", commands],
                           stdin=subprocess.DEVNULL, stdout=f, stderr=subprocess.STDOUT,
                           pass_fds=(m.line,), timeout=seconds, check=False)
        except subprocess.TimeoutExpired:
            f.write("\n(gdb did not come to its end)\n")
    with open(log, errors="replace") as f:
        text = f.read()
    judge(results, f"{where}.gdb", text, GDB_SAYS)
    jiffies = [int(n) for n in re.findall(r"^\$\d+ = (\d{6,})$", text, re.M)]
    results.check(len(jiffies) == 2 and jiffies[0] < jiffies[1], f"{where}.gdb.time_passes",
                  f"jiffies are {jiffies}")


def crash(results, folder, where, core):
    """crash opens the core, a file of the disk that the guest has written. What it says
    is in FOLDER/CORE.log."""
    path, log = os.path.join(folder, core), os.path.join(folder, core + ".log")
    disk = os.path.join(folder, "cores.img")
    subprocess.run(["/sbin/debugfs", "-R", f"dump /{core} {path}",
                    f"{disk}?offset={DISK_START}"], capture_output=True, check=False)
    commands = os.path.join(folder, "crash.commands")
    with open(commands, "w") as f:
        f.write("\n".join(CRASH_COMMANDS) + "\n")
    with open(commands) as f, open(log, "w") as said:
        try:
            # A session of its own, so that it asks no terminal
            subprocess.run([os.path.join(CRASH, "crash"), "--no_crashrc", "--no_scroll", "-s",
                            VMLINUX, path], stdin=f, stdout=said, stderr=subprocess.STDOUT,
                           env={**os.environ, "TERM": "dumb"}, start_new_session=True,
                           timeout=CRASH_SECONDS, check=False)
        except subprocess.TimeoutExpired:
            said.write("\n(crash did not come to its end)\n")
    with open(log, errors="replace") as f:
        judge(results, f"{where}.crash.{core}", f.read(), CRASH_SAYS)
    os.unlink(path)


def fetch(emulator):
    """What is not installed."""
    wanted = [("fetch-symbols", KERNEL, VMLINUX), ("fetch-gdb", GDB), ("fetch-crash", CRASH)]
    if emulator == "qemu":
        wanted.append(("fetch-qemu", QEMU10))  # VMRUN of QEMU 7.2 arms no breakpoint
    for script, *arguments in wanted:
        subprocess.run([os.path.join(ROOT, "scripts", script), *arguments], check=True)


def machine(emulator, disk, folder, cores):
    """With a line, and a disk for cores."""
    data = os.path.join(folder, "cores.img")
    subprocess.run([os.path.join(ROOT, "scripts/mkdisk"), data, str(DISK_MIB)], check=True)
    options = ["--ide", data] if emulator == "bochs" else \
        ["--nvme", data, "--qemu", os.path.join(QEMU10, "qemu-system-x86_64")]
    return Machine(emulator, disk, folder, cores=cores, memory=MEMORY_MIB, options=options,
                   timeout=SECONDS[emulator] * 3, line=True)


def run(results, folder, emulator, where):
    seconds = SECONDS[emulator]
    fetch(emulator)
    cores, first, _ = cores_for(emulator, 2)
    linux = _linux.payload()
    files = {"vmlinuz": linux["vmlinuz"],
             "privileged.cpio": control.initrd(
                 folder, {"boot/stock": KERNEL, "boot/isolated.cpio": linux["isolated.cpio"]},
                 ("bhctl.sh", "symbols.sh"))}
    guests = [_linux.privileged("symbols,poweroff", cores=str(first), vcpus="1")]
    disk = image.make(folder, image.manifest(guests, extra="guest-memory = 352M"), files,
                      "hybrid" if emulator == "bochs" else "uefi")
    with machine(emulator, disk, folder, cores) as m:
        for check in BEFORE:
            step(results, m, f"{where}.{check}", rf"\[linux\] .*TEST {check} ok", seconds, 0)
        debug(results, m, folder, where, seconds)
        for check in AFTER:
            step(results, m, f"{where}.{check}", rf"\[linux\] .*TEST {check} ok", seconds, 0)
        results.check(m.wait_end(seconds), f"{where}.powers_off", "the machine still runs")
    for core in CORES:
        crash(results, folder, where, core)


def tests():
    return []


def soak():
    return [("symbols.svm", lambda results, folder: run(results, folder, "qemu", "symbols.svm")),
            ("symbols.vmx", lambda results, folder: run(results, folder, "bochs", "symbols.vmx"))]
