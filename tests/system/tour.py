# SPDX-License-Identifier: BSD-2-Clause
"""The tour of README.md, word for word: its code blocks are a session at the prompt of
the small Debian that `make run` boots. What stands there as typed is typed, and what
stands there as said must be said, but for numbers."""
import os
import re
import shutil
import subprocess

from harness import image
from harness.machine import ROOT, Machine

README = os.path.join(ROOT, "README.md")
CHAPTER = re.compile(r"^## A tour\n(.*?)^## ", re.M | re.S)
BLOCK = re.compile(r"^```\n(.*?)^```", re.M | re.S)
PROMPT = re.compile(r"^((?:root@bulkhead|isolated):\S*# ?)(.*)$")
KEY = re.compile(r"^\[(.+)\]$")
KEYS = {"Ctrl-\\": "\x1c", "q": "q"}
ANY = "..."
CORES = 3
MEMORY_MIB = 2048
DATA_MIB = 256
# make run says that the prompt is there in three minutes; a host that runs other
# tests besides is slower
BOOT_SECONDS = {"qemu": 400, "bochs": 5400}
STEP_SECONDS = {"qemu": 180, "bochs": 1200}


def lines():
    """Those of the tour's blocks, one after the other."""
    with open(README) as f:
        chapter = CHAPTER.search(f.read())
    return "".join(BLOCK.findall(chapter[1])).splitlines() if chapter else []


def said(line):
    """A line of output as a pattern: any number for a number, any blanks for blanks,
    anything for dots."""
    def word(text):
        return re.sub(r"\d+", r"\\d+", re.escape(text))
    return ".*?".join(r"\s+".join(word(w) for w in part.split(" ") if w)
                      for part in re.sub(r"\s+", " ", line.strip()).split(ANY)).replace(
                          r".*?", r"\s*.*?\s*")


def echoed(text):
    """A typed line as the shell shows it: one that is long wraps, with blanks."""
    return r"\s*".join(re.escape(c) for c in text if c != " ") + r"\s*\n"


def steps():
    """(what is done, what it takes, the lines that follow)."""
    found = []
    for line in lines():
        prompt, key = PROMPT.match(line), KEY.match(line)
        if prompt:
            found.append((prompt[2], ("type", prompt[1].strip(), prompt[2]), []))
        elif key and key[1] in KEYS:
            found.append((line, ("key", "", KEYS[key[1]]), []))
        elif found and line.strip() not in ("", ANY):
            found[-1][2].append(line)
    return found


def follow(results, m, where, seconds, boot_seconds):
    """A prompt may be that of a system which has just started."""
    for n, (name, (how, prompt, text), output) in enumerate(steps()):
        step = f"{where}.{n:02}"
        if how == "type":
            if not results.check(m.expect(re.escape(prompt), boot_seconds), f"{step}.prompt",
                                 f"no prompt for `{name}`"):
                results.note(m.tail())
                return
            if not text:
                continue
            m.send(text + "\r")
            if not results.check(m.expect(echoed(text), seconds), f"{step}.typed",
                                 f"`{name}` is not what the prompt got"):
                results.note(m.tail())
                return
        else:
            m.send(text)
        for line in output:
            if not results.check(m.expect(said(line), seconds), f"{step}.says",
                                 f"`{name}` does not say: {line}"):
                results.note(m.tail())
                return


def machine(emulator, folder):
    """As make run has it, on copies: a run of somebody's may have the files open."""
    disk = os.path.join(folder, "disk.img")
    root = os.path.join(image.BUILD, "debian/root.squashfs")
    shutil.copy(os.path.join(image.BUILD, "run.img"), disk)
    data = os.path.join(folder, "data.img")
    subprocess.run([os.path.join(ROOT, "scripts/mkdisk"), data, str(DATA_MIB)], check=True)
    if emulator == "bochs":
        copy = os.path.join(folder, "root.img")
        shutil.copy(root, copy)
        return Machine("bochs", disk, folder, "ovmf", 2, MEMORY_MIB,
                       ("--ide", copy, "--ide", data),
                       timeout=4 * BOOT_SECONDS[emulator], person=True)
    return Machine("qemu", disk, folder, "ovmf", CORES, MEMORY_MIB,
                   ("--nvme-kept", root, "--nvme", data, "--net", "virtio"),
                   timeout=4 * BOOT_SECONDS[emulator], person=True)


def tour(emulator):
    def run(results, folder):
        where = f"tour.{emulator}"
        results.check(len(steps()) > 5, f"{where}.is_there", "README.md has no tour")
        with machine(emulator, folder) as m:
            if not results.check(m.expect(r"root@bulkhead:~# ", BOOT_SECONDS[emulator]),
                                 f"{where}.boots", "no prompt"):
                results.note(m.tail())
                return
            m.seen -= len("root@bulkhead:~# ")
            follow(results, m, where, STEP_SECONDS[emulator], BOOT_SECONDS[emulator])
    return run


def tests():
    return []


def soak():
    """`tests/run --long tour`."""
    return [("tour.svm", tour("qemu")), ("tour.vmx", tour("bochs"))]
