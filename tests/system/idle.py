# SPDX-License-Identifier: BSD-2-Clause
"""What a guest's sleep is: a port that an ACPI table names as a sleep state's."""
import os
import struct

from harness import guests

PORT = 0x6a10  # nothing is there


def register(port):
    """A buffer with a SystemIO register of eight bits."""
    return (b"\x11\x14\x0a\x11\x82\x0c\x00\x01\x08\x00\x01" + struct.pack("<Q", port) +
            b"\x79\x00")


def ssdt(folder, port):
    """Name (_CST, Package () { 1, Package () { register, 2, 50, 100 } })"""
    state = register(port) + b"\x0a\x02\x0a\x32\x0a\x64"
    state = b"\x04" + state
    state = b"\x12" + bytes([len(state) + 1]) + state
    states = b"\x02\x01" + state
    aml = b"\x08_CST\x12" + bytes([len(states) + 1]) + states
    table = bytearray(struct.pack("<4sIBB6s8sI4sI", b"SSDT", 36 + len(aml), 2, 0, b"BULKHD",
                                  b"SLEEP   ", 1, b"TEST", 1) + aml)
    table[9] = -sum(table) & 0xff
    path = os.path.join(folder, "ssdt.aml")
    with open(path, "wb") as f:
        f.write(table)
    return path


def sleep_port(results, folder):
    """A vCPU that reads it halts until an interrupt waits, taken or not."""
    boot = {"name": "sleep",
            "options": ["--arg", "-acpitable", "--arg", f"file={ssdt(folder, PORT)}"],
            "guest": [{"name": "sleep", "image": "sleep", "privileged": "yes",
                       "cmdline": f"port={PORT}"}]}
    guests.run_boot(results, "svm", boot, folder)


def tests():
    return [("idle.sleep_port", sleep_port)]
