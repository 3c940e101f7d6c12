# SPDX-License-Identifier: BSD-2-Clause
"""The control device in a stock Linux's hands: vfio-pci opens it, and a small client
lists, watches and ends the other guest."""
import os
import shutil
import subprocess

from harness import image
from harness.machine import Machine, ROOT, cores_for
from system import _linux
from system._linux import step

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "control")
VFIO = os.path.join(ROOT, "build/cache/modules/vfio")
SECONDS = 240
BOCHS_SECONDS = 900
CHECKS = ("registers", "open", "info", "guests", "console_read", "console_type",
          "console_event", "console_answer", "vcpus", "cores", "exit_names", "exits",
          "no_command", "no_guest", "too_much", "not_destroyed", "not_itself", "not_mapped",
          "many", "bad_tail", "bad_head", "open_twice", "bad_address", "no_master",
          "opens_again", "pool", "create", "start", "tiny_says", "taken", "tiny_answers",
          "reset", "again", "destroy", "gone", "stop", "history", "stopped")


def initrd(folder):
    """The client and the modules that it needs, behind the guest's own initrd."""
    root = os.path.join(folder, "initrd")
    shutil.rmtree(root, ignore_errors=True)
    for name in ("etc", "bin", "lib/modules"):
        os.makedirs(os.path.join(root, name))
    shutil.copy(os.path.join(HERE, "control.sh"), os.path.join(root, "etc"))
    shutil.copytree(VFIO, os.path.join(root, "lib/modules/vfio"))
    subprocess.run(["gcc", "-std=gnu11", "-O2", "-Wall", "-Wextra", "-Werror", "-static", "-s",
                    "-I", ROOT, "-o", os.path.join(root, "bin/control-client"),
                    os.path.join(HERE, "client.c")], check=True)
    shutil.copy(os.path.join(image.BUILD, "tests/guest/echo.elf"), os.path.join(root, "bin"))
    names = subprocess.run(["find", ".", "-mindepth", "1"], cwd=root, check=True,
                           stdout=subprocess.PIPE).stdout
    more = subprocess.run(["cpio", "--quiet", "-R", "0:0", "-o", "-H", "newc"],
                          cwd=root, input=names, check=True, stdout=subprocess.PIPE).stdout
    with open(_linux.payload()["privileged.cpio"], "rb") as f:
        return f.read() + more


def run(results, folder, where, emulator, seconds=SECONDS):
    cores, first, last = cores_for(emulator, 2)
    files = {"vmlinuz": _linux.payload()["vmlinuz"], "privileged.cpio": initrd(folder),
             "echo": os.path.join(image.BUILD, "tests/guest/echo.elf")}
    guests = [_linux.privileged("control,poweroff", cores=str(first), vcpus="1"),
              {"name": "box", "kernel": "echo", "memory": "16M", "vcpus": "1",
               "cores": str(last)}]
    disk = image.make(folder, image.manifest(guests, extra="guest-memory = 16M"), files)
    with Machine(emulator, disk, folder, cores=cores, memory=512, timeout=seconds * 2) as m:
        step(results, m, f"{where}.up", r"\[linux\] .*TEST up ok", seconds)
        for check in CHECKS:
            step(results, m, f"{where}.{check}", rf"\[linux\] .*CTL {check} ok", seconds, 0)
        results.check(m.wait_end(seconds), f"{where}.powers_off", "the machine still runs")
        for word in ("FAILED", "cannot be at", "BUG:", "Oops"):
            results.check(word not in m.text(), f"{where}.no_{word.split()[0].strip(':')}",
                          f"the log has '{word}'")


def svm(results, folder):
    run(results, folder, "control.svm", "qemu")


def vmx(results, folder):
    """i440FX without ACPI tables or ECAM: the tables are ours."""
    run(results, folder, "control.vmx", "bochs", BOCHS_SECONDS)


def tests():
    return [("control.svm", svm)]


def soak():
    return [("control.vmx", vmx)]
