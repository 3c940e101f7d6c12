/* SPDX-License-Identifier: BSD-2-Clause */
/* Making a virtual machine */
#ifndef HV_VM_CREATE_H
#define HV_VM_CREATE_H

#include "arch/x86/cpu/percpu.h"
#include "hv/core/vm.h"
#include "include/bulkhead/control.h"

/*
 * Build a guest from its manifest entry: memory, EPT/NPT, buses, vCPUs,
 * devices. Any core, before vm_start(); takes making_lock (create.c), which is
 * outside of most others. @config stays in use. -ENOMEM, -ENOSPC or what a part
 * of it said: one sentence is logged and nothing is left behind.
 */
int __must_check vm_create(const struct guest_config *config, struct vm **vm);
/*
 * The same in steps, each of some microseconds, for a guest that is made while
 * others run. Of @order nothing stays in use. vm_make_begin(): -ENOMEM, or
 * -ENOSPC (there are VM_MAX guests), and nothing is left behind. Then
 * vm_make_step() until it is not VM_GOES_ON. 0: @m->vm is whole, and vms[] has
 * it; it does not count as alive yet (machine_end.h). An error, after a
 * sentence: vm_free_step() follows, until it is true. -EBUSY or -EINVAL of the
 * pool, about the ranges, is not logged.
 *
 * Who makes @m is one at a time; each step may be on another core. Both take
 * making_lock.
 */
struct vm_order {
	const struct guest_config *config;
	const struct bh_ctl_range *ranges;
	u32 range_count;
};
struct vm_making {
	struct vm *vm;
	u32 stage;
	u32 done;   /* of a stage */
	u64 mapped; /* of a slot of memory, in bytes */
	/* Of its vCPUs, how many each core has; the cores of its node */
	u32 group[MAX_CPUS];
	u64 near[MANIFEST_MAX_CORES / 64];
};
int __must_check vm_make_begin(struct vm_making *m,
			       const struct vm_order *order);
int __must_check vm_make_step(struct vm_making *m);
/* May a line be logged about why @vm cannot be made? Of static guests always;
 * of dynamic ones now and then, as a guest can ask for any number. */
bool vm_making_may_log(const struct vm *vm);
/*
 * Some of @vm is freed; true: all is, and @vm itself. No core holds it: it was
 * never whole, or vm_unlist() was some time ago (hv/core/quiesce.h). Any core;
 * takes making_lock.
 */
bool __must_check vm_free_step(struct vm *vm);
/* vms[] has it no more, nor has ids.h its id, which goes first */
void vm_unlist(struct vm *vm);

#endif
