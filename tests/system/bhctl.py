# SPDX-License-Identifier: BSD-2-Clause
"""bhd and bhctl as a person uses them: in a stock Linux, on the real control device,
with a guest of the manifest beside it, and guests made of the pool. Debian's gdb, in that
Linux, debugs one of them."""
import os
import subprocess

from harness import control, image
from harness.machine import ROOT, Machine, cores_for
from system import _linux
from system._linux import step
from system.uefi import OVMF

BIOS = "/usr/share/seabios/bios-256k.bin"
GDB = os.path.join(ROOT, "build/cache/gdb")
SECONDS = 240
FIRM_SECONDS = 360
CYCLES = 50
LONG_CYCLES = 10000
LONG_SECONDS = 3 * 3600
BOCHS_CYCLES = 3
BOCHS_SECONDS = 1800
CHECKS = ("alone", "alone_changes", "list", "info", "events", "json", "audit", "top", "metering",
          "metering_word", "stats", "host", "costs", "trace", "traced", "trace_ends",
          "metering_off", "log", "console",
          "types", "kept", "box_pause", "box_paused", "box_pause_twice", "box_dump_paused",
          "box_resume", "box_dump", "box_goes_on", "no_guest", "itself", "next_bhd", "stop",
          "stopped", "box_start", "box_start_twice", "box_reset", "box_runs", "box_stop",
          "box_destroy", "bhctl",
          "run", "run_list", "run_says", "dump", "dump_elf", "dump_goes_on", "dump_paused",
          "dump_json", "dump_note", "info_exits", "info_json", "dump_resumed", "checked",
          "stale", "create", "twice", "too_much", "no_kernel",
          "web_stop", "web_stopped", "web_start", "web_says", "not_shared", "share", "share_says",
          "shared", "share_granted", "share_audit",
          "share_device", "share_dropped", "share_again", "share_stop", "shared_no_more",
          "share_destroy", "found", "audit_two", "set",
          "weight", "cap", "set_wrong", "set_unknown", "set_kept", "destroy_run", "cap_half",
          "cap_off", "web_reset", "destroy", "audit_after", "cycles", "all_back", "bhmake",
          "crash_run", "crash_listed", "crash_info", "crash_exits", "crash_event", "crash_log",
          "crash_dump", "crash_note", "crash_pause", "crash_audit", "crash_destroy",
          "crash_create", "crash_again", "crash_forget", "bhcrash")
GDB_CHECKS = ("gdb_guest", "gdb_threads", "gdb_steps", "gdb_stops", "gdb_planted", "gdb_reads",
              "gdb_steps_on", "gdb_detached", "gdb_answers", "gdb_killed", "gdb_core", "gdb")


FIRM_CHECKS = ("rom_run", "rom", "items_run", "items", "options_run", "options",
               "bios_run", "bios", "bios_list",
               "firm_audit", "bios_reset", "bios_again", "firm_size", "firm_room", "firm_none",
               "firm_back", "bhfirm")
EFI_CHECKS = ("efi_run", "efi_stub", "efi", "efi_audit")


def gdb_files():
    """Debian's gdb and its libraries: {name there: path}."""
    subprocess.run([os.path.join(ROOT, "scripts/fetch-gdb"), GDB], check=True)
    program = os.path.join(GDB, "usr/bin/gdb")
    return {"bin/gdb": program,
            **{library.lstrip("/"): library for library in control.libraries(program)}}


def run(results, folder, where, cycles, seconds, emulator="qemu",
        parts="bhctl,bhmake,bhcrash,bhgdb", checks=CHECKS + GDB_CHECKS):
    """CYCLES: how many guests come and go before the audit's sums are compared."""
    cores, first, last = cores_for(emulator, 2)
    echo = os.path.join(image.BUILD, "tests/guest/echo.elf")
    there = {"boot/echo": echo, "boot/ends": os.path.join(image.BUILD, "tests/guest/ends.elf"),
             "bin/peek": control.program(folder, "peek"), **gdb_files()}
    files = {"vmlinuz": _linux.payload()["vmlinuz"], "echo": echo,
             "privileged.cpio": control.initrd(folder, there)}
    privileged = _linux.privileged(f"{parts},poweroff", cores=str(first), vcpus="1")
    privileged["cmdline"] += f" bulkhead.cycles={cycles}"
    guests = [privileged,
              {"name": "box", "kernel": "echo", "memory": "16M", "vcpus": "1",
               "cores": str(last)}]
    disk = image.make(folder, image.manifest(guests, extra="guest-memory = 96M"), files, "uefi")
    with Machine(emulator, disk, folder, cores=cores, memory=768, timeout=seconds * 2) as m:
        for check in checks:
            step(results, m, f"{where}.{check}", rf"\[linux\] .*TEST {check} ok", seconds, 0)
        results.check(m.wait_end(seconds), f"{where}.powers_off", "the machine still runs")


def svm(results, folder):
    run(results, folder, "bhctl", CYCLES, SECONDS)


def vmx(results, folder):
    run(results, folder, "bhctl.vmx", BOCHS_CYCLES, BOCHS_SECONDS, "bochs",
        "bhctl,bhmake,bhcrash", CHECKS)


def run_firmware(results, folder, where, emulator, seconds, efi):
    """EFI: what OVMF and the kernel that it starts come from, for the checks of them."""
    cores, first, last = cores_for(emulator, 2)
    tests = os.path.join(image.BUILD, "tests/guest")
    boot = {"rom.bin": os.path.join(tests, "rom.bin"),
            "fwcfg.elf": os.path.join(tests, "fwcfg.elf"), "bios.bin": BIOS, **efi}
    files = {"vmlinuz": _linux.payload()["vmlinuz"],
             "privileged.cpio": control.initrd(folder, {"boot/" + n: p for n, p in boot.items()})}
    guests = [_linux.privileged("bhfirm,poweroff", cores=f"{first}-{last}", vcpus="1")]
    disk = image.make(folder, image.manifest(guests, extra="guest-memory = 256M"), files, "uefi")
    with Machine(emulator, disk, folder, cores=cores, memory=1024, timeout=seconds * 2) as m:
        for check in FIRM_CHECKS + (EFI_CHECKS if efi else ()):
            step(results, m, f"{where}.{check}", rf"\[linux\] .*TEST {check} ok", seconds, 0)
        results.check(m.wait_end(seconds), f"{where}.powers_off", "the machine still runs")


def firmware(results, folder):
    """Guests that start at a firmware, and one that reads a file by fw_cfg."""
    run_firmware(results, folder, "bhctl.firmware", "qemu", FIRM_SECONDS,
                 {"OVMF.fd": OVMF, "vmlinuz": os.path.join(_linux.GUESTS, "vmlinuz"),
                  "isolated.cpio": os.path.join(_linux.GUESTS, "isolated.cpio")})


def firmware_vmx(results, folder):
    run_firmware(results, folder, "bhctl.firmware_vmx", "bochs", BOCHS_SECONDS, {})


def cycles(results, folder):
    run(results, folder, "bhctl.cycles", LONG_CYCLES, LONG_SECONDS)


def tests():
    return [("bhctl", svm), ("bhctl.firmware", firmware)]


def soak():
    return [("bhctl.vmx", vmx), ("bhctl.firmware_vmx", firmware_vmx), ("bhctl.cycles", cycles)]
