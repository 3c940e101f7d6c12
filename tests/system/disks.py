# SPDX-License-Identifier: BSD-2-Clause
"""Disks of a guest that bhctl makes: images in a stock Linux that is the privileged
guest, served by its qemu-storage-daemon, in the hands of a stock Linux's virtio_blk."""
import os
import shutil
import subprocess

from harness import control, image
from harness.machine import Machine, cores_for
from system import _linux, virtio
from system._linux import step

DAEMON = "qemu-storage-daemon"
DISK_BYTES = 4 << 20
SECONDS = 360
BOCHS_SECONDS = 1800
CHECKS = ("disk_create", "disk_reads", "disk_writes", "disk_readonly", "disk_interrupts",
          "disk_backends", "disk_in_use", "disk_lasts", "disk_ends", "disk_stored",
          "disk_no_backends", "disk_start", "disk_again", "disk_destroy", "disk_still", "disk_reset",
          "disk_after_reset", "disk_off", "disk_gone", "bhdisk")


def raw(folder, name, first):
    path = os.path.join(folder, name)
    with open(path, "wb") as f:
        f.write(first)
        f.truncate(DISK_BYTES)
    return path


def images(folder):
    """{name there: path}"""
    qcow = os.path.join(folder, "disk.qcow2")
    subprocess.run(["qemu-img", "convert", "-q", "-f", "raw", "-O", "qcow2",
                    raw(folder, "source.img", b"qcowhere"), qcow], check=True)
    return {"disks/raw.img": raw(folder, "raw.img", b"raw-here"),
            "disks/copy.img": raw(folder, "copy.img", b"raw-here"),
            "disks/disk.qcow2": qcow}


def daemon():
    """The back-end and its libraries: {name there: path}"""
    program = shutil.which(DAEMON)
    return {"bin/" + DAEMON: program,
            **{library.lstrip("/"): library for library in control.libraries(program)}}


def run(results, folder, where, emulator, seconds):
    cores, first, last = cores_for(emulator, 2)
    os.makedirs(folder, exist_ok=True)
    isolated = os.path.join(folder, "isolated.cpio")
    with open(isolated, "wb") as f:
        f.write(virtio.initrd(folder, "disk.sh"))
    there = {"boot/vmlinuz": _linux.payload()["vmlinuz"], "boot/isolated.cpio": isolated,
             **images(folder), **daemon()}
    files = {"vmlinuz": _linux.payload()["vmlinuz"],
             "privileged.cpio": control.initrd(folder, there, ("bhctl.sh", "disks.sh"))}
    privileged = _linux.privileged("bhdisk,poweroff", cores=f"{first}-{last}", vcpus="1")
    disk = image.make(folder, image.manifest([privileged], extra="guest-memory = 256M"), files,
                      "uefi")
    with Machine(emulator, disk, folder, cores=cores, memory=1024, timeout=seconds * 2) as m:
        for check in CHECKS:
            step(results, m, f"{where}.{check}", rf"\[linux\] .*TEST {check} ok", seconds, 0)
        results.check(m.wait_end(seconds), f"{where}.powers_off", "the machine still runs")


def svm(results, folder):
    run(results, folder, "disks.svm", "qemu", SECONDS)


def vmx(results, folder):
    run(results, folder, "disks.vmx", "bochs", BOCHS_SECONDS)


def tests():
    return [("disks.svm", svm)]


def soak():
    return [("disks.vmx", vmx)]
