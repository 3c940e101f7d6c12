/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The pool of dynamic guests; see pool.h. Each unit has a word: whose it is,
 * and whether anything but zeros may be in it. What the firmware left there is
 * nobody's secret, but no guest may find it either, so new units are not clean.
 *
 * Invariants: ranges are disjoint, of whole units, and constant after
 * pool_init(). Lock: pool_lock protects the words, the count of free ones and
 * of changes.
 */
#include "hv/vm/pool.h"

#include "arch/x86/cpu/nospec.h"
#include "arch/x86/cpu/spinlock.h"
#include "drivers/acpi/acpi.h"
#include "hv/load/staged.h"
#include "hv/vm/numa.h"
#include "lib/assert.h"
#include "lib/errno.h"
#include "lib/log.h"
#include "lib/string.h"
#include "mm/owner.h"
#include "mm/pmm.h"
#include "mm/window.h"

#define POOL_RANGES   64u
#define UNITS_MAX     ((PAGE_SIZE << 9) / sizeof(u16)) /* pmm's largest block */
#define NO_GUEST      0x7fffu
#define DIRTY         0x8000u
#define ADDRESS_END   BIT(52)
#define RUN_UNITS_MAX 1024u /* units that are looked at in a go */

struct range {
	u64 base, size;
	u32 node;
	u32 first; /* of its units, in @units */
};

static struct spinlock pool_lock;
static struct range ranges[POOL_RANGES];
static u32 range_count;
static u16 *units; /* owner's id or NO_GUEST, and DIRTY */
static u32 unit_count, free_units;
static u64 changes;
static hpa_t scratch;

/* --- at boot --- */

static bool range_add(u64 base, u64 size, u32 node)
{
	if (range_count == POOL_RANGES)
		return false;
	ranges[range_count++] = (struct range){
		.base = base,
		.size = size,
		.node = node,
		.first = unit_count,
	};
	unit_count += (u32)(size / POOL_UNIT);
	return true;
}

/* A piece of @node's free memory */
static int take(u32 node, u64 size, hpa_t *hpa)
{
	int err = -ENOMEM;

	if (!acpi.numa.node_count)
		return owner_take(size, POOL_UNIT, 0, ADDRESS_END, OWNER_POOL,
				  0, hpa);
	for (u32 i = acpi.numa.range_count; i-- && err == -ENOMEM;) {
		const struct acpi_node_range *r = &acpi.numa.ranges[i];

		if (acpi_node_of_range(r) == (int)node)
			err = owner_take(size, POOL_UNIT, r->base,
					 r->base + r->size, OWNER_POOL, 0, hpa);
	}
	return err;
}

/* In few pieces, each as large as there is; returns how much there was not */
static u64 take_all(u32 node, u64 size)
{
	u64 piece = size;

	while (size) {
		hpa_t hpa;

		if (range_count < POOL_RANGES && !take(node, piece, &hpa)) {
			(void)range_add(hpa.v, piece, node);
			size -= piece;
			piece = MIN(piece, size);
		} else if (piece > POOL_UNIT && range_count < POOL_RANGES) {
			piece = ALIGN_UP(piece / 2, POOL_UNIT);
		} else {
			break;
		}
	}
	return size;
}

/* Each node's share of @bytes, whole units */
static u64 take_from_nodes(u64 bytes)
{
	u64 all = 0, left = bytes;

	for (u32 n = 0; n < numa_node_count(); n++)
		all += numa_free_bytes(n);
	for (u32 n = 0; n < numa_node_count() && all && left; n++) {
		u64 free = numa_free_bytes(n);
		u64 share = bytes / POOL_UNIT * (free / POOL_UNIT) /
			    MAX(all / POOL_UNIT, 1ull) * POOL_UNIT;

		share = n + 1 == numa_node_count() ? left : MIN(share, left);
		left -= share - take_all(n, share);
	}
	return left;
}

static void make_units(void)
{
	units = pmm_alloc_bytes(&pmm_self, unit_count * sizeof(units[0]));
	if (!units) {
		log_error("vm", "no memory for the books of the pool of guests'"
				" memory: there is none; lower guest-memory");
		range_count = unit_count = 0;
		return;
	}
	for (u32 i = 0; i < unit_count; i++)
		units[i] = NO_GUEST | DIRTY;
	free_units = unit_count;
}

static int make_scratch(void)
{
	int err = owner_take(POOL_UNIT, POOL_UNIT, 0, ADDRESS_END,
			     OWNER_HYPERVISOR, 0, &scratch);

	if (err)
		log_error("vm", "there is no room for guest-memory; lower it");
	for (u64 at = 0; at < POOL_UNIT && !err; at += PAGE_SIZE)
		memset(window_map(HPA(scratch.v + at)), 0, PAGE_SIZE);
	return err;
}

void pool_init(u64 bytes)
{
	u64 wanted = MIN(ALIGN_DOWN(bytes, POOL_UNIT), UNITS_MAX * POOL_UNIT);
	u64 lacking;

	if (!wanted || make_scratch())
		return;
	lacking = take_from_nodes(wanted);
	if (lacking || wanted < ALIGN_DOWN(bytes, POOL_UNIT))
		log_warn("vm",
			 "guest-memory is %llu MiB, but the pool gets %llu: "
			 "more is not free in pieces of 2 MiB; lower it",
			 (bytes >> 20), ((wanted - lacking) >> 20));
	if (unit_count)
		make_units();
	if (unit_count && staged_set_aside())
		log_warn("vm", "the hypervisor has little memory: guests may "
			       "not be loaded; lower guest-memory");
	if (unit_count)
		log_info("vm",
			 "%llu MiB are kept for guests to come, in %u "
			 "range%s; guest-memory = 0 leaves them to the "
			 "privileged one",
			 (pool_bytes() >> 20), range_count,
			 range_count == 1 ? "" : "s");
}

/* --- lookups --- */

static const struct range *range_of(u64 hpa)
{
	for (u32 i = 0; i < range_count; i++)
		if (hpa >= ranges[i].base &&
		    hpa - ranges[i].base < ranges[i].size)
			return &ranges[i];
	return NULL;
}

bool pool_has(u64 hpa)
{
	return range_of(hpa);
}

int pool_node(u64 hpa)
{
	const struct range *r = range_of(hpa);

	return r ? (int)r->node : -EINVAL;
}

u32 pool_range_count(void)
{
	return range_count;
}

struct bh_ctl_range pool_range(u32 i)
{
	return (struct bh_ctl_range){
		.base = ranges[i].base,
		.size = ranges[i].size,
		.node = ranges[i].node,
	};
}

hpa_t pool_scratch(void)
{
	return scratch;
}

u64 pool_bytes(void)
{
	return unit_count * POOL_UNIT;
}

u64 pool_free_bytes(void)
{
	return READ_ONCE(free_units) * POOL_UNIT;
}

/* --- given and taken --- */

/* The first word of @r's units; NULL: it is not the pool's */
static u16 *units_of(const struct bh_ctl_range *r)
{
	const struct range *p = range_of(r->base);

	if (!p || !r->size || !IS_ALIGNED(r->base | r->size, POOL_UNIT) ||
	    r->size > p->size - (r->base - p->base))
		return NULL;
	return &units[p->first + (r->base - p->base) / POOL_UNIT];
}

static bool is_free(const u16 *unit, u64 count)
{
	for (u64 i = 0; i < count; i++)
		if ((unit[i] & ~DIRTY) != NO_GUEST)
			return false;
	return true;
}

/* True: some of it was dirty */
static bool paint(u16 *unit, u64 count, u16 owner, bool clean)
{
	bool dirty = false;

	changes++;
	for (u64 i = 0; i < count; i++) {
		dirty |= unit[i] & DIRTY;
		unit[i] = owner | (clean ? 0 : DIRTY);
	}
	return dirty;
}

static bool is_twice(const struct bh_ctl_range *r, u32 at)
{
	for (u32 i = 0; i < at; i++)
		if (r[at].base < r[i].base + r[i].size &&
		    r[i].base < r[at].base + r[at].size)
			return true;
	return false;
}

int pool_check(const struct bh_ctl_range *r, u32 count)
{
	for (u32 i = 0; i < count; i++)
		if (!units_of(&r[i]) || is_twice(r, i))
			return -EINVAL;
	return count ? 0 : -EINVAL;
}

/* Lock held */
static int check_free(const struct bh_ctl_range *r, u32 count)
{
	for (u32 i = 0; i < count; i++)
		if (!is_free(units_of(&r[i]), r[i].size / POOL_UNIT))
			return -EBUSY;
	return 0;
}

int pool_take(const struct bh_ctl_range *r, u32 count, u16 vm, bool *clean)
{
	int err = pool_check(r, count);

	if (err)
		return err;
	*clean = true;
	spin_lock(&pool_lock);
	err = check_free(r, count);
	for (u32 i = 0; i < count && !err; i++) {
		u64 n = r[i].size / POOL_UNIT;

		if (paint(units_of(&r[i]), n, vm, false))
			*clean = false;
		free_units -= (u32)n;
	}
	spin_unlock(&pool_lock);
	return err;
}

void pool_give_back(const struct bh_ctl_range *r, u16 vm, bool clean)
{
	u64 n = r->size / POOL_UNIT;
	u16 *unit;

	spin_lock(&pool_lock);
	unit = units_of(r);
	ASSERT(unit && (unit[0] & ~DIRTY) == vm);
	(void)paint(unit, n, NO_GUEST, clean);
	free_units += (u32)n;
	spin_unlock(&pool_lock);
}

static const struct range *range_with(u32 unit)
{
	const struct range *r = ranges;

	while (unit - r->first >= r->size / POOL_UNIT)
		r++;
	return r;
}

bool pool_run(u32 *unit, struct bh_ctl_range *out, u16 *vm)
{
	u32 first, end, owner;
	const struct range *r;

	if (*unit >= unit_count)
		return false;
	first = *unit = (u32)index_nospec(*unit, unit_count);
	r = range_with(first);
	end = MIN(r->first + (u32)(r->size / POOL_UNIT), first + RUN_UNITS_MAX);
	spin_lock(&pool_lock);
	owner = units[first] & ~DIRTY;
	while (*unit < end && (units[*unit] & ~DIRTY) == owner)
		++*unit;
	spin_unlock(&pool_lock);
	*vm = (u16)(owner == NO_GUEST ? POOL_NOBODY : owner);
	*out = (struct bh_ctl_range){
		.base = r->base + (first - r->first) * POOL_UNIT,
		.size = (*unit - first) * POOL_UNIT,
		.node = r->node,
	};
	return true;
}

u64 pool_changes(void)
{
	u64 count;

	spin_lock(&pool_lock);
	count = changes;
	spin_unlock(&pool_lock);
	return count;
}
