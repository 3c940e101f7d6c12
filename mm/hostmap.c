/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The hypervisor's address space, see hostmap.h. Called by hv/init.c at boot,
 * by core bring-up, and by drivers that map their device.
 *
 *	0xffff800000000000	direct map: the pool, 2 MiB pages
 *	0xffffc00000000000	ioremap, grows upward, never shrinks
 *	0xffffd00000000000	windows, 2 MiB a core
 *	0xffffe00000000000	early_map() slots, 64 GiB each
 *	0xffffffff80000000	the image, 4 KiB pages, protected by section
 *
 * Lock: map_lock protects host_pt's tables and ioremap_next; pmm's lock comes
 * inside it. All else is written by the boot CPU before other cores run.
 */
#include "mm/hostmap.h"

#include "arch/x86/cpu/asm.h"
#include "arch/x86/cpu/features.h"
#include "arch/x86/cpu/spinlock.h"
#include "include/hw/cpu.h"
#include "lib/assert.h"
#include "lib/errno.h"
#include "lib/log.h"
#include "mm/hostmap_pt.h"
#include "mm/owner.h"
#include "mm/pmm.h"
#include "mm/pool_size.h"
#include "mm/pt.h"

#define EARLY_SLOT_SIZE GIB(64)
#define IOREMAP_SIZE    GIB(4096)
#define LOADER_MAP_END  GIB(512) /* boot_info.h: the identity map */
#define BELOW_4G        GIB(4)
#define FLUSH_PAGES     64u /* from so many on, the whole TLB is flushed */

/* The direct map ends where ioremap begins */
#define DIRECT_MAP_END (HV_IOREMAP_BASE - HV_DIRECT_BASE)

extern const char __image_start[], __image_end[];
extern const char __text_start[], __text_end[];
extern const char __rodata_start[], __rodata_end[];
extern const char __data_start[], __data_end[];

struct section {
	const char *start, *end;
	u32 attrs;
};

static const struct section sections[] = {
	{ __text_start, __text_end, PT_R | PT_X | PT_GLOBAL },
	{ __rodata_start, __rodata_end, PT_R | PT_GLOBAL },
	{ __data_start, __data_end, PT_R | PT_W | PT_GLOBAL },
};

/* How virt_to_hpa() and hpa_to_virt() count. The pool is reached through the
 * loader's identity map until hostmap_init() has switched tables, and through
 * the direct map from then on. */
static u64 direct_base; /* virtual address of physical 0 */
static u64 image_hpa, image_size;
static u64 pool_left; /* see hostmap_pool_left() */

static struct page_table host_pt;
static bool switched; /* our own tables are loaded */
static u64 ioremap_next = HV_IOREMAP_BASE;
static u32 early_used; /* bit per slot */
static struct spinlock map_lock;

static u64 image_bytes(void)
{
	return (u64)(__image_end - __image_start);
}

hpa_t virt_to_hpa(const void *va)
{
	u64 v = (u64)va;

	if (v >= HV_IMAGE_BASE)
		return HPA(v - HV_IMAGE_BASE + image_hpa);
	return HPA(v - direct_base);
}

void *hpa_to_virt(hpa_t hpa)
{
	if (hpa.v - image_hpa < image_size)
		return (void *)(hpa.v - image_hpa + HV_IMAGE_BASE);
	return (void *)(hpa.v + direct_base);
}

int hostmap_map(u64 va, hpa_t hpa, u64 size, u32 attrs)
{
	int err;

	spin_lock(&map_lock);
	err = pt_map(&host_pt, va, hpa, size, attrs);
	spin_unlock(&map_lock);
	return err;
}

int hostmap_unmap(u64 va, u64 size)
{
	int err;

	spin_lock(&map_lock);
	err = pt_unmap(&host_pt, va, size);
	spin_unlock(&map_lock);
	return err;
}

u64 *hostmap_slots(u64 va)
{
	u64 *slots;

	spin_lock(&map_lock);
	slots = pt_slots_4k(&host_pt, va);
	spin_unlock(&map_lock);
	return slots;
}

/* Global entries outlive a write to CR3, but not a change of CR4.PGE (SDM 3A
 * 4.10.4.1 *Operations that Invalidate TLBs and Paging-Structure Caches*) */
static void load_map(u64 cr3)
{
	u64 cr4 = read_cr4();

	write_cr4(cr4 & ~CR4_PGE);
	write_cr3(cr3);
	write_cr4(cr4);
}

/* Unmap, and flush this core's TLB alone. An initrd may have 100,000 pages. */
static void unmap_here(u64 va, u64 size)
{
	/* It ends where it was mapped to: no split, so it cannot fail */
	ASSERT(!hostmap_unmap(va, size));
	if (size >= FLUSH_PAGES * PAGE_SIZE) {
		load_map(read_cr3());
		return;
	}
	for (u64 off = 0; off < size; off += PAGE_SIZE)
		invlpg((const void *)(va + off));
}

/* Take the image, unless it is the hypervisor's already */
static int image_take(const struct boot_info *bi)
{
	hpa_t base = HPA(bi->load_hpa);
	u64 size = ALIGN_UP(image_bytes(), PAGE_SIZE);
	int err;

	if (owner_find(base).kind == OWNER_HYPERVISOR)
		return 0;
	err = owner_change(base.v, size, OWNER_FREE, OWNER_HYPERVISOR, 0);
	if (err)
		log_error("mm",
			  "the image at %#llx is not in free memory of "
			  "the firmware's map",
			  base.v);
	return err;
}

/*
 * Memory for the pool, below @max. The first piece lies below 4 GiB: the
 * loader's map has it, and so has CR3 of a core that is not in long mode yet.
 */
static int pool_take(u64 size, u64 max, hpa_t *base)
{
	int err = owner_take(size, PAGE_2M, 0, max, OWNER_HYPERVISOR, 0, base);

	if (err)
		log_error("mm",
			  "no free memory for the hypervisor: it needs "
			  "%llu KiB in one piece",
			  (size >> 10));
	return err;
}

static int map_image(const struct boot_info *bi)
{
	for (u32 i = 0; i < ARRAY_SIZE(sections); i++) {
		const struct section *s = &sections[i];
		u64 offset = (u64)(s->start - __image_start);
		int err = pt_map(&host_pt, (u64)s->start,
				 HPA(bi->load_hpa + offset),
				 (u64)(s->end - s->start), s->attrs);

		if (err)
			return err;
	}
	return 0;
}

static int map_pool(hpa_t base, u64 size)
{
	return hostmap_map(HV_DIRECT_BASE + base.v, base, size,
			   PT_R | PT_W | PT_GLOBAL);
}

int hostmap_init(const struct boot_info *bi)
{
	u64 needed = pool_size(MAX(bi->cpu_count, HOSTMAP_MIN_CORES));
	u64 size = ALIGN_UP(needed, PAGE_2M);
	hpa_t base;
	int err;

	image_hpa = bi->load_hpa;
	image_size = image_bytes();
	err = image_take(bi);
	if (!err)
		err = pool_take(size, BELOW_4G, &base);
	if (err)
		return err;
	pmm_init(base, size);
	err = pt_init(&host_pt, &pt_host, &pmm_self, 2);
	if (!err)
		err = map_image(bi);
	if (!err)
		err = map_pool(base, size);
	if (err)
		return err;
	hostmap_load_cpu();
	host_pt.root = (void *)((u64)host_pt.root + HV_DIRECT_BASE);
	direct_base = HV_DIRECT_BASE;
	switched = true;
	early_used = 0;
	owner_loader_gone();
	pool_left = size - needed;
	return 0;
}

int hostmap_guard(const void *page)
{
	int err;

	spin_lock(&map_lock);
	err = pt_unmap(&host_pt, (u64)page, PAGE_SIZE);
	spin_unlock(&map_lock);
	invlpg(page);
	return err;
}

int hostmap_shadow_stack(const void *page)
{
	int err = hostmap_guard(page);

	if (err)
		return err;
	return hostmap_map((u64)page, virt_to_hpa(page), PAGE_SIZE,
			   PT_R | PT_SHADOW | PT_GLOBAL);
}

bool hostmap_ready(void)
{
	return switched;
}

u64 hostmap_pool_left(void)
{
	return pool_left;
}

int hostmap_grow_pool(u64 size)
{
	hpa_t base;
	int err;

	size = ALIGN_UP(size, PAGE_2M);
	err = pool_take(size, DIRECT_MAP_END, &base);
	if (err)
		return err;
	err = map_pool(base, size);
	if (err)
		return err;
	pmm_init(base, size);
	return 0;
}

void hostmap_load_cpu(void)
{
	load_map(hostmap_root().v);
}

hpa_t hostmap_root(void)
{
	return virt_to_hpa(host_pt.root);
}

/* Whole pages around [@hpa, @hpa + @size); false: it is empty or too far up */
static bool page_range(hpa_t hpa, u64 size, u64 *first, u64 *bytes)
{
	u64 limit = cpu_phys_end();

	if (!size || hpa.v >= limit || size > limit - hpa.v)
		return false;
	*first = ALIGN_DOWN(hpa.v, PAGE_SIZE);
	*bytes = ALIGN_UP(hpa.v + size, PAGE_SIZE) - *first;
	return true;
}

/* A free address for @bytes from @first on; 0: none. A large mapping lies in
 * its 2 MiB page as @first does, so that large pages fit. */
static u64 ioremap_place(u64 first, u64 bytes)
{
	u64 va = ioremap_next;

	if (bytes >= PAGE_2M)
		va = ALIGN_UP(va, PAGE_2M) + (first & (PAGE_2M - 1));
	if (bytes > IOREMAP_SIZE || va + bytes > HV_IOREMAP_BASE + IOREMAP_SIZE)
		return 0;
	/* One page between mappings stays empty, so that an overrun faults */
	ioremap_next = va + bytes + PAGE_SIZE;
	return va;
}

u64 hostmap_place(u64 bytes)
{
	u64 va;

	spin_lock(&map_lock);
	va = ioremap_place(0, bytes);
	spin_unlock(&map_lock);
	return va;
}

void *ioremap(hpa_t hpa, u64 size, u32 pt_attrs)
{
	u64 first, bytes, va, before;
	int err = -ENOMEM;

	if (!switched || !page_range(hpa, size, &first, &bytes))
		return NULL;
	spin_lock(&map_lock);
	before = ioremap_next;
	va = ioremap_place(first, bytes);
	if (va)
		err = pt_map(&host_pt, va, HPA(first), bytes, pt_attrs);
	if (err)
		ioremap_next = before; /* the next one finds its tables there */
	spin_unlock(&map_lock);
	return err ? NULL : (void *)(va + (hpa.v - first));
}

void iounmap(const void *va, u64 size)
{
	u64 first = ALIGN_DOWN((u64)va, PAGE_SIZE);

	unmap_here(first, ALIGN_UP((u64)va + size, PAGE_SIZE) - first);
}

static void *early_map_loader(hpa_t hpa, u64 size)
{
	if (hpa.v >= LOADER_MAP_END || size > LOADER_MAP_END - hpa.v)
		return NULL;
	return (void *)hpa.v;
}

void *early_map(hpa_t hpa, u64 size)
{
	u64 first, bytes, va;
	u32 slot = 0;

	if (!page_range(hpa, size, &first, &bytes))
		return NULL;
	if (!switched)
		return early_map_loader(hpa, size);
	while (slot < HV_EARLY_SLOTS && (early_used & (1u << slot)))
		slot++;
	if (slot == HV_EARLY_SLOTS || bytes > EARLY_SLOT_SIZE - PAGE_2M)
		return NULL;
	va = HV_EARLY_BASE + slot * EARLY_SLOT_SIZE + (first & (PAGE_2M - 1));
	if (hostmap_map(va, HPA(first), bytes, PT_R | PT_W))
		return NULL;
	early_used |= 1u << slot;
	return (void *)(va + (hpa.v - first));
}

void early_unmap(void *va, u64 size)
{
	u64 first, bytes;

	/* The loader's map has no end to a view */
	if ((u64)va < HV_EARLY_BASE)
		return;
	if (!page_range(HPA((u64)va - HV_EARLY_BASE), size, &first, &bytes))
		return;
	unmap_here(HV_EARLY_BASE + first, bytes);
	early_used &= ~(1u << (first / EARLY_SLOT_SIZE));
}

int hostmap_identity_map(hpa_t page)
{
	return hostmap_map(page.v, page, PAGE_SIZE, PT_R | PT_W | PT_X);
}

void hostmap_identity_unmap(hpa_t page)
{
	unmap_here(page.v, PAGE_SIZE);
}
