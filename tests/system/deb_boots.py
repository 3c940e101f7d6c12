# SPDX-License-Identifier: BSD-2-Clause
"""The Debian package at work: GRUB's entry, as the package makes it, starts a small
Linux; the long ones install the package on a Debian with a disk of its own and start
that as the privileged guest.

Each boot has an emulator of its own, which a reset ends. QUIRK(tcg-7.2): across a
reset, a page keeps all that was ever translated of it. As GRUB clears memory where a
busy Linux had its programs, each store looks through that: one page takes minutes."""
import os
import shutil

from harness import debian
from harness.machine import Machine
from system._linux import CMDLINE, GUESTS, QEMU_CORES, step
from system.check import by_grub
from system.deb import NEW, Host, package

SECONDS = 900  # a step, where the host has other work, too
MENU_SECONDS = 240
# QUIRK(tcg-7.2): on `max` without SVM a Debian by itself finds no mount that it makes
UNFIT = ("--cpu", "qemu64,-svm")
# Of each boot: the firmware, who starts Debian, and what Debian does. The last step
# ends the boot, and who would tell of it. What else starts has a name, and no steps.
BOTH = [("bios", "firmware", "install report try reboot"),
        ("bios", "bulkhead", "forgotten log write reboot"),
        ("ovmf", "firmware", "written try reboot"),
        ("ovmf", "bulkhead", "forgotten default reboot"),
        # By the first one's firmware: under UEFI update-grub makes one entry more
        ("bios", "bulkhead", "undo purge clean poweroff")]
NEXT = [("ovmf", "firmware", "install report try reboot"),
        ("ovmf", "bulkhead", "forgotten log write poweroff")]
FAILS = [("bios", "firmware", "install spoil try reboot"), ("bios", "nobody", ""),
         ("bios", "firmware", "forgotten refuse check reboot", *UNFIT),
         ("bios", "check", "", *UNFIT)]
# GRUB loads no hypervisor there, and starts the same kernel without it
SECURE = [("secure", "firmware", "install secure reboot"),
          ("secure", "fallback", "forgotten poweroff")]
PRIVILEGED = "init: guest debian: privileged"
# What comes before Debian
BEFORE = {"firmware": "Linux version", "bulkhead": PRIVILEGED,
          "fallback": "Bulkhead could not be loaded"}
# Around the entries, as update-grub has it; what is first starts if nothing is asked for
LOAD = "load_env\nmenuentry_id_option=--id\nmenuentry plain { halt }\n"
FORGET = "set next_entry=\nsave_env next_entry\nset timeout=0\n"


class Boot:
    """One row of a plan, on a machine of its own."""

    def __init__(self, results, machine, where):
        self.results, self.machine, self.where = results, machine, where

    def sees(self, word, pattern):
        return step(self.results, self.machine, f"{self.where}_{word}", pattern, SECONDS)

    def starts(self, who, steps):
        teller = "bulkhead" if who == "bulkhead" else "firmware"
        return (self.sees("before", BEFORE[who]) and
                self.sees(f"by_{who}", rf"TEST boot \d+ by {teller} root ok") and
                all(self.sees(word, rf"TEST {word} ok") for word in steps.split()[:-1]) and
                self.ends())

    def nobody(self):
        return (self.sees("by_nobody", "no guest can run; the machine restarts in 30 s") and
                self.ends())

    def check(self):
        by_grub(self.results, self.machine, f"{self.where}_check",
                {"virtualization": ("FAIL", "AMD-V"), "cores": ("PASS", f"{QEMU_CORES}, ")})
        return True

    def ends(self):
        """By a reset or by switching off."""
        return self.results.check(self.machine.wait_end(SECONDS), f"{self.where}_ends",
                                  "the machine still runs")

    def run(self, who, steps):
        """False: what follows has no sense."""
        if who == "check":
            return self.check()
        return self.nobody() if who == "nobody" else self.starts(who, steps)


def boots(name, plan, suite=debian.SUITE):
    def run(results, folder):
        disk = debian.disk(folder, package(), [row[2] for row in plan if row[2]], suite,
                           plan[0][0] == "secure")
        for n, (firmware, who, steps, *options) in enumerate(plan, 1):
            where = f"deb.{name}.boot_{n}"
            with Machine("qemu", disk, os.path.join(folder, str(n)), firmware, QEMU_CORES,
                         memory=1536, timeout=SECONDS * 4, options=options,
                         person=who == "check") as m:
                if not Boot(results, m, where).run(who, steps):
                    return
    return run


def menu(results, folder):
    """The next boot only: GRUB forgets the entry as it starts it."""
    host = Host(folder)
    env = {"FAKE_UUID": debian.UUID, "GRUB_DEVICE_UUID": debian.UUID,
           "GRUB_CMDLINE_LINUX": f"{CMDLINE} bulkhead.test=poweroff",
           "GRUB_CMDLINE_LINUX_DEFAULT": ""}
    host.write(f"dev/disk/by-uuid/{debian.UUID}", "")
    for name, guest in (("vmlinuz", "vmlinuz"), ("initrd.img", "privileged.cpio")):
        shutil.copy(os.path.join(GUESTS, guest), host.path(f"boot/{name}-{NEW}"))
    host.run("control/postinst", "configure", **env)
    host.write("boot/grub/grub.cfg", LOAD + host.read("boot/grub/grub.cfg") + FORGET)
    done, said = host.run("usr/sbin/bulkhead-try")
    results.check(done, "deb.menu.try", said)
    disk = debian.small_disk(folder, host.root)
    with Machine("qemu", disk, folder, "bios", QEMU_CORES, memory=1024,
                 timeout=MENU_SECONDS * 2) as m:
        where = "deb.menu"
        step(results, m, f"{where}.privileged", PRIVILEGED, MENU_SECONDS)
        step(results, m, f"{where}.command_line", rf"Command line: BOOT_IMAGE=/boot/vmlinuz-{NEW} "
             rf".*root=UUID={debian.UUID} .*bulkhead\.entry={NEW} panic=60", MENU_SECONDS)
        step(results, m, f"{where}.up", "TEST up ok", MENU_SECONDS)
        results.check(m.wait_end(MENU_SECONDS), f"{where}.ends", "the machine still runs")
    left = debian.read(disk, "/boot/grub/grubenv")
    results.check(left.startswith("# GRUB Environment") and "next_entry=bulkhead" not in left,
                  "deb.menu.forgotten", left)


def tests():
    return [("deb.menu", menu)]


def soak():
    return [("deb.bios_and_uefi", boots("bios_and_uefi", BOTH)),
            ("deb.next", boots("next", NEXT, debian.NEXT_SUITE)),
            ("deb.fails", boots("fails", FAILS)), ("deb.secure", boots("secure", SECURE))]
