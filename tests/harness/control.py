# SPDX-License-Identifier: BSD-2-Clause
"""bhd and bhctl in a stock Linux that is the privileged guest: the initrd that brings
them there, and what a guest costs that they make and end, for scripts/bench and for the
system tests that hold the targets. See docs/performance.md."""
import os
import re
import shutil
import statistics
import subprocess

from harness import bench, figures, image, stick
from harness.machine import ROOT, Machine

MODULES = os.path.join(ROOT, "build/cache/modules")
HERE = os.path.join(ROOT, "tests/system/control")
# At most; guests_2g: at least
TARGET = {"run_tiny": 6_000_000, "destroy_tiny": 4_000_000, "run_linux_ratio": 1.035,
          "ram_per_guest_bytes": 256 << 10, "guests_2g": 90, "command_exits": 2,
          "privileged_restart_ratio": 1.3, "run_beside_ratio": 1.3}
LEAST = ("guests_2g",)
MARKS = ("", "begin", "end", "output", "init")  # enum mark of tests/plugin/mark.h
BESIDE = 200  # guests
COMMANDS = 100  # of the client, as COST_COMMANDS there
CMDLINE = "console=ttyS0 cryptomgr.notests"
SECONDS = 600
DISK_BYTES = 64 << 20


def libraries(program):
    """What it is linked with, by ldd."""
    said = subprocess.run(["ldd", program], check=True, capture_output=True, text=True).stdout
    return re.findall(r"(/\S+)", said)


def archive(root):
    names = subprocess.run(["find", ".", "-mindepth", "1"], cwd=root, check=True,
                           stdout=subprocess.PIPE).stdout
    return subprocess.run(["cpio", "--quiet", "-R", "0:0", "-o", "-H", "newc"], cwd=root,
                          input=names, check=True, stdout=subprocess.PIPE).stdout


def initrd(folder, files, scripts=("bhctl.sh",)):
    """The privileged guest's own initrd; behind it bhd, bhctl, their libraries, the
    modules of vfio and dax, @files ({name there: path}), and @scripts of
    tests/system/control, which its rc sources."""
    root = os.path.join(folder, "initrd")
    shutil.rmtree(root, ignore_errors=True)
    os.makedirs(os.path.join(root, "lib/modules"))
    for name in ("vfio", "dax"):
        shutil.copytree(os.path.join(MODULES, name), os.path.join(root, "lib/modules", name))
    files = dict(files)
    for script, name in zip(scripts, ("etc/control.sh", "etc/devices.sh")):
        files[name] = os.path.join(HERE, script)
    for name in ("bhd", "bhctl"):
        program = os.path.join(image.BUILD, "tools", name)
        files["bin/" + name] = program
        for library in libraries(program):
            # Not into /lib64 and the like, which may be links there
            files[library.lstrip("/")] = library
    for name, source in files.items():
        target = os.path.join(root, name)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        shutil.copy(source, target)
    with open(os.path.join(image.BUILD, "guests/privileged.cpio"), "rb") as f:
        return f.read() + archive(root)


def program(folder, name):
    """A program of tests/system/control, built."""
    path = os.path.join(folder, f"control-{name}")
    subprocess.run(["gcc", "-std=gnu11", "-O2", "-Wall", "-Wextra", "-Werror", "-static", "-s",
                    "-I", ROOT, "-o", path, os.path.join(HERE, f"{name}.c")], check=True)
    return path


def client(folder):
    """The program that has the control device to itself."""
    return program(folder, "client")


def stripped(folder, name):
    path = os.path.join(folder, os.path.basename(name))
    subprocess.run(["objcopy", "--strip-debug", os.path.join(image.BUILD, name), path],
                   check=True)
    return path


def privileged(tests, words=""):
    return {"name": "linux", "privileged": "yes", "kernel": "vmlinuz",
            "initrd": "privileged.cpio", "vcpus": "1",
            "cmdline": f"{CMDLINE} bulkhead.test={tests},poweroff{words}"}


def counted(folder, tests, more, memory=1024, pool="256M", seconds=SECONDS, extra=(), words=""):
    """Boots a Linux with bhd on one core where each instruction is counted; it does
    @tests of bench.sh. @extra: options of the machine; @words: more of the command line.
    What it said, and the marks: [(name, instructions, entries)]."""
    os.makedirs(folder, exist_ok=True)
    marks = os.path.join(folder, "marks")
    files = {"vmlinuz": os.path.join(image.BUILD, "guests/vmlinuz"),
             "privileged.cpio": initrd(folder, more, ("bhctl.sh", "bench.sh"))}
    conf = image.manifest([privileged(tests, words)],
                          extra=f"speculation = off\nguest-memory = {pool}")
    disk = image.make(folder, conf, files, "grub-bios")
    options = ["--icount", "--cpu", figures.CPU, *bench.FRAME_TIMER, *extra, "--arg", "-plugin",
               "--arg", f"file={figures.PLUGIN}/share.so,counts={folder}/counts,marks={marks}"]
    with Machine("qemu", disk, folder, "bios", cores=1, memory=memory, timeout=seconds,
                 person=True, options=options) as m:
        m.leave_menu(seconds)
        for test in tests.split(","):
            bench.expect(m, rf"TEST {test} (ok|FAILED.*)", seconds)
        text = m.text()
        m.wait_end(60)
    if "FAILED" in text:
        raise bench.Failed(re.search(r"TEST.*FAILED.*", text)[0])
    return text, read_marks(marks)


def read_marks(path):
    with open(path) as f:
        rows = [[int(n) for n in line.split()] for line in f]
    return [(MARKS[mark], hv + other, entries) for mark, hv, other, entries in rows]


def spans(marks):
    """What is between each begin and the next end, and the first output: [(instructions to
    the end, to the output or None, entries)]."""
    found = []
    for name, at, entries in marks:
        if name == "begin":
            found.append([at, entries, None, None, None])
        elif name == "end":
            found[-1][2], found[-1][3] = at - found[-1][0], entries - found[-1][1]
        elif found and found[-1][4] is None:
            found[-1][4] = at - found[-1][0]
    return [(end, output, entries) for _, _, end, entries, output in found]


def costs(folder):
    """run_tiny, destroy_tiny, ram_per_guest_bytes, command_exits"""
    os.makedirs(folder, exist_ok=True)
    more = {"bin/launch": os.path.join(figures.PLUGIN, "launch"),
            "bin/control-client": client(folder),
            "boot/tiny": stripped(folder, "tests/bench/tiny.elf")}
    text, marks = counted(folder, "cost,tiny,ram", more)
    commands = spans(marks)[:COMMANDS]
    guests = spans(marks)[COMMANDS:]
    runs, ends = guests[0::2], guests[1::2]
    ram = re.search(r"BENCH ram (\d+) (\d+)", text)
    # The first loads modules, and zeroes what the firmware has left
    return {"run_tiny": round(statistics.median(r[1] for r in runs[1:])),
            "run_tiny_first": runs[0][1],
            "run_tiny_to_prompt": round(statistics.median(r[0] for r in runs[1:])),
            "destroy_tiny": round(statistics.median(e[0] for e in ends[1:])),
            "ram_per_guest_bytes": int(ram[1]) + int(ram[2]),
            "ram_in_hypervisor_bytes": int(ram[1]),
            "command_exits": statistics.median(c[2] for c in commands)}


def beside_ratio(folder):
    """One more guest beside BESIDE others, for 1 beside one: from the command to the guest's
    first character; and both counts."""
    os.makedirs(folder, exist_ok=True)
    more = {"bin/launch": os.path.join(figures.PLUGIN, "launch"),
            "boot/tiny": stripped(folder, "tests/bench/tiny.elf")}
    pool = f"{4 * BESIDE + 16}M\nguest-count = {BESIDE + 2}"
    _, marks = counted(folder, "beside", more, 1024 + 4 * BESIDE, pool,
                       words=f" many.guests={BESIDE} many.memory=4M")
    few, many = [output for _, output, _ in spans(marks)]
    return {"run_beside_1": few, f"run_beside_{BESIDE}": many,
            "run_beside_ratio": round(many / few, 3)}


def is_over(key, got):
    """@got misses the figure that @key is to reach."""
    if got is None:
        return True
    return got < TARGET[key] if key in LEAST else got > TARGET[key]


def hold(results, got):
    """Each of @got that has a target is a check."""
    for key, target in TARGET.items():
        if key in got:
            results.check(not is_over(key, got[key]), f"bench.control.{key}",
                          f"{got[key]}, target {target}; all: {got}")


def native_boot(folder, disk, initrd_path, cmdline):
    """Instructions from a Linux' first to its init, without Bulkhead."""
    marks = os.path.join(folder, "marks")
    options = ["--icount", "--cpu", figures.CPU, *bench.FRAME_TIMER,
               "--kernel", os.path.join(image.BUILD, "guests/vmlinuz"),
               "--initrd", initrd_path, "--append", cmdline, "--arg", "-plugin", "--arg",
               f"file={figures.PLUGIN}/share.so,counts={folder}/counts,marks={marks},"
               f"from={stick.LINUX_ENTRY:#x}"]
    with Machine("qemu", disk, folder, "bios", cores=1, memory=128, timeout=SECONDS,
                 options=options) as m:
        m.wait_end(SECONDS)
    found = [at for name, at, _ in read_marks(marks) if name == "init"]
    if not found:
        raise bench.Failed(f"Linux without Bulkhead does not come to its init:\n{m.tail()}")
    return found[0]


def linux_ratio(folder):
    """A stock Linux from the command that makes it to its init, for 1 without
    Bulkhead; and both counts."""
    native = os.path.join(folder, "native")
    os.makedirs(native, exist_ok=True)
    init = figures.initrd_with_first(folder)
    more = {"bin/launch": os.path.join(figures.PLUGIN, "launch"),
            "boot/vmlinuz": os.path.join(image.BUILD, "guests/vmlinuz"),
            "boot/init.cpio": init}
    _, marks = counted(folder, "linux", more)
    begin = next(at for name, at, _ in marks if name == "begin")
    ours = next(at for name, at, _ in marks if name == "init") - begin
    bare = native_boot(native, os.path.join(folder, "disk.img"), init,
                       f"{CMDLINE} rdinit=/first")
    return {"run_linux": ours, "run_linux_native": bare,
            "run_linux_ratio": round(ours / bare, 4)}


def restart_ratio(folder):
    """From the command that kills the privileged guest's kernel, which reads a disk, to
    its next life's prompt, for 1 from the hypervisor's first instruction to its first
    life's prompt; and both counts."""
    more = {"bin/launch": os.path.join(figures.PLUGIN, "launch")}
    disk = os.path.join(folder, "nvme.img")
    os.makedirs(folder, exist_ok=True)
    with open(disk, "wb") as f:
        f.truncate(DISK_BYTES)
    _, marks = counted(folder, "restart", more, extra=("--nvme", disk))
    boot, killed, back = [at for name, at, _ in marks if name == "begin"]
    return {"privileged_boot": boot, "privileged_restart": back - killed,
            "privileged_restart_ratio": round((back - killed) / boot, 4)}
