/* SPDX-License-Identifier: BSD-2-Clause */
/* See boot/common/paging.h. The state is the caller's struct paging. */
#include "boot/common/paging.h"

#include "boot/common/image.h"
#include "include/hw/cpuid.h"
#include "include/hw/paging.h"

#define PTE_TABLE          (PTE_P | PTE_W)
#define PTE_LEAF           (PTE_P | PTE_W | PTE_PS)
#define IMAGE_TABLES       2 /* a PDPT and a PD */
#define FRAMEBUFFER_TABLES 4 /* twice, if it crosses a border */
#define PML4_SHIFT         39
#define LOWER_HALF_END     GIB(128 * 1024)
#define PDPT_SHIFT         30
#define PD_SHIFT           21

static u32 cpuid_eax_edx(u32 leaf, u32 *edx)
{
	u32 eax = leaf, ebx, ecx = 0;

	__asm__("cpuid" : "+a"(eax), "=b"(ebx), "+c"(ecx), "=d"(*edx));
	return eax;
}

bool paging_has_1g(void)
{
	u32 edx;

	if (cpuid_eax_edx(CPUID_EXT_BASE, &edx) < CPUID_EXT_FEATURES)
		return false;
	cpuid_eax_edx(CPUID_EXT_FEATURES, &edx);
	return edx & CPUID_81_EDX_PAGE1GB;
}

u64 paging_top(u64 ram_top, bool has_1g)
{
	u64 top = MAX(ram_top, has_1g ? GIB(512) : GIB(4));

	return MIN(ALIGN_UP(top, GIB(1)), LOWER_HALF_END);
}

u64 paging_pages(u64 top, bool has_1g)
{
	u64 pdpts = ALIGN_UP(top, GIB(512)) / GIB(512);
	u64 pds = has_1g ? 0 : top / GIB(1);

	return 1 + pdpts + pds + IMAGE_TABLES + FRAMEBUFFER_TABLES;
}

static u64 *table_of(struct paging *pg, u64 *entry)
{
	if (!*entry) {
		*entry = pg->next | PTE_TABLE;
		pg->next += PAGE_SIZE;
	}
	return (u64 *)(*entry & PTE_ADDR);
}

static u64 index_of(u64 addr, u32 shift)
{
	return (addr >> shift) % PT_ENTRIES;
}

static void map_gib(struct paging *pg, u64 addr)
{
	u64 *pdpt = table_of(pg, &pg->root[index_of(addr, PML4_SHIFT)]);
	u64 *entry = &pdpt[index_of(addr, PDPT_SHIFT)];
	u64 *pd;

	if (pg->has_1g) {
		*entry = addr | PTE_LEAF;
		return;
	}
	pd = table_of(pg, entry);
	for (u32 i = 0; i < PT_ENTRIES; i++)
		pd[i] = (addr + i * PAGE_2M) | PTE_LEAF;
}

void paging_identity(struct paging *pg, u64 from, u64 to)
{
	for (u64 addr = from; addr < to; addr += GIB(1))
		map_gib(pg, addr);
}

void paging_framebuffer(struct paging *pg, const struct boot_framebuffer *fb)
{
	u64 end = fb->base + (u64)fb->stride_bytes * fb->height;

	if (fb->base && end - fb->base <= GIB(1))
		paging_identity(pg, ALIGN_DOWN(fb->base, GIB(1)),
				ALIGN_UP(end, GIB(1)));
}

void paging_image(struct paging *pg, u64 hpa, u64 bytes)
{
	u64 va = IMAGE_LINK_BASE;
	u64 *pdpt = table_of(pg, &pg->root[index_of(va, PML4_SHIFT)]);
	u64 *pd = table_of(pg, &pdpt[index_of(va, PDPT_SHIFT)]);

	for (u64 off = 0; off < bytes; off += PAGE_2M)
		pd[index_of(va + off, PD_SHIFT)] = (hpa + off) | PTE_LEAF;
}
