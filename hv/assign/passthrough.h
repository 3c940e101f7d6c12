/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The privileged guest's PCI (passthrough.c), as the rooms above know it
 */
#ifndef HV_ASSIGN_PASSTHROUGH_H
#define HV_ASSIGN_PASSTHROUGH_H

#include "drivers/pci/pci.h"
#include "hv/core/vcpu.h"
#include "hv/device/pci/pci_fn.h"

/* A table may have 2,048 messages, and a bridge hundreds of functions behind
 * it, more than a core does in one go. A piece of what @v's accesses have
 * begun; posts VE_ASSIGN to @v if there is more. Its home core, when it takes
 * VE_ASSIGN; takes passthrough.lock. */
void passthrough_go_on(struct vcpu *v);
/* VE_INSN: a piece of what a write of @v's to a bridge has begun. True: there
 * is nothing more. Home core; takes passthrough.lock. */
bool passthrough_insn_go_on(struct vcpu *v);
/*
 * Before @vm's next life: a piece of what makes the machine's functions forget
 * the last one. Messages and bus mastering are off first; those that were bus
 * masters are reset, as far as they can be; the virtual ones are as at power
 * on. True: all is done; it begins anew with the next call. No vCPU of @vm
 * runs. One core, no lock held. It waits for the hardware for some seconds at
 * most, and returns meanwhile: *@until is when it is to be called again, host
 * TSC; 0: at once.
 */
bool __must_check passthrough_quiet_step(struct vm *vm, u64 *until);
/*
 * Puts the virtual function @f on bus 0, at a device number that is free, and
 * makes its config space as pci_fn_init() does; its BARs are nowhere. The
 * caller has filled all but devfn. While the VM is built, once it has its
 * devices. -ENODEV: no number is free; -ENOSPC: too many; -ENOMEM.
 */
int __must_check passthrough_virtual_add(struct pci_fn *f, const u8 header[64]);
/* Undoes it, of the last one, while the VM is built */
void passthrough_virtual_remove(struct pci_fn *f);

/* A function that the guest has, of the machine or of ours; or one that is
 * hidden from it */
struct passthrough_entry {
	struct pci_bdf bdf;
	bool fixed, kept, is_virtual; /* as in struct vfunc */
	bool hidden;
};
/* The one at place *@at, which becomes the next one's; false: that was the
 * last. Places stay as long as passthrough_changes() does. Takes
 * passthrough.lock; any core. */
bool passthrough_list(struct vm *vm, u32 *at, struct passthrough_entry *entry);
u64 passthrough_changes(struct vm *vm);

#endif
