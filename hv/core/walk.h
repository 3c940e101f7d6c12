/* SPDX-License-Identifier: BSD-2-Clause */
/* Private to hv/core/{gmem,walk}.c: a vCPU's way to its VM's pages */
#ifndef HV_CORE_WALK_H
#define HV_CORE_WALK_H

#include "hv/core/vcpu.h"
#include "mm/window.h"

/* The slot was another one than last time; NULL if @gpa is not RAM */
void *walk_map_slow(struct vcpu *v, gpa_t gpa);

/* As gmem_map(), remembering the slot: the tables and the code of a guest lie
 * in the same one nearly always */
static inline void *walk_map(struct vcpu *v, gpa_t gpa)
{
	const struct vm_slot *s = &v->vm->slots[v->slot_hint];
	u64 offset = gpa.v - s->gpa;

	if (unlikely(offset >= s->size))
		return walk_map_slow(v, gpa);
	return window_map(HPA(s->hpa + offset));
}

#endif
