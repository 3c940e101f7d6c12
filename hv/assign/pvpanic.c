/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pvpanic: a byte in a memory BAR. Read, it has the events that the device
 * knows; written, those that have happened. A panic ends this life of the
 * guest, if it may start again; else it is said in the log, and the kernel does
 * what it would without: a server that nobody sits at comes back by its panic=.
 * A crash kernel of the guest's own, which runs behind "crash loaded", is the
 * guest's affair until it resets.
 *
 * Called from exits, any core. No lock: there is no state.
 */
#include "hv/assign/pvpanic.h"

#include "arch/x86/machine/tsc.h"
#include "hv/assign/passthrough.h"
#include "hv/core/vcpu.h"
#include "include/hw/pci.h"
#include "include/hw/pvpanic.h"
#include "lib/errno.h"
#include "lib/log.h"

static struct pci_fn fn; /* there is one privileged guest */

static u64 bar_read(struct vcpu *v, struct pci_fn *f, u32 bar, u64 offset,
		    u8 size)
{
	return offset ? 0 : PVPANIC_PANICKED | PVPANIC_CRASH_LOADED;
}

static void panicked(struct vm *vm)
{
	u64 now = rdtsc();

	if (vm->restarts && now >= vm->no_restart_before)
		vm_end(vm, VM_END_CRASH, "its kernel panicked");
	else if (ratelimit_pass(&vm->log_limit, now, tsc_khz * 1000, 4))
		log_error("vm",
			  "guest %s: its kernel panicked, and %s: the rest is "
			  "the kernel's affair (panic=)",
			  vm->name,
			  vm->restarts ? "its restarts are used up"
				       : "privileged-restart is no");
}

static void bar_write(struct vcpu *v, struct pci_fn *f, u32 bar, u64 offset,
		      u8 size, u64 value)
{
	struct vm *vm = v->vm;

	if (offset)
		return;
	if (value & PVPANIC_PANICKED)
		panicked(vm);
	else if (value & PVPANIC_CRASH_LOADED &&
		 ratelimit_pass(&vm->log_limit, rdtsc(), tsc_khz * 1000, 4))
		log_warn("vm",
			 "guest %s: its kernel panicked, and starts its own "
			 "crash kernel",
			 vm->name);
}

static const struct pci_fn_ops ops = {
	.bar_read = bar_read,
	.bar_write = bar_write,
};

void pvpanic_create(struct vm *vm)
{
	static const u8 header[64] = {
		[PCI_VENDOR_ID] = PVPANIC_VENDOR & 0xff,
		[PCI_VENDOR_ID + 1] = PVPANIC_VENDOR >> 8,
		[PCI_DEVICE_ID] = PVPANIC_DEVICE & 0xff,
		[PCI_DEVICE_ID + 1] = PVPANIC_DEVICE >> 8,
		[PCI_CLASS_REVISION] = PVPANIC_REVISION,
		[PCI_CLASS_REVISION + 2] = PVPANIC_CLASS & 0xff,
		[PCI_CLASS_REVISION + 3] = PVPANIC_CLASS >> 8,
	};
	int err;

	fn.vm = vm;
	fn.ops = &ops;
	fn.bar[0].size = PVPANIC_BAR_BYTES;
	err = passthrough_virtual_add(&fn, header);
	if (err)
		log_warn("pvpanic",
			 "guest %s has no pvpanic device (error %d): a panic "
			 "of its kernel is not noticed",
			 vm->name, -err);
	else
		log_info("pvpanic", "guest %s: pvpanic device at 00:%02x.0",
			 vm->name, fn.devfn >> 3u);
}
