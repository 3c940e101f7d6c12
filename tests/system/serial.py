# SPDX-License-Identifier: BSD-2-Clause
"""The hypervisor's serial line where a server has it: at COM2, as SPCR says, where
its service processor listens; on a PCI card, as the manifest says; where the firmware's
console is shown, as UEFI says; at the rate that firmware left behind GRUB; nowhere."""
import os
import re
import struct

from harness import image
from harness.machine import Machine
from system._linux import step

SECONDS = 120
PCI_SLOT = 0x1b
STARTED = r"init: Bulkhead 0\.1, started by"
LCR, DLAB, EIGHT_BITS, DIVISOR_38400 = 3, 0x80, 3, 3


def spcr(port, irq):
    """An SPCR table of revision 2 (Microsoft), without its header: a 16550 with an
    ISA interrupt, its rate to be kept, and no PCI function."""
    return struct.pack("<B3xBBBBQ BBIBBBBBx HHBBBIB4x", 0, 1, 8, 0, 1, port,
                       1, irq, 0, 0, 0, 1, 0, 0, 0xffff, 0xffff, 0, 0, 0, 0, 0)


def machine(folder, conf, cmdline, options, person=True, by_grub=()):
    """@by_grub: commands of GRUB's, which then starts it on a BIOS."""
    guest = {"name": "serial", "privileged": "yes", "kernel": "serial.elf",
             "cores": "0", "memory": "rest", "cmdline": cmdline}
    files = {"serial.elf": os.path.join(image.BUILD, "tests/guest/serial.elf")}
    kind, firmware = ("grub-bios", "bios") if by_grub else ("uefi", "ovmf")
    disk = image.make(folder, image.manifest([guest], "switch", conf), files, kind,
                      [word for command in by_grub for word in ("--grub", command)])
    return Machine("qemu", disk, folder, firmware, cores=1, memory=512, options=options,
                   timeout=SECONDS, person=person)


def guest_is_well(results, m, where, look=None):
    """All that the log said before there was a UART is on it, in order; the guest is
    shown there, gets what is typed and reaches nothing of it. While it runs, @look."""
    step(results, m, f"{where}.from_the_first_line", STARTED, SECONDS)
    if step(results, m, f"{where}.guest_runs", r"READY", SECONDS):
        if look:
            look()
        m.send("x")
    step(results, m, f"{where}.done", r"DONE \d+ 0", SECONDS)
    for name in re.findall(r"FAIL (\S+.*)", m.text()):
        results.check(False, f"{where}.{name}")


def com2(results, folder):
    """No COM1. The line's interrupt, IRQ 3, is found to work."""
    os.makedirs(folder, exist_ok=True)
    table = os.path.join(folder, "spcr")
    with open(table, "wb") as f:
        f.write(spcr(0x2f8, 3))
    with machine(folder, "", "port=760",
                 ["--uart", "com2", "--arg", "-acpitable",
                  "--arg", f"sig=SPCR,rev=2,data={table}"]) as m:
        guest_is_well(results, m, "serial.com2")
        step(results, m, "serial.com2.by_spcr", "serial line at port 0x2f8, by SPCR", SECONDS, 0)
        results.check("polling it" not in m.text(), "serial.com2.by_interrupt")


def pci(results, folder):
    """Named by its function, at a rate, and polled."""
    with machine(folder, f"serial = pci:00:{PCI_SLOT:02x}.0,57600",
                 f"devfn={PCI_SLOT << 3}",
                 ["--uart", f"pci:{PCI_SLOT:#x}"]) as m:
        guest_is_well(results, m, "serial.pci")
        step(results, m, "serial.pci.by_manifest",
             r"serial line at port 0x[0-9a-f]+ of 0000:00:1b\.0, by bulkhead\.conf", SECONDS, 0)
        step(results, m, "serial.pci.polled", "polling it", SECONDS, 0)


# Where it is, and how the log says so
SHOWN_ON = {"com2": ("com2", "port=760", r"port 0x2f8"),
            "function": (f"pci:{PCI_SLOT:#x}", f"devfn={PCI_SLOT << 3}",
                         r"port 0x[0-9a-f]+ of 0000:00:1b\.0")}


def conout(name):
    """No table names it, nor does the manifest."""
    def run(results, folder):
        uart, cmdline, place = SHOWN_ON[name]
        where = f"serial.conout_{name}"
        with machine(folder, "", cmdline, ["--uart", uart]) as m:
            guest_is_well(results, m, where)
            step(results, m, f"{where}.by_the_firmware",
                 rf"serial line at {place}, by the firmware's console", SECONDS, 0)
    return run


def divisor(m, port):
    """Of the UART at @port, whose registers are as they were afterwards."""
    def read(register):
        return int(re.search(r"= (0x[0-9a-f]+)", m.monitor(f"i /b {port + register:#x}"))[1],
                   16)

    m.monitor("stop")
    lcr = read(LCR)
    m.monitor(f"o /b {port + LCR:#x} {lcr | DLAB:#x}")
    value = read(0) | read(1) << 8
    m.monitor(f"o /b {port + LCR:#x} {lcr:#x}")
    m.monitor("cont")
    return value


def grub(name):
    """Firmware shows its console on a UART of 38400 baud. GRUB's menu is there, and the
    hypervisor speaks on at that rate."""
    port = {"com1": 0x3f8, "com2": 0x2f8}[name]

    def run(results, folder):
        where = f"serial.grub_{name}"

        def look():
            found = divisor(m, port)
            results.check(found == DIVISOR_38400, f"{where}.rate_as_found",
                          f"divisor {found}")

        firmware = [f"outb {port + register:#x} {value:#x}" for register, value in
                    ((LCR, DLAB | EIGHT_BITS), (0, DIVISOR_38400), (1, 0), (LCR, EIGHT_BITS))]
        with machine(folder, "", "port=760", ["--uart", name],
                     by_grub=[*firmware, "set timeout=600"]) as m:
            if step(results, m, f"{where}.menu", "Check this machine", SECONDS):
                m.send("\r")
            guest_is_well(results, m, where, look)
    return run


def none(results, folder):
    """The screen is all there is, and it shows the log."""
    with machine(folder, "serial = com2", "port=760", ["--uart", "none"]) as m:
        text = m.screen_with(r"the screen is now serial's|no guest can run", SECONDS,
                             "log").text()
        for name, line in (("from_the_first_line", STARTED),
                           ("told", "no UART answers at port 0x2f8"),
                           ("guest", "guest serial: privileged")):
            results.check(re.search(line, text), f"serial.none.{name}", text)


def tests():
    return [("serial.com2", com2), ("serial.pci", pci),
            *((f"serial.conout_{name}", conout(name)) for name in SHOWN_ON),
            *((f"serial.grub_{name}", grub(name)) for name in ("com1", "com2"))]


def soak():
    """`tests/run --long serial`."""
    return [("serial.none", none)]
