# SPDX-License-Identifier: BSD-2-Clause
"""Two NUMA nodes: what the privileged guest sees of them, and which one an
isolated guest's memory and cores are of."""
import os

from harness import image
from harness.machine import Machine
from system import _linux
from system._linux import privileged, step

SECONDS = 240
# Node 0 has cores 0 and 1, node 1 cores 2 and 3. Guests keep off core 0.
CORES = 4
NODE_MIB = 1024
DISTANCE = 23
NODES = [word for text in (
    f"memory-backend-ram,id=m0,size={NODE_MIB}M",
    f"memory-backend-ram,id=m1,size={NODE_MIB}M") for word in ("-object", text)] + [
    word for text in (
        "node,nodeid=0,cpus=0-1,memdev=m0", "node,nodeid=1,cpus=2-3,memdev=m1",
        f"dist,src=0,dst=1,val={DISTANCE}") for word in ("-numa", text)]


def run(results, folder):
    files = _linux.payload()
    files["box.elf"] = os.path.join(image.BUILD, "tests/guest/acpi_pm.elf")
    boxes = [{"name": name, "kernel": "box.elf", "cmdline": f"button {name}",
              "memory": "128M", "cores": "1-3", "shutdown_grace": "0", **keys}
             for name, keys in (("near", {"numa": "0"}), ("far", {"numa": "1"}), ("free", {}),
                                ("large", {"numa": "1", "memory": "1G"}))]
    disk = image.make(folder, image.manifest(
        [privileged(f"numa,poweroff bulkhead.distance={DISTANCE}", cores="1-3"), *boxes]),
        files)
    options = [word for text in NODES for word in ("--arg", text)]
    with Machine("qemu", disk, folder, cores=CORES, memory=2 * NODE_MIB,
                 timeout=SECONDS * 2, options=options) as m:
        for name, node in (("near", 0), ("far", 1), ("free", 1)):
            step(results, m, f"numa.{name}",
                 rf"guest {name}: NUMA node {node}: 128 MiB, 1 vCPU\b", SECONDS, 0)
        step(results, m, "numa.large", r"guest large: memory = 1024M.*NUMA node 1", SECONDS, 0)
        step(results, m, "numa.privileged_has_the_rest",
             r"guest linux: NUMA node 0: \d+ MiB, 1 vCPU\n.*guest linux: NUMA node 1: \d+ MiB, "
             r"2 vCPUs", SECONDS, 0)
        step(results, m, "numa.privileged", r"\[linux\] .*TEST numa ok", SECONDS, 0)
        results.check(m.wait_end(60), "numa.powers_off", "the machine still runs")


def tests():
    return [("numa", run)]
