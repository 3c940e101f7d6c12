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

struct extent owner_find(hpa_t hpa)
{
	u64 next = BIT(52);

	for (u32 i = 0; i < fake_owner_count; i++) {
		const struct extent *e = &fake_owners[i];

		if (hpa.v >= e->base && hpa.v - e->base < e->size)
			return *e;
		if (e->base > hpa.v && e->base < next)
			next = e->base;
	}
	return (struct extent){ hpa.v, next - hpa.v, OWNER_DEVICE, 0, 0 };
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
