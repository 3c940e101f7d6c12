# SPDX-License-Identifier: BSD-2-Clause
"""What a guest's sleep is: a port that an ACPI table names as a sleep state's. A guest
of ours reads it, and a Linux whose idle loop does."""
import os
import re
import struct
import time

from harness import guests, image
from harness.machine import Machine
from system import _linux
from system._linux import QEMU_CORES, privileged, step

PORT = 0x6a10  # nothing is there
SECONDS = 240
SETTLE_SECONDS = 12
IDLE_SECONDS = 20
BUSY_PERCENT = 25      # of a host's core that an idle core of the machine may take
ASLEEP_PERCENT = 60    # of the time that a vCPU is to be in the port's state
SYSTEM_IO, FIXED_HARDWARE = 1, 0x7f


def sized(op, body):
    """An AML object with its length (ACPI 6.4, 20.2.4)."""
    size = len(body) + 1
    if size < 0x40:
        return op + bytes([size]) + body
    return op + bytes([0x40 | size + 1 & 0xf, size + 1 >> 4]) + body


def integer(n):
    return b"\x0a" + bytes([n])


def package(*items):
    return sized(b"\x12", bytes([len(items)]) + b"".join(items))


def register(space, bits, address):
    """A buffer with a generic register and the end tag (6.4.3.7)."""
    return (b"\x11\x14\x0a\x11\x82\x0c\x00" + bytes([space, bits, 0, bits // 8]) +
            struct.pack("<Q", address) + b"\x79\x00")


def cst(port):
    """Name (_CST): C1 is HLT, C2 a read of @port (8.4.1.1)."""
    hlt = package(register(FIXED_HARDWARE, 0, 0), integer(1), integer(1), integer(200))
    read = package(register(SYSTEM_IO, 8, port), integer(2), integer(50), integer(100))
    return b"\x08_CST" + package(integer(2), hlt, read)


def ssdt(folder, aml):
    table = bytearray(struct.pack("<4sIBB6s8sI4sI", b"SSDT", 36 + len(aml), 2, 0, b"BULKHD",
                                  b"SLEEP   ", 1, b"TEST", 1) + aml)
    table[9] = -sum(table) & 0xff
    path = os.path.join(folder, "ssdt.aml")
    with open(path, "wb") as f:
        f.write(table)
    return ["--arg", "-acpitable", "--arg", f"file={path}"]


def sleep_port(results, folder):
    """A vCPU that reads it halts until an interrupt waits, taken or not."""
    boot = {"name": "sleep",
            "options": ssdt(folder, cst(PORT)),
            "guest": [{"name": "sleep", "image": "sleep", "privileged": "yes",
                       "cmdline": f"port={PORT}"}]}
    guests.run_boot(results, "svm", boot, folder)


def of_each_cpu(count):
    """Scope (\\_SB.CPUS.C000) { _CST } and so on, as QEMU names them."""
    return b"".join(sized(b"\x10", b"\\\x2f\x03_SB_CPUSC%03X" % n + cst(PORT))
                    for n in range(count))


def thread_ticks(thread):
    """What a thread of the host has run."""
    with open(f"/proc/{thread}/stat") as f:
        fields = f.read().rsplit(")", 1)[1].split()
    return int(fields[11]) + int(fields[12])


def asleep_us(m):
    """How long each CPU of the guest has been in the port's state."""
    begin = len(m.text())
    m.send("for s in /sys/devices/system/cpu/cpu*/cpuidle/state*; do "
           "echo STATE $(cat $s/desc): $(cat $s/time); done; echo STATES $((40+2))\r")
    m.expect(r"STATES 42", 60)
    return [int(n) for n in
            re.findall(rf"STATE ACPI IOPORT {PORT:#x}: (\d+)", m.text()[begin:])]


def idle_percent(m):
    """Of IDLE_SECONDS: what the thread of each core of the machine ran, and how long
    each CPU of the guest was in the port's state."""
    threads = re.findall(r"thread_id=(\d+)", m.monitor("info cpus"))
    slept, ran, start = asleep_us(m), [thread_ticks(t) for t in threads], time.monotonic()
    time.sleep(IDLE_SECONDS)
    ran = [thread_ticks(t) - old for t, old in zip(threads, ran)]
    seconds = time.monotonic() - start
    slept = [now - old for now, old in zip(asleep_us(m), slept)]
    return ([round(100 * n / os.sysconf("SC_CLK_TCK") / seconds, 1) for n in ran],
            [round(n / 10000 / seconds, 1) for n in slept])


def linux(results, folder):
    """A stock kernel whose idle driver has the states of _CST: its cores are idle."""
    where = "idle.linux"
    disk = image.make(folder, image.manifest([privileged("")]), _linux.payload())
    with Machine("qemu", disk, folder, cores=QEMU_CORES, memory=1024, timeout=SECONDS * 2,
                 person=True, options=ssdt(folder, of_each_cpu(QEMU_CORES))) as m:
        if not step(results, m, f"{where}.up", r"\[linux\] .*TEST up ok", SECONDS):
            return
        time.sleep(SETTLE_SECONDS)
        busy, asleep = idle_percent(m)
        results.note(f"{where}: cores run {busy} %, vCPUs are asleep {asleep} %")
        results.check(len(busy) == QEMU_CORES and max(busy) < BUSY_PERCENT,
                      f"{where}.cores_are_idle", f"{busy} % of a host's core each")
        results.check(len(asleep) == QEMU_CORES - 1 and min(asleep) > ASLEEP_PERCENT,
                      f"{where}.by_the_port", f"{asleep} % of the time")


def tests():
    return [("idle.sleep_port", sleep_port)]


def soak():
    return [("idle.linux", linux)]
