/* SOURCES: arch/x86/machine/vectors.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/* Who has which vector of which core, and when one is free again */
#include "arch/x86/machine/irq.h"
#include "arch/x86/machine/lapic.h"
#include "arch/x86/machine/smp.h"
#include "arch/x86/machine/timer.h"
#include "lib/errno.h"
#include "tests/unit/fakes/percpu.h"
#include "tests/unit/fakes/tsc.h"
#include "tests/unit/test.h"

#define CORES     4u
#define CORE_ROOM (VEC_DEVICE_LAST - VEC_CORE_FIRST + 1u)
#define IRQS      1000u

struct pcpu *pcpus[MAX_CPUS];
u32 pcpu_count = CORES;

static struct source {
	struct irq irq;
	u32 calls;
} sources[IRQS];

static struct timer *due[CORES];
static u32 kicks[CORES];
static bool requested[CORES][256];

bool lapic_requested(u8 vector)
{
	return requested[this_cpu()->id][vector];
}

void pcpu_kick(struct pcpu *cpu, u32 pending_bits)
{
	assert_int_equal(pending_bits, PCPU_VECTORS);
	kicks[cpu->id]++;
	cpu->pending |= pending_bits;
}

void timer_arm(struct timer *t, u64 deadline_tsc)
{
	assert_null(due[this_cpu()->id]);
	due[this_cpu()->id] = t;
}

/* Ten milliseconds on @core: its timer fires, and it looks at its bits */
static void tick(u32 core)
{
	struct timer *t = due[core];

	fake_this_cpu = &fake_pcpus[core];
	due[core] = NULL;
	if (t)
		t->fn(t);
	if (fake_pcpus[core].pending)
		irq_look_for_retired();
	fake_pcpus[core].pending = 0;
	fake_this_cpu = &fake_pcpus[0];
}

static void settle(void)
{
	for (u32 i = 0; i < 4 * CORES; i++)
		tick(i % CORES);
}

static void arrive(u32 core, int vector)
{
	struct irq *irq = fake_pcpus[core].vectors.irq[vector];

	assert_non_null(irq);
	irq->fn(irq);
}

static void called(struct irq *self)
{
	container_of(self, struct source, irq)->calls++;
}

static struct irq *irq_of(u32 n)
{
	return &sources[n].irq;
}

/* The test's boot: nothing that one test binds for good is another's */
static int setup(void **state)
{
	memset(due, 0, sizeof(due));
	memset(kicks, 0, sizeof(kicks));
	memset(requested, 0, sizeof(requested));
	for (u32 i = 0; i < IRQS; i++)
		sources[i] = (struct source){ { called }, 0 };
	for (u32 i = 0; i < CORES; i++) {
		fake_pcpus[i].id = i;
		pcpus[i] = &fake_pcpus[i];
	}
	return 0;
}

static u32 taken(u32 core)
{
	u32 n = 0;

	for (u32 v = VEC_CORE_FIRST; v <= VEC_DEVICE_LAST; v++)
		n += fake_pcpus[core].vectors.irq[v] != NULL;
	assert_int_equal(fake_pcpus[core].vectors.taken, n);
	return n;
}

static int teardown(void **state)
{
	settle();
	for (u32 i = 0; i < CORES; i++)
		assert_int_equal(taken(i), 0);
	return 0;
}

static void test_each_core_has_its_own(void **state)
{
	int a = irq_place(irq_of(0), pcpus[0]);
	int b = irq_place(irq_of(1), pcpus[1]);

	assert_int_equal(a, VEC_DEVICE_LAST);
	assert_int_equal(b, a);
	arrive(0, a);
	assert_int_equal(sources[0].calls, 1);
	assert_int_equal(sources[1].calls, 0);
	arrive(1, b);
	assert_int_equal(sources[1].calls, 1);
	assert_null(fake_pcpus[2].vectors.irq[a]);
	assert_ptr_equal(irq_bound(pcpus[0], (u8)a, 0), irq_of(0));
	assert_ptr_equal(irq_bound(pcpus[1], (u8)a, 0), irq_of(1));
	assert_null(irq_bound(pcpus[0], (u8)a, 1));
	assert_null(irq_bound(pcpus[2], (u8)a, 0));
	irq_retire(pcpus[0], (u8)a);
	irq_retire(pcpus[1], (u8)b);
}

/* A message that was sent before the move still finds its owner */
static void test_retired_until_it_cannot_come(void **state)
{
	int old = irq_place(irq_of(0), pcpus[1]), v;

	irq_retire(pcpus[1], (u8)old);
	requested[1][old] = true;
	for (u32 i = 0; i < 10; i++) {
		tick(1);
		v = irq_place(irq_of(2 + i), pcpus[1]);
		assert_int_not_equal(v, old);
		irq_retire(pcpus[1], (u8)v);
	}
	arrive(1, old);
	assert_int_equal(sources[0].calls, 1);
	requested[1][old] = false;
	tick(1);
	assert_null(fake_pcpus[1].vectors.irq[old]);
	assert_int_equal(irq_place(irq_of(1), pcpus[1]), old);
	irq_retire(pcpus[1], (u8)old);
}

/* At least one whole period lies between leaving and the free vector */
static void test_retired_just_before_a_look(void **state)
{
	int a = irq_place(irq_of(0), pcpus[0]);
	int b = irq_place(irq_of(1), pcpus[0]);

	irq_retire(pcpus[0], (u8)a);
	tick(0); /* told */
	irq_retire(pcpus[0], (u8)b);
	tick(0);
	assert_non_null(fake_pcpus[0].vectors.irq[a]);
	assert_non_null(fake_pcpus[0].vectors.irq[b]);
	tick(0);
	assert_null(fake_pcpus[0].vectors.irq[a]);
	assert_null(fake_pcpus[0].vectors.irq[b]);
	assert_int_equal(kicks[0], 1);
	assert_null(due[0]);
}

static void test_taken_back(void **state)
{
	int a = irq_place(irq_of(0), pcpus[0]);

	irq_retire(pcpus[0], (u8)a);
	tick(0);
	assert_int_equal(irq_place(irq_of(0), pcpus[0]), a);
	settle();
	assert_ptr_equal(fake_pcpus[0].vectors.irq[a], irq_of(0));
	irq_retire(pcpus[0], (u8)a);
}

static void test_core_is_full(void **state)
{
	int v[CORE_ROOM];

	for (u32 i = 0; i < CORE_ROOM; i++) {
		assert_false(irq_core_is_full(pcpus[2]));
		v[i] = irq_place(irq_of(i), pcpus[2]);
		assert_in_range(v[i], VEC_CORE_FIRST, VEC_DEVICE_LAST);
	}
	assert_true(irq_core_is_full(pcpus[2]));
	assert_int_equal(irq_place(irq_of(IRQS - 1), pcpus[2]), -ENOSPC);
	assert_false(irq_core_is_full(pcpus[1]));
	/* What it has there it keeps */
	assert_int_equal(irq_place(irq_of(7), pcpus[2]), v[7]);
	for (u32 i = 0; i < CORE_ROOM; i++)
		irq_retire(pcpus[2], (u8)v[i]);
	assert_int_equal(kicks[2], 1);
}

/* As many as a guest likes, as fast as it likes: @irq is at most once on each
 * core, none loses its vector, and all are free in the end */
static void test_hostile_moves(void **state)
{
	enum { N = 300 };
	static struct {
		u32 core;
		int vector;
	} at[N];
	u64 random = 88172645463325252ull;

	for (u32 i = 0; i < N; i++)
		at[i].vector = -1;
	for (u32 round = 0; round < 200000; round++) {
		u32 n, core;
		int v;

		random ^= random << 13;
		random ^= random >> 7;
		random ^= random << 17;
		n = (u32)(random >> 8) % N;
		core = (u32)(random >> 40) % CORES;
		if (round % 500 == 0)
			tick(core);
		if (round % 7 == 0)
			requested[core][random % 256] ^= true;
		v = irq_place(irq_of(n), pcpus[core]);
		if (v > 0 && at[n].vector >= 0 && at[n].core != core)
			irq_retire(pcpus[at[n].core], (u8)at[n].vector);
		if (v > 0) {
			at[n].core = core;
			at[n].vector = v;
		}
		n = (u32)(random >> 20) % N;
		if (at[n].vector >= 0)
			assert_ptr_equal(fake_pcpus[at[n].core]
						 .vectors.irq[at[n].vector],
					 irq_of(n));
	}
	for (u32 i = 0; i < CORES; i++) {
		assert_true(taken(i) <= CORE_ROOM);
		/* Told once for each time that it has something to look for */
		assert_true(kicks[i] <= 200000 / 500 + 1);
	}
	memset(requested, 0, sizeof(requested));
	for (u32 i = 0; i < N; i++)
		if (at[i].vector >= 0)
			irq_retire(pcpus[at[i].core], (u8)at[i].vector);
}

static void test_shared(void **state)
{
	enum { SHARES = VEC_SHARED_LAST - VEC_SHARED_FIRST + 1 };
	static int v[SHARES * IRQ_SHARE_MAX];
	u32 calls = 0;

	/* Before any is shared by two, each has one */
	for (u32 i = 0; i < ARRAY_SIZE(v); i++) {
		v[i] = irq_share(irq_of(i));
		assert_int_equal(v[i], VEC_SHARED_FIRST + i % SHARES);
	}
	assert_int_equal(irq_share(irq_of(IRQS - 1)), -ENOSPC);
	/* On any core, all of the vector, and no others */
	arrive(3, v[5]);
	for (u32 i = 0; i < ARRAY_SIZE(v); i++) {
		assert_int_equal(sources[i].calls, v[i] == v[5]);
		calls += sources[i].calls;
	}
	assert_int_equal(calls, IRQ_SHARE_MAX);
	irq_unshare(irq_of(5), (u8)v[5]);
	arrive(0, v[5]);
	assert_int_equal(sources[5].calls, 1);
	assert_int_equal(sources[5 + SHARES].calls, 2);
	assert_int_equal(irq_share(irq_of(IRQS - 1)), v[5]);
	irq_unshare(irq_of(IRQS - 1), (u8)v[5]);
	for (u32 i = 0; i < ARRAY_SIZE(v); i++)
		if (i != 5)
			irq_unshare(irq_of(i), (u8)v[i]);
}

/* The last test, as these are for good */
static void test_of_all_cores(void **state)
{
	static struct pcpu late;
	int one = irq_place(irq_of(0), pcpus[3]);
	u32 n = 1;

	assert_int_equal(irq_bind(VEC_TIMER, irq_of(1)), 0);
	assert_int_equal(irq_bind(VEC_TIMER, irq_of(2)), -EBUSY);
	for (int v; (v = irq_alloc(irq_of(n))) >= 0; n++) {
		assert_int_equal(v, VEC_DEVICE_FIRST + (int)n - 1);
		for (u32 core = 0; core < CORES; core++)
			assert_ptr_equal(fake_pcpus[core].vectors.irq[v],
					 irq_of(n));
	}
	/* All but the one that a core has given away */
	assert_int_equal(n - 1, VEC_DEVICE_LAST - VEC_DEVICE_FIRST);
	assert_true(irq_core_is_full(pcpus[3]));
	irq_retire(pcpus[3], (u8)one);
	settle();
	assert_int_equal(irq_alloc(irq_of(n)), one);
	assert_int_equal(irq_alloc(irq_of(n + 1)), -ENOSPC);
	irq_init_cpu(&late);
	assert_ptr_equal(late.vectors.irq[VEC_TIMER], irq_of(1));
	assert_ptr_equal(late.vectors.irq[one], irq_of(n));
	assert_true(irq_core_is_full(&late));
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_each_core_has_its_own),
		T(test_retired_until_it_cannot_come),
		T(test_retired_just_before_a_look),
		T(test_taken_back),
		T(test_core_is_full),
		T(test_hostile_moves),
		T(test_shared),
		cmocka_unit_test_setup(test_of_all_cores, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
