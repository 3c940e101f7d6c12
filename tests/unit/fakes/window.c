/* SPDX-License-Identifier: BSD-2-Clause */
/* Physical memory in a buffer, see window.h */
#include "tests/unit/fakes/window.h"

#include <stdlib.h>
#include <string.h>

#include "tests/unit/fakes/percpu.h"

static struct window_cache windows;
static u8 *memory_at_0;
static u64 memory_bytes;

void fake_windows_init(u8 *memory, u64 bytes)
{
	memory_at_0 = memory;
	memory_bytes = bytes;
	memset(windows.tag, 0xff, sizeof(windows.tag));
	fake_this_cpu->windows = &windows;
}

void *window_miss(struct window_cache *c, hpa_t hpa)
{
	u32 slot = (u32)(hpa.v >> PAGE_SHIFT) % WINDOW_SETS * 2;

	c->tag[slot] = c->tag[slot + 1] = WINDOW_EMPTY;
	if (hpa.v >= memory_bytes)
		abort();
	return memory_at_0 + hpa.v;
}
