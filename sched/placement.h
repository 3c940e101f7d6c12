/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which core a new entity is to live on. Called by hv/vm/create.c on the boot
 * CPU, one at a time, before the entity runs: no lock.
 */
#ifndef SCHED_PLACEMENT_H
#define SCHED_PLACEMENT_H

#include "arch/x86/cpu/percpu.h"
#include "lib/types.h"

/* By core id: the lowest of equal cores, or the highest */
enum placement_order { PLACE_LOW_FIRST, PLACE_HIGH_FIRST };

/* What a new entity asks of its core */
struct placement {
	/* A bit for each core that it may have, MAX_CPUS of them */
	const u64 *cores;
	/* How many of its own group live on each core, MAX_CPUS counts. It
	 * joins one of them only when there is no other core. */
	const u32 *group;
	/* Those that it had rather; NULL: all alike */
	const u64 *near;
	enum placement_order order; /* among cores that are equal */
};

/* The core that is online, that @p allows, and that has the fewest of @p's
 * group; then one that is near; then the one with the fewest entities. NULL:
 * there is none. */
struct pcpu *__must_check placement_choose(const struct placement *p);
/* How many live on @cpu */
u32 placement_load(const struct pcpu *cpu);
/* One more entity lives on @cpu from now on, or one fewer */
void placement_add(const struct pcpu *cpu);
void placement_remove(const struct pcpu *cpu);

#endif
