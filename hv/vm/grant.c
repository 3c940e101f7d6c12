/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What of the pool the privileged guest reaches; see grant.h. Leaves are of
 * 2 MiB each, never larger: so an end needs no split, and no memory. (4 KiB
 * where the CPU knows no larger ones.) Their tables are there from boot on.
 *
 * Lock: npt_lock of the privileged guest, for its table.
 */
#include "hv/vm/grant.h"

#include "arch/x86/machine/tsc.h"
#include "hv/vm/pool.h"
#include "lib/assert.h"
#include "lib/errno.h"
#include "lib/log.h"

#define LOG_NS    NS_PER_S
#define LOG_BURST 3u

static u64 touches; /* atomic */

static u32 attrs(const struct vm *vm)
{
	/* As for devices: nothing there is code, and a split needs tables */
	return vm->npt.split_exec ? PT_R | PT_W : PT_R | PT_W | PT_X;
}

static int map(struct vm *vm, u64 base, hpa_t to)
{
	return pt_map(&vm->npt, base, to, POOL_UNIT, attrs(vm));
}

/* What one table has leaves for */
static u64 table_bytes(const struct vm *vm)
{
	return vm->npt.max_level > 1 ? PAGE_1G : PAGE_2M;
}

/* A table for what is around @base */
static int make_table(struct vm *vm, u64 base)
{
	int err = map(vm, base, pool_scratch());

	return err ? err : pt_unmap(&vm->npt, base, POOL_UNIT);
}

int grant_prepare(struct vm *vm)
{
	int err = 0;

	for (u32 i = 0; i < pool_range_count() && !err; i++) {
		struct bh_ctl_range r = pool_range(i);
		u64 at = r.base, end = r.base + r.size;
		u64 step = table_bytes(vm);

		for (; at < end && !err; at = ALIGN_DOWN(at, step) + step)
			err = make_table(vm, at);
	}
	return err;
}

/* The scratch frame is there; lock held */
static bool was_touched(const struct vm *vm, u64 base)
{
	hpa_t hpa;
	u64 left;
	u32 is;

	return !pt_query(&vm->npt, base, &hpa, &is, &left);
}

bool grant_unit(u64 base)
{
	struct vm *vm = vm_privileged;
	bool touched;

	spin_lock(&vm->npt_lock);
	touched = was_touched(vm, base);
	if (touched)
		ASSERT(!pt_unmap(&vm->npt, base, POOL_UNIT));
	ASSERT(!map(vm, base, HPA(base)));
	spin_unlock(&vm->npt_lock);
	return touched;
}

void grant_end(u64 base)
{
	struct vm *vm = vm_privileged;

	spin_lock(&vm->npt_lock);
	ASSERT(!pt_unmap(&vm->npt, base, POOL_UNIT));
	spin_unlock(&vm->npt_lock);
}

/* Another vCPU may have come first, or a grant */
int grant_touched(struct vm *vm, u64 gpa)
{
	u64 base = ALIGN_DOWN(gpa, POOL_UNIT);
	int err;

	spin_lock(&vm->npt_lock);
	err = map(vm, base, pool_scratch());
	spin_unlock(&vm->npt_lock);
	if (err)
		return err == -EEXIST ? 0 : err;
	__atomic_fetch_add(&touches, 1, __ATOMIC_RELAXED);
	if (ratelimit_pass(&vm->log_limit, rdtsc(), ns_to_tsc(LOG_NS),
			   LOG_BURST))
		log_warn("vm",
			 "guest %s touches %#llx, a guest's memory that is not "
			 "granted to it",
			 vm->name, gpa);
	return 0;
}

u64 grant_touches(void)
{
	return __atomic_load_n(&touches, __ATOMIC_RELAXED);
}
