# SPDX-License-Identifier: BSD-2-Clause
"""What a stock Linux guest costs: the hypervisor's share of the instructions of
its boot, and its exits while it idles. See docs/performance.md."""
import os
import re
import subprocess
import time

from harness import bench, image
from harness.machine import Machine, cores_for

BOOT_SHARE_PERCENT = 2.0
IDLE_EXITS = 20  # a second and vCPU
SETTLE_SECONDS = 12
IDLE_SECONDS = 20
SECONDS = 400
# Not QEMU's default model, whose family is that of a K8 of 2003
CPU = "EPYC,-monitor"
PLUGIN = os.path.join(image.BUILD, "tests/plugin")
STATS = r"guest box: (\d+) exits in (\d+) ms(.*)"


def guest(cmdline, **keys):
    conf = {"name": "box", "kernel": "vmlinuz", "initrd": "init.cpio", "memory": "128M",
            "cmdline": "console=ttyS0 " + cmdline}
    conf.update(keys)
    return conf


def files(initrd):
    return {"vmlinuz": os.path.join(image.BUILD, "guests/vmlinuz"), "init.cpio": initrd}


def initrd_with_first(folder):
    """The isolated guest's, and the program that ends the boot."""
    archive = subprocess.run(["cpio", "--quiet", "-R", "0:0", "-o", "-H", "newc"],
                             input=b"first\n", cwd=PLUGIN, check=True,
                             stdout=subprocess.PIPE).stdout
    path = os.path.join(folder, "init.cpio")
    with open(os.path.join(image.BUILD, "guests/isolated.cpio"), "rb") as f:
        initrd = f.read()
    with open(path, "wb") as f:
        f.write(initrd + archive)
    return path


def boot_share(folder, speculation="off"):
    """Instructions of the hypervisor and of the guest from the guest's first to
    its init, as tests/plugin/share.c counts them. One vCPU, 128 MiB, bzImage, the
    whole log on the serial line, every self-test of the kernel's."""
    os.makedirs(folder, exist_ok=True)
    out = os.path.join(folder, "share.txt")
    conf = image.manifest([guest("rdinit=/first")], "switch", f"speculation = {speculation}")
    disk = image.make(folder, conf, files(initrd_with_first(folder)), "grub-bios")
    options = ["--icount", "--cpu", CPU, *bench.FRAME_TIMER, "--arg", "-plugin",
               "--arg", f"file={PLUGIN}/share.so,out={out}"]
    with Machine("qemu", disk, folder, "bios", cores=1, memory=512, timeout=SECONDS,
                 person=True, options=options) as m:
        m.leave_menu(SECONDS)
        bench.expect(m, STATS)
        m.wait_end(60)
    with open(out) as f:
        counts = {line.split()[0]: [int(x) for x in line.split()[1:]] for line in f}
    if "init" not in counts:
        raise bench.Failed("the guest did not come to its init")
    return counts["init"]


def idle(folder, vcpus=2):
    """Exits a second and vCPU of a Linux at its shell, and what they were."""
    os.makedirs(folder, exist_ok=True)
    cores, first, last = cores_for("qemu", vcpus)
    conf = guest("cryptomgr.notests bulkhead.test=idle", vcpus=vcpus,
                 cores=f"{first}-{last}")
    disk = image.make(folder, image.manifest([conf]),
                      files(os.path.join(image.BUILD, "guests/isolated.cpio")))
    seen = []
    with Machine("qemu", disk, folder, "ovmf", cores=cores, memory=512, timeout=SECONDS,
                 person=True) as m:
        bench.expect(m, "TEST idle ok")
        time.sleep(SETTLE_SECONDS)
        for wait in (IDLE_SECONDS, 0):
            m.send("s")  # with no privileged guest, to the hypervisor itself
            seen.append(bench.expect(m, STATS))
            time.sleep(wait)
    first, last = seen
    seconds = (int(last[2]) - int(first[2])) / 1000
    kinds = [dict(re.findall(r", ([A-Za-z ]+) (\d+)", s[3])) for s in seen]
    rates = {k: round((int(n) - int(kinds[0].get(k, 0))) / seconds / vcpus, 1)
             for k, n in kinds[1].items()}
    total = (int(last[1]) - int(first[1])) / seconds / vcpus
    return round(total, 1), {k: r for k, r in rates.items() if r}
