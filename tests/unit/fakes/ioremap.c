/* SPDX-License-Identifier: BSD-2-Clause */
/* Device memory, see ioremap.h */
#include "tests/unit/fakes/ioremap.h"

#include "lib/errno.h"
#include "tests/unit/test.h"

u32 fake_ioremaps, fake_iomaps, fake_iomaps_left = ~0u;
u64 fake_ioremap_hpa, fake_ioremap_bytes;

static struct {
	u64 hpa, bytes;
	u8 *memory;
} places[4];
static u32 place_count;

static u8 *memory_at(hpa_t hpa, u64 size)
{
	for (u32 i = 0; i < place_count; i++) {
		u64 offset = hpa.v - places[i].hpa;

		if (offset <= places[i].bytes &&
		    size <= places[i].bytes - offset)
			return places[i].memory + offset;
	}
	return NULL;
}

void *ioremap(hpa_t hpa, u64 size, u32 pt_attrs)
{
	u8 *memory = memory_at(hpa, size);

	fake_ioremap_hpa = hpa.v;
	fake_ioremap_bytes = size;
	fake_ioremaps += memory != NULL;
	return memory;
}

/* Its address is the buffer's, so it changes, as the real one's does not */
int iomap_init(struct iomap *m, u64 room)
{
	static u8 nothing;

	if (!fake_iomaps_left)
		return -ENOMEM;
	fake_iomaps_left--;
	fake_iomaps++;
	*m = (struct iomap){ &nothing, room };
	return 0;
}

int iomap_move(struct iomap *m, hpa_t hpa, u64 bytes, u32 pt_attrs)
{
	u8 *memory = memory_at(hpa, bytes);

	assert_true(m->va && bytes && bytes <= m->room);
	if (memory)
		m->va = memory;
	return memory ? 0 : -EINVAL;
}

void iomap_flush_here(const struct iomap *m)
{
}

void iounmap(const void *va, u64 size)
{
	assert_true(fake_ioremaps);
	fake_ioremaps--;
}

void fake_ioremap_add(u64 hpa, void *memory, u64 bytes)
{
	assert_true(place_count < ARRAY_SIZE(places));
	places[place_count].hpa = hpa;
	places[place_count].bytes = bytes;
	places[place_count++].memory = memory;
}

void fake_ioremap_reset(void)
{
	place_count = fake_ioremaps = fake_iomaps = 0;
	fake_iomaps_left = ~0u;
}
