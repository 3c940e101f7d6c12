# SPDX-License-Identifier: BSD-2-Clause
"""A guest that SeaBIOS starts, as it does QEMU's -kernel: a Linux image of the
real-mode protocol, such as GRUB can be."""
import os
import subprocess
import tarfile

SETUP = "/usr/lib/grub/i386-pc/lnxboot.img"
FILES = {"bios-256k.bin": "/usr/share/seabios/bios-256k.bin",
         "linuxboot_dma.bin": "/usr/share/qemu/linuxboot_dma.bin"}


def keys(kernel):
    """The manifest's keys that start the file @kernel by FILES."""
    return {"firmware": "bios-256k.bin", "kernel": kernel,
            "fw_cfg": "genroms/linuxboot_dma.bin linuxboot_dma.bin"}


def grub_image(folder, modules, config=None, disk=None):
    """GRUB's bytes; @config: grub.cfg's text, which may name the files of
    @disk ({name: path}) as (memdisk)/NAME."""
    core = os.path.join(folder, "core.img")
    command = ["grub-mkimage", "-O", "i386-pc", "-p", "/", "-o", core, *modules]
    if config:
        script = os.path.join(folder, "grub.cfg")
        with open(script, "w") as f:
            f.write(config)
        command += ["-c", script]
    if disk:
        archive = os.path.join(folder, "disk.tar")
        with tarfile.open(archive, "w") as tar:
            for name, path in disk.items():
                tar.add(path, name)
        command += ["-m", archive, "memdisk", "tar"]
    subprocess.run(command, check=True)
    with open(SETUP, "rb") as setup, open(core, "rb") as f:
        return setup.read() + f.read()
