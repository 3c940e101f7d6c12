/* SPDX-License-Identifier: BSD-2-Clause */
/* Making a virtual machine */
#ifndef HV_VM_CREATE_H
#define HV_VM_CREATE_H

#include "hv/core/vm.h"
#include "include/bulkhead/control.h"

/*
 * Build a guest from its manifest entry: memory, EPT/NPT, buses, vCPUs,
 * devices. Any core, before vm_start(); takes making_lock (create.c), which is
 * outside of most others. @config stays in use. -ENOMEM, -ENOSPC or what a part
 * of it said: one sentence is logged and nothing is left behind.
 */
int __must_check vm_create(const struct guest_config *config, struct vm **vm);
/* The same for a dynamic guest, with the pool's memory; @order is copied. It
 * does not count as alive yet (machine_end.h). -EBUSY or -EINVAL, too: what
 * pool_take() says of the ranges; that is not logged. */
struct vm_order {
	const struct guest_config *config;
	const struct bh_ctl_range *ranges;
	u32 range_count;
};
int __must_check vm_create_by(const struct vm_order *order, struct vm **vm);
/*
 * For reap.c, in this order. vms[] has it no more; then, when no core holds it
 * (hv/core/quiesce.h): free @max vCPUs (true: those were all), @max of the
 * tables of its memory, of which a large guest has thousands, and the rest with
 * the guest itself. False: again later. Any core; vCPUs and the rest need
 * making_lock, but a guest that is made may take long: nobody waits for it.
 */
void vm_unlist(struct vm *vm);
bool __must_check vm_free_vcpus(struct vm *vm, u32 max);
bool __must_check vm_free_tables(struct vm *vm, u32 max);
bool __must_check vm_free(struct vm *vm);

#endif
