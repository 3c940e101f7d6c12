# SPDX-License-Identifier: BSD-2-Clause
"""The figures Bulkhead promises: a change that makes an exit, the boot or the
image dearer than its target fails here."""
from harness import bench, control, figures


def exits(side):
    def run(results, folder):
        notes = {}
        got = bench.exits(side, folder, memory=2048, notes=notes)
        for key, target in bench.TARGET[side].items():
            if key != "boot":
                results.check(got.get(key, target + 1) <= target, f"bench.{side}.{key}",
                              f"{got.get(key)} instructions, target {target}")
        # Of VMX: a CPU with iTLB multihit, whose guests need tables to split pages
        keeps = bench.RAM_BYTES[2048]
        results.check(notes["ram_bytes"] <= keeps, f"bench.{side}.ram",
                      f"{notes['ram_bytes']} bytes, target {keeps}")
    return run


def metering(side):
    def run(results, folder):
        for key, got in bench.metering(side, folder).items():
            results.check(got <= bench.METERED[key], f"bench.metering.{side}.{key}",
                          f"{got} instructions, target {bench.METERED[key]}")
    return run


def boot(results, folder):
    ticks, ram = bench.boot("svm", folder)
    target, keeps = bench.TARGET["svm"]["boot"], bench.RAM_BYTES[2048]
    results.check(ticks <= target, "bench.svm.boot",
                  f"{ticks} instructions, target {target}")
    results.check(ram <= keeps, "bench.ram", f"{ram} bytes, target {keeps}")
    size = bench.image_bytes()
    results.check(size <= bench.IMAGE_BYTES, "bench.image",
                  f"{size} bytes, target {bench.IMAGE_BYTES}")


def linux_boot(results, folder):
    ours, guest = figures.boot_share(folder)
    percent = 100 * ours / (ours + guest)
    results.check(percent < figures.BOOT_SHARE_PERCENT, "bench.linux_boot_share",
                  f"{percent:.2f} % of {ours + guest} instructions")


def linux_idle(results, folder):
    rate, kinds = figures.idle(folder)
    results.check(rate < figures.IDLE_EXITS, "bench.linux_idle_exits",
                  f"{rate} a second and vCPU: {kinds}")


def guest_costs(results, folder):
    control.hold(results, control.costs(folder))


def guest_linux(results, folder):
    control.hold(results, control.linux_ratio(folder))


def beside(results, folder):
    control.hold(results, control.beside_ratio(folder))


def restart(results, folder):
    control.hold(results, control.restart_ratio(folder))


def tests():
    return [("bench.linux_boot", linux_boot), ("bench.linux_idle", linux_idle),
            ("bench.vmx", exits("vmx")), ("bench.svm", exits("svm")),
            ("bench.svm_nrip", exits("svm_nrip")), ("bench.boot", boot),
            ("bench.control", guest_costs),
            ("bench.metering.svm", metering("svm")), ("bench.metering.vmx", metering("vmx"))]


def soak():
    return [("bench.control_linux", guest_linux), ("bench.control_beside", beside),
            ("bench.control_restart", restart)]
