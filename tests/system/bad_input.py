# SPDX-License-Identifier: BSD-2-Clause
"""Bad input: each gets one sentence that says what is wrong and what to change,
and the machine waits or goes on. A static guest that cannot start never keeps
the others from starting."""
import os
import re

from harness import image
from harness.machine import Machine
from system import _linux
from system._linux import step

GOOD = {"name": "good", "kernel": "ends.elf", "memory": "16M", "cores": "0"}
TINY = os.path.join(image.BUILD, "tests/guest/ends.elf")
SECONDS = {"qemu": 90, "bochs": 240}
GOOD_RUNS = r"\[good\] DONE 0 0"

# (name, manifest keys that differ from a good guest's, sentence)
GUESTS = [
    ("unknownkey", {"colour": "red"}, r"colour.*(unknown|no such|not a) ?key|unknown key.*colour"),
    ("badnumber", {"vcpus": "two"}, r"vcpus.*two|two.*vcpus"),
    ("badmemory", {"memory": "12Q"}, r"memory.*12Q|12Q"),
    ("manycores", {"cores": "0-63"}, r"manycores.*core|core.*63"),
    ("manyvcpus", {"vcpus": "4000"}, r"vcpus.*4000|4000"),
    ("muchmemory", {"memory": "900G"}, r"muchmemory.*memory|900 ?G"),
    ("nokernel", {"kernel": "absent.elf"}, r"absent\.elf.*"),
    ("emptykernel", {"kernel": "empty"}, r"empty.*(empty|0 bytes)"),
    ("shortkernel", {"kernel": "short"}, r"short.*(truncated|short|ends|beyond|damaged)"),
    ("notkernel", {"kernel": "text"}, r"text.*(not a|neither|no) .*kernel|text.*kernel"),
    ("noinitrd", {"initrd": "absent.cpio"}, r"absent\.cpio"),
    ("emptyinitrd", {"initrd": "empty"}, r"empty.*(empty|0 bytes)"),
]
SENTENCE = 30  # characters: shorter is no sentence


def bad_guests(results, folder):
    """Every bad guest of the table in one manifest, a good one last."""
    with open(TINY, "rb") as f:
        tiny = f.read()
    files = {"ends.elf": TINY, "empty": b"", "short": tiny[:700],
             "text": b"This is no kernel.\n" * 200}
    guests = [{"name": n, "kernel": "ends.elf", "memory": "16M", "cores": "0", **keys}
              for n, keys, _ in GUESTS]
    guests.append({"name": "twice", "kernel": "ends.elf", "memory": "16M"})
    guests.append({"name": "twice", "kernel": "ends.elf", "memory": "16M"})
    disk = image.make(folder, image.manifest(guests + [GOOD]), files)
    with Machine("qemu", disk, folder, memory=512, timeout=SECONDS["qemu"]) as m:
        step(results, m, "bad_guests.good_runs", GOOD_RUNS, SECONDS["qemu"])
        text = m.text()
        for name, _keys, sentence in GUESTS + [("twice", {}, r"twice.*(twice|already|duplicate|second|again)")]:
            lines = [line for line in text.splitlines() if re.search(sentence, line)
                     and len(line) > SENTENCE]
            results.check(lines, f"bad_guests.{name}", f"no sentence with /{sentence}/")
            if name != "twice":
                results.check(not re.search(rf"\[{name}\] READY", text),
                              f"bad_guests.{name}_does_not_start", "it started")
        if results.failed:
            results.note(m.tail())


# One boot each: name, emulator, options of the emulator, of mkimage, sentence,
# and whether the good guest runs all the same
MACHINES = [
    ("no_svm", "qemu", ["--cpu", "max,-monitor,-svm"], [], r"SVM Mode|(AMD-V|SVM).*(firmware|not)", False),
    ("no_npt", "qemu", ["--cpu", "max,-monitor,-npt"], [], r"(?i)nested paging", False),
    ("vmx_locked", "bochs", [], ["--grub", "wrmsr 0x3a 0x1"], r"locked.*(firmware|setup)|firmware.*(VT-x|Virtualization Technology)", False),
    ("no_vmx", "bochs", ["--cpu", "pentium4"], [], r"(VT-x|VMX|AMD-V|long mode|64-bit)", False),
    ("no_ept", "bochs", ["--cpu", "core2_penryn_t9600"], [], r"EPT", False),
    ("no_unrestricted", "bochs", ["--cpu", "corei5_lynnfield_750"], [], r"(?i)unrestricted guest", False),
]


def machine_case(name, emulator, options, mkimage, sentence, runs):
    def run(results, folder):
        kind = "hybrid" if emulator == "bochs" else "uefi"
        disk = image.make(folder, image.manifest([GOOD]), {"ends.elf": TINY}, kind,
                          options=mkimage)
        with Machine(emulator, disk, folder, "bios" if emulator == "bochs" else "ovmf",
                     memory=512, timeout=SECONDS[emulator] + 30, options=options) as m:
            if not step(results, m, f"bad_machine.{name}", sentence, SECONDS[emulator]):
                return
            m.expect(r"(?!)", 3)
            results.check(m.process.poll() is None, f"bad_machine.{name}_waits",
                          "the machine reset or ended")
            results.check(bool(re.search(GOOD_RUNS, m.text())) == runs,
                          f"bad_machine.{name}_guest", "the guest ran, or did not")
    return run


def tables(results, folder):
    """A broken checksum and a core that is not there, put into the firmware's
    tables by GRUB: where they lie is learnt from a boot that is left alone."""
    options = ["--arg", "-smp", "--arg", "2,maxcpus=3"]
    files = {"ends.elf": TINY}
    disk = image.make(folder, image.manifest([GOOD]), files, "grub-bios")
    with Machine("qemu", disk, folder, "bios", memory=512, options=options,
                 timeout=SECONDS["qemu"]) as m:
        found = m.expect(r"APIC[^\n]*?(?:0x|at )([0-9a-f]{6,})", SECONDS["qemu"])
        step(results, m, "tables.plain_boot", GOOD_RUNS, SECONDS["qemu"], 0)
    if not results.check(found, "tables.madt_logged", "no line says where the MADT lies"):
        return
    madt = int(found[1], 16)
    checksum = madt + 9
    cases = [
        ("checksum", [f"write_byte {checksum:#x} 0x5a"], r"(?i)checksum"),
        # Third processor entry (type 0, 8 bytes each, from 44): enable it and
        # make up for it in the OEM revision, so that the checksum holds
        ("silent_core", [f"write_byte {madt + 44 + 16 + 4:#x} 0x1",
                         f"write_byte {madt + 24:#x} 0x0"],
         r"(?i)core.*(answer|SIPI)"),
    ]
    for name, commands, sentence in cases:
        options_grub = [w for c in commands for w in ("--grub", c)]
        disk = image.make(folder, image.manifest([GOOD]), files, "grub-bios",
                          options=options_grub)
        with Machine("qemu", disk, folder, "bios", memory=512, options=options,
                     timeout=SECONDS["qemu"]) as m:
            step(results, m, f"tables.{name}", sentence, SECONDS["qemu"])
            step(results, m, f"tables.{name}_goes_on", GOOD_RUNS, SECONDS["qemu"], 0)


def no_manifest(results, folder):
    """The built-in default: the first kernel found, as the privileged guest."""
    files = _linux.payload()
    files.pop("isolated.cpio")
    disk = image.make(folder, None, files)
    with Machine("qemu", disk, folder, memory=1024, timeout=240) as m:
        step(results, m, "no_manifest.sentence", r"(?i)no (manifest|bulkhead\.conf)|bulkhead\.conf.*(missing|not)", 60)
        step(results, m, "no_manifest.privileged_starts", r"Linux version", 180, 0)


def tests():
    found = [("bad_guests", bad_guests), ("bad_tables", tables),
             ("bad_no_manifest", no_manifest)]
    return found + [(f"bad_{row[0]}", machine_case(*row)) for row in MACHINES]
