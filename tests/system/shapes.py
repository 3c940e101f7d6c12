# SPDX-License-Identifier: BSD-2-Clause
"""Machines of many shapes, a row each: on every one of them the small Linux is up as
the privileged guest. What else a shape promises stands in its row. Shapes that a test
of their own looks at: tests/system/boot.py (sparse sockets, 36 ACPI tables), firmware.py
(what firmware leaves, 300 holes, 6 TiB), serial.py (which UART), linux.py (40 disks)."""
import os
from dataclasses import dataclass

from harness import guests, image
from harness.machine import Machine, cores_for
from system import _linux
from system._linux import isolated, privileged, step
from system.serial import spcr

SECONDS = 300
LONG_SECONDS = 1200
CHECKSUM = os.path.join(image.BUILD, "tests/firmware/checksum.efi")
SSDT_AML = b"\x08BHOK\x01"  # Name (BHOK, One)
COM2_PORT, COM2_IRQ = 0x2f8, 3


@dataclass
class Shape:
    """A machine, and what must be seen."""
    name: str
    options: tuple = ()          # words for QEMU
    script: tuple = ()           # words for scripts/run-qemu
    files: object = None         # function(folder): more words for QEMU
    cores: int = 2               # that the guests use
    vcpus: int = 2
    all_cores: int = 0           # that the machine has, where not as cores_for() says
    memory: int = 1024
    box: bool = False            # an isolated guest beside it
    before: str = ""             # an EFI program that runs before the loader
    seen: tuple = ()             # (name, line)
    absent: tuple = ()           # words


def file_with(folder, name, data):
    path = os.path.join(folder, name)
    with open(path, "wb") as f:
        f.write(data)
    return path


def ssdt(folder):
    data = file_with(folder, "ssdt.aml", SSDT_AML)
    return ["-acpitable", f"sig=SSDT,rev=2,oem_id=BULKHD,oem_table_id=SHAPE,data={data}"]


def spcr_of_com2(folder):
    data = file_with(folder, "spcr", spcr(COM2_PORT, COM2_IRQ))
    return ["-acpitable", f"sig=SPCR,rev=2,data={data}"]


def cores(count):
    """Sockets of @count // 2 cores; the guest has four CPUs."""
    return Shape(f"cores{count}", ("-smp", f"{count},sockets=2,cores={count // 2},threads=1"),
                 cores=4, vcpus=4, all_cores=count, memory=4096,
                 seen=(("all_cores", rf"init: {count} cores, "),),
                 absent=("left out",))


# The guest's line is its virtual COM1, wherever the hypervisor's is
COM2 = Shape("com2", script=("--uart", "com2"), files=spcr_of_com2, seen=(
    ("by_spcr", r"serial line at port 0x2f8, by SPCR"),
    ("guests_is_com1", r"\[linux\] .*serial8250: ttyS0 at I/O 0x3f8"),),
    absent=("ttyS1 at", "polling it"))
SHAPES = [
    Shape("ssdt", files=ssdt, before=CHECKSUM, seen=(
        ("spoiled", r"checksum: an SSDT has a wrong one"),
        ("linux_sees_it", r"\[linux\] .*ACPI: SSDT 0x[0-9A-F]+ [0-9A-F]+ \(v02 BULKHD"))),
    Shape("no_legacy", ("-machine", "hpet=off,pit=off,i8042=off")),
    Shape("no_vga", ("-vga", "none")),
    Shape("two_vgas", ("-device", "secondary-vga", "-device", "bochs-display")),
    Shape("pc", script=("--machine", "pc")),
    Shape("qemu10", script=("--qemu", f"{guests.QEMU10}/qemu-system-x86_64"),
          seen=(("x2apic", r"SVM, x2APIC"),), box=True),
]
LONG = [cores(48), cores(240), COM2,
        Shape("no_hpet", ("-machine", "hpet=off")),
        Shape("no_pit", ("-machine", "pit=off")),
        Shape("no_i8042", ("-machine", "i8042=off"))]


def manifest(shape, first, last):
    tests = f"cpus bulkhead.cpus={shape.vcpus}"
    keys = {"cores": f"{first}-{last}", "vcpus": str(shape.vcpus)}
    linux = privileged(tests, **keys)
    box = [isolated("devices", cores=str(last))] if shape.box else []
    return image.manifest([linux, *box])


def boot(results, folder, shape):
    count, first, last = cores_for("qemu", shape.cores)
    guests.prepare("svm10" if shape.name == "qemu10" else "svm")
    before = ("--before", shape.before) if shape.before else ()
    disk = image.make(folder, manifest(shape, first, last), _linux.payload(),
                      "uefi", before)
    words = [*shape.options, *(shape.files(folder) if shape.files else ())]
    seconds = LONG_SECONDS if shape in LONG else SECONDS
    where = f"shapes.{shape.name}"
    with Machine("qemu", disk, folder, cores=shape.all_cores or count, memory=shape.memory,
                 timeout=seconds * 2, options=[
                     *shape.script, *(w for word in words for w in ("--arg", word))]) as m:
        step(results, m, f"{where}.up", r"\[linux\] .*TEST up ok", seconds, 0)
        if shape.box:
            step(results, m, f"{where}.isolated_up", r"\[box\] .*TEST up ok", seconds, 0)
        step(results, m, f"{where}.cpus", r"\[linux\] .*TEST cpus ok", seconds, 0)
        for name, line in shape.seen:
            step(results, m, f"{where}.{name}", line, SECONDS, 0)
        for word in (*shape.absent, "BUG:", "Oops", "Call Trace", "ioremap error"):
            results.check(word not in m.text(), f"{where}.no_{word.split()[0].strip(':')}",
                          f"the log has '{word}'")


def run(shape):
    return lambda results, folder: boot(results, folder, shape)


def tests():
    return [(f"shapes.{shape.name}", run(shape)) for shape in SHAPES]


def soak():
    """`tests/run --long shapes`."""
    return [(f"shapes.{shape.name}", run(shape)) for shape in LONG]
