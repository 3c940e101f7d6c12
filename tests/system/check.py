# SPDX-License-Identifier: BSD-2-Clause
"""The boot entry "Check this machine": what is planted is named, on the serial line,
on the screen, and in the files on the stick; no guest starts."""
import json
import os
import re
import struct
import subprocess

from harness import image
from harness.machine import Machine
from system._linux import step

SECONDS = 200
FAULTS = os.path.join(image.BUILD, "tests", "firmware", "faults.efi")
FAT_OFFSET = 1 << 20
PAGES_MAX = 8
MORE = r"ress a key for more|Press a key, and|this was all"
GUEST = image.manifest([{"name": "box", "kernel": "vmlinuz", "memory": "64M"}])
# Of each requirement that is planted: the verdict, and a word of its text
PLANTED = {"virtualization": ("FAIL", "AMD-V"), "no_execute": ("WARN", "NX"),
           "acpi_tables": ("WARN", "WAET"), "iommu": ("WARN", "remap")}
# No fault: what the machine has is not called one
GOOD = ("secure_boot", "processor", "cores", "ioapics", "pci", "memory", "memory_map",
        "console", "vmd", "microcode", "machine_checks")
VERDICTS = ("PASS", "WARN", "FAIL")


def read_pages(machine, end):
    """Turn the pages until a line has @end; what the last one begins with."""
    for _ in range(PAGES_MAX):
        found = machine.expect(MORE, SECONDS)
        if not found or re.search(end, found[0]):
            return found
        machine.send(" ")
    return None


def verdict_lines(text, source):
    """{requirement: (verdict, text)} of the lines that @source, a prefix, shows. What
    goes on in the next line is indented; the switch has an arrow."""
    lines = [line[1] for line in re.finditer(rf"^{source}(.*)$", text, re.M)]
    whole = re.sub(r"\n {6}(?!->)", " ", "\n".join(lines))
    found = re.findall(r"^(PASS|WARN|FAIL)  (\w+): (.*)$", whole, re.M)
    return {name: (verdict, rest) for verdict, name, rest in found}


def planted_in(results, where, found):
    for name, (verdict, word) in PLANTED.items():
        has = found.get(name, ("", ""))
        results.check(has[0] == verdict and word in has[1], f"{where}.{name}", f"{has}")


def on_stick(disk, name):
    return subprocess.run(["mtype", "-i", f"{disk}@@{FAT_OFFSET}", f"::{name}"],
                          stdout=subprocess.PIPE, check=False).stdout.decode("ascii")


def shape_fault(report):
    """What of the JSON is not as docs/hardware.md says; "": nothing."""
    wanted = {"format", "version", "result", "facts", "verdicts"}
    if set(report) != wanted:
        return f"keys {sorted(report)}"
    if (report["format"], report["version"]) != ("bulkhead-check", 1):
        return f"{report['format']} {report['version']}"
    for name, value in report["facts"].items():
        if type(value) not in (int, str) or not re.fullmatch(r"[a-z0-9_]+", name):
            return f"fact {name}"
    for row in report["verdicts"]:
        if (list(row) != ["name", "verdict", "text", "switch"] or
                not all(isinstance(v, str) for v in row.values()) or
                row["verdict"] not in VERDICTS or not row["text"]):
            return f"verdict {row}"
        if (row["verdict"] == "PASS") != (row["switch"] == ""):
            return f"switch of {row}"
    worst = max((VERDICTS.index(row["verdict"]) for row in report["verdicts"]), default=0)
    return "" if report["result"] == VERDICTS[worst] else f"result {report['result']}"


def files(results, disk):
    try:
        report = json.loads(on_stick(disk, "bh-check.json"))
    except ValueError as error:
        results.check(False, "check.efi.json", str(error))
        return
    results.check(not shape_fault(report), "check.efi.json", shape_fault(report))
    planted_in(results, "check.efi.in_json",
               {r["name"]: (r["verdict"], r["text"]) for r in report["verdicts"]})
    wrong = [r for r in report["verdicts"] if r["name"] in GOOD and r["verdict"] != "PASS"]
    results.check(not wrong, "check.efi.nothing_else", f"{wrong}")
    results.check(report["facts"].get("cores") == 2, "check.efi.cores", "not 2 cores")
    text = on_stick(disk, "bh-check.txt").replace("\r", "")
    planted_in(results, "check.efi.in_text", verdict_lines(text, ""))


def efi(results, folder):
    """Four faults, two of them by the CPU model, two by a firmware of ours."""
    disk = image.make(folder, GUEST, {"vmlinuz": b"none"}, "uefi", ("--before", FAULTS))
    with Machine("qemu", disk, folder, cores=2, memory=1024, timeout=SECONDS, person=True,
                 options=["--cpu", "max,-monitor,-nx,-svm,xlevel=0x8000000a",
                          "--arg", "-device", "--arg", "intel-iommu"]) as m:
        for fault in ("WAET does not add up", "interrupts are remapped"):
            step(results, m, f"check.efi.planted.{fault.split()[0]}", f"faults: {fault}",
                 SECONDS, 0)
        if not step(results, m, "check.efi.offered", "press C to check", SECONDS, 0):
            return
        m.send("c")
        if not results.check(read_pages(m, "and"), "check.efi.last_page", "never came"):
            results.note(m.tail())
            return
        planted_in(results, "check.efi.on_console", verdict_lines(m.text(), ""))
        m.screen("loader")
        m.send(" ")
        results.check(read_pages(m, "all"), "check.efi.hypervisor", "does not show it")
        planted_in(results, "check.efi.on_serial",
                   verdict_lines(m.text(), r"\[[^]]*\] check: "))
        shown = m.screen("hypervisor").text()
        results.check("this was all" in shown and "acpi_tables" in shown,
                      "check.efi.on_screen", shown)
        results.check("vm: guest" not in m.text(), "check.efi.no_guest", "one started")
    files(results, disk)


def by_grub(results, machine, where, wanted):
    """All pages of the hypervisor's; nothing can be written."""
    if not results.check(read_pages(machine, "all"), f"{where}.shown", "never came"):
        results.note(machine.tail())
    found = verdict_lines(machine.text(), r"\[[^]]*\] check: ")
    for name, (verdict, word) in wanted.items():
        has = found.get(name, ("", ""))
        results.check(has[0] == verdict and word in has[1], f"{where}.{name}", f"{has}")
    results.check("vm: guest" not in machine.text(), f"{where}.no_guest", "one started")


def menu(results, folder):
    """GRUB's entry, as one without a screen has it: the BIOS redirects its console. An
    ACPI table has an IOMMU where RAM is."""
    os.makedirs(folder, exist_ok=True)
    table = os.path.join(folder, "dmar")
    with open(table, "wb") as f:
        f.write(struct.pack("<12x HHBBHQ", 0, 16, 1, 0, 0, 0x1000000))
    disk = image.make(folder, GUEST, {"vmlinuz": b"none"}, "hybrid",
                      ("--grub", "set timeout=20"))
    with Machine("qemu", disk, folder, "bios", cores=2, memory=1024, timeout=SECONDS,
                 person=True, options=["--arg", "-acpitable", "--arg",
                                       f"sig=DMAR,rev=1,data={table}"]) as m:
        step(results, m, "check.menu.there", "Check this machine", SECONDS, 0)
        m.send("\x1b[B\r")
        by_grub(results, m, "check.menu", {
            "virtualization": ("PASS", "AMD-V"), "nested_paging": ("PASS", "ASIDs"),
            "secure_boot": ("PASS", "BIOS"), "cores": ("PASS", "2, "),
            "no_execute": ("PASS", "NX"), "acpi_tables": ("PASS", "all add up"),
            "iommu": ("FAIL", "1 IOMMU cannot be looked at")})


def intel(results, folder):
    """Asked for by a file of the stick, on Bochs, which has VT-x."""
    disk = image.make(folder, GUEST, {"vmlinuz": b"none", "check": b""}, "grub-bios")
    with Machine("bochs", disk, folder, "bios", cores=1, memory=512, timeout=SECONDS,
                 person=True) as m:
        by_grub(results, m, "check.intel", {
            "virtualization": ("PASS", "VT-x"), "nested_paging": ("PASS", "EPT"),
            "secure_boot": ("PASS", "BIOS"), "cores": ("WARN", "one core")})


def tests():
    return [("check.efi", efi), ("check.menu", menu), ("check.intel", intel)]
