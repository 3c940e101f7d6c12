/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From boot services into the hypervisor, see loader.h. Called by main.c. All
 * that the hypervisor still reads at its start lies in one block, so that it
 * has one range to spare:
 *
 *   load_hpa (2 MiB aligned, below 4 GiB)
 *   | image, .bss | struct boot_info | stack | page tables | level switch |
 *   | firmware's map |
 *   load_hpa + load_size
 *
 * The memory map changes with each allocation. So the block is taken first,
 * with room for a map that has grown, and the map is read into it last
 * (UEFI 2.10, 7.4 *EFI_BOOT_SERVICES.ExitBootServices()*).
 */
#include <stdarg.h>

#include "boot/common/boot_mem.h"
#include "boot/common/paging.h"
#include "boot/efi/loader.h"
#include "include/hw/paging.h"
#include "lib/printf.h"
#include "lib/string.h"

static_assert(offsetof(struct boot_info, entry_tsc) == 48, "jump.asm");

#define STACK_BYTES       KIB(16)
#define LEVELS_BYTES      (2 * PAGE_SIZE) /* a fifth level, the switch */
#define MAP_SPARE_ENTRIES 32
#define EXIT_TRIES        4
#define BELOW_4G          0xffffffffull

struct block {
	u64 base, bytes;
	u64 info, stack, tables, levels, map; /* addresses of the parts */
	u64 map_bytes;
	u64 top; /* of the identity map */
	bool has_1g;
};

static const EFI_MEMORY_DESCRIPTOR *descriptor_at(const struct boot_efi *efi,
						  u64 offset)
{
	return (const void *)(efi->memory_map + offset);
}

static EFI_STATUS map_read(struct boot_efi *efi, UINTN *key, u64 room)
{
	UINTN size = room, descriptor_size = 0;
	UINT32 version = 0;
	EFI_STATUS st;

	st = efi_bs->GetMemoryMap(&size, (void *)efi->memory_map, key,
				  &descriptor_size, &version);
	efi->memory_map_size = size;
	efi->descriptor_size = (u32)descriptor_size;
	efi->descriptor_version = version;
	return st;
}

/* Where RAM ends, and how large a copy of the map must be */
static int map_measure(struct block *blk)
{
	struct boot_efi efi = { 0 };
	u64 ram_top = 0;
	UINTN key;
	EFI_STATUS st;

	map_read(&efi, &key, 0);
	blk->map_bytes = efi.memory_map_size +
			 MAP_SPARE_ENTRIES * (u64)efi.descriptor_size;
	if (EFI_ERROR(efi_bs->AllocatePool(EfiLoaderData, blk->map_bytes,
					   (void **)&efi.memory_map)))
		return fail("there is no room in memory for a copy of the "
			    "memory map; use a machine with more memory.");
	st = map_read(&efi, &key, blk->map_bytes);
	for (u64 at = 0; !EFI_ERROR(st) && at < efi.memory_map_size;
	     at += efi.descriptor_size) {
		const EFI_MEMORY_DESCRIPTOR *d = descriptor_at(&efi, at);

		if (boot_mem_is_ram(d->Type))
			ram_top = MAX(ram_top,
				      d->PhysicalStart +
					      d->NumberOfPages * PAGE_SIZE);
	}
	efi_bs->FreePool((void *)efi.memory_map);
	if (EFI_ERROR(st))
		return fail("the firmware gives no memory map (EFI status "
			    "0x%lx); update the firmware.",
			    st);
	blk->has_1g = paging_has_1g();
	blk->top = paging_top(ram_top, blk->has_1g);
	return 0;
}

static u64 part(u64 *end, u64 bytes)
{
	u64 at = *end;

	*end += ALIGN_UP(bytes, PAGE_SIZE);
	return at;
}

/* Offsets now, addresses once the block's base is known */
static void block_layout(struct block *blk, u64 image_bytes)
{
	u64 end = 0;

	part(&end, image_bytes);
	blk->info = part(&end, sizeof(struct boot_info));
	blk->stack = part(&end, STACK_BYTES);
	blk->tables =
		part(&end, paging_pages(blk->top, blk->has_1g) * PAGE_SIZE);
	blk->levels = part(&end, LEVELS_BYTES);
	blk->map = part(&end, blk->map_bytes);
	blk->bytes = end;
}

/* UEFI aligns to pages only: take 2 MiB more, and give the edges back */
static int block_alloc(struct block *blk)
{
	UINTN pages = blk->bytes / PAGE_SIZE, spare = IMAGE_ALIGN / PAGE_SIZE;
	EFI_PHYSICAL_ADDRESS raw = BELOW_4G;
	u64 head;

	if (EFI_ERROR(efi_bs->AllocatePages(AllocateMaxAddress, EfiLoaderData,
					    pages + spare, &raw)))
		return fail("there is no room for the hypervisor below 4 GiB "
			    "(%llu KiB); use a machine with more memory.",
			    (blk->bytes / KIB(1)));
	blk->base = ALIGN_UP(raw, IMAGE_ALIGN);
	head = (blk->base - raw) / PAGE_SIZE;
	if (head)
		efi_bs->FreePages(raw, head);
	if (spare - head)
		efi_bs->FreePages(blk->base + blk->bytes, spare - head);
	blk->info += blk->base;
	blk->stack += blk->base;
	blk->tables += blk->base;
	blk->levels += blk->base;
	blk->map += blk->base;
	return 0;
}

static u64 tables_build(const struct block *blk, u64 image_bytes,
			const struct boot_framebuffer *fb)
{
	struct paging pg = { .root = (u64 *)blk->tables,
			     .next = blk->tables + PAGE_SIZE,
			     .has_1g = blk->has_1g };

	memset(pg.root, 0, blk->levels - blk->tables);
	paging_identity(&pg, 0, blk->top);
	paging_framebuffer(&pg, fb);
	paging_image(&pg, blk->base, image_bytes);
	return blk->tables;
}

/* Five levels for the way back to four: both halves of an address space of four
 * are at the ends of one of five */
static struct level_switch *levels_build(const struct block *blk, u64 cr3)
{
	u64 *root5 = (u64 *)blk->levels;
	struct level_switch *ls = (void *)(blk->levels + PAGE_SIZE);

	memset(root5, 0, PAGE_SIZE);
	root5[0] = root5[PT_ENTRIES - 1] = cr3 | PTE_P | PTE_W;
	memcpy(ls, level_switch, (size_t)(level_switch_end - level_switch));
	ls->root5 = blk->levels;
	return ls;
}

/* Boot services are gone, and with them the firmware's screen: the hypervisor
 * has its own to say it on */
static void fatal(struct boot_info *bi, const char *fmt, ...) __printf(2, 3);

static void fatal(struct boot_info *bi, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	bh_vsnprintf(bi->problem, sizeof(bi->problem), fmt, ap);
	va_end(ap);
	bi->fatal = 1;
}

static void firmware_leave(EFI_HANDLE self, struct boot_info *bi, u64 room)
{
	EFI_STATUS st = EFI_SUCCESS;
	UINTN key = 0;

	/* A failed call may have run handlers that changed the map: read it
	 * again. Nothing else of the firmware may be called from here on. */
	for (u32 i = 0; i < EXIT_TRIES; i++) {
		st = map_read(&bi->efi, &key, room);
		if (!EFI_ERROR(st))
			st = efi_bs->ExitBootServices(self, key);
		if (!EFI_ERROR(st))
			return;
	}
	fatal(bi,
	      "the firmware does not let go of the machine (EFI status 0x%lx); "
	      "switch the machine off and on, and update the firmware if that "
	      "does not help",
	      st);
}

static void map_convert(struct boot_info *bi)
{
	for (u64 at = 0; !bi->fatal && at < bi->efi.memory_map_size;
	     at += bi->efi.descriptor_size) {
		const EFI_MEMORY_DESCRIPTOR *d = descriptor_at(&bi->efi, at);

		if (boot_mem_add(bi, d->PhysicalStart,
				 d->NumberOfPages * PAGE_SIZE, d->Type,
				 d->Attribute))
			fatal(bi,
			      "the memory map has more than %d parts; update "
			      "the firmware",
			      BOOT_MAX_MEM);
	}
}

int handover_go(EFI_HANDLE self, struct boot_info *bi,
		const struct file_data *elf, const struct hv_image *image)
{
	struct block blk = { 0 };
	struct level_switch *ls;
	struct boot_info *out;
	u64 cr3;
	int err = map_measure(&blk);

	if (err)
		return err;
	block_layout(&blk, image->bytes);
	err = block_alloc(&blk);
	if (err)
		return err;
	image_place(elf->data, (void *)blk.base, image->bytes);
	cr3 = tables_build(&blk, image->bytes, &bi->fb);
	ls = levels_build(&blk, cr3);
	bi->load_hpa = blk.base;
	bi->load_size = blk.bytes;
	bi->efi.system_table = (u64)efi_st;
	bi->efi.memory_map = blk.map;
	console_print("Bulkhead: %u files, the image at 0x%llx.",
		      bi->module_count, blk.base);
	firmware_leave(self, bi, blk.map_bytes);
	map_convert(bi);
	out = (struct boot_info *)blk.info;
	memcpy(out, bi, sizeof(*out));
	handover_jump(out, image->entry, cr3, blk.stack + STACK_BYTES, ls);
}
