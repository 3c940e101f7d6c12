# SPDX-License-Identifier: BSD-2-Clause
"""The image of `make usb`, a disk and a CD in one file: its bytes, that each firmware
starts it as either to the login prompt of the live Debian, and who may log in there."""
import binascii
import filecmp
import os
import re
import socket
import struct
import subprocess
import time
import uuid

from harness import image, stick
from harness.machine import ROOT, Machine
from harness.stick import IMAGE, LOGIN, SECTOR, read
from system._linux import QEMU_CORES, step
from system.boot import protective_mbr

MOST_BYTES = 700 << 20
BLOCK = 2048
ESP = uuid.UUID("c12a7328-f81f-11d2-ba4b-00a0c93ec93b")
LINUX = uuid.UUID("0fc63daf-8483-4772-8e79-3d69d8477de4")
PVD, BOOT_RECORD = 16, 17  # blocks
CATALOG_AT = 0x47
VOLUME_BLOCKS_AT = 80
SECONDS = 900
ANSWER_SECONDS = 240
SWITCH = "\x1d"  # Ctrl-]
PASSWORD = "correct horse"
AUTOMATIC = re.escape(LOGIN + "root (automatic login)")
PROMPT = r"root@bulkhead:~# "


def gpt_header(results, where, disk, lba):
    """The partitions, as (type, first, last) by their place; both checksums hold
    (UEFI 5.3.2 *GPT Header*)."""
    raw = read(disk, lba * SECTOR, 92)
    (sign, size, crc, own, entries_at, count, entry, entries_crc) = struct.unpack(
        "<8s4xII4xQ40xQIII", raw)
    zeroed = raw[:16] + bytes(4) + raw[20:]
    table = read(disk, entries_at * SECTOR, count * entry)
    results.check((sign, size, own) == (b"EFI PART", 92, lba), f"{where}.header", raw)
    results.check(binascii.crc32(zeroed) == crc, f"{where}.header_crc")
    results.check(binascii.crc32(table) == entries_crc, f"{where}.entries_crc")
    found = {}
    for n in range(count):
        kind, first, last = struct.unpack_from("<16s16xQQ", table, n * entry)
        if kind != bytes(16):
            found[n + 1] = (uuid.UUID(bytes_le=kind), first, last)
    return found


def gpt(results, where, disk):
    last = os.path.getsize(disk) // SECTOR - 1
    found = gpt_header(results, f"{where}.gpt", disk, 1)
    results.check(gpt_header(results, f"{where}.gpt_copy", disk, last) == found,
                  f"{where}.gpt_copy.same")
    ranges = sorted(f[1:] for f in found.values())
    results.check(all(a[1] < b[0] for a, b in zip(ranges, ranges[1:])),
                  f"{where}.no_overlap", ranges)
    results.check(found[1][0] == LINUX and found[2][0] == ESP, f"{where}.types", found)
    return found


def catalog_entries(results, where, disk):
    """The first sectors of the images for BIOS and for UEFI, and how many of them are
    to be loaded ("El Torito" 1.0, 2.0 *The Booting Catalog*)."""
    record = read(disk, BOOT_RECORD * BLOCK, BLOCK)
    results.check(record[:30] == b"\0CD001\1EL TORITO SPECIFICATION", f"{where}.record", record[:30])
    catalog = read(disk, struct.unpack_from("<I", record, CATALOG_AT)[0] * BLOCK, BLOCK)
    results.check(catalog[:2] == b"\1\0" and catalog[30:32] == b"\x55\xaa" and
                  sum(struct.unpack("<16H", catalog[:32])) & 0xffff == 0,
                  f"{where}.validation", catalog[:32])
    results.check(catalog[64:68] == b"\x91\xef\1\0", f"{where}.section", catalog[64:68])
    found = []
    for name, at in (("bios", 32), ("uefi", 96)):
        boot, media, count, block = struct.unpack_from("<BB4xHI", catalog, at)
        results.check((boot, media) == (0x88, 0), f"{where}.{name}_entry", catalog[at:at + 32])
        found.append((block, count))
    return found


def el_torito(results, where, disk, esp):
    """The UEFI entry is the FAT partition. Its count has 16 bits: 0 or 1 means to the
    end of the CD, which the volume descriptor gives (UEFI 13.3.2.1)."""
    (bios, _), (uefi, count) = catalog_entries(results, where, disk)
    results.check(read(disk, bios * BLOCK + 8, 8) == struct.pack("<II", PVD, bios),
                  f"{where}.boot_info", read(disk, bios * BLOCK, 32))
    results.check(uefi * BLOCK == esp[1] * SECTOR, f"{where}.is_the_esp", (uefi, esp))
    sectors = esp[2] - esp[1] + 1
    results.check(count in (0, 1) or count == sectors, f"{where}.count", count)
    blocks = struct.unpack_from("<I", read(disk, PVD * BLOCK, BLOCK), VOLUME_BLOCKS_AT)[0]
    results.check(count > 1 or (esp[2] + 1) * SECTOR <= blocks * BLOCK,
                  f"{where}.reaches_the_end", (blocks, esp))


def fat_files(disk, first):
    listed = subprocess.run(["mdir", "-i", f"{disk}@@{first * SECTOR}", "-/", "-b", "::"],
                            check=True, capture_output=True, text=True)
    return listed.stdout.split()


def check_bytes(results, where, disk):
    protective_mbr(results, where, disk)
    found = gpt(results, where, disk)
    iso, esp = found[1], found[2]
    for name, at in (("disk", 0), ("partition", iso[1] * SECTOR)):
        results.check(read(disk, at + PVD * BLOCK, 6) == b"\1CD001", f"{where}.iso_of_{name}")
    el_torito(results, f"{where}.el_torito", disk, esp)
    files = fat_files(disk, esp[1])
    for name in ("EFI/BOOT/BOOTX64.EFI", "grub/grub.cfg", "bulkhead/bulkhead.elf",
                 "bulkhead/bulkhead.conf"):
        results.check("::/" + name in files, f"{where}.has_{os.path.basename(name)}", files)
    return esp


def bytes_of_image(results, _folder):
    results.check(os.path.getsize(IMAGE) <= MOST_BYTES, "live.image.size",
                  os.path.getsize(IMAGE))
    check_bytes(results, "live.image", IMAGE)


def mkiso(folder, name, *options):
    disk = os.path.join(folder, name)
    run = subprocess.run(
        [os.path.join(ROOT, "scripts/mkiso"), "--live", folder, "--out", disk,
         "--loader", os.path.join(image.BUILD, "BOOTX64.EFI"), *options,
         os.path.join(image.BUILD, "bulkhead.elf"),
         os.path.join(ROOT, "boot/live/bulkhead.conf")],
        capture_output=True, text=True, check=False)
    return disk, run


def made_of_little(results, folder):
    """Of a small file system: the same bytes each time, and of the size asked for."""
    for name in ("filesystem.squashfs", "live-uuid"):
        with open(os.path.join(folder, name), "wb") as f:
            f.write(b"Bulkhead" * 4096)
    first, run = mkiso(folder, "first.img")
    results.check(run.returncode == 0, "live.mkiso.made", run.stderr)
    check_bytes(results, "live.mkiso", first)
    time.sleep(2)  # a FAT time stamp has two seconds
    second, _ = mkiso(folder, "second.img")
    results.check(filecmp.cmp(first, second, False), "live.mkiso.same_bytes")
    large, run = mkiso(folder, "large.img", "--size", "160")
    results.check(run.returncode == 0, "live.mkiso.size_taken", run.stderr)
    check_bytes(results, "live.mkiso.large", large)
    results.check(152 << 20 <= os.path.getsize(large) <= 160 << 20, "live.mkiso.size",
                  os.path.getsize(large))
    _, run = mkiso(folder, "none.img", "--size", "4")
    results.check("are needed" in run.stderr and run.returncode, "live.mkiso.too_small", run)
    for disk in (first, second, large):
        os.unlink(disk)


def machine(folder, boot_as, firmware, files, options=()):
    """The image, with @files in the folder of the FAT partition."""
    return Machine("qemu", stick.copy(folder, files), folder, firmware, QEMU_CORES,
                   memory=2048, person=True, options=["--boot-as", boot_as, *options],
                   timeout=SECONDS * 2)


def answers(results, m, where, name, command, pattern):
    """What the shell puts in for $() was not typed, so it is no echo."""
    m.send(f"echo {name}=$({command})\r")
    step(results, m, f"{where}.{name}", rf"{name}={pattern}\b", ANSWER_SECONDS)


def at_work(results, m, where):
    """A whole system on the file system of the medium, and the guest beside it."""
    answers(results, m, where, "medium", "findmnt -no FSTYPE /run/live/medium", "iso9660")
    answers(results, m, where, "state", "systemctl is-system-running --wait", "running")
    m.send(SWITCH)
    step(results, m, f"{where}.box_console", r"console: box", ANSWER_SECONDS)
    m.send("\r")
    step(results, m, f"{where}.box_prompt", r"isolated:\S*# ", ANSWER_SECONDS)
    m.send(SWITCH)
    step(results, m, f"{where}.all_consoles", r"console: all", ANSWER_SECONDS)
    m.send("poweroff\r")
    results.check(m.wait_end(ANSWER_SECONDS), f"{where}.powers_off", "the machine still runs")


def closed(results, m, where):
    """Nothing on the stick lets anybody in: the console does, the network does not."""
    step(results, m, f"{where}.says", r"SSH is off: authorized_keys or password", SECONDS)
    if not step(results, m, f"{where}.login", AUTOMATIC, SECONDS):
        return False
    step(results, m, f"{where}.prompt", PROMPT, ANSWER_SECONDS)
    answers(results, m, where, "ssh", "systemctl is-active ssh", "inactive")
    answers(results, m, where, "listeners", "ss -Hltn | grep -vcF 127.0.0.", "0")
    return True


def by_password(results, m, where):
    step(results, m, f"{where}.says", r"SSH and the consoles ask for the password", SECONDS)
    if not step(results, m, f"{where}.login", re.escape(LOGIN), SECONDS):
        return False
    m.send("root\r")
    step(results, m, f"{where}.asks", r"Password: ", ANSWER_SECONDS)
    m.send(PASSWORD + "\r")
    step(results, m, f"{where}.prompt", PROMPT, ANSWER_SECONDS)
    results.check("automatic login" not in m.text(), f"{where}.not_by_itself")
    answers(results, m, where, "ssh", "systemctl is-active ssh", "active")
    return True


def ssh(port, key, *options):
    return subprocess.run(
        ["ssh", "-F", "none", "-i", key, "-p", str(port), "-o", "StrictHostKeyChecking=no",
         "-o", "UserKnownHostsFile=/dev/null", "-o", "BatchMode=yes",
         "-o", "IdentitiesOnly=yes", "-o", "IdentityAgent=none",
         "-o", "ConnectTimeout=20", *options,
         "root@127.0.0.1", "uname -n"], stdin=subprocess.DEVNULL, capture_output=True,
        text=True, check=False)


def new_key(folder, name):
    path = os.path.join(folder, name)
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", path], check=True)
    with open(path + ".pub") as f:
        return path, f.read()


def by_key(results, folder):
    """With a key on the stick, its owner gets in by SSH, and nobody else."""
    where = "live.ssh"
    key, public = new_key(folder, "key")
    other, _ = new_key(folder, "other")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    net = ["--arg", "-netdev", "--arg", f"user,id=net0,hostfwd=tcp:127.0.0.1:{port}-:22",
           "--arg", "-device", "--arg", "e1000e,netdev=net0,romfile="]
    with machine(folder, "usb", "ovmf", {"authorized_keys": public}, net) as m:
        step(results, m, f"{where}.says", r"SSH lets in who has a key", SECONDS)
        if not step(results, m, f"{where}.login", AUTOMATIC, SECONDS):
            return
        end = time.monotonic() + ANSWER_SECONDS
        run = ssh(port, key)
        while run.returncode and time.monotonic() < end:
            time.sleep(5)
            run = ssh(port, key)
        results.check(run.stdout == "bulkhead\n", f"{where}.owner", run.stderr)
        run = ssh(port, other)
        results.check("Permission denied (publickey)" in run.stderr, f"{where}.others",
                      run.stderr)


def boots(boot_as, firmware, who=closed, files=None):
    def run(results, folder):
        where = f"live.{boot_as}_{firmware}"
        with machine(folder, boot_as, firmware, files or {}) as m:
            if who(results, m, where):
                at_work(results, m, where)
    return run


def instructions(results, folder):
    """Of its boot, beside the same Debian's without Bulkhead."""
    got = stick.costs(folder)
    results.check(got["ratio"] <= stick.MOST, "live.instructions", got)
    results.note(f"live.instructions: {got}")


def tests():
    return []


def soak():
    """`tests/run --long live`."""
    return [("live.image", bytes_of_image), ("live.mkiso", made_of_little),
            ("live.usb_uefi", boots("usb", "ovmf")), ("live.usb_bios", boots("usb", "bios")),
            ("live.cd_uefi", boots("cd", "ovmf", by_password, {"password": PASSWORD + "\r\n"})),
            ("live.cd_bios", boots("cd", "bios")),
            ("live.virtual_cd_uefi", boots("usb-cd", "ovmf")),
            ("live.virtual_cd_bios", boots("usb-cd", "bios")),
            ("live.ssh", by_key), ("live.instructions", instructions)]
