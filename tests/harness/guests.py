# SPDX-License-Identifier: BSD-2-Clause
"""The guest level: boots of tests/guest/list.toml on the machines of MACHINES."""
import os
import re
import subprocess
import tomllib

from harness import image
from harness.machine import ROOT, Machine, cores_for

QEMU10 = os.path.join(image.BUILD, "cache/qemu-10")
# By the name that the tests have: its emulator, words for the emulator's script, and
# whether all its boots wait for --long
MACHINES = {
    "vmx": ("bochs", [], False),
    "ryzen": ("bochs", ["--cpu", "ryzen"], True),
    "svm": ("qemu", [], False),  # QEMU 7.2
    "svm10": ("qemu", ["--qemu", f"{QEMU10}/qemu-system-x86_64"], False),
}
# QUIRK(tcg-10.0): an MSR of the local APIC's timer ends QEMU ("Bad icount read") where
# it counts instructions. So time is measured there with an xAPIC.
NO_X2APIC = "max,-monitor,-x2apic"
# What one boot may take, emulator's firmware included
SECONDS = {"qemu": 240, "bochs": 600}
# Where the emulator dies of a bug of its own. QUIRK(tcg-7.2): while a device's BAR is
# moved, an access of another core to any device may meet the old map and the new one.
TRIES = 8
FIRMWARE = {"qemu": "ovmf", "bochs": "bios"}
KIND = {"qemu": "uefi", "bochs": "hybrid"}
KEYS = ("vcpus", "clock", "cores", "memory", "cmdline", "debug_exit_port", "fw_cfg", "testdev",
        "debug_console", "entropy", "boot", "initrd", "module", "firmware", "privileged")


def load():
    with open(os.path.join(ROOT, "tests/guest/list.toml"), "rb") as f:
        return tomllib.load(f)["boot"]


def entry(guest, first, last):
    """Its section of the manifest, where the guests have the cores @first to @last
    and list.toml counts from 0."""
    keys = {"name": guest["name"], "cores": f"{first}-{last}"}
    if "privileged" not in guest:
        keys["memory"] = "16M"
    if "image" in guest:
        keys["kernel"] = guest["image"] + ".elf"
    keys.update({k: guest[k] for k in KEYS if k in guest})
    if "cores" in guest:
        keys["cores"] = re.sub(r"\d+", lambda n: str(first + int(n[0])), guest["cores"])
    return keys


def finished(text, boot):
    """All guests that end by themselves have said DONE and logged what they
    should."""
    for guest in boot["guest"]:
        if guest.get("result", "done") == "done" and not re.search(
                rf"\[{guest['name']}\] DONE", text):
            return False
        if not all(re.search(line, text) for line in guest.get("log", [])):
            return False
    return True


def faults(machine, key):
    """What of faults.toml is @machine's: the names that have @key."""
    with open(os.path.join(ROOT, "tests/guest/faults.toml"), "rb") as f:
        return {name for fault in tomllib.load(f)["fault"] if fault["machine"] == machine
                for name in fault.get(key, [])}


def judge_guest(results, where, text, guest, known):
    """@known: the checks that the emulator makes fail."""
    mark = rf"^.*\[{guest['name']}\] "
    excused = 0
    for found in re.finditer(mark + r"(PASS|FAIL) (\S+) \[(.*?)\]:?(.*)$", text, re.M):
        results.guest_checks.add(found[2])
        passed = found[1] == "PASS"
        if found[2] in known:
            excused += not passed
            results.check(not passed, f"{where}.{found[2]}.fault",
                          "it passes: take it out of tests/guest/faults.toml")
        else:
            results.check(passed, f"{where}.{found[2]}", found[4])
        if not found[3]:
            results.check(False, f"{where}.{found[2]}.section",
                          "the check names no section of a manual")
    if guest.get("result", "done") == "done":
        results.check(re.search(mark + rf"DONE \d+ {excused}$", text, re.M),
                      f"{where}.{guest['name']}.done",
                      "the guest did not come to its end without a failure")


def judge(results, machine, where, text, boot):
    known = faults(machine, "checks")
    for guest in boot["guest"]:
        name = f"{where}.{guest['name']}"
        judge_guest(results, where, text, guest, known)
        for line in guest.get("log", []):
            results.check(re.search(line, text), f"{name}.log",
                          f"the log has no line with /{line}/")
        for line in guest.get("absent", []):
            results.check(not re.search(line, text), f"{name}.absent",
                          f"the log has a line with /{line}/")


def machine_options(machine, boot, icount):
    _, own, _ = MACHINES[machine]
    options = own + boot.get("options", [])
    if machine == "vmx" and "bochs_cpu" in boot:
        options += ["--cpu", boot["bochs_cpu"]]
    if icount:
        options.append("--icount")
    if icount and machine == "svm10":
        options += ["--cpu", NO_X2APIC]
    return options


def seconds_for(emulator, boot):
    return boot.get("seconds", SECONDS[emulator])


def prepare(machine):
    """What the machine runs on that is not installed."""
    if machine == "svm10":
        subprocess.run([os.path.join(ROOT, "scripts/fetch-qemu"), QEMU10], check=True)


def run_boot(results, machine, boot, folder):
    emulator = MACHINES[machine][0]
    where = f"{machine}.{boot['name']}"
    here = os.path.join(folder, where)
    os.makedirs(here, exist_ok=True)
    prepare(machine)
    programs = {g["image"] + ".elf" for g in boot["guest"] if "image" in g}
    programs |= {g[k] for g in boot["guest"] for k in ("initrd", "firmware") if k in g}
    files = {p: os.path.join(image.BUILD, "tests/guest", p) for p in programs}
    icount = boot.get("icount", False) and emulator == "qemu"
    firmware = "bios" if icount else FIRMWARE[emulator]  # OVMF is slow there
    cores, first, last = cores_for(emulator, boot.get("cores", 2))
    extra = f"guest-memory = {boot['pool']}" if "pool" in boot else ""
    disk = image.make(here, image.manifest([entry(g, first, last) for g in boot["guest"]],
                                           extra=extra),
                      files, "hybrid" if icount else KIND[emulator])
    for again in range(TRIES):
        with Machine(emulator, disk, here, firmware, cores, memory=512,
                     options=machine_options(machine, boot, icount),
                     timeout=seconds_for(emulator, boot), person=icount) as m:
            if watch(results, m, machine, boot, last=again == TRIES - 1):
                return


def watch(results, m, machine, boot, last):
    """False: the emulator itself died, and this was not the @last try."""
    before = len(results.failed)
    seconds = seconds_for(m.name, boot)
    if m.keyboard is not None:
        m.leave_menu(seconds)
    while m.expect(r"\n", seconds):
        if finished(m.text(), boot):
            break
    m.expect(r"(?!)", 1)
    if not finished(m.text(), boot) and m.died() and not last:
        results.note("\n".join(["note: the emulator died, once more", *m.fate()]))
        return False
    judge(results, machine, f"{machine}.{boot['name']}", m.text(), boot)
    if len(results.failed) > before:
        results.note(m.tail())
    return True


def tests(machine, long):
    """(name, function(results, folder)) for the runner."""
    emulator, _, waits = MACHINES[machine]
    if waits and not long:
        return []
    out = faults(machine, "boots")
    return [(f"guest.{machine}.{boot['name']}",
             lambda results, folder, boot=boot: run_boot(results, machine, boot, folder))
            for boot in load()
            if boot.get("emulator", emulator) == emulator and boot["name"] not in out
            and (long or not boot.get("long"))]
