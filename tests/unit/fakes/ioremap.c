/* SPDX-License-Identifier: BSD-2-Clause */
/* Device memory, see ioremap.h */
#include "tests/unit/fakes/ioremap.h"

#include "tests/unit/test.h"

u32 fake_ioremaps;
u64 fake_ioremap_hpa, fake_ioremap_bytes;

static struct {
	u64 hpa, bytes;
	u8 *memory;
} places[4];
static u32 place_count;

void *ioremap(hpa_t hpa, u64 size, u32 pt_attrs)
{
	fake_ioremap_hpa = hpa.v;
	fake_ioremap_bytes = size;
	for (u32 i = 0; i < place_count; i++) {
		u64 offset = hpa.v - places[i].hpa;

		if (offset > places[i].bytes || size > places[i].bytes - offset)
			continue;
		fake_ioremaps++;
		return places[i].memory + offset;
	}
	return NULL;
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
	place_count = fake_ioremaps = 0;
}
