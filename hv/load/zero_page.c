/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The memory map in Linux' zero page, see zero_page.h: 128 entries at most, and
 * an item SETUP_E820_EXT of setup_data has the rest (Linux boot, *The Real-Mode
 * Kernel Header*, setup_data). Called by bzimage.c. No state, no locks.
 */
#include "hv/load/zero_page.h"

#include "hv/core/gmem.h"
#include "hv/load/load.h"
#include "lib/string.h"

u64 zero_page_more_bytes(const struct vm *vm)
{
	u32 count = e820_max(vm);

	if (count <= ZERO_PAGE_E820_MAX)
		return 0;
	return sizeof(struct setup_data) +
	       (count - ZERO_PAGE_E820_MAX) * sizeof(struct e820_entry);
}

static int write_more(struct vm *vm, struct boot_params *bp,
		      const struct e820_map *map, u64 more)
{
	struct setup_data item = { .type = SETUP_E820_EXT };
	int err;

	if (map->count <= ZERO_PAGE_E820_MAX)
		return 0;
	item.len = (map->count - ZERO_PAGE_E820_MAX) *
		   (u32)sizeof(map->entries[0]);
	bp->hdr.setup_data = more;
	err = gmem_write(vm, GPA(more), &item, sizeof(item));
	if (!err)
		err = gmem_write(vm, GPA(more + sizeof(item)),
				 &map->entries[ZERO_PAGE_E820_MAX], item.len);
	return err;
}

int zero_page_e820(struct vm *vm, struct boot_params *bp, u64 more)
{
	struct e820_map map;
	int err = e820_make(vm, &map);

	if (err)
		return err;
	bp->e820_entries = (u8)MIN(map.count, (u32)ZERO_PAGE_E820_MAX);
	memcpy(bp->e820_table, map.entries,
	       bp->e820_entries * sizeof(map.entries[0]));
	err = write_more(vm, bp, &map, more);
	e820_free(vm, &map);
	return err;
}
