/* SPDX-License-Identifier: BSD-2-Clause */
/* What a table ought to map, see map_model.h */
#include "tests/unit/mm/map_model.h"

#include "include/hw/paging.h"
#include "tests/unit/test.h"

const struct run *model_at(const struct model *m, u64 addr, u64 *left)
{
	*left = PT_ADDR_MAX - addr;
	for (u32 i = 0; i < m->count; i++) {
		const struct run *r = &m->runs[i];

		if (addr < r->addr) {
			*left = r->addr - addr;
			return NULL;
		}
		if (addr - r->addr < r->size) {
			*left = r->addr + r->size - addr;
			return r;
		}
	}
	return NULL;
}

bool model_is_empty(const struct model *m, u64 addr, u64 size)
{
	u64 left;

	return !model_at(m, addr, &left) && left >= size;
}

void model_add(struct model *m, struct run r)
{
	u32 i = m->count++;

	assert_true(m->count <= RUNS_MAX);
	for (; i && m->runs[i - 1].addr > r.addr; i--)
		m->runs[i] = m->runs[i - 1];
	m->runs[i] = r;
}

/* Part of @r, which is in it */
static struct run run_part(const struct run *r, u64 addr, u64 end)
{
	return (struct run){ addr, end - addr, r->hpa + (addr - r->addr),
			     r->attrs };
}

void model_remove(struct model *m, u64 addr, u64 size)
{
	static struct model old;
	u64 end = addr + size;

	old = *m;
	m->count = 0;
	for (u32 i = 0; i < old.count; i++) {
		const struct run *r = &old.runs[i];
		u64 r_end = r->addr + r->size;

		if (r->addr < addr)
			model_add(m, run_part(r, r->addr, MIN(r_end, addr)));
		if (r_end > end)
			model_add(m, run_part(r, MAX(r->addr, end), r_end));
	}
}
