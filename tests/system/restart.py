# SPDX-License-Identifier: BSD-2-Clause
"""The privileged guest's own life: its kernel panics under load, it alone starts again,
and the guest beside it does not notice."""
import os
import re

from harness import control as tools, image
from harness.machine import Machine, cores_for
from system import _linux, control
from system._linux import step

SECONDS = 600
BOCHS_SECONDS = 900
SHARING = ("sharing_disk", "sharing_before", "sharing_nothing", "sharing_create", "sharing_says",
           "sharing_reads")
SHARING_AGAIN = ("sharing_disk", "sharing_before", "sharing_lives", "sharing_granted",
                 "sharing_audit", "sharing_device", "sharing_reads_again", "sharing_stop",
                 "sharing_no_more", "sharing_start", "sharing_says_again", "sharing_destroy",
                 "sharing_gone", "sharing")


def run(results, folder, where, emulator, seconds, options=()):
    """Panic, second life with its disk and control device, power-off."""
    cores, first, last = control.cores_for(emulator, 2)
    witness = os.path.join(image.BUILD, "tests/guest/witness.elf")
    files = {"vmlinuz": _linux.payload()["vmlinuz"],
             "privileged.cpio": control.initrd(folder), "witness": witness,
             "echo": os.path.join(image.BUILD, "tests/guest/echo.elf")}
    tests = "panic,disk,control,poweroff" if options else "panic,control,poweroff"
    guests = [_linux.privileged(tests, cores=str(first), vcpus="1"),
              {"name": "box", "kernel": "echo", "memory": "16M", "vcpus": "1",
               "cores": str(last)},
              {"name": "witness", "kernel": "witness", "memory": "16M", "vcpus": "1",
               "cores": str(last), "cmdline": "typed"}]
    disk = image.make(folder, image.manifest(guests, extra="guest-memory = 16M"), files)
    with Machine(emulator, disk, folder, cores=cores, memory=512, timeout=seconds * 3,
                 options=list(options)) as m:
        step(results, m, f"{where}.up", r"\[linux\] .*TEST up ok", seconds)
        step(results, m, f"{where}.panics", r"\[linux\] .*TEST panic begins", seconds)
        step(results, m, f"{where}.noticed", r"guest linux crashed: its kernel panicked",
             seconds)
        step(results, m, f"{where}.restarts", r"guest linux starts again, alone \(1 of 3",
             seconds)
        step(results, m, f"{where}.up_again", r"\[linux\] .*TEST up ok", seconds)
        for test in tests.split(",")[:-1]:
            step(results, m, f"{where}.{test}", rf"\[linux\] .*TEST {test} ok", seconds)
        results.check(m.wait_end(seconds), f"{where}.powers_off", "the machine still runs")
        text = m.text()
        results.check(re.search(r"\[witness\] DONE 6 0", text), f"{where}.witness",
                      "\n".join(re.findall(r"\[witness\] .*", text)) or m.tail())
        results.check(text.count("guest box starts") == 1, f"{where}.box_lives_on",
                      "it has started again, or never")
        for word in ("FAILED", "BUG:", "does not answer"):
            results.check(word not in text, f"{where}.no_{word.split()[0].strip(':')}",
                          f"the log has '{word}'")


def svm(results, folder):
    nvme = _linux.data_disk(folder, "nvme.img")
    run(results, folder, "restart.svm", "qemu", SECONDS, ["--nvme", nvme])


def vmx(results, folder):
    """i440FX: no function there can be reset, so all of them only lose bus mastering."""
    run(results, folder, "restart.vmx", "bochs", BOCHS_SECONDS)


def full(results, folder):
    """Guests have used up the hypervisor's memory when the kernel panics."""
    cores, first, _ = cores_for("qemu", 2)
    os.makedirs(folder, exist_ok=True)
    files = {"vmlinuz": _linux.payload()["vmlinuz"],
             "privileged.cpio": tools.initrd(
                 folder, {"boot/tiny": tools.stripped(folder, "tests/bench/tiny.elf")},
                 ("bhctl.sh", "full.sh"))}
    disk = image.make(folder, image.manifest(
        [_linux.privileged("full,poweroff", cores=str(first), vcpus="1")],
        extra="guest-memory = 256M"), files)
    with Machine("qemu", disk, folder, cores=cores, memory=1024, timeout=SECONDS * 3) as m:
        step(results, m, "restart.full.up", r"\[linux\] .*TEST up ok", SECONDS)
        step(results, m, "restart.full.many", r"\[linux\] .*FULL (\d+)", SECONDS)
        step(results, m, "restart.full.restarts", r"guest linux starts again, alone", SECONDS)
        step(results, m, "restart.full.up_again", r"\[linux\] .*TEST up ok", SECONDS)
        for test in ("full_reason", "full_event", "full_alive", "full_limit", "full_destroy", "full_room", "full"):
            step(results, m, f"restart.full.{test}", rf"\[linux\] .*TEST {test} ok", SECONDS)
        counts = re.findall(r"FULL (?:again )?(\d+)", m.text())
        results.check(len(counts) == 2 and counts[0] == counts[1] and int(counts[0]) > 10,
                      "restart.full.all_live", f"{counts} guests ran before and after")
        results.check(m.wait_end(SECONDS), "restart.full.powers_off", "the machine still runs")


def sharing(results, folder, where, emulator, seconds):
    """A guest shares its memory with a privileged guest that panics. It goes on, and the
    next life has its memory again, once there is a bhd. That one reads on the disk what
    the bhd before it had."""
    cores, first, last = cores_for(emulator, 2)
    os.makedirs(folder, exist_ok=True)
    state = _linux.data_disk(folder, "data.img")
    files = {"vmlinuz": _linux.payload()["vmlinuz"],
             "privileged.cpio": tools.initrd(
                 folder, {"boot/echo": os.path.join(image.BUILD, "tests/guest/echo.elf"),
                          "bin/peek": tools.program(folder, "peek")},
                 ("bhctl.sh", "sharing.sh"))}
    guests = [_linux.privileged("sharing,poweroff", cores=f"{first}-{last}", vcpus="1")]
    disk = image.make(folder, image.manifest(guests, extra="guest-memory = 16M"), files,
                      "hybrid" if emulator == "bochs" else "uefi")
    options = ["--ide" if emulator == "bochs" else "--nvme", state]
    with Machine(emulator, disk, folder, cores=cores, memory=768, timeout=seconds * 3,
                 options=options) as m:
        for check in SHARING:
            step(results, m, f"{where}.{check}", rf"\[linux\] .*TEST {check} ok", seconds)
        step(results, m, f"{where}.panics", r"\[linux\] .*TEST sharing panics", seconds)
        step(results, m, f"{where}.restarts", r"guest linux starts again, alone", seconds)
        for check in SHARING_AGAIN:
            step(results, m, f"{where}.again.{check}", rf"\[linux\] .*TEST {check} ok", seconds)
        results.check(m.wait_end(seconds), f"{where}.powers_off", "the machine still runs")


def sharing_svm(results, folder):
    sharing(results, folder, "restart.sharing", "qemu", SECONDS)


def sharing_vmx(results, folder):
    sharing(results, folder, "restart.sharing_vmx", "bochs", BOCHS_SECONDS)


def tests():
    return [("restart.svm", svm), ("restart.sharing", sharing_svm)]


def soak():
    return [("restart.vmx", vmx), ("restart.full", full), ("restart.sharing_vmx", sharing_vmx)]
