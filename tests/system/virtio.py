# SPDX-License-Identifier: BSD-2-Clause
"""The virtio devices of an isolated guest in a stock Linux's hands: /dev/hwrng by the
kernel's own drivers."""
import os
import shutil
import subprocess

from harness import image
from harness.machine import Machine, ROOT, cores_for
from system import _linux
from system._linux import step

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "virtio")
MODULES = os.path.join(ROOT, "build/cache/modules/virtio")
SECONDS = 240
BOCHS_SECONDS = 900


def initrd(folder, script="virtio.sh"):
    """The drivers and @script, a test, behind the guest's own initrd."""
    root = os.path.join(folder, "initrd")
    shutil.rmtree(root, ignore_errors=True)
    for name in ("etc", "lib/modules"):
        os.makedirs(os.path.join(root, name))
    shutil.copy(os.path.join(HERE, script), os.path.join(root, "etc/virtio.sh"))
    shutil.copytree(MODULES, os.path.join(root, "lib/modules/virtio"))
    names = subprocess.run(["find", ".", "-mindepth", "1"], cwd=root, check=True,
                           stdout=subprocess.PIPE).stdout
    more = subprocess.run(["cpio", "--quiet", "-R", "0:0", "-o", "-H", "newc"],
                          cwd=root, input=names, check=True, stdout=subprocess.PIPE).stdout
    with open(_linux.payload()["isolated.cpio"], "rb") as f:
        return f.read() + more


def run(results, folder, where, emulator, seconds):
    cores, _, last = cores_for(emulator, 2)
    files = {"vmlinuz": _linux.payload()["vmlinuz"], "isolated.cpio": initrd(folder)}
    guest = _linux.isolated("hwrng,poweroff", cores=str(last), entropy="yes")
    disk = image.make(folder, image.manifest([guest]), files)
    with Machine(emulator, disk, folder, cores=cores, memory=512, timeout=seconds * 2) as m:
        step(results, m, f"{where}.hwrng", r"\[box\] .*TEST hwrng ok", seconds)
        results.check(m.wait_end(60), f"{where}.powers_off", "the machine still runs")


def svm(results, folder):
    run(results, folder, "virtio.svm", "qemu", SECONDS)


def vmx(results, folder):
    run(results, folder, "virtio.vmx", "bochs", BOCHS_SECONDS)


def tests():
    return [("virtio.svm", svm)]


def soak():
    return [("virtio.vmx", vmx)]
