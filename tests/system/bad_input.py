# SPDX-License-Identifier: BSD-2-Clause
"""Bad input: each gets one sentence, on screen and on the serial line, that says
what is wrong and what to change, and the machine waits or goes on. A static
guest that cannot start never keeps the others from starting."""
import os
import re
import struct

from harness import image
from harness.machine import Machine
from system import _linux
from system._linux import step

TINY = os.path.join(image.BUILD, "tests/guest/ends.elf")
GOOD = {"name": "good", "kernel": "ends.elf", "memory": "16M", "cores": "0"}
GOOD_RUNS = r"\[good\] DONE 0 0"
# Keeps the machine on after the good guest's end
STAYS = {**GOOD, "name": "stays", "cmdline": "loop"}
SECONDS = {"qemu": 90, "bochs": 240}
SCREEN_SECONDS = 20
TRUNCATED_BYTES = {"kernel": 1 << 20, "elf": 700}
MB_MAGIC, MB_PADDR = 0x1badb002, 0x200000
MB2_MAGIC, MB2_ADDRESS = 0xe85250d6, 2
PT_LOAD, PT_NOTE = 1, 4
PVH_NOTE, PVH_AT = 18, 0x200000
WAITS = r"error: no guest can run(; press a key|\n.*the machine is stopped; switch it off)"
COPY = r"copy it to the folder bulkhead"

# (name, keys that differ from a good guest's, what the sentence says of it)
GUESTS = [
    ("unknown_key", {"colour": "red"},
     r"unknown key 'colour'; the keys of this section are privileged, .*, uuid\s"),
    ("bad_number", {"vcpus": "two"}, r"vcpus = two: bad value; write a number from 1"),
    ("bad_memory", {"memory": "12Q"}, r"memory = 12Q: bad value; write megabytes"),
    ("many_cores", {"cores": "0-63"},
     r"many_cores: cores names core 63, but the machine has 2.*name cores below 2"),
    ("many_vcpus", {"vcpus": "4000"}, r"vcpus = 4000: bad value; write a number"),
    ("much_memory", {"memory": "900G"},
     r"much_memory: memory = 921600M, but of the machine's \d+M only .*lower it"),
    ("no_node", {"numa": "7"},
     r"no_node: numa = 7, but the machine has 1 NUMA node, .*a number below 1, auto or any"),
    ("no_kernel", {"kernel": "absent.elf"},
     r"no_kernel: kernel = absent.elf: there is no such file; " + COPY),
    ("empty_kernel", {"kernel": "empty"},
     r"empty_kernel: kernel = empty: the file is empty; " + COPY + " again"),
    ("short_elf", {"kernel": "short.elf"},
     r"short_elf: kernel = short.elf: the file is cut short; copy it again"),
    ("short_linux", {"kernel": "short.linux"},
     r"short_linux: kernel = short.linux: the file is cut short; copy it again"),
    ("no_linux", {"kernel": "text"},
     r"no_linux: kernel = text is neither a Linux bzImage, a PVH ELF, a multiboot image nor a "
     r"firmware; name a kernel"),
    ("no_initrd", {"initrd": "absent.cpio"},
     r"no_initrd: initrd = absent.cpio: there is no such file; " + COPY),
    ("empty_initrd", {"initrd": "empty"},
     r"empty_initrd: initrd = empty: the file is empty; " + COPY + " again"),
    ("odd_firmware", {"firmware": "text"},
     r"odd_firmware: text is no firmware image: its size must be a multiple of 4 KiB"),
    ("two_ways", {"firmware": "text", "boot": "pvh"},
     r"guest two_ways has a firmware, which starts the kernel; remove one of boot"),
    ("wrong_way", {"boot": "multiboot2"},
     r"wrong_way: kernel = ends.elf is not what boot = says; name another kernel"),
    ("module_for_pvh", {"module": "ends.elf"},
     r"module_for_pvh: module = is for multiboot, but kernel = ends.elf is a PVH ELF"),
    ("absent_module", {"kernel": "mb.elf", "module": "absent"},
     r"absent_module: module = absent: there is no such file; " + COPY),
    ("mb_overlaps", {"kernel": "mb.elf"},
     r"mb_overlaps: kernel = mb.elf: its parts overlap each other or the area below"),
    ("mb_entry", {"kernel": "mb2.elf"},
     r"mb_entry: kernel = mb2.elf: its entry lies in no segment; link it correctly"),
    ("twice", {}, r"guest twice is already defined in line \d+; give this one"),
]

# The same for kernels that contradict themselves, or the guest's memory
IMAGES = [
    ("mb2_tags", {"kernel": "tags.mb2"},
     r"mb2_tags: kernel = tags.mb2: the tags of its multiboot 2 header contradict each other"),
    ("overlap", {"kernel": "overlap.elf"},
     r"overlap: kernel = overlap.elf: its parts overlap each other or the area below"),
    ("outside", {"kernel": "outside.elf"},
     r"outside: its memory has no room for the kernel where it is linked; give it more"),
    ("wraps", {"kernel": "wraps.elf"},
     r"wraps: kernel = wraps.elf: it wants to lie above 4 GiB; link it lower"),
    ("entry_nowhere", {"kernel": "entry.elf"},
     r"entry_nowhere: kernel = entry.elf: its entry lies in no segment; link it correctly"),
    ("file_over_memory", {"kernel": "filesz.elf"},
     r"file_over_memory: kernel = filesz.elf: its headers contradict each other; name"),
    ("far_headers", {"kernel": "phoff.elf"},
     r"far_headers: kernel = phoff.elf: the file is cut short; copy it again"),
    ("small_init", {"kernel": "init.linux"},
     r"small_init: kernel = init.linux: its header contradicts itself \(init_size\); name"),
    ("old_protocol", {"kernel": "old.linux"},
     r"old_protocol: kernel = old.linux: it starts in real mode; name a kernel of Linux"),
]


def elf32(entry, headers, data, phoff=52):
    """An ELF32 of these program headers, (type, offset in @data, address, bytes in
    the file, bytes in memory), with @data behind them."""
    start = 52 + 32 * len(headers)
    ident = b"\x7fELF\1\1\1".ljust(16, b"\0")
    elf = struct.pack("<HHIIIIIHHHHHH", 2, 3, 1, entry, phoff, 0, 0, 52, 32, len(headers), 0, 0, 0)
    table = [struct.pack("<8I", kind, start + at, where, where, filesz, memsz, 7, 4)
             for kind, at, where, filesz, memsz in headers]
    return ident + elf + b"".join(table) + data


def multiboot(paddr, entry):
    """An ELF32 of one segment with a multiboot header."""
    header = struct.pack("<III", MB_MAGIC, 0, -MB_MAGIC & 0xffffffff)
    return elf32(entry, [(PT_LOAD, 0, paddr, len(header), 4096)], header)


def multiboot2(tag_bytes):
    """A multiboot 2 header whose one tag says that it has so many bytes."""
    words = (MB2_MAGIC, 0, 24, -(MB2_MAGIC + 24) & 0xffffffff)
    return struct.pack("<4I2HI", *words, MB2_ADDRESS, 0, tag_bytes) + bytes(4096)


def pvh(*segments, entry=PVH_AT, **keys):
    """An ELF32 with a PVH note, entered at @entry, and segments (address, bytes in
    the file, bytes in memory)."""
    note = struct.pack("<III4sI", 4, 4, PVH_NOTE, b"Xen\0", entry)
    loads = [(PT_LOAD, 0, *segment) for segment in segments]
    return elf32(entry, [(PT_NOTE, 0, 0, len(note), len(note)), *loads], note, **keys)


def linux(version, init_size):
    """A bzImage of nothing but a header (Linux boot protocol, 1.2)."""
    image_bytes = bytearray(0x4000)
    for at, layout, value in ((0x1f1, "<B", 1), (0x1f4, "<I", 0x100), (0x1fe, "<H", 0xaa55),
                              (0x202, "<4s", b"HdrS"), (0x206, "<H", version), (0x211, "<B", 1),
                              (0x230, "<I", 0x1000), (0x238, "<I", 2048),
                              (0x258, "<Q", PVH_AT), (0x260, "<I", init_size)):
        struct.pack_into(layout, image_bytes, at, value)
    return bytes(image_bytes)


KERNELS = {
    "mb.elf": multiboot(0, 0),
    "mb2.elf": multiboot(MB_PADDR, 0),
    "tags.mb2": multiboot2(0xffff),
    "overlap.elf": pvh((PVH_AT, 16, 8192), (PVH_AT + 4096, 16, 4096)),
    "outside.elf": pvh((PVH_AT, 16, 4096), (1 << 30, 16, 4096)),
    "wraps.elf": pvh((PVH_AT, 16, 4096), (0xfffff000, 16, 0x2000)),
    "entry.elf": pvh((PVH_AT, 16, 4096), entry=PVH_AT + 4096),
    "filesz.elf": pvh((PVH_AT, 16, 8)),
    "phoff.elf": pvh((PVH_AT, 16, 4096), phoff=0xfffffff0),
    "init.linux": linux(0x20c, 0x100),
    "old.linux": linux(0x203, 0x100000),
}


def screen_has(results, machine, name, sentence):
    """The text that was drawn on the screen has the sentence, too."""
    text = machine.screen_with(sentence, SCREEN_SECONDS).text()
    results.check(re.search(sentence, text), name + "_on_screen",
                  f"no /{sentence}/ among\n{text}")


def bad_guests(results, emulator, folder, where, table):
    """Every bad guest of @table in one manifest, a good one last."""
    person = emulator == "qemu"
    with open(TINY, "rb") as f:
        short_elf = f.read(TRUNCATED_BYTES["elf"])
    with open(_linux.payload()["vmlinuz"], "rb") as f:
        short_linux = f.read(TRUNCATED_BYTES["kernel"])
    files = {"ends.elf": TINY, "empty": b"", "short.elf": short_elf, **KERNELS,
             "short.linux": short_linux, "text": b"This is no kernel.\n" * 200}
    guests = [{**GOOD, "name": n, **keys} for n, keys, _ in table]
    guests += [{**GOOD, "name": "twice"}, GOOD, STAYS]
    conf = image.manifest(guests, extra="colour = red")
    disk = image.make(folder, conf, files, "uefi" if person else "hybrid")
    with Machine(emulator, disk, folder, "ovmf" if person else "bios", memory=512,
                 timeout=SECONDS[emulator] * 2, person=person) as m:
        before = len(results.failed)
        step(results, m, f"{where}.good_runs", GOOD_RUNS, SECONDS[emulator])
        for name in ("stays", "twice"):
            step(results, m, f"{where}.{name}_runs", rf"\[{name}\] READY", SECONDS[emulator], 0)
        rows = table + [("bad_hypervisor_key", {},
                         r"conf:3: unknown key 'colour'; the keys of this section are console")]
        # The good guests may be done while others are still being looked at
        for _name, _keys, sentence in rows:
            m.expect(sentence, SECONDS[emulator], 0)
        text = m.text()
        for name, _keys, sentence in rows:
            results.check(len(re.findall(sentence, text)) == 1, f"{where}.{name}",
                          f"not one sentence with /{sentence}/")
            ran = len(re.findall(rf"\[{name}\] READY", text))
            results.check(ran == (name == "twice"), f"{where}.{name}_does_not_start",
                          f"it started {ran} times")
        if person:
            screen_has(results, m, where,
                       r"kernel = \S+: the file is cut short; copy it again")
        if len(results.failed) > before:
            results.note(m.tail())


def dmar(address, length=16):
    """A DMAR with one unit, for QEMU: its registers are at @address."""
    return "DMAR", (struct.pack("<BB10x", 38, 0) +
                    struct.pack("<HHBBHQ", 0, length, 1, 0, 0, address))


INTEL = r"Intel Virtualization Technology"
NO_VTD = r"turn VT-d (or the AMD IOMMU )?off in the firmware's setup"
# One boot each, after which the machine waits and no guest runs: name, emulator,
# kind of image, firmware, emulator's options and ACPI tables, GRUB's commands, sentence
MACHINES = [
    ("no_svm", "qemu", "uefi", "ovmf", ["--cpu", "max,-monitor,-svm"], [],
     r"cpu: error: .*neither VMX nor SVM.*SVM Mode.*firmware"),
    ("no_npt", "qemu", "uefi", "ovmf", ["--cpu", "max,-monitor,-npt"], [],
     r"svm: error: .*without nested paging; use one .*firmware"),
    ("vmx_locked", "bochs", "grub-uefi", "ovmf", [], ["wrmsr 0x3a 0x1"],
     rf"vmx: error: VMX is locked off.*{INTEL}.*firmware"),
    ("no_vmx", "bochs", "hybrid", "bios", ["--cpu", "p4_prescott_celeron_336"], [],
     rf"vmx: error: .*no VMX.*{INTEL}.*firmware"),
    ("no_ept", "bochs", "hybrid", "bios", ["--cpu", "core2_penryn_t9600"], [],
     r"vmx: error: .*no extended page tables \(EPT\).*use a newer"),
    ("no_unrestricted", "bochs", "hybrid", "bios", ["--cpu", "corei5_lynnfield_750"],
     [], r"vmx: error: .*no unrestricted guest mode.*use a newer"),
    ("iommu_in_memory", "qemu", "uefi", "ovmf", [dmar(0x1000000)], [],
     rf"iommu: error: DMAR names an IOMMU at 0x1000000 that .* \(there is memory\).*{NO_VTD}"),
    ("iommu_unread", "qemu", "uefi", "ovmf", [dmar(0xfed90000, 48)], [],
     rf"iommu: error: the table DMAR cannot be read whole.*{NO_VTD}"),
]
ERROR = r"\w+: error: [^\n]*"


def words_of(folder, option):
    """Of the emulator's command line: a word, or (signature, bytes) of an ACPI table."""
    if isinstance(option, str):
        return [option]
    path = os.path.join(folder, "table")
    with open(path, "wb") as f:
        f.write(option[1])
    return ["--arg", "-acpitable", "--arg", f"sig={option[0]},rev=1,data={path}"]


def machine_case(name, emulator, kind, firmware, options, grub, sentence):
    def run(results, folder):
        commands = [word for c in grub for word in ("--grub", c)]
        disk = image.make(folder, image.manifest([GOOD]), {"ends.elf": TINY}, kind,
                          options=commands)
        person = emulator == "qemu"
        with Machine(emulator, disk, folder, firmware, memory=512,
                     options=[w for o in options for w in words_of(folder, o)],
                     timeout=SECONDS[emulator] + 30, person=person) as m:
            where = f"bad_machine.{name}"
            if not step(results, m, where, sentence, SECONDS[emulator]):
                return
            step(results, m, f"{where}_says_that_it_waits", WAITS, 20)
            m.expect(r"(?!)", 3)
            results.check(m.process.poll() is None, f"{where}_waits",
                          "the machine reset or ended")
            results.check(len(re.findall(ERROR, m.text())) == 2,
                          f"{where}_one_sentence", "more errors than one")
            if person:
                screen_has(results, m, where, sentence)
    return run


def iommu_nowhere(results, folder):
    """One that setup has switched off: a warning, and the guest runs."""
    disk = image.make(folder, image.manifest([GOOD]), {"ends.elf": TINY}, "uefi")
    with Machine("qemu", disk, folder, "ovmf", memory=512, options=words_of(folder, dmar(0)),
                 timeout=SECONDS["qemu"]) as m:
        step(results, m, "bad_iommu_nowhere.told",
             rf"iommu: warning: DMAR has an IOMMU without an address: .*{NO_VTD}",
             SECONDS["qemu"], 0)
        step(results, m, "bad_iommu_nowhere.goes_on", GOOD_RUNS, SECONDS["qemu"], 0)


def no_random(results, folder):
    """A CPU with neither RDSEED nor RDRAND: a guest that wants an entropy device is
    refused, and one without it runs."""
    random = {**GOOD, "name": "random", "entropy": "yes"}
    sentence = (r"conf:\d+: guest random: entropy = yes, but this CPU has neither RDSEED nor "
                r"RDRAND to take it from; remove it")
    disk = image.make(folder, image.manifest([random, GOOD, STAYS]), {"ends.elf": TINY}, "uefi")
    with Machine("qemu", disk, folder, "ovmf", memory=512, timeout=SECONDS["qemu"] + 30,
                 options=["--cpu", "max,-monitor,-rdrand,-rdseed"], person=True) as m:
        step(results, m, "bad_no_random.told", sentence, SECONDS["qemu"], 0)
        step(results, m, "bad_no_random.goes_on", GOOD_RUNS, SECONDS["qemu"], 0)
        results.check(not re.search(r"\[random\] READY", m.text()), "bad_no_random.refused",
                      "the guest runs")
        results.check(len(re.findall(sentence, m.text())) == 1, "bad_no_random.one_sentence",
                      m.tail())
        screen_has(results, m, "bad_no_random", sentence)


# The loaders' own: name, kind, firmware, files, sentence. They wait for a key.
LOADERS = [
    ("no_hypervisor", "uefi", "ovmf", {"bulkhead.elf": b""},
     r"Bulkhead cannot start: .*bulkhead.elf is missing or empty; copy the file"),
    ("short_hypervisor", "uefi", "ovmf", None,
     r"Bulkhead cannot start: .*bulkhead.elf .*; copy the file of this release"),
    ("short_hypervisor_grub", "grub-bios", "bios", None,
     r"Bulkhead cannot start: /bulkhead/bulkhead.elf is damaged; copy the file"),
]


def loader_case(name, kind, firmware, files, sentence):
    def run(results, folder):
        with open(os.path.join(image.BUILD, "bulkhead.elf"), "rb") as f:
            short = {"bulkhead.elf": f.read(100000)}
        disk = image.make(folder, image.manifest([GOOD]),
                          {"ends.elf": TINY, **(files or short)}, kind)
        with Machine("qemu", disk, folder, firmware, memory=512, cores=1,
                     timeout=SECONDS["qemu"] + 30) as m:
            where = f"bad_loader.{name}"
            if step(results, m, where, sentence, SECONDS["qemu"]):
                step(results, m, f"{where}_asks_for_a_key", r"Press ", 10)
                m.expect(r"(?!)", 3)
                results.check(m.process.poll() is None, f"{where}_waits",
                              "the machine reset or ended")
    return run


def loaders(results, folder):
    for row in LOADERS:
        here = os.path.join(folder, row[0])
        os.makedirs(here)
        loader_case(*row)(results, here)


TABLES_FROM, TABLES_BYTES = 0x1ff00000, 0x100000  # SeaBIOS's, with 512 MiB
MADT_CHECKSUM, MADT_REVISION, MADT_ENTRIES, ENTRY_BYTES = 9, 24, 44, 8
ENTRY_FLAGS = 4
ABSENT = 2  # the third processor's entry: there are two
HEADER, NOWHERE = 36, 0x90000000  # of a table; an address where none is


def find_tables(machine, folder, *signatures):
    """Where SeaBIOS put the tables, and their bytes: (address, bytes) by signature."""
    path = os.path.join(folder, "tables.bin")
    # A bare /path would be taken for a division
    machine.monitor(f'pmemsave {TABLES_FROM:#x} {TABLES_BYTES:#x} "{path}"')
    with open(path, "rb") as f:
        data = f.read()
    tables = {}
    for found in re.finditer("|".join(signatures).encode(), data):
        at = found.start()
        length = int.from_bytes(data[at + 4:at + 8], "little")
        if HEADER < length < 4096 and not sum(data[at:at + length]) & 0xff:
            tables[found[0].decode()] = TABLES_FROM + at, data[at:at + length]
    return tables


def grub_writes(pokes):
    """GRUB's commands for {address: byte}, as options of an image."""
    return [w for at, value in pokes.items()
            for w in ("--grub", f"write_byte {at:#x} {value:#x}")]


LOST = r"iommu: warning: no table names an IOMMU, but one that cannot be read may: .*setup"


def lose_last(rsdt, data):
    """What GRUB writes for the last entry of the RSDT to lead nowhere."""
    last, at = data[-4:], rsdt + len(data) - 4
    entry = NOWHERE.to_bytes(4, "little")
    checksum = data[MADT_CHECKSUM] + sum(last) - sum(entry) & 0xff
    return {rsdt + MADT_CHECKSUM: checksum, **{at + i: b for i, b in enumerate(entry)}}


def table_cases(madt, data):
    """(name, bytes GRUB writes, sentence)"""
    flags = MADT_ENTRIES + ABSENT * ENTRY_BYTES + ENTRY_FLAGS
    # What enables the third core is made up for in the OEM revision
    revision = (data[MADT_REVISION] - 1) & 0xff
    return [
        ("checksum", {madt + MADT_CHECKSUM: data[MADT_CHECKSUM] ^ 0xff},
         r"table APIC at \S+ has a wrong checksum and is used .*update may cure it"),
        ("silent_core", {madt + flags: 1, madt + MADT_REVISION: revision},
         r"core with APIC id 2 does not answer .*left out.*"),
    ]


def tables(results, folder):
    """A broken checksum, a core that is not there and an entry that leads nowhere, put
    into the firmware's tables by GRUB: where they lie is learnt from a boot that is left
    alone."""
    options = ["--arg", "-smp", "--arg", "2,maxcpus=3"]
    files = {"ends.elf": TINY}
    conf = image.manifest([GOOD, STAYS])
    disk = image.make(folder, conf, files, "grub-bios")
    with Machine("qemu", disk, folder, "bios", memory=512, options=options,
                 timeout=SECONDS["qemu"], person=True) as m:
        step(results, m, "tables.plain_boot", GOOD_RUNS, SECONDS["qemu"])
        found = find_tables(m, folder, "APIC", "RSDT")
    if not results.check(len(found) == 2, "tables.found", "SeaBIOS left no MADT or no RSDT"):
        return
    lost = lose_last(*found["RSDT"])
    for name, pokes, sentence in [*table_cases(*found["APIC"]), ("lost", lost, LOST)]:
        grub = grub_writes(pokes)
        disk = image.make(folder, conf, files, "grub-bios", options=grub)
        with Machine("qemu", disk, folder, "bios", memory=512, options=options,
                     timeout=SECONDS["qemu"], person=True) as m:
            step(results, m, f"tables.{name}", sentence, SECONDS["qemu"])
            step(results, m, f"tables.{name}_goes_on", GOOD_RUNS, SECONDS["qemu"], 0)
            screen_has(results, m, f"tables.{name}", sentence)
    disk = image.make(folder, conf, {**files, "check": b""}, "grub-bios", options=grub_writes(lost))
    with Machine("qemu", disk, folder, "bios", memory=512, options=options,
                 timeout=SECONDS["qemu"], person=True) as m:
        step(results, m, "tables.lost_is_checked",
             r"WARN  iommu: no table names one, but one", SECONDS["qemu"], 0)


def no_manifest(results, folder):
    """The built-in default: the first kernel found, as the privileged guest.
    Without one, the machine waits."""
    files = _linux.payload()
    files.pop("isolated.cpio")
    disk = image.make(folder, None, files)
    with Machine("qemu", disk, folder, memory=1024, timeout=240) as m:
        step(results, m, "no_manifest.sentence",
             r"no manifest; kernel vmlinuz with initrd privileged.cpio starts as "
             r"the privileged guest: put bulkhead.conf into the folder bulkhead", 60)
        step(results, m, "no_manifest.privileged_starts", r"Linux version", 180, 0)
    disk = image.make(folder, None, {"text": b"This is no kernel.\n"})
    with Machine("qemu", disk, folder, memory=512, timeout=120, person=True) as m:
        step(results, m, "no_kernel.sentence",
             r"neither a manifest nor a Linux kernel; put bulkhead.conf and a kernel", 60)
        step(results, m, "no_kernel.waits", WAITS, 20)
        m.expect(r"(?!)", 3)
        results.check(m.process.poll() is None, "no_kernel.stays_on",
                      "the machine reset or ended")
        m.send(" ")
        results.check(m.wait_end(20), "no_kernel.ends_by_a_key", m.tail())


def bad_guests_case(emulator, where, table):
    return where, lambda results, folder: bad_guests(results, emulator, folder, where, table)


def tests():
    found = [bad_guests_case(emulator, f"{name}.{backend}", table)
             for name, table in (("bad_guests", GUESTS), ("bad_images", IMAGES))
             for emulator, backend in (("qemu", "svm"), ("bochs", "vmx"))]
    found += [("bad_tables", tables), ("bad_no_manifest", no_manifest), ("bad_loader", loaders),
              ("bad_iommu_nowhere", iommu_nowhere), ("bad_no_random", no_random)]
    return found + [(f"bad_{row[0]}", machine_case(*row)) for row in MACHINES]
