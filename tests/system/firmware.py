# SPDX-License-Identifier: BSD-2-Clause
"""Machines as firmware may leave them: features switched off, memory in pieces,
control registers and devices in any state."""
import os
import re

from harness import image
from harness.machine import Machine
from system import _linux
from system._linux import QEMU_CORES, isolated, privileged, step

SECONDS = 240
BEFORE = os.path.join(image.BUILD, "tests", "firmware")
RESIDUE = os.path.join(BEFORE, "residue.efi")
REFUSE = os.path.join(BEFORE, "refuse.efi")
CAP_LIST, CAP_MSI, IOMMU_CLASS = 0x10, 5, 0x080600


def both_up(results, m, where):
    return (step(results, m, f"{where}.isolated_up", r"\[box\] .*TEST up ok", SECONDS, 0) and
            step(results, m, f"{where}.privileged_up", r"\[linux\] .*TEST up ok", SECONDS, 0))


def no_nx(firmware, kind):
    """A CPU without NX, or whose setup has switched it off for good."""
    def run(results, folder):
        where = f"no_nx.{firmware}"
        disk = image.make(folder, image.manifest([privileged(""), isolated("devices")]),
                          _linux.payload(), kind)
        with Machine("qemu", disk, folder, firmware, QEMU_CORES, memory=1024,
                     timeout=SECONDS * 2, options=["--cpu", "max,-monitor,-nx"]) as m:
            step(results, m, f"{where}.says_so", r"cpu: .*, no NX", SECONDS, 0)
            both_up(results, m, where)
    return run


def planted(results, m, where, what):
    return all([step(results, m, f"{where}.planted.{name}", f"residue: {line}", SECONDS, 0)
                for name, line in what])


def residue(kind):
    """Memory in 300 pieces, CR4 with all that firmware may set, five levels of
    paging, MSIs left on: by the loader and by GRUB the guests start, and all
    memory but the holes is the privileged one's."""
    def run(results, folder):
        where = f"residue.{kind}"
        disk = image.make(folder, image.manifest([privileged("cpus bulkhead.cpus=2"),
                                                  isolated("devices")]),
                          _linux.payload(), kind, ("--before", RESIDUE))
        with Machine("qemu", disk, folder, cores=QEMU_CORES, memory=1024,
                     timeout=SECONDS * 2) as m:
            planted(results, m, where, [
                ("holes", "300 holes"), ("cr4", "bits of CR4"), ("msi", "MSIs on"),
                ("levels", "five levels of paging")])
            if not both_up(results, m, where):
                return
            step(results, m, f"{where}.cpus", r"\[linux\] .*TEST cpus ok", SECONDS, 0)
            found = re.search(r"guest linux: privileged, (\d+) MiB", m.text())
            results.check(found and int(found[1]) > 1024 - 128 - 64, f"{where}.memory",
                          f"{found and found[1]} MiB")
            step(results, m, f"{where}.tsc",
                 r"tsc: \d+\.\d+ MHz, measured for a second: [+-]\d{1,3} ppm", SECONDS, 0)
            results.check("stable clock" not in m.text(), f"{where}.stable", "TSCs are apart")
            results.check("memory map has" not in m.text(), f"{where}.whole_map",
                          "a part of the memory map was left out")
    return run


# An IOMMU of QEMU's, what the loader finds on, and what the log says of it
IOMMUS = {
    "intel": (["--arg", "-device", "--arg", "intel-iommu,intremap=on"], "VT-d on",
              r"DMA remapping, interrupt remapping, its command queue"),
    "amd": (["--arg", "-device", "--arg", "amd-iommu"], "AMD-Vi on",
            r"remapping, its command buffer, its event log"),
}


def is_off(results, m, where, vendor):
    """Firmware has left the IOMMU on, and lets no interrupt of a device pass."""
    _, line, what = IOMMUS[vendor]
    planted(results, m, where, [("on", line)])
    return step(results, m, f"{where}.is_off",
                rf"iommu: firmware left the IOMMU at 0x[0-9a-f]+ on \({what}\): it is off now",
                SECONDS, 0)


def remapping(vendor):
    def run(results, folder):
        where = f"remapping.{vendor}"
        disk = image.make(folder, image.manifest([isolated("devices", autostart="no")]),
                          {}, "uefi", ("--before", RESIDUE))
        with Machine("qemu", disk, folder, cores=1, memory=512, timeout=SECONDS * 2,
                     options=IOMMUS[vendor][0]) as m:
            is_off(results, m, where, vendor)
            step(results, m, f"{where}.goes_on", r"init: 1 core, ", SECONDS, 0)
    return run


def remapped_disk(vendor):
    """The privileged guest reads its disk by interrupts all the same."""
    def run(results, folder):
        where = f"remapped_disk.{vendor}"
        disk = image.make(folder, image.manifest([privileged("disk")]), _linux.payload(),
                          "uefi", ("--before", RESIDUE))
        data = _linux.data_disk(folder, "data.img")
        with Machine("qemu", disk, folder, cores=QEMU_CORES, memory=1024, timeout=SECONDS * 4,
                     options=[*IOMMUS[vendor][0], "--nvme", data]) as m:
            if is_off(results, m, where, vendor):
                step(results, m, f"{where}.disk", r"\[linux\] .*TEST disk ok", SECONDS * 3, 0)
    return run


def functions_with_msi(m):
    """(class code, control of MSI) of bus 0's functions."""
    def read(devfn, offset):
        m.monitor(f"o /w 0xcf8 {1 << 31 | devfn << 8 | offset:#x}")
        return int(re.search(r"= (0x[0-9a-f]+)", m.monitor("i /w 0xcfc"))[1], 16)

    found = []
    m.monitor("stop")
    for devfn in range(256):
        if read(devfn, 0) & 0xffff == 0xffff or not read(devfn, 4) >> 16 & CAP_LIST:
            continue
        at = read(devfn, 0x34) & 0xfc
        while at:
            header = read(devfn, at)
            if header & 0xff == CAP_MSI:
                found.append((read(devfn, 8) >> 8, header >> 16))
            at = header >> 8 & 0xfc
    return found


def hidden(results, folder):
    """MSI is off before a guest runs, also of a function that no guest gets."""
    where = "hidden"
    tiny = {"ends.elf": os.path.join(image.BUILD, "tests/guest/ends.elf")}
    guest = {"name": "first", "privileged": "yes", "kernel": "ends.elf", "cores": "0",
             "memory": "rest"}
    disk = image.make(folder, image.manifest([guest]), tiny, "uefi", ("--before", RESIDUE))
    with Machine("qemu", disk, folder, cores=1, memory=512, timeout=SECONDS * 2,
                 person=True, options=IOMMUS["amd"][0]) as m:
        planted(results, m, where, [("msi", "MSIs on")])
        if step(results, m, f"{where}.made", "guest first: privileged, ", SECONDS, 0):
            found = functions_with_msi(m)
            results.check(IOMMU_CLASS in dict(found), f"{where}.has_msi", f"{found}")
            results.check(not any(control & 1 for _class, control in found),
                          f"{where}.msi_off", f"{found}")


def tsc(results, folder):
    """Cores whose TSC firmware has moved, by Bochs, where TCG has no such register.
    x2APIC is on already."""
    where = "residue.bochs"
    disk = image.make(folder, image.manifest([isolated("devices", autostart="no")]),
                      {}, "uefi", ("--before", RESIDUE))
    with Machine("bochs", disk, folder, cores=2, memory=512, timeout=SECONDS * 2) as m:
        planted(results, m, where, [
            ("holes", "300 holes"), ("tsc", "a TSC_ADJUST of each core's own"),
            ("x2apic", "x2APIC")])
        step(results, m, f"{where}.tsc_made_equal",
             r"tsc: warning: firmware left the TSC of 1 core apart", SECONDS, 0)
        step(results, m, f"{where}.cores", r"init: 2 cores, ", SECONDS, 0)
        step(results, m, f"{where}.rate", r"tsc: 50\.0\d\d MHz by ACPI PM timer", SECONDS, 0)
        results.check("stable clock" not in m.text(), f"{where}.stable", "TSCs are apart")


def refuse(results, folder):
    """ExitBootServices fails: nothing of the firmware's may be called any more, and
    the sentence is on the serial line and on the screen all the same."""
    disk = image.make(folder, image.manifest([isolated("devices")]), {}, "uefi",
                      ("--before", REFUSE))
    with Machine("qemu", disk, folder, cores=1, memory=512, timeout=SECONDS,
                 person=True) as m:
        line = r"init: error: the firmware does not let go of the machine"
        if step(results, m, "refuse.said", line, SECONDS, 0):
            step(results, m, "refuse.waits", r"init: error: no guest can run", SECONDS, 0)
            text = m.screen_with(line, SECONDS, "refused").text()
            results.check(re.search(line, text), "refuse.on_screen", text)


def large(results, folder):
    """6 TiB, which the host need not have: the hypervisor keeps 8 MiB, 256 KiB a core and
    0.001 % of RAM at most, and all the rest is the privileged guest's."""
    cores, tib = 2, 6
    disk = image.make(folder, image.manifest([privileged("", vcpus="1", cores="0")]),
                      _linux.payload(), "grub-bios")
    ram = ["-object", f"memory-backend-ram,id=ram,size={tib}T,reserve=off",
           "-machine", "memory-backend=ram"]
    with Machine("qemu", disk, folder, "bios", cores, memory=tib << 20, timeout=SECONDS,
                 options=["--cpu", "max,-monitor,phys-bits=46"] +
                 [word for part in ram for word in ("--arg", part)]) as m:
        step(results, m, "large.starts", r"vm: guest linux starts", SECONDS, 0)
        keeps = re.search(r"the hypervisor keeps (\d+) KiB", m.text())
        most = (8 << 10) + cores * 256 + (tib << 30) // 100000
        results.check(keeps and int(keeps[1]) <= most, "large.keeps_little",
                      f"{keeps and keeps[1]} KiB of {most}")
        given = re.search(r"guest linux: privileged, (\d+) MiB", m.text())
        results.check(given and int(given[1]) >= (tib << 20) - 128, "large.given",
                      f"{given and given[1]} MiB")


def tests():
    return [("firmware.no_nx", no_nx("bios", "grub-bios")),
            ("firmware.residue_efi", residue("uefi")),
            ("firmware.residue_grub", residue("grub-uefi")),
            ("firmware.residue_tsc", tsc),
            ("firmware.remapping_intel", remapping("intel")),
            ("firmware.remapping_amd", remapping("amd")),
            ("firmware.hidden", hidden), ("firmware.refuse", refuse), ("firmware.large", large)]


def soak():
    return [(f"firmware.remapped_disk_{vendor}", remapped_disk(vendor)) for vendor in IOMMUS]
