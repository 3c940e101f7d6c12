/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Page ownership, see owner.h. Called by hv/init.c and mm/hostmap.c at boot, by
 * the code that makes and ends guests, and to ask who owns an address.
 *
 * Invariants: extents[0..extent_count) are sorted, disjoint, page aligned, not
 * empty, and no two neighbours are alike.
 * Lock: owner_lock protects extents, extent_count, changes and loader_alive; a
 * leaf.
 * owner_init(), owner_count() and owner_at() do not take it.
 *
 * Over 400 lines: one array under one lock, and all that changes it.
 */
#include "mm/owner.h"

#include "arch/x86/cpu/features.h"
#include "arch/x86/cpu/spinlock.h"
#include "lib/errno.h"
#include "lib/log.h"

/* A map that is as long as one can be, and as many cuts by owners */
#define OWNER_MAX_EXTENTS (2u * BOOT_MAX_MEM)

static struct extent extents[OWNER_MAX_EXTENTS];
static u32 extent_count;
static u64 changes;
/* The loader's page tables, stack and data are still in use */
static bool loader_alive;
static struct spinlock owner_lock;

static u64 extent_end(const struct extent *e)
{
	return e->base + e->size;
}

static bool extent_alike(const struct extent *a, const struct extent *b)
{
	return a->kind == b->kind && a->vm == b->vm &&
	       a->firmware_type == b->firmware_type;
}

/* Index of the first extent that ends above @addr; extent_count if none */
static u32 extent_search(u64 addr)
{
	u32 lo = 0, hi = extent_count;

	while (lo < hi) {
		u32 mid = (lo + hi) / 2;

		if (extent_end(&extents[mid]) > addr)
			hi = mid;
		else
			lo = mid + 1;
	}
	return lo;
}

/* The caller has made sure of room */
static void extent_insert(u32 at, struct extent e)
{
	for (u32 i = extent_count; i > at; i--)
		extents[i] = extents[i - 1];
	extents[at] = e;
	extent_count++;
}

static void extent_merge_alike(void)
{
	u32 out = 0;

	for (u32 i = 1; i < extent_count; i++) {
		struct extent *last = &extents[out];

		if (extent_end(last) == extents[i].base &&
		    extent_alike(last, &extents[i]))
			last->size += extents[i].size;
		else
			extents[++out] = extents[i];
	}
	if (extent_count)
		extent_count = out + 1;
}

/* Make @addr a boundary: split the extent that has it inside */
static void extent_split(u64 addr)
{
	u32 i = extent_search(addr);
	struct extent upper;

	if (i == extent_count || extents[i].base >= addr)
		return;
	upper = extents[i];
	upper.size = extent_end(&upper) - addr;
	upper.base = addr;
	extents[i].size = addr - extents[i].base;
	extent_insert(i + 1, upper);
}

/* The most extents that a change of [@base, @end) adds: two splits, each gap */
static u32 extents_needed(u64 base, u64 end)
{
	u32 need = 2;
	u64 at = base;

	for (u32 i = extent_search(base); i < extent_count; i++) {
		if (extents[i].base >= end)
			break;
		if (extents[i].base > at)
			need++;
		at = extent_end(&extents[i]);
	}
	return need + (at < end);
}

/* Give the whole of [@base, @end) to @kind. Gaps become extents of @gap_type;
 * extents that are there take it too with @retype, and else keep theirs. */
static int extent_paint(u64 base, u64 end, enum owner_kind kind, u16 vm,
			u32 gap_type, bool retype)
{
	u64 at = base;
	u32 i;

	if (extent_count + extents_needed(base, end) > OWNER_MAX_EXTENTS)
		return -ENOSPC;
	changes++;
	extent_split(base);
	extent_split(end);
	for (i = extent_search(base); at < end; i++) {
		u64 next = i < extent_count ? MIN(extents[i].base, end) : end;

		if (at < next) {
			extent_insert(i, (struct extent){ .base = at,
							  .size = next - at,
							  .firmware_type =
								  gap_type });
		}
		extents[i].kind = kind;
		extents[i].vm = vm;
		if (retype)
			extents[i].firmware_type = gap_type;
		at = extent_end(&extents[i]);
	}
	extent_merge_alike();
	return 0;
}

static enum owner_kind kind_of_firmware_type(u32 type)
{
	static const u8 kinds[] = { [BOOT_MEM_RESERVED] = OWNER_FIRMWARE,
				    [BOOT_MEM_LOADER_CODE] = OWNER_FREE,
				    [BOOT_MEM_LOADER_DATA] = OWNER_FREE,
				    [BOOT_MEM_BS_CODE] = OWNER_FREE,
				    [BOOT_MEM_BS_DATA] = OWNER_FREE,
				    [BOOT_MEM_RT_CODE] = OWNER_FIRMWARE,
				    [BOOT_MEM_RT_DATA] = OWNER_FIRMWARE,
				    [BOOT_MEM_CONVENTIONAL] = OWNER_FREE,
				    [BOOT_MEM_UNUSABLE] = OWNER_UNUSABLE,
				    [BOOT_MEM_ACPI_RECLAIM] = OWNER_FIRMWARE,
				    [BOOT_MEM_ACPI_NVS] = OWNER_FIRMWARE,
				    [BOOT_MEM_MMIO] = OWNER_DEVICE,
				    [BOOT_MEM_MMIO_PORT] = OWNER_DEVICE,
				    [BOOT_MEM_PAL] = OWNER_FIRMWARE,
				    [BOOT_MEM_PERSISTENT] = OWNER_FIRMWARE,
				    [BOOT_MEM_UNACCEPTED] = OWNER_FIRMWARE,
				    [BOOT_MEM_SPECIAL] = OWNER_FIRMWARE };

	/* Types of OEMs and of the OS loader belong to whoever made them */
	if (type >= ARRAY_SIZE(kinds))
		return OWNER_FIRMWARE;
	return (enum owner_kind)kinds[type];
}

/*
 * Add one entry of the firmware's map, if it is free as @free_pass says. Free
 * memory is rounded inward to pages, all else outward: no page has two owners.
 * What the CPU cannot address is cut off.
 */
static int owner_add_entry(const struct boot_mem *m, bool free_pass)
{
	enum owner_kind kind = kind_of_firmware_type(m->type);
	u64 limit = cpu_phys_end(), base = m->base, end;

	if ((kind == OWNER_FREE) != free_pass || !m->size || base >= limit)
		return 0;
	end = m->size > limit - base ? limit : base + m->size;
	if (kind == OWNER_FREE) {
		base = ALIGN_UP(base, PAGE_SIZE);
		end = ALIGN_DOWN(end, PAGE_SIZE);
	} else {
		base = ALIGN_DOWN(base, PAGE_SIZE);
		end = ALIGN_UP(end, PAGE_SIZE);
	}
	if (base >= end)
		return 0;
	return extent_paint(base, end, kind, 0, m->type, true);
}

int owner_init(const struct boot_info *bi)
{
	u32 count = MIN(bi->mem_count, (u32)BOOT_MAX_MEM);
	int err = 0;

	extent_count = 0;
	loader_alive = true;
	/* Free memory comes first, so that it loses where entries overlap */
	for (int pass = 0; pass < 2 && !err; pass++)
		for (u32 i = 0; i < count && !err; i++)
			err = owner_add_entry(&bi->mem[i], pass == 0);
	if (err)
		log_error("mm",
			  "the firmware's memory map has too many "
			  "entries: more than %u ranges",
			  OWNER_MAX_EXTENTS);
	return err;
}

/* Memory of @kind becomes free like any other: of one @type, or of any, ~0 */
static void make_plain(enum owner_kind kind, u32 type)
{
	for (u32 i = 0; i < extent_count; i++) {
		struct extent *e = &extents[i];

		if (e->kind != kind ||
		    (type != ~0u && e->firmware_type != type))
			continue;
		e->kind = OWNER_FREE;
		e->firmware_type = BOOT_MEM_CONVENTIONAL;
	}
	extent_merge_alike();
}

void owner_loader_gone(void)
{
	spin_lock(&owner_lock);
	loader_alive = false;
	make_plain(OWNER_FREE, ~0u);
	spin_unlock(&owner_lock);
}

void owner_use_special(void)
{
	spin_lock(&owner_lock);
	make_plain(OWNER_FIRMWARE, BOOT_MEM_SPECIAL);
	spin_unlock(&owner_lock);
}

/* Does all of [@base, @end) belong to @kind, and to @vm if that is a guest?
 * Gaps are devices. */
static bool owner_is(u64 base, u64 end, enum owner_kind kind, u16 vm)
{
	u64 at = base;

	for (u32 i = extent_search(base); i < extent_count && at < end; i++) {
		const struct extent *e = &extents[i];

		if (e->base > at && kind != OWNER_DEVICE)
			return false;
		if (e->base >= end)
			return true;
		if (e->kind != kind)
			return false;
		if (kind == OWNER_GUEST && e->vm != vm)
			return false;
		at = extent_end(e);
	}
	return at >= end || kind == OWNER_DEVICE;
}

int owner_change(u64 base, u64 size, enum owner_kind from, enum owner_kind to,
		 u16 vm)
{
	u16 new_vm = to == OWNER_GUEST ? vm : 0;
	int err;

	if (!size || base + size < base || !IS_ALIGNED(base | size, PAGE_SIZE))
		return -EINVAL;
	spin_lock(&owner_lock);
	err = -EBUSY;
	if (owner_is(base, base + size, from, vm))
		err = extent_paint(base, base + size, to, new_vm, BOOT_MEM_MMIO,
				   false);
	spin_unlock(&owner_lock);
	return err;
}

/* May registers be there? What firmware reserves may be anything. */
static bool extent_is_registers(const struct extent *e)
{
	const u32 types = 1u << BOOT_MEM_RESERVED | 1u << BOOT_MEM_MMIO |
			  1u << BOOT_MEM_MMIO_PORT | 1u << BOOT_MEM_PAL;

	return (e->kind == OWNER_FIRMWARE || e->kind == OWNER_DEVICE ||
		e->kind == OWNER_KEPT) &&
	       e->firmware_type < 32 && (types >> e->firmware_type & 1);
}

static bool range_is_registers(u64 base, u64 end)
{
	for (u32 i = extent_search(base); i < extent_count; i++) {
		if (extents[i].base >= end)
			break;
		if (!extent_is_registers(&extents[i]))
			return false;
	}
	return true;
}

int owner_keep_device(u64 base, u64 size)
{
	u64 first = ALIGN_DOWN(base, PAGE_SIZE);
	u64 end = ALIGN_UP(base + size, PAGE_SIZE);
	int err = -EBUSY;

	if (!size || base >= BIT(52) || size > BIT(52) - base)
		return -EINVAL;
	spin_lock(&owner_lock);
	if (range_is_registers(first, end))
		err = extent_paint(first, end, OWNER_KEPT, 0, BOOT_MEM_MMIO,
				   false);
	spin_unlock(&owner_lock);
	return err;
}

static bool extent_takeable(const struct extent *e)
{
	if (e->kind != OWNER_FREE)
		return false;
	return !loader_alive || e->firmware_type == BOOT_MEM_CONVENTIONAL;
}

/* First address of the run of takeable extents that ends with extent @i */
static u64 run_start(u32 i)
{
	while (i && extent_takeable(&extents[i - 1]) &&
	       extent_end(&extents[i - 1]) == extents[i].base)
		i--;
	return extents[i].base;
}

/* Highest aligned place for @size in [min, max); false: none */
static bool find_room(u64 size, u64 align, u64 min, u64 max, u64 *base)
{
	for (u32 i = extent_count; i-- > 0;) {
		u64 lo, hi, at;

		if (!extent_takeable(&extents[i]))
			continue;
		lo = MAX(run_start(i), min);
		hi = MIN(extent_end(&extents[i]), max);
		if (hi <= lo || hi - lo < size)
			continue;
		at = ALIGN_DOWN(hi - size, align);
		if (at < lo)
			continue;
		*base = at;
		return true;
	}
	return false;
}

int owner_take(u64 size, u64 align, u64 min, u64 max, enum owner_kind to,
	       u16 vm, hpa_t *base)
{
	u64 at;
	int err = -ENOMEM;

	if (!size || !IS_ALIGNED(size, PAGE_SIZE) || align < PAGE_SIZE ||
	    (align & (align - 1)))
		return -EINVAL;
	/* Page 0 is never handed out: it holds the real-mode vectors */
	min = MAX(min, (u64)PAGE_SIZE);
	spin_lock(&owner_lock);
	if (find_room(size, align, min, max, &at)) {
		err = extent_paint(at, at + size, to,
				   to == OWNER_GUEST ? vm : 0, 0, false);
		if (!err)
			*base = HPA(at);
	}
	spin_unlock(&owner_lock);
	return err;
}

struct extent owner_find(hpa_t hpa)
{
	struct extent e = { .kind = OWNER_DEVICE,
			    .firmware_type = BOOT_MEM_MMIO };
	u32 i;

	spin_lock(&owner_lock);
	i = extent_search(hpa.v);
	if (i < extent_count && extents[i].base <= hpa.v) {
		e = extents[i];
	} else {
		u64 end = i < extent_count ? extents[i].base : BIT(52);

		e.base = i ? extent_end(&extents[i - 1]) : 0;
		e.size = end - e.base;
	}
	spin_unlock(&owner_lock);
	return e;
}

u32 owner_count(void)
{
	return extent_count;
}

const struct extent *owner_at(u32 i)
{
	return i < extent_count ? &extents[i] : NULL;
}

u64 owner_bytes(enum owner_kind kind, u16 vm)
{
	u64 sum = 0;

	spin_lock(&owner_lock);
	for (u32 i = 0; i < extent_count; i++)
		if (extents[i].kind == kind &&
		    (kind != OWNER_GUEST || extents[i].vm == vm))
			sum += extents[i].size;
	spin_unlock(&owner_lock);
	return sum;
}

u64 owner_changes(void)
{
	u64 count;

	spin_lock(&owner_lock);
	count = changes;
	spin_unlock(&owner_lock);
	return count;
}
