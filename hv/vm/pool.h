/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The pool: memory that is kept back at boot for guests which the privileged
 * guest makes later (docs/manifest.md, guest-memory). It lies in a few ranges,
 * on several NUMA nodes, and is given away in units of 2 MiB at addresses that
 * the privileged guest chooses. That sees it as soft-reserved memory at its
 * real addresses, and reaches of it what is granted (hv/vm/grant.h).
 *
 * To mm/owner.h all of it is OWNER_POOL; which guest has a unit stands here.
 * Any core, but for pool_init(). Lock: pool_lock, a leaf.
 */
#ifndef HV_VM_POOL_H
#define HV_VM_POOL_H

#include "include/bulkhead/control.h"
#include "lib/types.h"

#define POOL_UNIT PAGE_2M

/* Takes @bytes of free memory, as much of each node as its share of what is
 * free; less, after a sentence in the log, if there is less. Boot CPU, once,
 * after the static isolated guests are made and before the privileged one. */
void pool_init(u64 bytes);
/* Is the byte at @hpa the pool's? A look at a few ranges; no lock. */
bool pool_has(u64 hpa);
/* On which node that byte is; negative: it is not the pool's. No lock. */
int pool_node(u64 hpa);
/* The ranges; 0: there is no pool. @i is below the count. Constant, no lock. */
u32 pool_range_count(void);
struct bh_ctl_range pool_range(u32 i);
/* A frame of POOL_UNIT that is no guest's; zero at first */
hpa_t pool_scratch(void);
u64 pool_bytes(void);
u64 pool_free_bytes(void);
/* -EINVAL: the @count @ranges are not whole units of the pool, or none; or one
 * is there twice. A look at a few ranges; no lock. */
int __must_check pool_check(const struct bh_ctl_range *ranges, u32 count);
/*
 * Gives all of the @count @ranges to guest @vm, or none. *@clean: nothing but
 * zeros is in them. -EINVAL: they are not whole units of the pool, or none; or
 * one is there twice. -EBUSY: some of it is another guest's, or not scrubbed
 * yet. It takes a step for each unit, and so does the next, under the lock: of
 * what may be large, take parts of ranges.
 */
int __must_check pool_take(const struct bh_ctl_range *ranges, u32 count, u16 vm,
			   bool *clean);
/*
 * Whose the pool's units are: *@range is a run of some, from number *@unit on,
 * that have one owner, and *@vm that guest's index, or POOL_NOBODY. *@unit
 * becomes the number behind them. False: there is no such unit.
 */
#define POOL_NOBODY 0xffffu
bool pool_run(u32 *unit, struct bh_ctl_range *range, u16 *vm);
/* How often a unit has changed its owner */
u64 pool_changes(void);
/* Guest @vm, which has the range, or the part of one, gives it back; all of it
 * is zero if it is
 * @clean */
void pool_give_back(const struct bh_ctl_range *range, u16 vm, bool clean);

#endif
