# SPDX-License-Identifier: BSD-2-Clause
"""Guests that are not Linux, from Debian packages, on both back-ends: firmware
to its menu or prompt, memtest86+ through a whole pass. docs/guests.md says what
each one shows."""
import os
import re
import subprocess

from harness import bios, image
from harness.machine import ANSI, ROOT, Machine, cores_for
from system._linux import step

FIRMWARE = {"qemu": "ovmf", "bochs": "bios"}
KIND = {"qemu": "uefi", "bochs": "hybrid"}
BACKEND = {"qemu": "svm", "bochs": "vmx"}
SECONDS = {"qemu": 120, "bochs": 400}
LIFE_SECONDS = {"qemu": 900, "bochs": 2400}  # a hung machine's
MEMTEST_SECONDS = {"qemu": 420, "bochs": 1500}
CACHE = os.environ.get("CACHE", os.path.join(ROOT, "build/cache"))

UBOOT = "usr/lib/u-boot/{}/u-boot.rom"
SERIAL_SCREEN = 'etc/sercon-port "\\xf8\\x03"'  # 3F8h: its screen is COM1


def payloads():
    """The folder with the packages' files, fetched once."""
    folder = os.path.join(CACHE, "payloads")
    subprocess.run([os.path.join(ROOT, "scripts/fetch-payloads"), folder], check=True)
    return folder


def conf(name, **keys):
    return {"name": name, "memory": "64M", "cores": "0", **keys}


def lines(guest, more):
    """The manifest's text; @more: keys that it has several times."""
    text = image.manifest([guest], console="switch",
                          extra=f"focus = {guest['name']}")
    return text + "".join(f"{k} = {v}\n" for k, v in more)


class Guest:
    """One guest on a machine with somebody at its terminal."""

    def __init__(self, results, folder, emulator, guest, files, more=(), cores=1):
        self.results, self.emulator = results, emulator
        self.where = f"guests.{BACKEND[emulator]}.{guest['name']}"
        disk = image.make(folder, lines(guest, more), files, KIND[emulator])
        self.machine = Machine(emulator, disk, folder, FIRMWARE[emulator], cores,
                               memory=512, timeout=LIFE_SECONDS[emulator],
                               person=True)

    def __enter__(self):
        self.machine.__enter__()
        return self

    def __exit__(self, *exc):
        self.machine.__exit__(*exc)

    def sees(self, name, pattern, seconds=None):
        return step(self.results, self.machine, f"{self.where}.{name}", pattern,
                    seconds or SECONDS[self.emulator])

    def type(self, keys):
        self.machine.send(keys)

    def stop_at(self, keys, name, pattern):
        """A key that counts only while the program waits for it, and Bochs'
        guest time runs away from ours while it does: typed again and again,
        until @pattern is there."""
        end = self.machine.clock() + SECONDS[self.emulator]
        while self.machine.clock() < end and self.machine.process.poll() is None:
            self.type(keys)
            if self.machine.expect(pattern, 0.25):
                return self.results.check(True, f"{self.where}.{name}", "")
        return self.sees(name, pattern, 1)


def seabios(results, folder, emulator):
    """From the reset vector in real mode to the boot menu."""
    guest = conf("seabios", firmware="bios-256k.bin", debug_console="yes")
    with Guest(results, folder, emulator, guest, bios.FILES,
               [("fw_cfg", SERIAL_SCREEN),
                ("fw_cfg", 'etc/boot-menu-wait "\\x10\\x27"')]) as g:
        g.sees("starts", r"SeaBIOS \(version")
        if g.sees("offers_menu", r"Press ESC for boot menu"):
            g.stop_at("\x1b", "menu", r"Select boot device:")


def ipxe(results, folder, emulator):
    """A real-mode Linux image, started by SeaBIOS as QEMU's -kernel is."""
    guest = conf("ipxe", **bios.keys("ipxe.lkrn"))
    files = {**bios.FILES, "ipxe.lkrn": os.path.join(payloads(), "boot/ipxe.lkrn")}
    with Guest(results, folder, emulator, guest, files,
               [("fw_cfg", SERIAL_SCREEN)]) as g:
        if g.sees("starts", r"iPXE initialising devices"):
            g.stop_at("\x02", "prompt", r"iPXE> ")


def grub(results, folder, emulator):
    """GRUB as SeaBIOS's payload, to its prompt and the memory it is told."""
    guest = conf("grub", **bios.keys("grub.lkrn"))
    kernel = bios.grub_image(folder, ("normal", "ls", "echo", "lsmmap"))
    with Guest(results, folder, emulator, guest,
               {**bios.FILES, "grub.lkrn": kernel},
               [("fw_cfg", SERIAL_SCREEN)]) as g:
        if g.sees("starts", r"GNU GRUB +version 2") and g.sees("prompt", r"grub>"):
            g.type("lsmmap\r")
            g.sees("memory", r"base_addr = 0x100000, length = 0x3\w+, available RAM")


def uboot(board):
    def run(results, folder, emulator):
        guest = conf(board, firmware="u-boot.rom")
        files = {"u-boot.rom": os.path.join(payloads(), UBOOT.format(board))}
        with Guest(results, folder, emulator, guest, files) as g:
            g.sees("starts", r"U-Boot 20\d\d")
            g.sees("memory", r"DRAM: +64 MiB")
            g.stop_at(" ", "prompt", r"=> ")
            g.type("version\r")
            g.sees("answers", r"version\s+U-Boot 20\d\d[^=]*=> ")
    return run


def stream(machine, name):
    """What a guest has written, from a log of all consoles."""
    with open(machine.serial_path, "rb") as f:
        mark = f"[{name}] ".encode()
        parts = [line[len(mark):].rstrip(b"\r\n") for line in f
                 if line.startswith(mark)]
    return ANSI.sub(b" ", b"".join(parts)).decode("ascii", "replace")


# What it shows of so many vCPUs
SMP = {1: ("1 Cores", "SMP: Disabled"), 2: ("2 Cores", "SMP: 2T (PAR)")}
MEMTEST = {"x64": "memtest86+x64.bin", "ia32": "memtest86+ia32.bin"}


def memtest(results, folder, emulator, builds=tuple(MEMTEST), vcpus=2, memory="8M"):
    """The @builds beside each other, one whole pass. Test #10 alone waits 160
    seconds."""
    boot = os.path.join(payloads(), "boot")
    cores, first, last = cores_for(emulator, vcpus)
    guests = [{"name": n, "kernel": MEMTEST[n], "memory": memory, "vcpus": str(vcpus),
               "cores": f"{first}-{last}", "cmdline": "console=ttyS0"}
              for n in builds]
    disk = image.make(folder, image.manifest(guests),
                      {MEMTEST[n]: os.path.join(boot, MEMTEST[n]) for n in builds},
                      KIND[emulator])
    seconds = MEMTEST_SECONDS[emulator]
    with Machine(emulator, disk, folder, FIRMWARE[emulator], cores, memory=512,
                 timeout=seconds + 60) as m:
        passed = {}
        end = m.clock() + seconds
        while len(passed) < len(builds) and m.clock() < end and \
                not m.expect(r"crashed|cannot be loaded", 5, 0):
            passed = {n: True for n in builds
                      if re.search(r"Pass: +[1-9]", stream(m, n))}
        for n in builds:
            where = f"guests.{BACKEND[emulator]}.memtest_{n}"
            text = stream(m, n)
            results.check(all(s in text for s in SMP[vcpus]), f"{where}.all_vcpus",
                          text[-2000:])
            results.check(n in passed, f"{where}.pass", text[-2000:])
            results.check(re.search(r"Errors: +0", text)
                          and not re.search(r"Errors: +[1-9]", text),
                          f"{where}.no_error", text[-2000:])
        if len(passed) < len(builds):
            results.note(m.tail())


def tests():
    cases = [("seabios", seabios), ("ipxe", ipxe), ("grub", grub), ("uboot", uboot("qemu-x86")),
             ("uboot64", uboot("qemu-x86_64"))]
    both = [(name, run, emulator) for name, run in cases
            for emulator in ("bochs", "qemu")]
    return [(f"guests.{BACKEND[emulator]}.{name}",
             lambda results, folder, run=run, emulator=emulator:
             run(results, folder, emulator))
            for name, run, emulator in [("memtest", memtest, "qemu")] + both]


def soak():
    """A pass takes Bochs ten minutes for one build, one vCPU and 6 MiB."""
    return [(f"guests.vmx.memtest_{n}",
             lambda results, folder, n=n:
             memtest(results, folder, "bochs", (n,), 1, "6M"))
            for n in MEMTEST]
