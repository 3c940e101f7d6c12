# SPDX-License-Identifier: BSD-2-Clause
"""Ways to start and to end the machine: the USB stick on UEFI and on BIOS, the
screen's hand-over, a reset and the log it keeps, many cores and much memory."""
import os
import re
import struct
import time

from harness import image, qr
from harness.machine import Machine
from system import _linux
from system._linux import QEMU_CORES, isolated, privileged, step

SECONDS = 240
SCREEN_CMDLINE = "console=tty0 console=ttyS0 bulkhead.test=cpus bulkhead.cpus=2"
KEPT = r"init: the hypervisor keeps (\d+) KiB"
KEPT_KIB = {2048: 6 << 10, 8192: 8 << 10}  # most, by the machine's MiB


def kept(results, m, where, memory):
    found = re.search(KEPT, m.text())
    results.check(found and int(found[1]) <= KEPT_KIB[memory], where + ".keeps_little",
                  f"{found and found[1]} KiB of {KEPT_KIB[memory]}")


def both_up(results, m, where, cores):
    steps = [("isolated_up", r"\[box\] .*TEST up ok"),
             ("privileged_up", r"\[linux\] .*TEST up ok"),
             ("cpus", r"\[linux\] .*TEST cpus ok"),
             ("cores", rf"init: {cores} cores?, ")]
    return all(step(results, m, f"{where}.{name}", line, SECONDS, 0)
               for name, line in steps)


def screens(results, m, where):
    """The log is on the screen until the privileged kernel draws there."""
    if not step(results, m, f"{where}.screen_given_away",
                r"the screen is now linux's", 90):
        return None
    before = m.screen("log")
    text = before.text()
    for line in (r"init: Bulkhead 0\.1, started by", r"Ctrl-\] switches consoles: log"):
        results.check(re.search(line, text), f"{where}.log_on_screen",
                      f"no /{line}/ among\n{text}")
    return before


def screen_is_linux(results, m, where, before):
    after = m.screen("linux")
    results.check(after.pixels != before.pixels and
                  "started by" not in after.text() and after.lit(),
                  f"{where}.screen_is_linux", "it still shows the hypervisor's log")


def protective_mbr(results, where, disk):
    """One entry covers the disk for those who do not know a GPT, and is not
    active; the one that is has no type (UEFI 5.2.3)."""
    with open(disk, "rb") as f:
        mbr = f.read(512)
    entries = [struct.unpack_from("<B3xB3xII", mbr, 446 + 16 * i) for i in range(4)]
    sectors = os.path.getsize(disk) // 512
    results.check(entries[0] == (0, 0xee, 1, sectors - 1), f"{where}.protective", entries)
    results.check([e[:2] for e in entries[1:]] == [(0x80, 0), (0, 0), (0, 0)],
                  f"{where}.active", entries)
    results.check(mbr[510:] == b"\x55\xaa", f"{where}.signature", mbr[510:])


def usb(firmware):
    """The image of `make usb` by its manifest's two guests, reset in between:
    the log of the boot before is shown at the next."""
    def run(results, folder):
        where = f"usb.{firmware}"
        disk = image.make(folder, image.manifest([
            privileged("", cmdline=SCREEN_CMDLINE),
            isolated("devices")]), _linux.payload(), "hybrid")
        protective_mbr(results, where, disk)
        with Machine("qemu", disk, folder, firmware, QEMU_CORES, memory=2048, person=True,
                     options=["--boot-as", "usb", "--keep-reset"],
                     timeout=SECONDS * 3) as m:
            before = screens(results, m, where)
            if not before or not both_up(results, m, where, QEMU_CORES):
                return
            screen_is_linux(results, m, where, before)
            kept(results, m, where, 2048)
            m.send("reboot\r")
            step(results, m, f"{where}.reboot_resets", r"ends: resetting the machine", 60)
            again(results, m, where, r"resetting the machine")
            step(results, m, f"{where}.up_again", r"TEST up ok", SECONDS)
            m.monitor("system_reset")
            again(results, m, where + ".system_reset", r"guest linux starts")
    return run


def again(results, m, where, last):
    """The machine starts anew and shows the log it had, @last included."""
    step(results, m, f"{where}.starts_again", r"init: Bulkhead 0\.1, started by", 90)
    step(results, m, f"{where}.log_kept", r"previous: the log of the boot before", 20)
    step(results, m, f"{where}.log_is_the_old", rf"previous: .*{last}", 20)
    step(results, m, f"{where}.log_ends", r"previous: end of the log before", 20)


SPARSE = "9,sockets=3,cores=3,threads=1"  # APIC ids 0 to 2, 4 to 6, 8 to 10
TABLES = 36


def extra_tables(folder):
    """QEMU's options for as many ACPI tables as a large server has."""
    data = os.path.join(folder, "table.bin")
    with open(data, "wb") as f:
        f.write(b"Bulkhead")
    return [word for n in range(TABLES)
            for word in ("--arg", "-acpitable", "--arg", f"sig=BX{n:02},data={data}")]


def many(results, folder):
    """Nine cores with gaps in their APIC ids, 8 GiB, 36 more ACPI tables, the
    devices on AHCI and e1000e: a privileged guest on four cores, the isolated one
    on another."""
    where = "many"
    with _linux.WebServer() as web:
        tests = f"cpus,net bulkhead.cpus=4 bulkhead.http=10.0.2.2:{web.port}"
        disk = image.make(folder, image.manifest([
            privileged(tests, vcpus="4", cores="1-4"), isolated("devices", cores="7")]),
            _linux.payload())
        options = ["--net", "e1000e", "--arg", "-smp", "--arg", SPARSE]
        with Machine("qemu", disk, folder, cores=8, memory=8192, timeout=SECONDS * 2,
                     options=options + extra_tables(folder)) as m:
            both_up(results, m, where, 9)
            found = re.search(r"acpi: (\d+) tables, 9 cores", m.text())
            results.check(found and int(found[1]) > TABLES, where + ".all_tables",
                          found and found[0])
            results.check("left out" not in m.text(), where + ".nothing_is_left_out", "")
            kept(results, m, where, 8192)


def one_core(results, folder):
    """Two guests take turns on the only core there is."""
    disk = image.make(folder, image.manifest([
        privileged("cpus bulkhead.cpus=1", cores="0"), isolated("devices", cores="0")]),
        _linux.payload())
    with Machine("qemu", disk, folder, cores=1, memory=2048, timeout=SECONDS * 2) as m:
        both_up(results, m, "one_core", 1)
        kept(results, m, "one_core", 2048)


# Uncorrected, processor context corrupt: nothing to go on with (SDM 3B 16.3.2.2)
MACHINE_CHECK = "mce 0 4 0xb200000000000175 0x4 0 0"


CORRECTED = "mce 0 {bank} 0x9400000000000151 0 0x12345000 0"
FIRMWARE_BANK = 5
POLL_S = 10  # arch/x86/machine/mce_poll.c
RESTART_S = 8


def firmware_first(folder):
    """QEMU's options for a HEST by which the firmware takes the corrected errors of a bank (ACPI
    6.5, 18.3.2.2)."""
    data = os.path.join(folder, "hest.bin")
    with open(data, "wb") as f:
        f.write(struct.pack("<I HHHBB II 28x B3x", 1, 1, 0, 0, 1, 0, 1, 1, 1))
        f.write(struct.pack("<BBBB IQIII", FIRMWARE_BANK, 0, 1, 0, 0, 0, 0, 0, 0))
    return ["--arg", "-acpitable", "--arg", f"sig=HEST,data={data}"]


def panic_image(folder, kind, cmdline):
    return image.make(folder, image.manifest(
        [privileged("", cores="1", cmdline=cmdline)], extra=f"panic = reboot {RESTART_S}"),
        _linux.payload(), kind)


def says_what_comes(results, m, where):
    step(results, m, f"{where}.says_what_comes",
         rf"panic: the machine is stopped; it restarts in {RESTART_S} s", SECONDS)


def code_on_screen(m):
    """The text of the code, which is drawn behind the last line."""
    end = time.monotonic() + RESTART_S
    code = None
    while not code and time.monotonic() < end:
        code = qr.read(m.screen("code"))
    return code or ""


def has_restarted(results, m, where):
    """By itself; and it shows the log that it had."""
    step(results, m, f"{where}.starts_again", r"init: Bulkhead .*started by", SECONDS)
    step(results, m, f"{where}.says_why", r"previous: the log of the boot before, which ended "
         r"in a panic", 60)
    step(results, m, f"{where}.shown_again", r"previous: .*panic: .*machine check", 60)


def survives(results, m):
    """The machine's button, and an error that the hardware has corrected: both are in the log, and
    Linux gets the first, whose reason it reads itself. Another one is the firmware's."""
    m.monitor("nmi")
    step(results, m, "panic.nmi_is_logged", r"nmi: warning: core 0 took 1: no reason in port 61h, "
         r"as of a button.*given to guest linux", 60)
    step(results, m, "panic.nmi_reaches_linux", r"NMI received for unknown reason [0-9a-f]0", 60,
         0)
    for bank in (FIRMWARE_BANK, 3):
        m.monitor(CORRECTED.format(bank=bank))
    step(results, m, "panic.corrected_is_logged", r"mce: warning: core 0, bank 3: an error that "
         r"was corrected: status 9400000000000151, address 12345000", 6 * POLL_S)
    results.check(f"bank {FIRMWARE_BANK}:" not in m.text(), "panic.firmware_first_is_left", "")


def panic(results, folder):
    """QEMU raises a fatal machine check on core 0, which is idle: the panic is on the serial line
    and on the screen, which Linux had. The machine restarts, and the loader writes the log to a
    file."""
    disk = panic_image(folder, "uefi", "console=tty0 console=ttyS0 bulkhead.test=")
    with Machine("qemu", disk, folder, memory=1024, timeout=SECONDS * 2, person=True,
                 options=["--keep-reset"] + firmware_first(folder)) as m:
        if not step(results, m, "panic.linux_up", r"TEST up ok", SECONDS):
            return
        survives(results, m)
        m.monitor(MACHINE_CHECK)
        step(results, m, "panic.names_the_cause", r"panic: .*machine check", SECONDS)
        step(results, m, "panic.registers", r"panic: +rip [0-9a-f]{16}", SECONDS)
        says_what_comes(results, m, "panic")
        text = m.screen("panic").text()
        results.check(re.search(r"panic: .*machine check", text), "panic.on_screen", text)
        code = code_on_screen(m)
        results.check(re.match(r"Bulkhead .*\n.*machine check.*\n.*rax [0-9a-f]{16}", code),
                      "panic.code_on_screen", code)
        step(results, m, "panic.restarts", r"panic: restarting the machine", 60)
        step(results, m, "panic.loader_says_where",
             r"the log of the boot before is in \\bulkhead\\crash-001.txt", SECONDS)
        has_restarted(results, m, "panic")
    saved = image.read(disk, "crash-001.txt").decode()
    results.check(re.search(r"init: Bulkhead .*started by.*panic: .*machine check", saved, re.S),
                  "panic.in_a_file", saved[-2000:])


def panic_bios(results, folder):
    """The same by GRUB, before Linux is up: it finds the log in a table of ACPI's after the
    restart."""
    disk = panic_image(folder, "grub-bios", _linux.CMDLINE + " bulkhead.test=crash")
    with Machine("qemu", disk, folder, "bios", memory=1024, timeout=SECONDS * 2, person=True,
                 options=["--keep-reset"]) as m:
        if not step(results, m, "panic_bios.starts", r"vm: guest linux starts", SECONDS):
            return
        m.monitor(MACHINE_CHECK)
        says_what_comes(results, m, "panic_bios")
        step(results, m, "panic_bios.restarts", r"panic: restarting the machine", 60)
        has_restarted(results, m, "panic_bios")
        step(results, m, "panic_bios.linux_has_it", r"CRASH .*panic: .*machine check", SECONDS)
        step(results, m, "panic_bios.linux_is_up", r"TEST crash ok", SECONDS)


def tests():
    return [("boot.usb_uefi", usb("ovmf")), ("boot.usb_bios", usb("bios")),
            ("boot.one_core", one_core), ("boot.many", many),
            ("boot.panic", panic), ("boot.panic_bios", panic_bios)]
