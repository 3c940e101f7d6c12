/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Ports whose read puts a core to sleep (C2 and deeper, "SystemIO" in \_CST).
 * Left to the privileged guest, such a read would keep the core from other
 * guests for as long as the machine sleeps; where nothing is behind the port,
 * its idle loop would spin. So a read of one is a HLT of that vCPU, and the
 * hypervisor chooses how the core sleeps (arch/x86/machine/idle.h). Software
 * reads it with interrupts off: it ends when an interrupt waits.
 *
 * The ports are what CPU registers say (SDM 4 2.17 MSR_PMG_IO_CAPTURE_BASE; PPR
 * of family 17h, MSRC001_0073), and ACPI tables (drivers/acpi/parse_idle.c).
 * Called when the guest is made, and from exits on the vCPU's home core. No
 * lock.
 */
#include "arch/x86/cpu/asm.h"
#include "arch/x86/cpu/features.h"
#include "drivers/acpi/acpi.h"
#include "hv/core/vcpu.h"
#include "include/hw/msr.h"
#include "lib/errno.h"
#include "lib/log.h"

/* P_BLK (ACPI 6.4, 4.8.4.3 *Processor Register Block*) */
#define PBLK_LVL2 4u
#define PBLK_LVL3 5u

static u64 sleep_read(struct vcpu *v, void *dev, u64 offset, u8 size)
{
	v->activity = VCPU_SLEEPS;
	return 0;
}

/* Something else may be at that port: it stays. Tables may name more ports than
 * there is room for: the rest is left to the guest. */
static int add_ports(struct vm *vm, u32 first, u32 count)
{
	int err = 0;

	for (u32 port = first; port < first + count && port <= 0xffff; port++) {
		const struct bus_region region = {
			.base = port,
			.size = 1,
			.name = "sleep",
			.read = sleep_read,
			.lockless = true,
		};

		err = bus_add(&vm->ports, &region);
		if (err == -ENOSPC) {
			log_warn("assign",
				 "no room to trap the sleep port %#x and those "
				 "after it",
				 port);
			return err;
		}
		if (err && err != -EEXIST)
			return err;
	}
	return 0;
}

/* LVL_2 and those behind it, up to the deepest that is redirected */
static int add_intel(struct vm *vm)
{
	u64 control, capture;

	if (rdmsr_safe(MSR_PKG_CST_CONFIG_CONTROL, &control) ||
	    !(control & PKG_CST_IO_MWAIT) ||
	    rdmsr_safe(MSR_PMG_IO_CAPTURE_BASE, &capture) ||
	    !(capture & PMG_IO_BASE_MASK))
		return 0;
	return add_ports(
		vm, (u32)(capture & PMG_IO_BASE_MASK),
		(u32)(capture >> PMG_IO_RANGE_SHIFT & PMG_IO_RANGE_MASK) + 1);
}

static int add_amd(struct vm *vm)
{
	u64 base;

	if (cpu_features.family < AMD_FAMILY_K10 ||
	    rdmsr_safe(MSR_AMD_CSTATE_BASE, &base) ||
	    !(base & AMD_CSTATE_BASE_MASK))
		return 0;
	return add_ports(vm, (u32)(base & AMD_CSTATE_BASE_MASK),
			 AMD_CSTATE_PORTS);
}

static int add_tables(struct vm *vm)
{
	int err = 0;

	for (u32 i = 0; i < acpi.idle_port_count && !err; i++)
		err = add_ports(vm, acpi.idle_ports[i], 1);
	for (u32 i = 0; i < acpi.pblk_count && !err; i++) {
		if (acpi.has_lvl2)
			err = add_ports(vm, acpi.pblks[i] + PBLK_LVL2, 1);
		if (acpi.has_lvl3 && !err)
			err = add_ports(vm, acpi.pblks[i] + PBLK_LVL3, 1);
	}
	return err;
}

static int idle_ports_create(struct vm *vm)
{
	int err = 0;

	if (cpu_features.vendor == VENDOR_INTEL)
		err = add_intel(vm);
	else if (cpu_features.vendor == VENDOR_AMD)
		err = add_amd(vm);
	if (!err)
		err = add_tables(vm);
	return err == -ENOSPC ? 0 : err;
}

const struct vdev idle_ports_vdev = {
	.name = "sleep ports",
	.create = idle_ports_create,
};
