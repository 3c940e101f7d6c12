# SPDX-License-Identifier: BSD-2-Clause
"""Boot images for tests: a folder of files and a manifest, given to
scripts/mkimage."""
import os
import shutil
import subprocess

from harness.machine import ROOT

BUILD = os.environ.get("BUILD", os.path.join(ROOT, "build"))


def manifest(guests, console="all", extra=""):
    """bulkhead.conf text from dictionaries of manifest keys. Unless @extra says other,
    no memory is kept for guests to come: the privileged one has all that is left."""
    lines = ["[hypervisor]", f"console = {console}", extra]
    if "guest-memory" not in extra:
        lines.append("guest-memory = 0")
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


def read(image, name):
    """The bytes of a file that something has put into /bulkhead of a UEFI or hybrid
    image; empty where there is none."""
    table = subprocess.run(["sgdisk", "-p", image], check=True, capture_output=True,
                           text=True).stdout
    start = next(int(line.split()[1]) for line in table.splitlines()
                 if "EF00" in line.split())
    return subprocess.run(["mtype", "-i", f"{image}@@{start * 512}", f"::/bulkhead/{name}"],
                          capture_output=True, env={**os.environ, "MTOOLS_SKIP_CHECK": "1"},
                          check=False).stdout
