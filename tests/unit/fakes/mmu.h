/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A page walk as the CPU makes it, written from the manuals and not from
 * mm/pt_format.c: host tables (SDM 3A 4.5 *4-Level Paging*), NPT (APM 2 15.25
 * *Nested Paging*), EPT (SDM 3C 29.3.2 *EPT Translation Mechanism*). Four
 * levels, 52 bits of physical address, NXE set, no caches.
 */
#ifndef TESTS_UNIT_FAKES_MMU_H
#define TESTS_UNIT_FAKES_MMU_H

#include "include/hw/paging.h"

enum mmu_format { MMU_HOST, MMU_NPT, MMU_EPT, MMU_FORMATS };
enum mmu_right { MMU_R = 1, MMU_W = 2, MMU_X = 4, MMU_USER = 8 };
enum mmu_kind { MMU_ABSENT, MMU_TABLE, MMU_LEAF };

/* Of whom the walk reads a table of 512 entries; NULL: there is none */
typedef const u64 *(*mmu_table_fn)(u64 hpa);

/* What holds for all of [base, base + size) */
struct mmu_range {
	u64 base, size;
	const char *wrong; /* a misconfiguration, or a reserved bit; or NULL */
	bool present;      /* else only the above */
	u64 hpa;           /* of base */
	u32 rights;        /* enum mmu_right, of all levels together */
	u32 type;          /* MEM_* */
	bool global;
};

enum mmu_kind mmu_kind(enum mmu_format format, u64 entry, u32 level);
/* The range around @addr, below 2^48, by the tables whose root is at @root */
struct mmu_range mmu_walk(enum mmu_format format, mmu_table_fn table, u64 root,
			  u64 addr);

/* Bytes that an entry of @level maps: 1 is 4 KiB, 4 is 512 GiB */
static inline u64 mmu_span(u32 level)
{
	return PAGE_SIZE << (9 * (level - 1));
}

#endif
