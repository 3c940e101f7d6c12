/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The least loaded core for a new entity, see placement.h. Each entity that
 * lives on a core counts as one; a core that is not near weighs more than all
 * of them, and one of the same group more than that. Called by hv/vm/create.c;
 * no lock.
 */
#include "sched/placement.h"

#define GROUP_WEIGHT 0x10000u
#define FAR_WEIGHT   0x8000u

static u32 load[MAX_CPUS]; /* entities that live on each core */

static bool is_allowed(const struct placement *p, u32 id)
{
	return p->cores[id / 64] & BIT(id % 64);
}

static u32 cost_of(const struct placement *p, const struct pcpu *cpu)
{
	bool is_far = p->near && !(p->near[cpu->id / 64] & BIT(cpu->id % 64));

	return load[cpu->id] + p->group[cpu->id] * GROUP_WEIGHT +
	       (is_far ? FAR_WEIGHT : 0);
}

struct pcpu *placement_choose(const struct placement *p)
{
	struct pcpu *best = NULL;

	for (u32 i = 0; i < pcpu_count; i++) {
		u32 id = p->order == PLACE_LOW_FIRST ? i : pcpu_count - 1 - i;
		struct pcpu *cpu = pcpus[id];

		if (!cpu->online || !is_allowed(p, id))
			continue;
		if (!best || cost_of(p, cpu) < cost_of(p, best))
			best = cpu;
	}
	return best;
}

u32 placement_load(const struct pcpu *cpu)
{
	return load[cpu->id];
}

void placement_add(const struct pcpu *cpu)
{
	load[cpu->id]++;
}

void placement_remove(const struct pcpu *cpu)
{
	load[cpu->id]--;
}
