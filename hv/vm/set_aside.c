/* SPDX-License-Identifier: BSD-2-Clause */
/* What is set aside for guests, see set_aside.h. Boot CPU, before any guest
 * runs: no lock. */
#include "hv/vm/set_aside.h"

#include "arch/x86/cpu/speculation.h"
#include "hv/core/split.h"
#include "hv/load/load.h"
#include "hv/vm/pool.h"
#include "lib/log.h"
#include "mm/hostmap.h"
#include "mm/owner.h"
#include "mm/pmm.h"
#include "mm/pool_size.h"

/* Pages of the pool that a guest takes, and each of its vCPUs besides, without
 * what is set aside for its loading */
#define GUEST_POOL_PAGES 64u
#define VCPU_POOL_PAGES  8u

/* What the hypervisor keeps for guests to come: for so much of their memory a
 * byte, which is a quarter of a MiB for one of 16 MiB, and not more than for
 * some hundred of them */
#define POOL_OVERHEAD_SHARE 64u
#define POOL_OVERHEAD_MAX   MIB(192)
/* Of guest-count guests each has so much: one vCPU, as measured, and a fifth */
#define COUNTED_GUEST_PAGES 48u

/* @counted: pages of one of guest-count */
static u64 pool_overhead_pages(const struct manifest *m, u32 counted)
{
	u64 ram = owner_bytes(OWNER_FREE, 0);
	u64 bytes = m->pool_percent ? ram / 100 * m->pool_percent
				    : MIN(m->pool_bytes, ram);

	bytes = MIN(bytes / POOL_OVERHEAD_SHARE, POOL_OVERHEAD_MAX);
	return MAX(bytes / PAGE_SIZE, (u64)m->pool_guests * counted);
}

static u64 pages_above(u64 pages, u64 limit)
{
	return pages > limit ? pages - limit : 0;
}

/* What the pool has grown by for guests to come */
static u64 set_aside_pages;

/* Many guests need more than the pool is made for. Half of that is the
 * hypervisor's own. */
void set_aside_for_guests(const struct manifest *m)
{
	u64 pages = 0, free = pmm_free_pages() / 2, more;
	u64 before = owner_bytes(OWNER_HYPERVISOR, 0);

	for (u32 i = 0; i < m->guest_count; i++) {
		const struct guest_config *c = &m->guests[i];

		if (c->valid && c->autostart)
			pages += GUEST_POOL_PAGES + load_pages(c) +
				 c->vcpus * VCPU_POOL_PAGES;
	}
	more = pages_above(pages + pool_overhead_pages(m, COUNTED_GUEST_PAGES),
			   free);
	if (more && hostmap_grow_pool(more * PAGE_SIZE))
		log_warn("init", "memory for all guests is short");
	/* It grows in whole 2 MiB, and what is over is guests', too */
	more = (owner_bytes(OWNER_HYPERVISOR, 0) - before) / PAGE_SIZE;
	set_aside_pages = pages_above(more, pages_above(pages, free));
}

/* Of guest-count guests each has its least, too */
static u64 split_to_come(const struct manifest *m)
{
	u32 counted = COUNTED_GUEST_PAGES + SPLIT_TABLES_MIN(1);

	return pool_overhead_pages(m, counted) -
	       pool_overhead_pages(m, COUNTED_GUEST_PAGES);
}

/* What the guests of the manifest have at least */
static u64 least_split_tables(const struct manifest *m, u32 cores)
{
	u64 tables = 0;

	for (u32 i = 0; i < m->guest_count; i++) {
		const struct guest_config *c = &m->guests[i];

		if (c->valid && c->autostart)
			tables += SPLIT_TABLES_MIN(c->vcpus ? c->vcpus : cores);
	}
	return tables;
}

/* On a CPU with iTLB multihit guests have tables for split pages, a bounded
 * number each: none shall run its neighbours out of them. The pool has room for
 * some as it is. */
void set_aside_split_tables(const struct manifest *m, u32 cores)
{
	u64 left = hostmap_pool_left() / PAGE_SIZE, to_come = split_to_come(m);
	u64 ram, shared = pool_split_tables(cores, &ram), more;

	if (!(speculation.actions & SPEC_SPLIT))
		return;
	split_share(shared, ram);
	more = pages_above(shared + least_split_tables(m, cores), left) +
	       to_come;
	if (more && hostmap_grow_pool(more * PAGE_SIZE))
		log_warn("init", "memory for split pages is short");
	else
		set_aside_pages += to_come;
}

void set_aside_report(void)
{
	u64 kept = owner_bytes(OWNER_HYPERVISOR, 0) >> 10;
	u64 aside = set_aside_pages * PAGE_SIZE;

	if (pool_bytes()) /* and what lies where none of it is granted */
		aside += POOL_UNIT;
	aside >>= 10;
	if (aside)
		log_info("init",
			 "the hypervisor keeps %llu KiB, and %llu KiB of its "
			 "own for guests to come",
			 kept - aside, aside);
	else
		log_info("init", "the hypervisor keeps %llu KiB", kept);
}
