# SPDX-License-Identifier: BSD-2-Clause
"""bhd and bhctl as a person uses them: in a stock Linux, on the real control device,
with a guest of the manifest beside it, and guests made of the pool."""
import os
import re
import shutil
import subprocess

from harness import image
from harness.machine import ROOT, Machine, cores_for
from system import _linux
from system._linux import step

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "control")
MODULES = os.path.join(ROOT, "build/cache/modules")
SECONDS = 240
CHECKS = ("alone", "alone_changes", "list", "info", "events", "json", "top", "log", "console",
          "types", "kept", "no_guest", "itself", "next_bhd", "stop", "stopped", "bhctl",
          "run", "run_list", "run_says", "dump", "dump_elf", "dump_goes_on", "dump_paused",
          "dump_json", "dump_resumed", "checked", "create", "twice", "too_much", "no_kernel",
          "web_stop", "web_stopped", "web_start", "web_says", "found", "web_reset", "destroy",
          "destroy_run", "all_back", "bhmake")


def libraries(program):
    """What it is linked with, by ldd."""
    said = subprocess.run(["ldd", program], check=True, capture_output=True, text=True).stdout
    return re.findall(r"(/\S+)", said)


def initrd(folder):
    """The programs, their libraries and vfio's modules, behind the guest's own initrd."""
    root = os.path.join(folder, "initrd")
    shutil.rmtree(root, ignore_errors=True)
    for name in ("etc", "bin", "lib/modules"):
        os.makedirs(os.path.join(root, name))
    shutil.copy(os.path.join(HERE, "bhctl.sh"), os.path.join(root, "etc/control.sh"))
    os.makedirs(os.path.join(root, "boot"))
    shutil.copy(os.path.join(image.BUILD, "tests/guest/echo.elf"),
                os.path.join(root, "boot/echo"))
    for name in ("vfio", "dax"):
        shutil.copytree(os.path.join(MODULES, name), os.path.join(root, "lib/modules", name))
    for name in ("bhd", "bhctl"):
        program = os.path.join(image.BUILD, "tools", name)
        shutil.copy(program, os.path.join(root, "bin"))
        for library in libraries(program):
            # Not into /lib64 and the like, which may be links there
            os.makedirs(root + os.path.dirname(library), exist_ok=True)
            shutil.copy(library, root + library)
    names = subprocess.run(["find", ".", "-mindepth", "1"], cwd=root, check=True,
                           stdout=subprocess.PIPE).stdout
    more = subprocess.run(["cpio", "--quiet", "-R", "0:0", "-o", "-H", "newc"],
                          cwd=root, input=names, check=True, stdout=subprocess.PIPE).stdout
    with open(_linux.payload()["privileged.cpio"], "rb") as f:
        return f.read() + more


def svm(results, folder):
    cores, first, last = cores_for("qemu", 2)
    files = {"vmlinuz": _linux.payload()["vmlinuz"], "privileged.cpio": initrd(folder),
             "echo": os.path.join(image.BUILD, "tests/guest/echo.elf")}
    guests = [_linux.privileged("bhctl,bhmake,poweroff", cores=str(first), vcpus="1"),
              {"name": "box", "kernel": "echo", "memory": "16M", "vcpus": "1",
               "cores": str(last)}]
    disk = image.make(folder, image.manifest(guests, extra="guest-memory = 96M"), files, "uefi")
    with Machine("qemu", disk, folder, cores=cores, memory=768, timeout=SECONDS * 2) as m:
        for check in CHECKS:
            step(results, m, f"bhctl.{check}", rf"\[linux\] .*TEST {check} ok", SECONDS, 0)
        results.check(m.wait_end(SECONDS), "bhctl.powers_off", "the machine still runs")


def tests():
    return [("bhctl", svm)]
