# SPDX-License-Identifier: BSD-2-Clause
"""The Debian package: what is in it and what it does to a made-up machine in a
folder."""
import glob
import os
import re
import shutil
import subprocess

from harness import image
from harness.machine import ROOT

UUID = "0b0a3a5c-3f0e-4b8e-9d0c-7a8b9c0d1e2f"
NEW, OLD = "6.1.0-10-amd64", "6.1.0-9-amd64"
ARGS = 'quiet dyndbg="file x.c +p" console=ttyS1,115200n8'
# As the manifest has them: quoted as GRUB does it, the guest's serial line added
GIVEN = (f"BOOT_IMAGE=/boot/vmlinuz-{{0}} console=ttyS0 root=UUID={UUID} ro quiet "
         f'"dyndbg=file x.c +p" console=ttyS1,115200n8 bulkhead.entry={{0}} panic=60')
SECURE_BOOT = "sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"
FILES = {"./boot/bulkhead/bulkhead.elf", "./etc/bulkhead/bulkhead.conf",
         "./etc/grub.d/45_bulkhead", "./usr/lib/bulkhead/functions",
         "./usr/sbin/bulkhead-default", "./usr/sbin/bulkhead-try", "./usr/sbin/bh-console",
         "./usr/share/man/man8/bh-console.8.gz",
         "./usr/share/man/man8/bulkhead-default.8.gz",
         "./usr/share/man/man8/bulkhead-try.8.gz",
         "./usr/share/doc/bulkhead/changelog.gz", "./usr/share/doc/bulkhead/copyright",
         "./usr/share/doc/bulkhead/debian.md.gz",
         "./usr/bin/bh-report", "./usr/lib/bulkhead/bh-judge",
         "./usr/share/man/man1/bh-report.1.gz", "./usr/share/doc/bulkhead/hardware.md.gz",
         "./usr/share/doc/bulkhead/guests.md.gz", "./usr/share/doc/bulkhead/manifest.md.gz",
         "./usr/share/doc/bulkhead/speculation.md.gz"}
PROGRAMS = {
    "grub-mkrelpath": 'p=${1#"$BULKHEAD_ROOT"}; echo "${p:-/}"',
    "grub-probe": """case "$*" in
        *fs_uuid*) echo ${FAKE_UUID:-1111-2222} ;;
        *partmap*) echo gpt ;;
        *abstraction*) echo $FAKE_LAYERS ;;
        *=fs*) echo ${FAKE_FS:-ext2} ;;
        esac""",
    "update-grub": """{ echo 'set default="${next_entry}"'
        "$BULKHEAD_ROOT/etc/grub.d/45_bulkhead"; } >"$BULKHEAD_ROOT/boot/grub/grub.cfg"
        cat "$BULKHEAD_ROOT"/etc/default/grub.d/*.cfg 2>/dev/null || true""",
    "systemctl": 'echo "$*"',
}


def package():
    found = glob.glob(os.path.join(image.BUILD, "bulkhead_*_amd64.deb"))
    return max(found, key=os.path.getmtime)


class Host:
    """A made-up machine in FOLDER, with the package unpacked into it."""

    def __init__(self, folder):
        self.root = os.path.join(folder, "root")
        programs = os.path.join(folder, "bin")
        os.makedirs(programs)
        for name, text in PROGRAMS.items():
            path = os.path.join(programs, name)
            with open(path, "w") as f:
                f.write(f"#!/bin/sh\n{text}\n")
            os.chmod(path, 0o755)
        self.env = {"PATH": f"{programs}:/usr/sbin:/usr/bin:/sbin:/bin",
                    "BULKHEAD_ROOT": self.root, "DPKG_ROOT": self.root,
                    "grub_probe": programs + "/grub-probe",
                    "grub_mkrelpath": programs + "/grub-mkrelpath",
                    "GRUB_DISTRIBUTOR": "Debian GNU/Linux", "GRUB_DEVICE": "/dev/nowhere",
                    "GRUB_DEVICE_BOOT": "/dev/nowhere", "GRUB_DEVICE_UUID": UUID,
                    "GRUB_FS": "ext2", "GRUB_CMDLINE_LINUX": "quiet",
                    "GRUB_CMDLINE_LINUX_DEFAULT": ARGS.split(" ", 1)[1]}
        subprocess.run(["dpkg-deb", "-x", package(), self.root], check=True)
        subprocess.run(["dpkg-deb", "-e", package(), self.root + "/control"], check=True)
        for name in (f"boot/vmlinuz-{OLD}", f"boot/initrd.img-{OLD}", f"boot/vmlinuz-{NEW}",
                     f"boot/initrd.img-{NEW}", f"boot/vmlinuz-{NEW}.dpkg-tmp",
                     "boot/bulkhead/web.img", "boot/bulkhead/not good",
                     "boot/bulkhead/entries/5.10.0-1-amd64.conf", f"dev/disk/by-uuid/{UUID}"):
            self.write(name, "")
        self.write("boot/grub/grub.cfg", "")
        self.write("proc/cpuinfo", "flags\t\t: fpu svm nx npt\n")
        self.write("proc/cmdline", "root=/dev/sda1 ro\n")

    def path(self, name):
        return os.path.join(self.root, name)

    def write(self, name, text):
        os.makedirs(os.path.dirname(self.path(name)), exist_ok=True)
        with open(self.path(name), "wb" if isinstance(text, bytes) else "w") as f:
            f.write(text)

    def read(self, name):
        with open(self.path(name)) as f:
            return f.read()

    def run(self, *command, **env):
        """The output of a program of the package, and whether it succeeded."""
        done = subprocess.run([self.path(command[0]), *command[1:]], env={**self.env, **env},
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              check=False)
        return done.returncode == 0, done.stdout

    def grubenv(self):
        return subprocess.run(["grub-editenv", self.path("boot/grub/grubenv"), "list"],
                              capture_output=True, text=True, check=False).stdout


def contents(results, folder):
    listed = subprocess.run(["dpkg-deb", "-c", package()], capture_output=True, text=True,
                            check=True).stdout.splitlines()
    files = {line.split()[5] for line in listed if not line.startswith("d")}
    results.check(files == FILES, "deb.files", sorted(files ^ FILES))
    results.check(all(line.split()[1] == "root/root" for line in listed), "deb.owners", listed)
    with open(os.path.join(ROOT, "include/bulkhead/version.h")) as f:
        version = re.search(r'BULKHEAD_VERSION\s+"(.*)"', f.read())[1]
    field = subprocess.run(["dpkg-deb", "-f", package(), "Version"], capture_output=True,
                           text=True, check=True).stdout.strip()
    results.check(field == version, "deb.version", f"{field}, the hypervisor says {version}")
    again = os.path.join(folder, "again.deb")
    subprocess.run(["sh", "-c", 'umask 077; exec "$@"', "-",
                    os.path.join(ROOT, "packaging/debian/build"),
                    os.path.join(image.BUILD, "bulkhead.elf"),
                    os.path.join(image.BUILD, "bh-judge"),
                    os.path.join(image.BUILD, "tools/bh-console"), again], check=True)
    results.check(subprocess.run(["cmp", package(), again], check=False).returncode == 0,
                  "deb.reproducible", "made again, it has other bytes")
    if shutil.which("lintian"):
        found = subprocess.run(["lintian", package()], capture_output=True, text=True,
                               check=False).stdout
        results.check("E: " not in found, "deb.lintian", "\n" + found)


def menu(results, host):
    done, said = host.run("control/postinst", "configure")
    cfg = host.read("boot/grub/grub.cfg")
    results.check(done and "bulkhead-try" in said, "deb.postinst", said)
    results.check("not good is left out" in said, "deb.bad_name_is_said", said)
    results.check(subprocess.run(["grub-script-check", host.path("boot/grub/grub.cfg")],
                                 check=False).returncode == 0, "deb.grub_script", cfg)
    found = re.findall(r"(menuentry|submenu) '(.*?)'.* '(.*)' \{", cfg)
    results.check(found == [("menuentry", "Debian, with Bulkhead", "bulkhead"),
                            ("submenu", "Advanced options for Debian, with Bulkhead",
                             "bulkhead-advanced"),
                            ("menuentry", f"Debian, with Bulkhead and Linux {NEW}",
                             f"bulkhead-{NEW}"),
                            ("menuentry", f"Debian, with Bulkhead and Linux {OLD}",
                             f"bulkhead-{OLD}"),
                            ("menuentry", "Check this machine for Bulkhead", "bulkhead-check")],
                  "deb.entries", found)
    first = cfg[:cfg.index("submenu")]
    modules = re.findall(r"module2 --nounzip (\S+) ([^;]+);", first)
    results.check(modules == [(f"/boot/bulkhead/entries/{NEW}.conf", "bulkhead.conf"),
                              (f"/boot/vmlinuz-{NEW}", f"vmlinuz-{NEW}"),
                              (f"/boot/initrd.img-{NEW}", f"initrd.img-{NEW}"),
                              ("/boot/bulkhead/web.img", "web.img")], "deb.modules", modules)
    results.check("multiboot2 /boot/bulkhead/bulkhead.elf;" in first and
                  f"linux /boot/vmlinuz-{NEW} root=UUID={UUID} ro {ARGS}\n" in first,
                  "deb.falls_back", first)
    results.check("savedefault" not in cfg, "deb.never_saved", cfg)


def manifests(results, host):
    results.check(sorted(os.listdir(host.path("boot/bulkhead/entries"))) ==
                  [f"{NEW}.conf", f"{OLD}.conf"], "deb.stale_manifest_goes", "")
    for version in (NEW, OLD):
        text = re.sub(r"(^|[ \t]+)#.*", "", host.read(f"boot/bulkhead/entries/{version}.conf"),
                      flags=re.M)
        lines = [line.rstrip() for line in text.splitlines() if line.strip()]
        want = ["[hypervisor]", "serial = com2,115200", "console = switch",
                "reboot_after = 30", "[guest debian]",
                "privileged = yes", "memory = rest", f"kernel = vmlinuz-{version}",
                f"initrd = initrd.img-{version}", "cmdline = " + GIVEN.format(version)]
        results.check(lines == want, f"deb.manifest_{version}", lines)
    text = ("\ufeff[guest box]\r\nmemory = 1M # privileged = yes\r\n"
            "[guest me]\r\ninitrd = x\r\n  cmdline=a=b # c\r\n\tprivileged\t=  yes\r\n"
            "[guest end]\r\n")
    host.write("etc/bulkhead/bulkhead.conf", text)
    _done, said = host.run("etc/grub.d/45_bulkhead")
    lines = host.read(f"boot/bulkhead/entries/{OLD}.conf").splitlines()
    cmdline = GIVEN.format(OLD).replace("panic=60", "a=b")
    results.check(lines == ["[guest box]", "memory = 1M # privileged = yes", "[guest me]",
                            "\tprivileged\t=  yes", f"kernel = vmlinuz-{OLD}",
                            f"initrd = initrd.img-{OLD}", "cmdline = " + cmdline,
                            "[guest end]", "[hypervisor]", "serial = com2,115200"],
                  "deb.manifest_edited", lines)
    results.check("initrd = of the privileged guest is not used" in said,
                  "deb.initrd_is_the_entry's", said)
    host.write("etc/bulkhead/bulkhead.conf", "[guest box]\n")
    host.run("etc/grub.d/45_bulkhead")
    text = host.read(f"boot/bulkhead/entries/{OLD}.conf")
    results.check(text.startswith("[guest box]\n[guest debian]\nprivileged = yes\n"),
                  "deb.manifest_without_privileged", text)


def serial_lines(results, host):
    """The hypervisor's line: as the manifest says, else as Linux' console is told."""
    for name, conf, words, want in (
            ("own", "[hypervisor]\nserial = none\n", "console=ttyS1,9600", "serial = none"),
            ("com3", "[hypervisor]\n", "console=ttyS1 console=ttyS2,57600n8r quiet",
             "serial = com3,57600"),
            ("as_found", "[hypervisor]\n", "console=ttyS3", "serial = com4"),
            ("first", "[hypervisor]\n", "console=ttyS1,9600 console=ttyS0,115200", ""),
            ("screen", "[hypervisor]\n", "console=tty1 xconsole=ttyS1 console=ttyS10", "")):
        host.write("etc/bulkhead/bulkhead.conf", conf)
        host.run("etc/grub.d/45_bulkhead", GRUB_CMDLINE_LINUX=words,
                 GRUB_CMDLINE_LINUX_DEFAULT="")
        lines = host.read(f"boot/bulkhead/entries/{OLD}.conf").splitlines()
        found = [line for line in lines if line.startswith("serial")]
        results.check(found == ([want] if want else []), f"deb.serial_{name}", lines)


def refusals(results, host):
    """An error of ours must not keep GRUB's menu from being made."""
    for name, env, sentence in (
            ("long", {"GRUB_CMDLINE_LINUX": "x" * 1024}, "shorten the command line"),
            ("quotes", {"GRUB_CMDLINE_LINUX": "a='b"}, "quotes in GRUB_CMDLINE_LINUX do not"),
            ("comment", {"GRUB_CMDLINE_LINUX": "a #b"}, "has a word that begins with #")):
        done, said = host.run("etc/grub.d/45_bulkhead", **env)
        results.check(done and sentence in said and "menuentry" not in said,
                      f"deb.no_entry_{name}", said)
    host.run("control/postinst", "configure")


def tries(results, host):
    for name, args, entry in (("newest", (), "bulkhead"),
                              ("version", (OLD,), f"bulkhead-advanced>bulkhead-{OLD}")):
        done, said = host.run("usr/sbin/bulkhead-try", *args)
        results.check(done and host.grubenv() == f"next_entry={entry}\n", f"deb.try_{name}",
                      said + host.grubenv())
    done, said = host.run("usr/sbin/bulkhead-try", "--cancel")
    results.check(done and host.grubenv() == "", "deb.try_cancel", said + host.grubenv())
    done, said = host.run("usr/sbin/bulkhead-try", "--reboot")
    results.check(done and said.endswith("reboot\n"), "deb.try_reboot", said)
    host.run("usr/sbin/bulkhead-try", "--cancel")
    for name, args, env, sentence in (
            ("absent", ("6.9",), {}, "no entry bulkhead-6.9"),
            ("lvm", (), {"FAKE_LAYERS": "lvm"}, "which lies on lvm"),
            ("btrfs", (), {"FAKE_FS": "btrfs"}, "which is btrfs")):
        done, said = host.run("usr/sbin/bulkhead-try", *args, **env)
        results.check(not done and sentence in said and host.grubenv() == "",
                      f"deb.try_{name}", said + host.grubenv())


def processors(results, host):
    """What Linux shows of processors that fit, and of some that do not."""
    for name, text, fits in (
            ("vmx", "flags\t\t: fpu vmx\nvmx flags\t: ept vpid unrestricted_guest ple\n", True),
            ("no_unrestricted", "flags\t\t: fpu vmx\nvmx flags\t: vnmi ept vpid\n", False),
            ("no_npt", "flags\t\t: fpu svm npt_other\n", False),
            ("svm", "flags\t\t: fpu svm nx npt\n", True)):
        host.write("proc/cpuinfo", text)
        done, said = host.run("usr/sbin/bulkhead-try")
        results.check(done == fits and ("the processor has neither" in said) != fits,
                      f"deb.try_on_{name}", said)
        host.run("usr/sbin/bulkhead-try", "--cancel")


def defaults(results, host):
    file = "etc/default/grub.d/bulkhead-default.cfg"
    done, said = host.run("usr/sbin/bulkhead-default")
    results.check(not done and "try it with bulkhead-try" in said and
                  not os.path.exists(host.path(file)), "deb.default_untried", said)
    host.write("proc/cmdline", f"root=/dev/sda1 ro bulkhead.entry={NEW}\n")
    done, said = host.run("usr/sbin/bulkhead-default")
    results.check(done and "GRUB_DEFAULT=bulkhead\n" in said, "deb.default", said)
    done, said = host.run("usr/sbin/bulkhead-default", "--undo")
    results.check(done and not os.path.exists(host.path(file)), "deb.default_undo", said)


def secure_boot(results, host):
    host.write(SECURE_BOOT, b"\6\0\0\0\1")
    for name in ("bulkhead-try", "bulkhead-default"):
        done, said = host.run(f"usr/sbin/{name}")
        results.check(not done and said.startswith(f"{name}: Secure Boot is on") and
                      host.grubenv() == "", f"deb.secure_boot_{name}", said)
    _done, said = host.run("control/postinst", "configure")
    results.check(said.startswith("bulkhead: Secure Boot is on"), "deb.secure_boot_postinst", said)
    host.write(SECURE_BOOT, b"\6\0\0\0\0")
    _done, said = host.run("control/postinst", "configure")
    results.check("Secure Boot" not in said, "deb.secure_boot_off", said)


def removal(results, host):
    host.run("usr/sbin/bulkhead-try")
    host.run("usr/sbin/bulkhead-default", "--force")
    subprocess.run(["grub-editenv", host.path("boot/grub/grubenv"), "set",
                    "saved_entry=bulkhead", "mine=1"], check=True)
    for name in ("bulkhead.elf", "web.img", "not good"):
        os.unlink(host.path("boot/bulkhead/" + name))
    done, said = host.run("control/postrm", "remove")
    results.check(done and "ulkhead" not in host.read("boot/grub/grub.cfg") + said,
                  "deb.removed_menu", said)
    results.check(host.grubenv() == "mine=1\n", "deb.removed_environment", host.grubenv())
    host.write("boot/grub/grub.cfg", "old")
    subprocess.run(["grub-editenv", host.path("boot/grub/grubenv"), "set", "next_entry="],
                   check=True)
    done, said = host.run("control/postrm", "purge")
    results.check(host.grubenv() == "mine=1\n", "deb.purged_environment", host.grubenv())
    results.check(done and host.read("boot/grub/grub.cfg") != "old", "deb.purged_menu", said)
    left = [name for name in ("boot/bulkhead", "etc/default/grub.d/bulkhead-default.cfg")
            if os.path.exists(host.path(name))]
    results.check(not left, "deb.removed_files", left)


def files(results, folder):
    contents(results, folder)
    host = Host(folder)
    for check in (menu, manifests, serial_lines, refusals, tries, processors, defaults,
                  secure_boot, removal):
        check(results, host)


def tests():
    return [("deb.files", files)]
