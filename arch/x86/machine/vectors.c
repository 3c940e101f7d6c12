/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who has which interrupt vector of which core, see irq.h. Called by whoever
 * wants one.
 *
 * Vectors of all cores are given away from the lowest number up, those of one
 * core from the highest down, so that few numbers are taken on some cores only.
 * A vector that its owner has left may still be requested in its core's LAPIC.
 * Only that core can tell, so it alone frees what is retired, by a timer.
 *
 * Lock: vector_lock, around all but a core's reads of its own table; a leaf. It
 * is held for some 20 us at most, while a core looks at all that is retired.
 */
#include "arch/x86/cpu/percpu.h"
#include "arch/x86/cpu/spinlock.h"
#include "arch/x86/machine/irq.h"
#include "arch/x86/machine/lapic.h"
#include "arch/x86/machine/smp.h"
#include "arch/x86/machine/timer.h"
#include "arch/x86/machine/tsc.h"
#include "include/hw/lapic.h"
#include "lib/errno.h"

#define LOOK_NS 10000000ull
/* The first one may come at once. From then on no message is under way. */
#define RETIRED_LOOKS 2

static struct spinlock vector_lock;
static u32 takers[256]; /* on how many cores the vector has an owner */
static u64 changes;     /* of owners, and of those that share */
static struct timer look_timers[MAX_CPUS];

/* A handler reads the members with no lock, each in one word */
struct share {
	struct irq irq;
	struct irq *members[IRQ_SHARE_MAX]; /* NULL: room for one */
	u32 count;
};
static struct share shares[VEC_SHARED_LAST - VEC_SHARED_FIRST + 1];

static bool of_one_core(u32 vector)
{
	return vector >= VEC_CORE_FIRST && vector <= VEC_DEVICE_LAST;
}

/* @irq is NULL to free it */
static void set_owner(struct pcpu *cpu, u32 vector, struct irq *irq)
{
	struct core_vectors *vectors = &cpu->vectors;

	changes++;
	if (irq) {
		takers[vector]++;
		vectors->taken += of_one_core(vector);
	} else {
		takers[vector]--;
		vectors->taken -= of_one_core(vector);
	}
	__atomic_store_n(&vectors->irq[vector], irq, __ATOMIC_RELEASE);
}

static int bind_all(u32 vector, struct irq *irq)
{
	if (takers[vector])
		return -EBUSY;
	for (u32 i = 0; i < pcpu_count; i++)
		set_owner(pcpus[i], vector, irq);
	return (int)vector;
}

int irq_bind(u8 vector, struct irq *irq)
{
	int rc;

	spin_lock(&vector_lock);
	rc = bind_all(vector, irq);
	spin_unlock(&vector_lock);
	return MIN(rc, 0);
}

void irq_init_cpu(struct pcpu *cpu)
{
	spin_lock(&vector_lock);
	for (u32 v = 0; v < ARRAY_SIZE(takers); v++)
		if (pcpus[0]->vectors.irq[v])
			set_owner(cpu, v, pcpus[0]->vectors.irq[v]);
	spin_unlock(&vector_lock);
}

int irq_alloc(struct irq *irq)
{
	int rc = -ENOSPC;

	spin_lock(&vector_lock);
	for (u32 v = VEC_DEVICE_FIRST; rc < 0 && v <= VEC_DEVICE_LAST; v++)
		rc = bind_all(v, irq);
	spin_unlock(&vector_lock);
	return rc < 0 ? -ENOSPC : rc;
}

/* What @irq has there already, or else a free one, or 0 */
static u32 find_vector(const struct core_vectors *vectors,
		       const struct irq *irq)
{
	u32 found = 0;

	for (u32 v = VEC_DEVICE_LAST; v >= VEC_CORE_FIRST; v--) {
		if (vectors->irq[v] == irq)
			return v;
		if (!vectors->irq[v] && !found)
			found = v;
	}
	return found;
}

int irq_place(struct irq *irq, struct pcpu *cpu)
{
	u32 v;

	spin_lock(&vector_lock);
	v = find_vector(&cpu->vectors, irq);
	cpu->vectors.retired[v] = 0;
	if (v && !cpu->vectors.irq[v])
		set_owner(cpu, v, irq);
	spin_unlock(&vector_lock);
	return v ? (int)v : -ENOSPC;
}

bool irq_core_is_full(const struct pcpu *cpu)
{
	return READ_ONCE(cpu->vectors.taken) > VEC_DEVICE_LAST - VEC_CORE_FIRST;
}

void irq_retire(struct pcpu *cpu, u8 vector)
{
	bool looking;

	spin_lock(&vector_lock);
	cpu->vectors.retired[vector] = RETIRED_LOOKS;
	looking = cpu->vectors.looking;
	cpu->vectors.looking = true;
	spin_unlock(&vector_lock);
	if (!looking)
		pcpu_kick(cpu, PCPU_VECTORS);
}

/* Is @vector of this core still to be looked for? */
static bool look_for(struct pcpu *cpu, u32 vector)
{
	u8 *looks = &cpu->vectors.retired[vector];

	if (*looks == 0)
		return false;
	if (*looks > 1)
		(*looks)--;
	else if (!lapic_requested((u8)vector)) {
		*looks = 0;
		set_owner(cpu, vector, NULL);
	}
	return *looks;
}

static void look(struct timer *t)
{
	struct pcpu *cpu = this_cpu();
	bool more = false;

	spin_lock(&vector_lock);
	for (u32 v = VEC_CORE_FIRST; v <= VEC_DEVICE_LAST; v++)
		more |= look_for(cpu, v);
	cpu->vectors.looking = more;
	spin_unlock(&vector_lock);
	if (more)
		timer_arm(t, rdtsc() + ns_to_tsc(LOOK_NS));
}

void irq_look_for_retired(void)
{
	struct timer *t = &look_timers[this_cpu()->id];

	t->fn = look;
	timer_arm(t, rdtsc() + ns_to_tsc(LOOK_NS));
}

static void shared_interrupt(struct irq *self)
{
	struct share *s = container_of(self, struct share, irq);

	for (u32 i = 0; i < IRQ_SHARE_MAX; i++) {
		struct irq *member = READ_ONCE(s->members[i]);

		if (member)
			member->fn(member);
	}
}

static void member_replace(struct share *s, struct irq *from, struct irq *to)
{
	changes++;
	for (u32 i = 0; i < IRQ_SHARE_MAX; i++) {
		if (s->members[i] != from)
			continue;
		__atomic_store_n(&s->members[i], to, __ATOMIC_RELEASE);
		return;
	}
}

/* That of the fewest; its vector */
static int share_join(struct irq *irq)
{
	struct share *s = &shares[0];
	u32 vector;

	for (u32 i = 1; i < ARRAY_SIZE(shares); i++)
		if (shares[i].count < s->count)
			s = &shares[i];
	if (s->count == IRQ_SHARE_MAX)
		return -ENOSPC;
	vector = VEC_SHARED_FIRST + (u32)(s - shares);
	s->irq.fn = shared_interrupt;
	if (!takers[vector])
		bind_all(vector, &s->irq);
	member_replace(s, NULL, irq);
	s->count++;
	return (int)vector;
}

int irq_share(struct irq *irq)
{
	int rc;

	spin_lock(&vector_lock);
	rc = share_join(irq);
	spin_unlock(&vector_lock);
	return rc;
}

void irq_unshare(struct irq *irq, u8 vector)
{
	struct share *s = &shares[vector - VEC_SHARED_FIRST];

	spin_lock(&vector_lock);
	member_replace(s, irq, NULL);
	s->count--;
	spin_unlock(&vector_lock);
}

struct irq *irq_bound(const struct pcpu *cpu, u8 vector, u32 member)
{
	struct irq *irq =
		__atomic_load_n(&cpu->vectors.irq[vector], __ATOMIC_ACQUIRE);

	if (irq && irq->fn == shared_interrupt)
		return READ_ONCE(
			container_of(irq, struct share, irq)->members[member]);
	return member ? NULL : irq;
}

u32 irq_bound_count(void)
{
	u32 sum = 0;

	spin_lock(&vector_lock);
	for (u32 v = 0; v < ARRAY_SIZE(takers); v++)
		sum += takers[v];
	spin_unlock(&vector_lock);
	return sum;
}

u64 irq_changes(void)
{
	u64 count;

	spin_lock(&vector_lock);
	count = changes;
	spin_unlock(&vector_lock);
	return count;
}
