# SPDX-License-Identifier: BSD-2-Clause
"""Many guests at once. As many as are promised are made by bhctl and run, the next one is refused
with the limit that it meets, and when they are gone all is as it was. And a manifest of as many."""
import os
import re

from harness import control, image
from harness.machine import Machine, cores_for
from system import _linux
from system._linux import step

SECONDS = 600
LONG_SECONDS = 5400
STATIC_SECONDS = 180


def many(results, folder, name, guests, mebibytes, machine_mib, pool_mib, seconds, extra=""):
    """@guests of @mebibytes each, of a pool that has room for no more, beside a privileged
    guest that keeps 512 MiB at least."""
    os.makedirs(folder, exist_ok=True)
    cores, first, last = cores_for("qemu", 2)
    tiny = control.stripped(folder, "tests/bench/tiny.elf")
    files = {"vmlinuz": _linux.payload()["vmlinuz"],
             "privileged.cpio": control.initrd(folder, {"boot/tiny": tiny},
                                               ("bhctl.sh", "bench.sh"))}
    linux = _linux.privileged("many,poweroff", cores=str(first), vcpus="1")
    linux["cmdline"] += f" many.guests={guests} many.memory={mebibytes}M"
    disk = image.make(folder, image.manifest(
        [linux], extra=f"guest-memory = {pool_mib}M\n{extra}"), files, "grub-bios")
    with Machine("qemu", disk, folder, "bios", cores=cores, memory=machine_mib,
                 timeout=seconds) as m:
        step(results, m, f"{name}.up", r"\[linux\] .*TEST up ok", seconds, 0)
        for check in ("many_run", "many_alive", "many_limit", "many_audit", "many_back", "many"):
            step(results, m, f"{name}.{check}", rf"\[linux\] .*TEST {check} ok", seconds, 0)
        kept = re.search(r"MANY privileged (\d+)", m.text())
        results.check(kept and int(kept[1]) >= 512 << 20, f"{name}.privileged",
                      f"the privileged guest has {kept and kept[1]} bytes")


def on_2g(results, folder):
    many(results, folder, "scale.2g", control.TARGET["guests_2g"], 16, 2048, 1440, SECONDS)


def on_6g(results, folder):
    many(results, folder, "scale.6g", 1000, 4, 6144, 4000, LONG_SECONDS, "guest-count = 1000")


def static(results, folder):
    """A manifest of 1,000 guests: each runs, and what it says is shown behind its name."""
    os.makedirs(folder, exist_ok=True)
    cores, first, last = cores_for("qemu", 2)
    names = [f"g{i}" for i in range(1000)]
    guests = [{"name": name, "kernel": "tiny", "memory": "4M", "cores": f"{first}-{last}"}
              for name in names]
    disk = image.make(folder, image.manifest(guests),
                      {"tiny": control.stripped(folder, "tests/bench/tiny.elf")}, "grub-bios")
    with Machine("qemu", disk, folder, "bios", cores=cores, memory=6144,
                 timeout=STATIC_SECONDS) as m:
        step(results, m, "scale.static.last", r"\[g999\] tiny: ready", STATIC_SECONDS, 0)
        silent = [n for n in names if not m.expect(rf"\[{n}\] tiny: ready", 20, 0)]
        results.check(not silent, "scale.static.all", f"{len(silent)} are silent: {silent[:5]}")


def soak():
    return [("scale.guests_1000", on_6g)]


def tests():
    return [("scale.guests_2g", on_2g), ("scale.static", static)]
