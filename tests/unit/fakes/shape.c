/* SPDX-License-Identifier: BSD-2-Clause */
/* All memory of a dynamic guest is RAM, and its slots are the test's
 * (hv/vm/shape.h) */
#include "hv/vm/shape.h"

u32 shape_slots(const struct guest_config *config, u32 ranges)
{
	return ranges + 1;
}

u64 shape_pages(const struct guest_config *config)
{
	return 0;
}

void shape_plain(struct vm *vm)
{
}

void shape_begin(struct vm *vm)
{
}

int shape_step(struct vm *vm)
{
	return 0;
}
