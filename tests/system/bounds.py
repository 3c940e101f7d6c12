# SPDX-License-Identifier: BSD-2-Clause
"""Nothing keeps a core long: on a machine of one core, where the TSC counts
instructions, a guest is built again and again (128 MiB to zero, a file to copy),
another crashes and is scrubbed, and a third goes on beside them; and a guest of 128
vCPUs tells all of them at once, and ends, while another's vCPUs run code all over its
memory. The hypervisor measures how long its core saw neither its timer nor its queue."""
import os
import re

from harness import bench, image

LIMIT = 100_000  # instructions
INITRD_BYTES = 4 << 20
STARTS = 3
WITNESS_ROUNDS = 60
CROWD = 128  # vCPUs
CODERS = 12  # vCPUs: with more a guest has a table for each of its large pages
REPORT = r"stretch: core 0: longest (\d+) ticks \(\d+ us\), (\d+) too long; (.*)"


def manifest():
    def guest(name, kernel, memory, cmdline, **keys):
        return {"name": name, "kernel": kernel, "memory": memory, "cores": "0",
                "cmdline": cmdline, **keys}
    return image.manifest([
        guest("looper", "ends.elf", "128M", "reset", initrd="big"),
        guest("crasher", "ends.elf", "64M", "triple"),
        guest("witness", "witness.elf", "16M", f"rounds={WITNESS_ROUNDS}"),
    ], extra="measure = yes")


def crowd_manifest():
    return image.manifest([{"name": "crowd", "kernel": "many.elf", "memory": "32M",
                            "cores": "0", "vcpus": CROWD, "cmdline": f"vcpus={CROWD}"},
                           {"name": "code", "kernel": "code.elf", "memory": "128M",
                            "cores": "0", "vcpus": CODERS, "cmdline": f"vcpus={CODERS}"}],
                          extra="measure = yes")


def check_longest(results, m, where):
    found = m.expect(REPORT, bench.SECONDS)
    if results.check(found, f"{where}.report", m.tail()):
        longest, count, what = found.groups()
        results.check(int(longest) <= LIMIT and int(count) == 0, f"{where}.longest",
                      f"{longest} instructions ({what}), {count} of more than {LIMIT}")


def files_of(*names):
    return {n: os.path.join(image.BUILD, "tests/guest", n) for n in names}


def crowd(results, emulator, folder):
    """A guest whose vCPUs are many: each of its broadcasts wakes 127 of them, and so
    does its end. Beside it one that uses up its tables for split pages, on VMX."""
    where = f"bounds.crowd.{'svm' if emulator == 'qemu' else 'vmx'}"
    with bench.counting(emulator, folder, crowd_manifest(), files_of("many.elf", "code.elf"),
                        1, 512) as m:
        m.leave_menu(bench.SECONDS)
        for name in ("crowd", "code"):
            done = m.expect(rf"\[{name}\] DONE (\d+) 0\b", bench.SECONDS, 0)
            results.check(done, f"{where}.{name}", m.tail())
        check_longest(results, m, where)


def run(results, emulator, folder):
    where = f"bounds.{'svm' if emulator == 'qemu' else 'vmx'}"
    files = files_of("ends.elf", "witness.elf")
    files["big"] = os.urandom(INITRD_BYTES)
    with bench.counting(emulator, folder, manifest(), files, 1, 512, person=True) as m:
        m.leave_menu(bench.SECONDS)
        done = m.expect(r"\[witness\] DONE 6 0", bench.SECONDS)
        results.check(done, f"{where}.witness", m.tail())
        m.expect(r"guest witness powers off", bench.SECONDS)
        starts = len(re.findall(r"vm: guest looper starts", m.text()))
        while starts < STARTS and m.expect(r"vm: guest looper starts", bench.SECONDS):
            starts += 1
        results.check(m.expect(r"guest crasher crashed: triple fault", bench.SECONDS, 0),
                      f"{where}.crash", m.tail())
        m.send("s")
        check_longest(results, m, where)


def tests():
    return [("bounds.svm", lambda r, f: run(r, "qemu", f)),
            ("bounds.vmx", lambda r, f: run(r, "bochs", f)),
            ("bounds.crowd.svm", lambda r, f: crowd(r, "qemu", f)),
            ("bounds.crowd.vmx", lambda r, f: crowd(r, "bochs", f))]
