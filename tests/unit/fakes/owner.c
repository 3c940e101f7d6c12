/* SPDX-License-Identifier: BSD-2-Clause */
/* Owners of memory, see owner.h */
#include "tests/unit/fakes/owner.h"

#include "lib/errno.h"
#include "tests/unit/test.h"

struct extent fake_owners[FAKE_OWNERS_MAX];
u32 fake_owner_count;

void fake_owner_add(u64 base, u64 size, enum owner_kind kind, u32 firmware_type)
{
	assert_true(fake_owner_count < FAKE_OWNERS_MAX);
	fake_owners[fake_owner_count++] =
		(struct extent){ base, size, kind, 0, firmware_type };
}

u32 owner_count(void)
{
	return fake_owner_count;
}

const struct extent *owner_at(u32 i)
{
	return i < fake_owner_count ? &fake_owners[i] : NULL;
}

/* Between the extents are devices, as in mm/owner.c */
struct extent owner_find(hpa_t hpa)
{
	struct extent gap = { 0, BIT(52), OWNER_DEVICE, 0, BOOT_MEM_MMIO };

	for (u32 i = 0; i < fake_owner_count; i++) {
		const struct extent *e = &fake_owners[i];

		if (hpa.v >= e->base && hpa.v - e->base < e->size)
			return *e;
		if (hpa.v < e->base) {
			gap.size = e->base - gap.base;
			return gap;
		}
		gap.base = e->base + e->size;
		gap.size = BIT(52) - gap.base;
	}
	return gap;
}

/* Where there is no extent */
int owner_keep_device(u64 base, u64 size)
{
	return owner_find(HPA(base)).kind == OWNER_DEVICE ? 0 : -EBUSY;
}

/* Whole extents only */
int owner_change(u64 base, u64 size, enum owner_kind from, enum owner_kind to,
		 u16 id)
{
	for (u32 i = 0; i < fake_owner_count; i++) {
		struct extent *e = &fake_owners[i];

		if (e->base != base || e->size != size || e->kind != from)
			continue;
		e->kind = to;
		e->vm = id;
		return 0;
	}
	return -EBUSY;
}
