/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Two cores on which physical interrupts arrive, and what the privileged guest
 * gets of them: for the tests of pins and of messages. A test links the two,
 * and arch/x86/machine/vectors.c.
 */
#ifndef TESTS_UNIT_HV_IRQ_ARRIVALS_H
#define TESTS_UNIT_HV_IRQ_ARRIVALS_H

#include "arch/x86/machine/irq.h"
#include "hv/irq/route.h"
#include "tests/unit/fakes/ioapic.h"
#include "tests/unit/fakes/ratelimit.h"
#include "tests/unit/fakes/vdev.h"

#define SHARES (VEC_SHARED_LAST - VEC_SHARED_FIRST + 1u)

/* What the guest got: vectors at its LAPICs, edges at its IOAPIC */
struct seen {
	u32 posts, delivers, rises, falls;
	struct vcpu *vcpu;
	u8 vector;
	u32 dest, gsi;
};
extern struct seen seen;

/* How many vCPUs any destination names, and the first of them */
extern u32 match_count;
extern struct vcpu *match_first;

extern bool requested; /* in every LAPIC, every vector */

/* For cmocka: a guest of two vCPUs, on a core each */
int setup(void **state);
/* @vector comes to @cpu */
void interrupt(struct pcpu *cpu, u8 vector);
/* The pin @gsi is asserted, and aimed as the IOAPIC says */
void arrive(u32 gsi);
/* The core with @apic_id */
struct pcpu *core_of(u32 apic_id);
/* Long enough for @cpu to free what is retired */
void pass(struct pcpu *cpu);
/* Vectors that are one core's, on both */
u32 taken(void);

#endif
