# SPDX-License-Identifier: BSD-2-Clause
"""Boot images for tests: a folder of files and a manifest, given to
scripts/mkimage."""
import os
import shutil
import subprocess

from harness.machine import ROOT

BUILD = os.environ.get("BUILD", os.path.join(ROOT, "build"))


def manifest(guests, console="all", extra=""):
    """bulkhead.conf text from dictionaries of manifest keys."""
    lines = ["[hypervisor]", f"console = {console}", extra]
    for guest in guests:
        lines.append(f"[guest {guest['name']}]")
        lines += [f"{k} = {v}" for k, v in guest.items() if k != "name"]
    return "\n".join(lines) + "\n"


def make(folder, conf, files, kind="uefi", options=()):
    """Build FOLDER/disk.img of @kind holding bulkhead.elf, @conf (None: no
    manifest) and @files ({name in the image: path, or bytes}); @options go to
    scripts/mkimage."""
    payload = os.path.join(folder, "payload")
    shutil.rmtree(payload, ignore_errors=True)
    os.makedirs(payload)
    shutil.copy(os.path.join(BUILD, "bulkhead.elf"), payload)
    if conf is not None:
        with open(os.path.join(payload, "bulkhead.conf"), "w") as f:
            f.write(conf)
    for name, source in files.items():
        target = os.path.join(payload, name)
        if isinstance(source, bytes):
            with open(target, "wb") as f:
                f.write(source)
        else:
            shutil.copy(source, target)
    image = os.path.join(folder, "disk.img")
    subprocess.run([os.path.join(ROOT, "scripts", "mkimage"), "--kind", kind,
                    "--loader", os.path.join(BUILD, "BOOTX64.EFI"),
                    "--out", image, *options, payload], check=True,
                   stdout=subprocess.DEVNULL)
    shutil.rmtree(payload)
    return image
