/* SPDX-License-Identifier: BSD-2-Clause */
/* See boot/common/boot_mem.h: clip a range, sort it in, merge. No state, no
 * lock. */
#include "boot/common/boot_mem.h"

#include "include/hw/efi.h"
#include "lib/errno.h"
#include "lib/string.h"

#define ADDR_END BIT(52) /* no physical address has more bits */

/* How unusable a type is: on an overlap the higher one wins */
static const u8 type_rank[] = {
	[BOOT_MEM_CONVENTIONAL] = 0, [BOOT_MEM_BS_CODE] = 1,
	[BOOT_MEM_BS_DATA] = 1,      [BOOT_MEM_LOADER_CODE] = 2,
	[BOOT_MEM_LOADER_DATA] = 2,  [BOOT_MEM_SPECIAL] = 3,
	[BOOT_MEM_PERSISTENT] = 3,   [BOOT_MEM_UNACCEPTED] = 8,
	[BOOT_MEM_ACPI_RECLAIM] = 4, [BOOT_MEM_ACPI_NVS] = 5,
	[BOOT_MEM_RT_DATA] = 6,      [BOOT_MEM_RT_CODE] = 6,
	[BOOT_MEM_PAL] = 7,          [BOOT_MEM_RESERVED] = 8,
	[BOOT_MEM_MMIO] = 9,         [BOOT_MEM_MMIO_PORT] = 9,
	[BOOT_MEM_UNUSABLE] = 10,
};
#define RANK_LAST_FREE 2 /* up to here: free once the loader is done */
#define RANK_LAST_RAM  6

static bool type_is_free(u32 type)
{
	return type_rank[type] <= RANK_LAST_FREE;
}

static u64 mem_end(const struct boot_mem *m)
{
	return m->base + m->size;
}

static bool mem_alike(const struct boot_mem *a, const struct boot_mem *b)
{
	return mem_end(a) == b->base && a->type == b->type;
}

static void mem_remove(struct boot_info *bi, u32 i)
{
	memmove(&bi->mem[i], &bi->mem[i + 1],
		(bi->mem_count - i - 1) * sizeof(bi->mem[0]));
	bi->mem_count--;
}

static void merge_all(struct boot_info *bi)
{
	for (u32 i = 1; i < bi->mem_count;) {
		if (mem_alike(&bi->mem[i - 1], &bi->mem[i])) {
			bi->mem[i - 1].size += bi->mem[i].size;
			mem_remove(bi, i);
		} else {
			i++;
		}
	}
}

/* Forget what tells free kinds apart, to make room */
static void compact(struct boot_info *bi)
{
	for (u32 i = 0; i < bi->mem_count; i++)
		if (type_is_free(bi->mem[i].type))
			bi->mem[i].type = BOOT_MEM_CONVENTIONAL;
	merge_all(bi);
}

/* Index of the first entry that ends above @addr */
static u32 find(const struct boot_info *bi, u64 addr)
{
	u32 i = 0;

	while (i < bi->mem_count && mem_end(&bi->mem[i]) <= addr)
		i++;
	return i;
}

/* Insert @m, which overlaps nothing */
static int insert(struct boot_info *bi, const struct boot_mem *m)
{
	u32 i;

	if (bi->mem_count == BOOT_MAX_MEM)
		compact(bi);
	if (bi->mem_count == BOOT_MAX_MEM)
		return -ENOSPC;
	i = find(bi, m->base);
	memmove(&bi->mem[i + 1], &bi->mem[i],
		(bi->mem_count - i) * sizeof(bi->mem[0]));
	bi->mem[i] = *m;
	bi->mem_count++;
	return 0;
}

/* Cut [@base, @end) out of entry @i, which covers it */
static int carve(struct boot_info *bi, u32 i, u64 base, u64 end)
{
	struct boot_mem tail = bi->mem[i];

	tail.size = mem_end(&tail) - end;
	tail.base = end;
	bi->mem[i].size = base - bi->mem[i].base;
	if (bi->mem[i].size == 0)
		mem_remove(bi, i);
	return tail.size ? insert(bi, &tail) : 0;
}

/* Place the part of @m that starts at its base and meets one entry at most.
 * *@len is the part's length. */
static int place_part(struct boot_info *bi, const struct boot_mem *m, u64 *len)
{
	struct boot_mem part = *m;
	u32 i = find(bi, m->base);
	struct boot_mem *old = &bi->mem[i];
	int err;

	if (i == bi->mem_count || old->base >= mem_end(m)) {
		*len = m->size;
		return insert(bi, m);
	}
	if (old->base > m->base) {
		*len = part.size = old->base - m->base;
		return insert(bi, &part);
	}
	*len = part.size = MIN(mem_end(m), mem_end(old)) - m->base;
	if (type_rank[m->type] <= type_rank[old->type])
		return 0;
	err = carve(bi, i, part.base, mem_end(&part));
	return err ? err : insert(bi, &part);
}

static bool to_pages(struct boot_mem *m)
{
	u64 end = m->base + m->size;

	if (end < m->base || end > ADDR_END)
		end = ADDR_END;
	if (type_is_free(m->type)) {
		m->base = ALIGN_UP(m->base, PAGE_SIZE);
		end = ALIGN_DOWN(end, PAGE_SIZE);
	} else {
		m->base = ALIGN_DOWN(m->base, PAGE_SIZE);
		end = ALIGN_UP(end, PAGE_SIZE);
	}
	m->size = end - m->base;
	return m->base < end;
}

static u32 type_kept(u32 type, u64 attributes)
{
	/* Types of OEMs and OSes, and what a guest of another would have to
	 * accept first */
	if (type >= ARRAY_SIZE(type_rank) || type == BOOT_MEM_UNACCEPTED)
		return BOOT_MEM_RESERVED;
	/* Whoever loaded something there has it */
	if (type == BOOT_MEM_CONVENTIONAL && (attributes & EFI_MEMORY_SP))
		return BOOT_MEM_SPECIAL;
	return type;
}

int boot_mem_add(struct boot_info *bi, u64 base, u64 size, u32 type,
		 u64 attributes)
{
	struct boot_mem m = { .base = base, .size = size };

	m.type = type_kept(type, attributes);
	if (size == 0 || base >= ADDR_END || !to_pages(&m))
		return 0;
	while (m.size) {
		u64 len;
		int err = place_part(bi, &m, &len);

		if (err)
			return err;
		m.base += len;
		m.size -= len;
	}
	merge_all(bi);
	return 0;
}

bool boot_mem_is_ram(u32 type)
{
	return type < ARRAY_SIZE(type_rank) && type_rank[type] <= RANK_LAST_RAM;
}

u64 boot_mem_top(const struct boot_info *bi)
{
	u64 top = 0;

	for (u32 i = 0; i < bi->mem_count; i++) {
		const struct boot_mem *m = &bi->mem[i];

		if (boot_mem_is_ram(m->type))
			top = mem_end(m);
	}
	return top;
}
