# SPDX-License-Identifier: BSD-2-Clause
"""Debian's OVMF as a guest's firmware, and what it starts: its shell, a kernel
by its EFI stub, and other EFI programs of Debian packages."""
import os

from harness.machine import cores_for
from system import _linux
from system.guests import BACKEND, MEMTEST_SECONDS, Guest, conf, payloads

OVMF = "/usr/share/ovmf/OVMF.fd"
GRUB = "/usr/lib/grub/x86_64-efi/monolithic/grubx64.efi"
ESCAPE = "\x1b"


def guest(name, **keys):
    return conf(name, firmware="OVMF.fd", **{"memory": "192M", **keys})


def run_efi(results, folder, emulator, name, program=None, machine=1, **keys):
    """@machine: how many cores it has; @keys: of the manifest."""
    files = {"OVMF.fd": OVMF}
    if program:
        keys["kernel"] = os.path.basename(program)
        files[keys["kernel"]] = program
    if keys.get("initrd"):
        files[keys["initrd"]] = os.path.join(_linux.GUESTS, keys["initrd"])
    return Guest(results, folder, emulator, guest(name, **keys), files, cores=machine)


def shell(results, folder, emulator):
    """No kernel, no disk: the shell that is in the firmware, and it answers."""
    with run_efi(results, folder, emulator, "ovmf_shell") as g:
        if g.sees("starts", r"UEFI Interactive Shell v2"):
            g.sees("waits", r"seconds to skip")
            g.type(ESCAPE)
            g.sees("prompt", r"Shell> ")
            g.type("ver\r")
            g.sees("answers", r"UEFI v2\.\d+ \(EDK II")
            g.type("memmap\r")
            g.sees("memory", r"Total Memory: +1[789]\d MB")


def efi_stub(results, folder, emulator):
    """A stock kernel and initrd that the firmware starts, on two vCPUs."""
    machine, first, last = cores_for(emulator, 2)
    with run_efi(results, folder, emulator, "ovmf_linux",
                 os.path.join(_linux.GUESTS, "vmlinuz"),
                 machine, initrd="isolated.cpio", vcpus="2", cores=f"{first}-{last}",
                 cmdline=_linux.CMDLINE +
                 " bulkhead.test=cpus,poweroff bulkhead.cpus=2") as g:
        g.sees("stub", r"EFI stub: ")
        g.sees("efi", r"efi: EFI v2\.\d+ by ")
        g.sees("smbios", r"DMI: Bulkhead")
        g.sees("init", r"TEST up ok")
        g.sees("cpus", r"TEST cpus ok")
        g.sees("off", r"guest ovmf_linux powers off|reboot: Power down")


def ipxe(results, folder, emulator):
    with run_efi(results, folder, emulator, "ipxe_efi",
                 os.path.join(payloads(), "boot/ipxe.efi")) as g:
        if g.sees("starts", r"iPXE initialising devices"):
            g.stop_at("\x02", "prompt", r"iPXE> ")


def grub(results, folder, emulator):
    with run_efi(results, folder, emulator, "grub_efi", GRUB) as g:
        if g.sees("prompt", r"grub> "):
            g.type("lsefisystab\r")
            g.sees("answers", r"Vendor: [^\r\n]*EDK II|EFI Revision: ")


def memtest(results, folder, emulator, whole=False):
    """It insists on a screen: ramfb. Up to the bit fade test, which waits for five
    minutes, or the @whole pass."""
    machine, first, last = cores_for(emulator, 2)
    with run_efi(results, folder, emulator, "memtest_efi",
                 os.path.join(payloads(), "boot/memtest86+x64.efi"), machine,
                 vcpus="2", cores=f"{first}-{last}", memory="64M", ramfb="yes",
                 cmdline="console=ttyS0") as g:
        g.sees("smp", r"SMP: 2T")
        g.sees("all_cores", r"Using: All Cores")
        g.sees("tests", r"#10 \[Bit fade", MEMTEST_SECONDS[emulator])
        if whole:
            g.sees("pass", r"Pass: +[1-9]", MEMTEST_SECONDS[emulator])
        results.check("Errors: 0" in g.machine.text() and
                      "Unexpected" not in g.machine.text(),
                      f"{g.where}.no_error", "it found errors")


def tests():
    cases = [("ovmf_shell", shell), ("ovmf_linux", efi_stub),
             ("ipxe_efi", ipxe), ("grub_efi", grub)]
    return [(f"guests.{BACKEND[emulator]}.{name}",
             lambda results, folder, run=run, emulator=emulator:
             run(results, folder, emulator))
            for name, run in cases for emulator in ("bochs", "qemu")] + [
                ("guests.svm.memtest_efi", lambda r, f: memtest(r, f, "qemu"))]


def soak():
    """A pass over 64 MiB takes QEMU six minutes, and Bochs longer."""
    return [(f"guests.{BACKEND[emulator]}.memtest_efi_pass",
             lambda r, f, emulator=emulator: memtest(r, f, emulator, True))
            for emulator in ("qemu", "bochs")]
