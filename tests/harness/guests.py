# SPDX-License-Identifier: BSD-2-Clause
"""The guest level: boots of tests/guest/list.toml under both back-ends."""
import os
import re
import tomllib

from harness import image
from harness.machine import ROOT, Machine

# What one boot may take, emulator's firmware included
SECONDS = {"qemu": 240, "bochs": 600}
BACKEND = {"qemu": "svm", "bochs": "vmx"}
FIRMWARE = {"qemu": "ovmf", "bochs": "bios"}
KIND = {"qemu": "uefi", "bochs": "hybrid"}
KEYS = ("vcpus", "cores", "memory", "cmdline", "debug_exit_port", "fw_cfg", "testdev",
        "debug_console", "boot", "initrd", "module", "firmware", "privileged")


def load():
    with open(os.path.join(ROOT, "tests/guest/list.toml"), "rb") as f:
        return tomllib.load(f)["boot"]


def entry(guest):
    keys = {"name": guest["name"]}
    if "privileged" not in guest:
        keys["memory"] = "16M"
    if "image" in guest:
        keys["kernel"] = guest["image"] + ".elf"
    keys.update({k: guest[k] for k in KEYS if k in guest})
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


def judge(results, where, text, boot):
    for guest in boot["guest"]:
        name = f"{where}.{guest['name']}"
        mark = rf"^.*\[{guest['name']}\] "
        for found in re.finditer(mark + r"(PASS|FAIL) (\S+) \[(.*?)\]:?(.*)$", text, re.M):
            results.guest_checks.add(found[2])
            results.check(found[1] == "PASS", f"{where}.{found[2]}", found[4])
            if not found[3]:
                results.check(False, f"{where}.{found[2]}.section",
                              "the check names no section of a manual")
        if guest.get("result", "done") == "done":
            results.check(re.search(mark + r"DONE \d+ 0$", text, re.M), name + ".done",
                          "the guest did not come to its end without a failure")
        for line in guest.get("log", []):
            results.check(re.search(line, text), f"{name}.log",
                          f"the log has no line with /{line}/")
        for line in guest.get("absent", []):
            results.check(not re.search(line, text), f"{name}.absent",
                          f"the log has a line with /{line}/")


def emulator_options(emulator, boot):
    options = list(boot.get("options", []))
    if emulator == "bochs" and "bochs_cpu" in boot:
        options += ["--cpu", boot["bochs_cpu"]]
    if emulator == "qemu" and boot.get("icount"):
        options += ["--icount"]
    return options


def run_boot(results, emulator, boot, folder):
    where = f"{BACKEND[emulator]}.{boot['name']}"
    here = os.path.join(folder, where)
    os.makedirs(here, exist_ok=True)
    programs = {g["image"] + ".elf" for g in boot["guest"] if "image" in g}
    programs |= {g[k] for g in boot["guest"] for k in ("initrd", "firmware") if k in g}
    files = {p: os.path.join(image.BUILD, "tests/guest", p) for p in programs}
    icount = boot.get("icount") and emulator == "qemu"
    firmware = "bios" if icount else FIRMWARE[emulator]  # OVMF is slow there
    disk = image.make(here, image.manifest([entry(g) for g in boot["guest"]]),
                      files, "hybrid" if icount else KIND[emulator])
    before = len(results.failed)
    with Machine(emulator, disk, here, firmware, boot.get("cores", 2), memory=512,
                 options=emulator_options(emulator, boot), timeout=SECONDS[emulator],
                 person=bool(icount)) as machine:
        if icount:
            machine.leave_menu(SECONDS[emulator])
        while machine.expect(r"\n", SECONDS[emulator]):
            if finished(machine.text(), boot):
                break
        machine.expect(r"(?!)", 1)
        judge(results, where, machine.text(), boot)
        if len(results.failed) > before:
            results.note(machine.tail())


def tests(emulator):
    """(name, function(results, folder)) for the runner."""
    return [(f"guest.{BACKEND[emulator]}.{boot['name']}",
             lambda results, folder, boot=boot: run_boot(results, emulator, boot, folder))
            for boot in load() if boot.get("emulator", emulator) == emulator]
