# SPDX-License-Identifier: BSD-2-Clause
"""Two stock Linux guests: the privileged one at work on its disk and network,
the isolated one beside it, and the ends of both."""
import os
import re

from harness import image
from harness.machine import Machine, cores_for
from system import _linux
from system._linux import LAST_CORE, QEMU_CORES, isolated, privileged, step

QEMU_SECONDS = 240
DISK_SECONDS = 900  # on a busy host the drivers of 40 disks are slow to start
# What can write to any address and send any message: an HPET with FSB routes,
# and a DMA engine. Their messages have vectors of exceptions.
MESSENGERS = ["--arg", "-global", "--arg", "hpet.msi=on",
              "--arg", "-device", "--arg", "edu,dma_mask=0xffffffffffffffff"]
MESSAGES = (8, 13, 14, 16, 18, 29, 31)
BOCHS_SECONDS = 1200
DISKS = 40
DISK_CORES = 4


def at_work(results, m, where, seconds, tests):
    """Both guests come up, every named test passes, the machine powers off."""
    step(results, m, f"{where}.isolated_up", r"\[box\] .*TEST up ok", seconds)
    for test in tests:
        step(results, m, f"{where}.{test}", rf"\[linux\] .*TEST {test} ok", seconds, 0)
    step(results, m, f"{where}.isolated_devices", r"\[box\] .*TEST devices ok", seconds, 0)
    step(results, m, f"{where}.stops_in_order",
         r"box.*\n(.*\n)*.*linux.*\n(.*\n)*.*power", seconds, 0)
    results.check(m.wait_end(60), f"{where}.powers_off", "the machine still runs")
    for word in ("BUG:", "Oops", "Call Trace", "rcu_sched self-detected", "panic",
                 "ioremap error"):
        # pvpanic is a device
        results.check(not re.search(rf"\b{word}", m.text()),
                      f"{where}.no_{word.split()[0].strip(':')}", f"the log has '{word}'")


def qemu_uefi(results, folder):
    with _linux.WebServer() as web:
        disk = image.make(folder, image.manifest([
            privileged("walls,chipset,messages,suspend,disk,net,console,poweroff iomem=relaxed nopat "
                       f"bulkhead.http=10.0.2.2:{web.port}"),
            isolated("devices")]), _linux.payload())
        nvme = _linux.data_disk(folder, "nvme.img")
        with Machine("qemu", disk, folder, cores=QEMU_CORES, memory=2048,
                     timeout=QEMU_SECONDS * 2,
                     options=["--nvme", nvme, "--net", "virtio", *MESSENGERS]) as m:
            at_work(results, m, "qemu.uefi", QEMU_SECONDS,
                    ("up", "walls", "chipset", "messages", "suspend", "disk", "net",
                      "console"))
            for vector in MESSAGES:
                results.check(f"interrupt {vector:#x} that nobody asked for" in m.text(),
                              f"qemu.uefi.message_{vector}", "the log does not have it")


def qemu_grub(kind, firmware):
    def run(results, folder):
        where = f"qemu.{kind}"
        files = _linux.payload()
        files["button.elf"] = os.path.join(image.BUILD, "tests/guest/acpi_pm.elf")
        asked = [{"name": name, "kernel": "button.elf", "cmdline": f"button {name}",
                  "memory": "16M", "cores": str(LAST_CORE), "shutdown_grace": "2"}
                 for name in ("obedient", "deaf")]
        disk = image.make(folder, image.manifest([
            privileged("disk,poweroff"), isolated("devices"), *asked]), files, kind)
        nvme = _linux.data_disk(folder, "nvme.img")
        with Machine("qemu", disk, folder, firmware, QEMU_CORES, memory=1024,
                     timeout=QEMU_SECONDS * 2, options=["--nvme", nvme]) as m:
            at_work(results, m, where, QEMU_SECONDS, ("up", "disk"))
            for name, line in (
                    ("button_pressed", r"\[obedient\] .*PASS pm.power_button"),
                    ("button_obeyed", "guest obedient powers off: it powered off"),
                    ("grace_is_over", r"has 2 s to.*\n(.*\n)*.*guest deaf .*machine ends")):
                results.check(re.search(line, m.text()), f"{where}.{name}",
                              f"the log has no line with /{line}/")
    return run


def bochs_ovmf(results, folder):
    disk = image.make(folder, image.manifest([
        privileged("walls,disk,console,poweroff", cores="0-1"),
        isolated("devices", cores="1")]), _linux.payload())
    ide = _linux.data_disk(folder, "ide.img")
    with Machine("bochs", disk, folder, "ovmf", memory=768, timeout=BOCHS_SECONDS,
                 options=["--ide", ide]) as m:
        at_work(results, m, "bochs.ovmf", BOCHS_SECONDS, ("up", "disk", "console"))


def isolated_ends(results, folder):
    """What the isolated guest does to itself concerns it alone."""
    names = ("poweroff", "reboot", "crash", "loop")
    disk = image.make(folder, image.manifest(
        [privileged("wait60,disk,poweroff")] +
        [isolated(n, name=n, memory="96M") for n in names]), _linux.payload())
    nvme = _linux.data_disk(folder, "nvme.img")
    with Machine("qemu", disk, folder, cores=QEMU_CORES, memory=1536,
                 timeout=QEMU_SECONDS * 3,
                 options=["--nvme", nvme]) as m:
        where = "isolated_ends"
        step(results, m, f"{where}.poweroff", r"poweroff.*power(ed|s)? ?off", 300, 0)
        step(results, m, f"{where}.reboot", r"guest reboot.*re(set|boot|start)", 300, 0)
        step(results, m, f"{where}.reboot_again",
             r"\[reboot\] .*TEST up ok(.*\n)+.*\[reboot\] .*TEST up ok", 300, 0)
        step(results, m, f"{where}.crash", r"guest crash.*triple fault", 300, 0)
        step(results, m, f"{where}.crash_registers", r"(?i)rip[ =:]", 300, 0)
        step(results, m, f"{where}.others_go_on", r"\[linux\] .*TEST disk ok", 400, 0)
        results.check(m.wait_end(90), f"{where}.powers_off", "the machine still runs")


def disks(results, folder):
    """More interrupts than a core has vectors: 40 disks with 5 each."""
    options = []
    for n in range(DISKS):
        path = os.path.join(folder, f"disk{n}.img")
        with open(path, "wb") as f:
            f.truncate(16 << 20)
        options += ["--arg", "-drive", "--arg", f"if=none,id=d{n},format=raw,file={path}",
                    "--arg", "-device", "--arg",
                    f"nvme,drive=d{n},serial=d{n},addr={0x10 + n // 8:x}.{n % 8},multifunction=on"]
    cores, first, last = cores_for("qemu", DISK_CORES)
    disk = image.make(folder, image.manifest([
        privileged(f"disks,poweroff bulkhead.disks={DISKS}", cores=f"{first}-{last}",
                   vcpus=DISK_CORES)]), _linux.payload())
    with Machine("qemu", disk, folder, cores=cores, memory=1024,
                 timeout=DISK_SECONDS * 2, options=options) as m:
        step(results, m, "disks.up", r"\[linux\] .*TEST up ok", DISK_SECONDS)
        step(results, m, "disks.io", r"\[linux\] .*TEST disks ok", QEMU_SECONDS, 0)
        results.check(m.wait_end(60), "disks.powers_off", "the machine still runs")
        for word in ("vectors are taken", "nobody asked for", "storms"):
            results.check(word not in m.text(), f"disks.no_{word.split()[0]}",
                          f"the log has '{word}'")


def tests():
    return [("linux.bochs_ovmf", bochs_ovmf),
            ("linux.isolated_ends", isolated_ends),
            ("linux.qemu_uefi", qemu_uefi),
            ("linux.qemu_grub_bios", qemu_grub("grub-bios", "bios")),
            ("linux.qemu_grub_uefi", qemu_grub("grub-uefi", "ovmf"))]


def soak():
    return [("linux.disks", disks)]
