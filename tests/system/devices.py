# SPDX-License-Identifier: BSD-2-Clause
"""The machine's PCI in the privileged guest's hands: switches and bridges,
functions that come and go, or are pulled out, virtual functions, an error that a port
reports."""
import os
import re
import shutil
import subprocess
import time

from harness import image
from harness.machine import Machine
from system import _linux
from system._linux import QEMU_CORES, privileged, step

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "devices")
SECONDS = 240
DISK_MIB = 16

# Ports of native hot plug. A device is (type, its options).
NATIVE = [("global", "ICH9-LPC.acpi-pci-hotplug-with-bridge-support=off")]
PORTS = [("device", f"pcie-root-port,id=rp{n},chassis={n},slot={n},addr=10.{n - 1},"
          "multifunction=on") for n in (1, 2, 3, 4)]
SWITCH = [("device", "x3130-upstream,id=up,bus=rp2")] + [
    ("device", f"xio3130-downstream,id=down{n},bus=up,chassis={n},slot={n},addr={n}.0")
    for n in (11, 12)]
BRIDGE = [("device", "pcie-pci-bridge,id=bridge,bus=rp3"),
          ("netdev", "user,id=net0"),
          ("device", "virtio-net-pci,netdev=net0,bus=bridge,addr=3,romfile=")]
VFS = [("device", "nvme-subsys,id=sub"),
       ("device", "nvme,id=pf,serial=pf,subsys=sub,bus=rp4,sriov_max_vfs=2,"
        "sriov_vq_flexible=4,sriov_vi_flexible=2"),
       ("device", "nvme-ns,drive=pf,bus=pf,nsid=1")]
BEHIND = [("device", "nvme,drive=behind,serial=behind,bus=down11")]
# Where each hot disk goes: a root port twice, then behind the switch
HOT = ("bus=rp1", "bus=rp1", "bus=down12", "bus=down12")
# On one bus without ports: each gets the address of the one before
HOT_PC = ("addr=10", "addr=11", "addr=10", "addr=12")


def initrd(folder):
    """What these tests need beside the guest's own initrd, which the kernel
    unpacks first."""
    root = os.path.join(folder, "initrd")
    shutil.rmtree(root, ignore_errors=True)
    os.makedirs(os.path.join(root, "etc"))
    os.makedirs(os.path.join(root, "bin"))
    shutil.copy(os.path.join(HERE, "devices.sh"), os.path.join(root, "etc"))
    subprocess.run(["gcc", "-Os", "-Wall", "-Werror", "-static", "-nostdlib",
                    "-ffreestanding", "-fno-pie", "-no-pie", "-fno-stack-protector",
                    "-o", os.path.join(root, "bin/nvme_virt"),
                    os.path.join(HERE, "nvme_virt.c")], check=True)
    names = "etc\netc/devices.sh\nbin\nbin/nvme_virt\n"
    more = subprocess.run(["cpio", "--quiet", "-R", "0:0", "-o", "-H", "newc"],
                          cwd=root, input=names.encode(), check=True,
                          stdout=subprocess.PIPE).stdout
    with open(_linux.payload()["privileged.cpio"], "rb") as f:
        return f.read() + more


def words(devices):
    return [word for kind, text in devices
            for word in ("--arg", "-" + kind, "--arg", text)]


def drives(folder, names):
    out = []
    for name in names:
        path = os.path.join(folder, name + ".img")
        with open(path, "wb") as f:
            f.truncate(DISK_MIB << 20)
        out.append(("drive", f"if=none,id={name},format=raw,file={path}"))
    return out


def ask(m, command):
    """A monitor command, again while QEMU refuses it: a slot that a device has
    left is empty once its port has turned the power off."""
    for _ in range(20):
        answer = m.monitor(command)
        if "Error" not in answer:
            return answer
        time.sleep(1)
    return answer


def hotplug(results, m, where, places):
    for n, place in enumerate(places, 1):
        if not step(results, m, f"{where}.hotplug_wants_{n}",
                    rf"TEST hotplug (wants {n}|FAILED)", SECONDS):
            return
        ask(m, f"device_add nvme,drive=hot{n},serial=hot{n},id=hot{n},{place}")
        if not step(results, m, f"{where}.hotplug_{n}", rf"TEST hotplug has {n}", SECONDS):
            return
        ask(m, f"device_del hot{n}")
    step(results, m, f"{where}.hotplug_ends", r"TEST hotplug ok", SECONDS)


def surprise(results, m, where):
    """The disk is away while it is written to."""
    if step(results, m, f"{where}.surprise_wants", r"TEST surprise wants", SECONDS):
        ask(m, "device_add nvme,drive=gone,serial=gone,id=gone,bus=rp1")
        found = m.expect(r"TEST surprise (ok|FAILED.*)", SECONDS)
        results.check(found and found[1] == "ok", f"{where}.surprise", found and found[1])


def run(results, folder):
    where = "devices"
    hot = [f"hot{n}" for n in range(1, len(HOT) + 1)]
    files = _linux.payload()
    files["privileged.cpio"] = initrd(folder)
    tests = "switch,bridge,windows,sriov,surprise,hotplug,aer,poweroff"
    disk = image.make(folder, image.manifest([
        privileged(f"{tests} nvme_core.multipath=0")]), files)
    options = words(NATIVE + PORTS + SWITCH + BRIDGE +
                    drives(folder, ["pf", "behind", "gone", *hot]) + VFS + BEHIND)
    with Machine("qemu", disk, folder, cores=QEMU_CORES, memory=1024,
                 timeout=SECONDS * 3, options=options, person=True) as m:
        step(results, m, f"{where}.up", r"\[linux\] .*TEST up ok", SECONDS)
        for test in ("switch", "bridge", "windows", "sriov"):
            step(results, m, f"{where}.{test}", rf"\[linux\] .*TEST {test} ok", SECONDS, 0)
        found = re.search(r"TEST windows moved (\w+) to (\w+)", m.text())
        results.check(found and found[1] != found[2], f"{where}.windows_moved",
                      found and found[0])
        surprise(results, m, where)
        hotplug(results, m, where, HOT)
        step(results, m, f"{where}.aer_wants", r"TEST aer wants", SECONDS)
        answer = m.monitor("pcie_aer_inject_error rp1 COMP_TIME")
        results.check("OK" in answer, f"{where}.aer_injected", answer[-200:])
        step(results, m, f"{where}.aer", r"TEST aer ok", SECONDS)
        results.check(m.wait_end(60), f"{where}.powers_off", "the machine still runs")
        # What sends PME has a driver; no device of QEMU's sends one
        results.check("PME: Signaling with IRQ" in m.text(), f"{where}.pme", "no port's driver")
        for word in ("cannot trap", "nobody asked for", "storms", "unknown header",
                     "BUG:", "Oops"):
            results.check(word not in m.text(), f"{where}.no_{word.split()[0].strip(':')}",
                          f"the log has '{word}'")


def reused(results, folder):
    """Hot plug by ACPI, as a PC has it: what a disk leaves is the next one's."""
    where = "devices.reused"
    files = _linux.payload()
    files["privileged.cpio"] = initrd(folder)
    disk = image.make(folder, image.manifest([privileged("hotplug,poweroff")]), files)
    hot = [f"hot{n}" for n in range(1, len(HOT_PC) + 1)]
    with Machine("qemu", disk, folder, cores=QEMU_CORES, memory=1024,
                 timeout=SECONDS * 3, person=True,
                 options=["--machine", "pc", *words(drives(folder, hot))]) as m:
        hotplug(results, m, where, HOT_PC)
        places = set(re.findall(r"BAR 0 \[mem (0x\w+)-\w+ 64bit\]: assigned", m.text()))
        results.check(len(places) < len(HOT_PC), f"{where}.reuses",
                      f"the disks were at {places}")
        results.check("cannot trap" not in m.text(), f"{where}.trapped", "a table was not")
        results.check(m.wait_end(60), f"{where}.powers_off", "the machine still runs")


def tests():
    return [("devices.all", run)]


def soak():
    return [("devices.reused", reused)]
