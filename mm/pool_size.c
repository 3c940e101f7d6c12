/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The size of the pool, see pool_size.h. What needs memory in proportion to RAM
 * are the tables of guests: with leaves of 2 MiB one for each GiB, which is a
 * byte for 256 KiB. Edges that are not aligned to large pages need more of
 * them, wherever the firmware has its holes. Machines with more memory have
 * more devices, up to a limit. No state, no lock.
 */
#include "mm/pool_size.h"

#include "mm/owner.h"

#define POOL_BASE_BYTES     MIB(2)
#define POOL_BYTES_PER_CORE KIB(160) /* its stacks have 128 */
#define TABLES_RAM_SHARE    KIB(128) /* a byte for so many of RAM */
#define DEVICES_RAM_SHARE   KIB(16)
#define DEVICES_MAX_BYTES   MIB(2)

/* Code lies in some of a guest's 2 MiB pages. The more memory, the less of it:
 * cores run no more code for it. The figures keep the pool within its bounds on
 * all machines of the test. */
#define SPLIT_PAGES_PER_TABLE 8u
#define SPLIT_TABLES_BASE     256u
#define SPLIT_TABLES_PER_CORE 16u

/* Tables for edges between leaves, counted in ascending order */
struct edges {
	u64 frame_2m, frame_1g; /* of the last edge, plus one */
	u64 tables;
};

static void edge_count(struct edges *e, u64 addr)
{
	if (!IS_ALIGNED(addr, PAGE_2M) && e->frame_2m != addr / PAGE_2M + 1) {
		e->frame_2m = addr / PAGE_2M + 1;
		e->tables++;
	}
	if (!IS_ALIGNED(addr, PAGE_1G) && e->frame_1g != addr / PAGE_1G + 1) {
		e->frame_1g = addr / PAGE_1G + 1;
		e->tables++;
	}
}

/* What the privileged guest has as memory, free or not */
static bool is_memory(const struct extent *e)
{
	return e->kind == OWNER_FREE || e->kind == OWNER_HYPERVISOR ||
	       (e->kind == OWNER_FIRMWARE &&
		e->firmware_type != BOOT_MEM_RESERVED);
}

/* Bytes of memory; what ends in it is counted in @edges, unless that is NULL */
static u64 memory_bytes(struct edges *edges)
{
	u64 ram = 0;

	for (u32 i = 0; i < owner_count(); i++) {
		const struct extent *e = owner_at(i);

		if (!is_memory(e))
			continue;
		ram += e->size;
		if (!edges)
			continue;
		edge_count(edges, e->base);
		edge_count(edges, e->base + e->size);
	}
	return ram;
}

u64 pool_size(u32 cores)
{
	struct edges edges = { 0 };
	u64 ram = memory_bytes(&edges);

	return POOL_BASE_BYTES + cores * POOL_BYTES_PER_CORE +
	       ram / TABLES_RAM_SHARE +
	       MIN(ram / DEVICES_RAM_SHARE, (u64)DEVICES_MAX_BYTES) +
	       edges.tables * PAGE_SIZE;
}

u64 pool_split_tables(u32 cores, u64 *ram_bytes)
{
	*ram_bytes = memory_bytes(NULL);
	return MIN(*ram_bytes / PAGE_2M / SPLIT_PAGES_PER_TABLE,
		   SPLIT_TABLES_BASE + (u64)cores * SPLIT_TABLES_PER_CORE);
}
