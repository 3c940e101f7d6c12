# SPDX-License-Identifier: BSD-2-Clause
"""A disk with an installed Debian that starts by BIOS and by UEFI: made by
mmdebstrap, mke2fs and grub-mkimage, with no loop mount. At each boot it does
what a line of a plan says and prints `TEST step ok` on its console."""
import hashlib
import os
import shutil
import struct
import subprocess
import sys

from harness import image

SUITE = "bookworm"
NEXT_SUITE = "trixie"
UUID = "3b1f6f0e-5a0d-4c5e-8f43-6d0b6c1f2a77"
PACKAGES = ("linux-image-amd64", "initramfs-tools", "systemd-sysv", "udev", "kmod", "zstd",
            "grub2-common", "grub-efi-amd64", "grub-pc-bin", "grub-efi-amd64-signed",
            "shim-signed", "e2fsprogs", "fdisk")
SECTOR = 512
MIB = 1 << 20
GRUB_START, ESP_START, ROOT_START = 34, 2048, 2048 + 32 * 2048
DISK_MIB = 3072
SMALL_MIB = 128
TAIL = 34  # sectors of the backup table, and one
# To the root file system's own menu
EMBEDDED = f"""search --no-floppy --fs-uuid --set=root {UUID}
set prefix=($root)/boot/grub
"""
MODULES = ("part_gpt", "ext2", "search", "search_fs_uuid", "normal")
# What the signed GRUB reads, whose name for its folder is in it
SIGNED = EMBEDDED + "configfile $prefix/grub.cfg\n"
# Before there is a menu by update-grub
FIRST_MENU = f"""linux /vmlinuz root=UUID={UUID} ro console=ttyS0
initrd /initrd.img
boot
"""
FILES = {
    "etc/fstab": f"UUID={UUID} / ext4 errors=remount-ro 0 1\n",
    "etc/hostname": "server\n",
    "etc/machine-id": "5d3f0c9a2b7e4d18a6c1f09e7b3d2c44\n",
    "etc/default/grub": 'GRUB_DEFAULT=0\nGRUB_TIMEOUT=1\nGRUB_DISTRIBUTOR=Debian\n'
                        'GRUB_CMDLINE_LINUX="console=ttyS0"\nGRUB_TERMINAL="console serial"\n',
    "boot/grub/grub.cfg": FIRST_MENU,
    # An emulator on a busy host is slow: 90 s are not enough to find the console
    "etc/systemd/system.conf.d/slow.conf":
        "[Manager]\nDefaultDeviceTimeoutSec=900\nDefaultTimeoutStartSec=900\n",
    "etc/systemd/system/plan.service":
        "[Unit]\nAfter=systemd-user-sessions.service getty.target\n"
        "[Service]\nType=oneshot\nExecStart=/usr/local/sbin/plan\n"
        "[Install]\nWantedBy=multi-user.target\n",
    "usr/local/sbin/plan": rf"""#!/bin/sh
say() {{ echo "TEST $*" >/dev/console; }}
install() {{
	update-grub && cp /boot/grub/grub.cfg /root/menu &&
	grub-editenv /boot/grub/grubenv list >/root/environment &&
	DEBIAN_FRONTEND=noninteractive dpkg -i /root/bulkhead.deb >/root/said 2>&1
	done=$?
	cat /root/said
	return $done
}}
try() {{ bulkhead-try; }}
forgotten() {{ ! grub-editenv /boot/grub/grubenv list | grep next_entry=.; }}
judge() {{ # VERDICT: of bh-report, on the processor
	bh-report -o /root/report.tar.gz >/root/report
	cat /root/report
	tar -tzf /root/report.tar.gz | grep /report.json && grep "^$1  virtualization" /root/report
}}
report() {{ judge PASS; }}
refuse() {{ judge FAIL && ! bulkhead-try && forgotten; }}
secure() {{
	bh-report -o /root/report.tar.gz >/root/report
	cat /root/report
	grep '^bulkhead: Secure Boot is on' /root/said &&
	grep '^FAIL  secure_boot' /root/report && ! bulkhead-try && ! bulkhead-default &&
	forgotten && bulkhead-try --force
}}
check() {{ grub-reboot 'bulkhead-advanced>bulkhead-check'; }}
log() {{ bh-console --dump log | grep 'guest debian: privileged'; }}
default() {{ bulkhead-default; }}
spoil() {{ sed -i 's/^memory = rest/memory = 900G/' /etc/bulkhead/bulkhead.conf && update-grub; }}
force() {{ bulkhead-default --force; }}
undo() {{ bulkhead-default --undo; }}
write() {{ echo "by the privileged guest" >/root/written; sync; }}
written() {{ grep privileged /root/written; }}
purge() {{ dpkg --purge bulkhead; }}
clean() {{
	cmp /boot/grub/grub.cfg /root/menu &&
	grub-editenv /boot/grub/grubenv list | cmp - /root/environment &&
	! ls -d /boot/bulkhead /etc/bulkhead /etc/grub.d/45_bulkhead /usr/lib/bulkhead
}}
reboot() {{ systemctl --no-block reboot; }}
poweroff() {{ systemctl --no-block poweroff; }}

by=firmware
! grep -q ' bulkhead\.entry=' /proc/cmdline || by=bulkhead
n=$(($(cat /root/boots || echo 0) + 1))
echo $n >/root/boots
root=bad
[ "$(findmnt -n -o UUID /)" != {UUID} ] || root=ok
say "boot $n by $by root $root"
for step in $(sed -n ${{n}}p /root/plan); do
	if "$step" >/root/log 2>&1; then
		say "$step ok"
	else
		say "$step failed"
		cat /root/log >/dev/console
		poweroff
		exit
	fi
done
""",
}
PROGRAMS = ("usr/local/sbin/plan",)


def tool(tree, name):
    """A program of the tree's, by the tree's own libraries; of the host's if @tree is /."""
    libraries = os.path.join(tree, "usr/lib/x86_64-linux-gnu")
    if tree == "/":
        return [name]
    return [os.path.join(libraries, "ld-linux-x86-64.so.2"), "--library-path", libraries,
            os.path.join(tree, "usr/bin", name)]


def grub_of(tree, platform):
    return os.path.join(tree, "usr/lib/grub", platform)


def copy_grub(source, tree):
    """The modules of GRUB of @source, as grub-install leaves them."""
    for platform in ("i386-pc", "x86_64-efi"):
        to = os.path.join(tree, "boot/grub", platform)
        os.makedirs(to)
        for name in os.listdir(grub_of(source, platform)):
            if name.endswith((".mod", ".lst")):
                shutil.copy(os.path.join(grub_of(source, platform), name), to)


def grub_image(source, start, platform, modules):
    script = os.path.join(start, "grub.cfg")
    with open(script, "w") as f:
        f.write(EMBEDDED)
    subprocess.run([*tool(source, "grub-mkimage"), "-d", grub_of(source, platform),
                    "-O", platform, "-c", script, "-p", "/boot/grub",
                    "-o", os.path.join(start, platform), *MODULES, *modules], check=True)


def make_start(source, start):
    """The folder @start: what firmware starts, by GRUB of @source."""
    os.makedirs(start)
    grub_image(source, start, "i386-pc", ("biosdisk",))
    grub_image(source, start, "x86_64-efi", ())
    shutil.copy(os.path.join(grub_of(source, "i386-pc"), "boot.img"), start)
    for name in ("usr/lib/shim/shimx64.efi.signed",
                 "usr/lib/grub/x86_64-efi-signed/grubx64.efi.signed"):
        if os.path.exists(os.path.join(source, name)):
            shutil.copy(os.path.join(source, name), start)


def add_files(tree, package, plan):
    for name, text in {**FILES, "root/plan": "\n".join(plan) + "\n"}.items():
        path = os.path.join(tree, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w") as f:
            f.write(text)
        os.chmod(path, 0o755 if name in PROGRAMS else 0o644)
    shutil.copy(package, os.path.join(tree, "root/bulkhead.deb"))
    wants = os.path.join(tree, "etc/systemd/system/multi-user.target.wants")
    os.makedirs(wants, exist_ok=True)
    os.symlink("/etc/systemd/system/plan.service", wants + "/plan.service")


def base(suite):
    """The archive of a plain Debian, made once for these packages."""
    packages = ",".join(PACKAGES)
    digest = hashlib.sha256(packages.encode()).hexdigest()[:8]
    path = os.path.join(image.BUILD, "cache", f"debian-{suite}-{digest}.tar")
    if not os.path.exists(path):
        os.makedirs(os.path.dirname(path), exist_ok=True)
        new = path + ".new.tar"
        subprocess.run(["mmdebstrap", "--variant=minbase", "--aptopt=Apt::Install-Recommends 0",
                        "--include=" + packages, suite, new], check=True,
                       stdout=subprocess.DEVNULL)
        os.rename(new, path)
    return path


def file_system(tree, disk, mib):
    sectors = mib * MIB // SECTOR - TAIL - ROOT_START
    subprocess.run(["/sbin/mke2fs", "-q", "-F", "-t", "ext4", "-L", "debian", "-U", UUID,
                    "-O", "^metadata_csum_seed,^orphan_file", "-d", tree,
                    "-E", f"offset={ROOT_START * SECTOR}", disk, f"{sectors // 2}k"], check=True)


def fill(tar, folder, package, plan, disk):
    """The root file system, as root or as what fakeroot takes for it."""
    tree = os.path.join(folder, "tree")
    os.makedirs(tree)
    subprocess.run(["tar", "-C", tree, "-xf", tar, "--exclude=./dev/*"], check=True)
    make_start(tree, os.path.join(folder, "start"))
    add_files(tree, package, plan)
    copy_grub(tree, tree)
    subprocess.run(["grub-editenv", os.path.join(tree, "boot/grub/grubenv"), "create"],
                   check=True)
    file_system(tree, disk, DISK_MIB)
    shutil.rmtree(tree)


def poke(disk, at, data):
    with open(disk, "r+b") as f:
        f.seek(at)
        f.write(data)


def bios_start(start, disk):
    """GRUB in the MBR and a BIOS boot partition: scripts/mkimage says how."""
    with open(os.path.join(start, "i386-pc"), "rb") as f:
        core = bytearray(f.read())
    struct.pack_into("<Q", core, 0x1f4, GRUB_START + 1)
    struct.pack_into("<H", core, 0x1fc, (len(core) + SECTOR - 1) // SECTOR - 1)
    poke(disk, GRUB_START * SECTOR, core)
    with open(os.path.join(start, "boot.img"), "rb") as f:
        boot = bytearray(f.read(440))
    struct.pack_into("<Q", boot, 0x5c, GRUB_START)
    struct.pack_into("<H", boot, 0x66, 0x9090)
    poke(disk, 0, boot)


def uefi_start(start, disk, signed):
    files = {"x86_64-efi": "::EFI/BOOT/BOOTX64.EFI"}
    if signed:
        with open(os.path.join(start, "signed.cfg"), "w") as f:
            f.write(SIGNED)
        files = {"shimx64.efi.signed": "::EFI/BOOT/BOOTX64.EFI",
                 "grubx64.efi.signed": "::EFI/BOOT/grubx64.efi",
                 "signed.cfg": "::EFI/debian/grub.cfg"}
    env = {**os.environ, "MTOOLS_SKIP_CHECK": "1", "MTOOLSRC": "/dev/null"}
    fat = f"{disk}@@{ESP_START * SECTOR}"
    for command in (["mformat", "-i", fat, "-T", str(ROOT_START - ESP_START), "-h", "16",
                     "-s", "63", "::"],
                    ["mmd", "-i", fat, "::EFI", "::EFI/BOOT", "::EFI/debian"],
                    *(["mcopy", "-i", fat, os.path.join(start, name), to]
                      for name, to in files.items())):
        subprocess.run(command, check=True, env=env)


def partitions(path, mib):
    with open(path, "wb") as f:
        f.truncate(mib * MIB)
    parts = (("ef02", GRUB_START, ESP_START - 1), ("ef00", ESP_START, ROOT_START - 1),
             ("8300", ROOT_START, mib * MIB // SECTOR - TAIL - 1))
    for number, (kind, first, last) in enumerate(parts, 1):
        subprocess.run(["sgdisk", "--set-alignment=1", f"--new={number}:{first}:{last}",
                        f"--typecode={number}:{kind}", path], check=True,
                       stdout=subprocess.DEVNULL)


def small_disk(folder, tree):
    """FOLDER/disk.img: no Debian, but the files of @tree, and the host's GRUB."""
    path, start = os.path.join(folder, "disk.img"), os.path.join(folder, "start")
    partitions(path, SMALL_MIB)
    make_start("/", start)
    copy_grub("/", tree)
    file_system(tree, path, SMALL_MIB)
    bios_start(start, path)
    return path


def read(disk, name):
    """A file of the root file system, as it lies on the disk."""
    path = f"{disk}?offset={ROOT_START * SECTOR}"
    return subprocess.run(["/sbin/debugfs", "-R", f"cat {name}", path], capture_output=True,
                          text=True, check=False).stdout


def disk(folder, package, plan, suite=SUITE, signed=False):
    """FOLDER/disk.img with @package at hand and a @plan: the steps of each boot.
    @signed: UEFI starts Debian's signed shim and GRUB."""
    path, start = os.path.join(folder, "disk.img"), os.path.join(folder, "start")
    partitions(path, DISK_MIB)
    script = (f"import sys; sys.path.insert(0, {os.path.dirname(os.path.dirname(__file__))!r})\n"
              f"from harness import debian\n"
              f"debian.fill({base(suite)!r}, {folder!r}, {package!r}, {plan!r}, {path!r})")
    command = [sys.executable, "-c", script]
    subprocess.run(command if os.getuid() == 0 else ["fakeroot", *command], check=True)
    bios_start(start, path)
    uefi_start(start, path, signed)
    return path
