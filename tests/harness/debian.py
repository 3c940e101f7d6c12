# SPDX-License-Identifier: BSD-2-Clause
"""A disk with an installed Debian that starts by BIOS and by UEFI: made by
mmdebstrap, mke2fs and grub-mkimage, with no loop mount. At each boot it does
what a line of a plan says and prints `TEST step ok` on its console."""
import os
import shutil
import struct
import subprocess
import sys

from harness import image

SUITE = "bookworm"
UUID = "3b1f6f0e-5a0d-4c5e-8f43-6d0b6c1f2a77"
PACKAGES = ("linux-image-amd64", "initramfs-tools", "systemd-sysv", "udev", "kmod", "zstd",
            "grub2-common", "grub-efi-amd64", "grub-pc-bin", "e2fsprogs", "fdisk")
SECTOR = 512
MIB = 1 << 20
GRUB_START, ESP_START, ROOT_START = 34, 2048, 2048 + 32 * 2048
DISK_MIB = 3072
TAIL = 34  # sectors of the backup table, and one
# To the root file system's own menu
EMBEDDED = f"""search --no-floppy --fs-uuid --set=root {UUID}
set prefix=($root)/boot/grub
"""
MODULES = ("part_gpt", "ext2", "search", "search_fs_uuid", "normal")
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
    "etc/systemd/system/plan.service":
        "[Unit]\nAfter=systemd-user-sessions.service getty.target\n"
        "[Service]\nType=oneshot\nExecStart=/usr/local/sbin/plan\n"
        "[Install]\nWantedBy=multi-user.target\n",
    "usr/local/sbin/plan": rf"""#!/bin/sh
say() {{ echo "TEST $*" >/dev/console; }}
install() {{
	update-grub && cp /boot/grub/grub.cfg /root/menu &&
	grub-editenv /boot/grub/grubenv list >/root/environment &&
	DEBIAN_FRONTEND=noninteractive dpkg -i /root/bulkhead.deb
}}
try() {{ bulkhead-try; }}
refuse() {{ ! bulkhead-try && ! grub-editenv /boot/grub/grubenv list | grep next_entry; }}
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


def copy_grub(tree):
    """Its modules, as grub-install leaves them."""
    for platform in ("i386-pc", "x86_64-efi"):
        to = os.path.join(tree, "boot/grub", platform)
        os.makedirs(to)
        for name in os.listdir("/usr/lib/grub/" + platform):
            if name.endswith((".mod", ".lst")):
                shutil.copy(f"/usr/lib/grub/{platform}/{name}", to)
    subprocess.run(["grub-editenv", os.path.join(tree, "boot/grub/grubenv"), "create"],
                   check=True)


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


def base():
    """The archive of a plain Debian, made once: BUILD/cache/debian.tar."""
    path = os.path.join(image.BUILD, "cache", f"debian-{SUITE}.tar")
    if not os.path.exists(path):
        os.makedirs(os.path.dirname(path), exist_ok=True)
        new = path + ".new.tar"
        subprocess.run(["mmdebstrap", "--variant=minbase", "--aptopt=Apt::Install-Recommends 0",
                        "--include=" + ",".join(PACKAGES), SUITE, new], check=True,
                       stdout=subprocess.DEVNULL)
        os.rename(new, path)
    return path


def fill(tar, tree, package, plan, disk):
    """The root file system, as root or as what fakeroot takes for it."""
    os.makedirs(tree)
    subprocess.run(["tar", "-C", tree, "-xf", tar, "--exclude=./dev/*"], check=True)
    add_files(tree, package, plan)
    copy_grub(tree)
    sectors = DISK_MIB * MIB // SECTOR - TAIL - ROOT_START
    subprocess.run(["/sbin/mke2fs", "-q", "-F", "-t", "ext4", "-L", "debian", "-U", UUID,
                    "-O", "^metadata_csum_seed,^orphan_file", "-d", tree,
                    "-E", f"offset={ROOT_START * SECTOR}", disk, f"{sectors // 2}k"], check=True)


def grub_image(folder, platform, modules):
    script, core = os.path.join(folder, "grub.cfg"), os.path.join(folder, platform)
    with open(script, "w") as f:
        f.write(EMBEDDED)
    subprocess.run(["grub-mkimage", "-O", platform, "-c", script, "-p", "/boot/grub",
                    "-o", core, *MODULES, *modules], check=True)
    return core


def poke(disk, at, data):
    with open(disk, "r+b") as f:
        f.seek(at)
        f.write(data)


def bios_start(folder, disk):
    """GRUB in the MBR and a BIOS boot partition: scripts/mkimage says how."""
    with open(grub_image(folder, "i386-pc", ("biosdisk",)), "rb") as f:
        core = bytearray(f.read())
    struct.pack_into("<Q", core, 0x1f4, GRUB_START + 1)
    struct.pack_into("<H", core, 0x1fc, (len(core) + SECTOR - 1) // SECTOR - 1)
    poke(disk, GRUB_START * SECTOR, core)
    with open("/usr/lib/grub/i386-pc/boot.img", "rb") as f:
        boot = bytearray(f.read(440))
    struct.pack_into("<Q", boot, 0x5c, GRUB_START)
    struct.pack_into("<H", boot, 0x66, 0x9090)
    poke(disk, 0, boot)


def uefi_start(folder, disk):
    grub = grub_image(folder, "x86_64-efi", ())
    env = {**os.environ, "MTOOLS_SKIP_CHECK": "1", "MTOOLSRC": "/dev/null"}
    fat = f"{disk}@@{ESP_START * SECTOR}"
    for command in (["mformat", "-i", fat, "-T", str(ROOT_START - ESP_START), "-h", "16",
                     "-s", "63", "::"],
                    ["mmd", "-i", fat, "::EFI", "::EFI/BOOT"],
                    ["mcopy", "-i", fat, grub, "::EFI/BOOT/BOOTX64.EFI"]):
        subprocess.run(command, check=True, env=env)


def disk(folder, package, plan):
    """FOLDER/disk.img with @package at hand and a @plan: the steps of each boot."""
    path, tree = os.path.join(folder, "disk.img"), os.path.join(folder, "tree")
    with open(path, "wb") as f:
        f.truncate(DISK_MIB * MIB)
    parts = (("ef02", GRUB_START, ESP_START - 1), ("ef00", ESP_START, ROOT_START - 1),
             ("8300", ROOT_START, DISK_MIB * MIB // SECTOR - TAIL - 1))
    for number, (kind, first, last) in enumerate(parts, 1):
        subprocess.run(["sgdisk", "--set-alignment=1", f"--new={number}:{first}:{last}",
                        f"--typecode={number}:{kind}", path], check=True,
                       stdout=subprocess.DEVNULL)
    script = (f"import sys; sys.path.insert(0, {os.path.dirname(os.path.dirname(__file__))!r})\n"
              f"from harness import debian\n"
              f"debian.fill({base()!r}, {tree!r}, {package!r}, {plan!r}, {path!r})")
    command = [sys.executable, "-c", script]
    subprocess.run(command if os.getuid() == 0 else ["fakeroot", *command], check=True)
    shutil.rmtree(tree)
    bios_start(folder, path)
    uefi_start(folder, path)
    return path
