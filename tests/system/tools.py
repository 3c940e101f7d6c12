# SPDX-License-Identifier: BSD-2-Clause
"""The package of bhd and bhctl: what is in it, how far its unit shuts the daemon
in, and what its programs say where there is no Bulkhead. No emulator."""
import glob
import json
import os
import re
import shutil
import subprocess

from harness import image
from harness.machine import ROOT

FILES = {"./usr/sbin/bhd", "./usr/bin/bhctl", "./lib/systemd/system/bhd.service",
         "./lib/systemd/system/bhd-announce.service", "./lib/systemd/system/bhd-metrics.socket",
         "./lib/systemd/system/bhd-metrics@.service",
         "./lib/modprobe.d/bulkhead-tools.conf", "./usr/lib/sysusers.d/bulkhead-tools.conf",
         "./usr/share/bash-completion/completions/bhctl",
         "./usr/share/man/man1/bhctl.1.gz", "./usr/share/man/man8/bhd.8.gz",
         "./usr/share/lintian/overrides/bulkhead-tools",
         "./usr/share/doc/bulkhead-tools/copyright",
         "./usr/share/doc/bulkhead-tools/changelog.gz",
         "./usr/share/doc/bulkhead-tools/bhctl.md.gz",
         "./usr/share/doc/bulkhead-tools/bhctl.schema.json"}
EXPOSURE = 4.0  # of 10, as systemd-analyze counts
MANIFEST = "[guest web]\nkernel = vmlinuz\nmemory = 64M\n"


def package():
    return max(glob.glob(os.path.join(image.BUILD, "bulkhead-tools_*_amd64.deb")),
               key=os.path.getmtime)


def output(*command, **options):
    """(exit status, all that it says)"""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          check=False, **options)
    return done.returncode, done.stdout


def contents(results, folder):
    listed = output("dpkg-deb", "-c", package())[1].splitlines()
    files = {line.split()[5] for line in listed if not line.startswith("d")}
    results.check(files == FILES, "tools.files", sorted(files ^ FILES))
    again = os.path.join(folder, "again.deb")
    output("sh", "-c", 'umask 077; exec "$@"', "-",
           os.path.join(ROOT, "packaging/tools/build"),
           *(os.path.join(image.BUILD, "tools", name) for name in ("bhd", "bhctl")), again)
    results.check(output("cmp", package(), again)[0] == 0, "tools.reproducible",
                  "made again, it has other bytes")
    if shutil.which("lintian"):
        said = output("lintian", package())[1]
        results.check("E: " not in said, "tools.lintian", "\n" + said)


def unit(results, root):
    if not shutil.which("systemd-analyze"):
        return
    for name in ("bhd.service", "bhd-metrics@.service"):
        path = os.path.join(root, "lib/systemd/system", name)
        _status, said = output("systemd-analyze", "security", "--offline=true", "--no-pager", path)
        found = re.search(r"exposure level for \S+: ([\d.]+)", said)
        results.check(found and float(found[1]) <= EXPOSURE, f"tools.sandbox_{name}", said[-2000:])


HELP_COLUMNS = 79
# What a line of the help, or the man page, must not leave unsaid
HELPED = {"console": r"Ctrl-\] leaves, .*Ctrl-\\", "start": r"has ended, of create or the manifest"}
PAGE = {"run": r"run .*--kernel FILE.*\|.*--firmware FILE", "destroy": r"of the manifest.*not destroyed"}


def commands(root):
    """Of bhctl's help: each command's name and what stands behind it, in however many lines."""
    _status, said = output(os.path.join(root, "usr/bin/bhctl"), "--help")
    return dict(re.findall(r"^  ([a-z]+) (.*(?:\n {20}.*)*)", said, re.M)), said


def completed(completion, command):
    """What bash offers behind @command, where the privileged guest and box run, and web is
    paused."""
    table = "NAME STATE KIND\nlinux running privileged\nbox running static\nweb paused dynamic\n"
    _status, said = output("bash", "-c", f'. "{completion}"; bhctl() {{ printf "{table}"; }}; '
                           f'COMP_WORDS=(bhctl {command} ""); COMP_CWORD=2; '
                           '_bhctl; printf "%s\\n" "${COMPREPLY[@]}"')
    return set(said.split())


def documented(results, root):
    names, said = commands(root)
    results.check(max(len(line) for line in said.splitlines()) <= HELP_COLUMNS,
                  "tools.help_is_narrow", said)
    for name, text in HELPED.items():
        results.check(re.search(text, names.get(name, "")), f"tools.help_{name}", said)
    with open(os.path.join(ROOT, "packaging/tools/bhctl.1")) as f:
        page = f.read().replace("\\-", "-")
    results.check(names and not [n for n in names if not re.search(rf"\b{n}\b", page)],
                  "tools.man_page", sorted(names))
    for name, text in PAGE.items():
        entry = re.search(rf'^\.BI? "? ?{name}.*?(?=^\.TP|^\.SH)', page, re.M | re.S)
        results.check(entry and re.search(text, entry[0], re.S), f"tools.man_page_{name}",
                      entry and entry[0])
    completion = os.path.join(root, "usr/share/bash-completion/completions/bhctl")
    # With an empty word after it, bash offers each command
    status, said = output("bash", "-c", f'. "{completion}"; COMP_WORDS=(bhctl ""); COMP_CWORD=1; '
                          '_bhctl; printf "%s\\n" "${COMPREPLY[@]}"')
    results.check(status == 0 and set(names) <= set(said.split()), "tools.completion", said)
    for command, offered in (("pause", {"box"}), ("resume", {"web"}), ("destroy", {"web"}),
                             ("start", set()), ("info", {"linux", "box", "web", "--json"})):
        said = completed(completion, command)
        results.check(said == offered, f"tools.completion_{command}", said)
    for name, text in names.items():
        options = set(re.findall(r"\[(--[a-z-]+)", text))
        if not options:
            continue
        said = completed(completion, name)
        results.check(options <= said, f"tools.completion_options_{name}", options - said)
        missing = [o for o in options if o not in page]
        results.check(not missing, f"tools.man_page_options_{name}", missing)
    with open(os.path.join(root, "usr/share/doc/bulkhead-tools/bhctl.schema.json")) as f:
        results.check({"list", "info", "top"} <= set(json.load(f)["$defs"]), "tools.schema", "")


def says(results, root, folder):
    """Status and sentence of each, on a machine without Bulkhead."""
    bhctl = os.path.join(root, "usr/bin/bhctl")
    definition = os.path.join(folder, "web.conf")
    with open(definition, "w") as f:
        f.write(MANIFEST)
    nowhere = ("--socket", os.path.join(folder, "no.sock"))
    for name, status, sentence, command in (
            ("no_bulkhead", 6, "this machine does not run Bulkhead", (bhctl, *nowhere, "list")),
            ("no_daemon", 6, "this machine does not run Bulkhead",
             (os.path.join(root, "usr/sbin/bhd"), "--state", folder)),
            ("check_fails", 8, "web.conf:2: guest web: kernel = vmlinuz: there is no such file",
             (bhctl, "check", definition)),
            ("help", 0, "  stop NAME ", (bhctl, "help", "stop")),
            ("help_beside", 0, "  list  ", (bhctl, "list", "--help")),
            ("no_port", 2, "99999 is no port", (bhctl, "gdb", "web", "--listen", "99999")),
            ("gdb_nowhere", 6, "this machine does not run Bulkhead",
             (bhctl, *nowhere, "gdb", "web", "--listen", "gdb.sock")),
            ("set_key", 2, "there is no key foo that can be set", (bhctl, "set", "web", "foo=1")),
            ("set_value", 2, "cap: write a number from 1% to 100%",
             (bhctl, "set", "web", "cap=500%")),
            ("metering", 2, "foo is not metered; write off, counters or", (bhctl, "metering", "foo")),
            ("usage", 2, "bhctl stop: NAME is missing: say which guest", (bhctl, "stop"))):
        got, said = output(*command, cwd=folder, timeout=60)
        results.check(got == status and sentence in said, f"tools.{name}", f"{got}: {said}")
    results.check(not os.path.exists(os.path.join(folder, "gdb.sock")), "tools.gdb_leaves_nothing",
                  "a socket is left")
    with open(os.path.join(folder, "vmlinuz"), "w") as f:
        f.write("a kernel")
    got, said = output(bhctl, "check", definition)
    results.check(got == 0 and re.search("nothing is wrong; whether a machine has .* not judged", said),
                  "tools.check", said)


def run(results, folder):
    root = os.path.join(folder, "root")
    subprocess.run(["dpkg-deb", "-x", package(), root], check=True)
    contents(results, folder)
    unit(results, root)
    documented(results, root)
    says(results, root, folder)


def tests():
    return [("tools", run)]
