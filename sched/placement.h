/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which core an entity is to live on. Boot CPU, before the entities run: no
 * lock.
 */
#ifndef SCHED_PLACEMENT_H
#define SCHED_PLACEMENT_H

#include "arch/x86/cpu/percpu.h"
#include "lib/types.h"

enum placement_order { PLACE_LOW_FIRST, PLACE_HIGH_FIRST };

/* What a new entity asks of its core */
struct placement {
	const u64
		*cores; /* a bit for each that it may have, MAX_CPUS of them */
	/* How many of its own group live on each core, MAX_CPUS counts: it
	 * joins one of them only when there is no other core */
	const u32 *group;
	enum placement_order order; /* among cores that are equal */
};

/* The online core with the least load that @p allows; NULL: there is none */
struct pcpu *__must_check placement_choose(const struct placement *p);
/* An entity lives on @cpu from now on, or no longer */
void placement_add(const struct pcpu *cpu);
void placement_remove(const struct pcpu *cpu);

#endif
