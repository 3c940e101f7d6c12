/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What GRUB does not tell, see multiboot2.h: the cores without ACPI, and the
 * identity map above 4 GiB. Called by multiboot2.c; boot core, no lock.
 */
#include "boot/common/boot_mem.h"
#include "boot/common/facts.h"
#include "boot/common/image.h"
#include "boot/common/mptable.h"
#include "boot/common/paging.h"
#include "boot/multiboot2/multiboot2.h"
#include "lib/string.h"

/* Where a BIOS keeps things (MP 1.4, 4) */
#define BDA_EBDA_SEGMENT     0x40e
#define EBDA_LOWEST          0x80000
#define BASE_MEMORY_END      0xa0000
#define BASE_MEMORY_LAST_KIB 0x9fc00
#define BIOS_ROM             0xf0000
#define BIOS_ROM_BYTES       0x10000

#define IDENTITY_MAPPED GIB(4) /* by entry.asm */
#define PAGES_LOWEST    MIB(1)

/* A pointer to physical address @hpa. The compiler is kept from knowing the
 * address, because it takes a constant one for no object. */
static const void *phys(u64 hpa)
{
	__asm__("" : "+r"(hpa));
	return (const void *)hpa;
}

static const void *floating_find(void)
{
	const void *f = NULL;
	u16 segment;
	u64 ebda;

	memcpy(&segment, phys(BDA_EBDA_SEGMENT), sizeof(segment));
	ebda = (u64)segment << 4;
	if (ebda >= EBDA_LOWEST && ebda + KIB(1) <= BASE_MEMORY_END)
		f = mptable_find(phys(ebda), KIB(1));
	if (!f)
		f = mptable_find(phys(BASE_MEMORY_LAST_KIB), KIB(1));
	if (!f)
		f = mptable_find(phys(BIOS_ROM), BIOS_ROM_BYTES);
	return f;
}

static bool cpus_from_mp_table(struct boot_info *bi)
{
	const void *f = floating_find();
	u64 table = f ? mptable_address(f) : 0;

	return table && mptable_take(bi, phys(table));
}

void multiboot2_find_cpus(struct boot_info *bi)
{
	facts_add_cpu(bi, facts_own_apic_id());
	/* UEFI has no MP table; what looks like one in low memory is not */
	bi->cpu_source = !bi->efi.system_table && cpus_from_mp_table(bi)
				 ? BOOT_CPUS_MP_TABLE
				 : BOOT_CPUS_NONE;
	if (facts_has_madt(bi->rsdp))
		bi->cpu_source = BOOT_CPUS_MADT;
}

static bool overlaps(u64 a, u64 a_size, u64 b, u64 b_size)
{
	return a < b + b_size && b < a + a_size;
}

/* Start of something that lies in [@base, @base + @size), to go on below it; 0:
 * free */
static u64 blocker_at(const struct boot_info *bi, u64 base, u64 size)
{
	if (overlaps(base, size, bi->load_hpa, bi->load_size))
		return bi->load_hpa;
	for (u32 i = 0; i < bi->module_count; i++) {
		const struct boot_module *m = &bi->modules[i];

		if (overlaps(base, size, m->base, m->size))
			return m->base;
	}
	return 0;
}

/* Highest free pages of one range of the map, 0 when there are none */
static u64 range_take(const struct boot_info *bi, const struct boot_mem *m,
		      u64 size, u64 info_hpa, u64 info_size)
{
	u64 low = MAX(m->base, PAGES_LOWEST);
	u64 end = MIN(m->base + m->size, IDENTITY_MAPPED);

	while (end >= low + size) {
		u64 base = ALIGN_DOWN(end - size, PAGE_SIZE);
		u64 blocker = blocker_at(bi, base, size);

		if (!blocker && overlaps(base, size, info_hpa, info_size))
			blocker = info_hpa;
		if (!blocker)
			return base;
		end = ALIGN_DOWN(blocker, PAGE_SIZE);
	}
	return 0;
}

/* Free memory of whole pages, 0 when there is none */
static u64 pages_take(struct boot_info *bi, u64 size, u64 info_hpa,
		      u64 info_size)
{
	u64 base = 0;

	for (u32 i = bi->mem_count; i-- && !base;) {
		if (bi->mem[i].type == BOOT_MEM_CONVENTIONAL)
			base = range_take(bi, &bi->mem[i], size, info_hpa,
					  info_size);
	}
	if (base && boot_mem_add(bi, base, size, BOOT_MEM_LOADER_DATA, 0))
		base = 0;
	return base;
}

void multiboot2_keep_efi_map(struct boot_info *bi, u64 info_hpa, u64 info_size)
{
	struct boot_efi *efi = &bi->efi;
	u64 copy;

	if (!efi->memory_map_size)
		return;
	copy = pages_take(bi, ALIGN_UP(efi->memory_map_size, PAGE_SIZE),
			  info_hpa, info_size);
	if (copy)
		memcpy((void *)copy, (const void *)efi->memory_map,
		       efi->memory_map_size);
	else
		efi->memory_map_size = 0;
	efi->memory_map = copy;
}

void multiboot2_map_all(struct boot_info *bi, u64 info_hpa, u64 info_size)
{
	struct paging pg = { .has_1g = paging_has_1g() };
	u64 top = paging_top(boot_mem_top(bi), pg.has_1g);
	u64 end = MAX(top, bi->fb.base + bi->fb.size);
	u64 size = paging_pages(top, pg.has_1g) * PAGE_SIZE;

	if (end == IDENTITY_MAPPED)
		return;
	/* Below 512 GiB of 1 GiB pages, entry.asm's tables are enough */
	if (!pg.has_1g || end > GIB(512)) {
		pg.next = pages_take(bi, size, info_hpa, info_size);
		if (!pg.next) {
			str_copy(bi->problem,
				 "there is no room below 4 GiB to map all "
				 "memory; use a processor with 1 GiB pages",
				 sizeof(bi->problem));
			return;
		}
		memset((void *)pg.next, 0, size);
	}
	pg.root = (u64 *)(bi->load_hpa +
			  ((u64)multiboot2_pml4 - IMAGE_LINK_BASE));
	paging_identity(&pg, IDENTITY_MAPPED, top);
	paging_framebuffer(&pg, &bi->fb);
}
