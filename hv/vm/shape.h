/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What of a dynamic guest's memory it has as RAM. Files that it needs for all
 * its life, a firmware's image and fw_cfg's items, stay where the privileged
 * guest has put them, at the top of that memory. From the 2 MiB unit that the
 * lowest of them is in, the guest has no RAM: it cannot reach what is there,
 * and its memory map ends before. The image is its ROM below 4 GiB; fw_cfg
 * reads items from there (hv/device/fwcfg).
 *
 * So nothing is copied, a guest takes no more of the pool than its `memory =`
 * says, and its end scrubs files and RAM alike. Each start decides anew, by the
 * files that it names (hv/load/staged.h).
 *
 * The boot vCPU's core, or under making_lock; no vCPU of the guest runs.
 */
#ifndef HV_VM_SHAPE_H
#define HV_VM_SHAPE_H

#include "hv/core/vm.h"

/* Slots that a guest with @ranges ranges takes at most; pages for tables that
 * its shapes take, of the usual sizes. Pure. */
u32 shape_slots(const struct guest_config *config, u32 ranges);
u64 shape_pages(const struct guest_config *config);
/* All that the guest holds is RAM: its slots, for its first table */
void shape_plain(struct vm *vm);
/* Some microseconds of giving slots and table the shape that the files of this
 * start need. VM_GOES_ON; 0: they have it; -ENOMEM, after a sentence. */
int __must_check shape_step(struct vm *vm);
/* The next shape_step() is of another start */
void shape_begin(struct vm *vm);

#endif
