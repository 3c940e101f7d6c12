/* SOURCES: hv/core/vcpu.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/* Events for a vCPU: who is woken, and whose core is kicked */
#include "arch/x86/machine/smp.h"
#include "hv/core/vcpu.h"
#include "tests/unit/fakes/percpu.h"
#include "tests/unit/test.h"

const struct vcpu_ops *vcpu_ops;

static struct pcpu *const home = &fake_pcpus[0];
static struct vcpu v;
static u32 kicks, wakes;

void pcpu_kick(struct pcpu *cpu, u32 bits)
{
	assert_ptr_equal(cpu, home);
	kicks++;
}

void sched_wake(struct sched_entity *e)
{
	assert_ptr_equal(e, &v.entity);
	wakes++;
}

void sched_block(struct sched_entity *e)
{
	e->state = SCHED_BLOCKED;
}

static int setup(void **state)
{
	memset(fake_pcpus, 0, sizeof(fake_pcpus));
	v = (struct vcpu){ .entity = { .cpu = home, .state = SCHED_READY } };
	home->current = &v;
	fake_this_cpu = home;
	kicks = wakes = 0;
	return 0;
}

/* Only one that is in the guest on another core needs an IPI */
static void test_post_kicks_who_is_in_the_guest(void **state)
{
	fake_this_cpu = &fake_pcpus[1];
	vcpu_post(&v, VE_NMI);
	assert_int_equal(kicks, 0);
	home->in_guest = true;
	vcpu_post(&v, VE_IRQ);
	assert_int_equal(kicks, 1);
	assert_int_equal(v.events, VE_NMI | VE_IRQ);
	home->current = NULL;
	vcpu_post(&v, VE_IRQ);
	assert_int_equal(kicks, 1);
	assert_int_equal(wakes, 0);
}

static void test_post_wakes_who_is_blocked(void **state)
{
	fake_this_cpu = &fake_pcpus[1];
	v.entity.state = SCHED_BLOCKED;
	vcpu_post(&v, VE_IRQ);
	assert_int_equal(wakes, 1);
	assert_int_equal(kicks, 0);
}

/* On its home core it is stopped for the time being, or waits */
static void test_post_at_home(void **state)
{
	home->in_guest = true;
	vcpu_post_here(&v, VE_IRQ);
	assert_int_equal(wakes, 0);
	v.entity.state = SCHED_BLOCKED;
	vcpu_post_here(&v, VE_KICK);
	assert_int_equal(wakes, 1);
	assert_int_equal(v.events, VE_IRQ | VE_KICK);
	assert_int_equal(kicks, 0);
}

static void test_block_looks_for_events(void **state)
{
	vcpu_block(&v);
	assert_int_equal(wakes, 0);
	v.events = VE_IRQ;
	vcpu_block(&v);
	assert_int_equal(wakes, 1);
}

#define T(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_post_kicks_who_is_in_the_guest),
		T(test_post_wakes_who_is_blocked),
		T(test_post_at_home),
		T(test_block_looks_for_events),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
