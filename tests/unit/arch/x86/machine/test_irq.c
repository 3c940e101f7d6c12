/* SOURCES: arch/x86/machine/irq.c arch/x86/machine/vectors.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/* Dispatch of host interrupts, by the core's own table */
#include "arch/x86/cpu/percpu.h"
#include "arch/x86/machine/irq.h"
#include "arch/x86/machine/lapic.h"
#include "arch/x86/machine/smp.h"
#include "arch/x86/machine/timer.h"
#include "lib/assert.h"
#include "lib/errno.h"
#include "lib/log.h"
#include "tests/unit/fakes/log.h"
#include "tests/unit/fakes/percpu.h"
#include "tests/unit/fakes/ratelimit.h"
#include "tests/unit/test.h"

static u32 eois, handled;
static struct irq *last;

struct pcpu *pcpus[MAX_CPUS] = { &fake_pcpus[0], &fake_pcpus[1] };
u32 pcpu_count = 2;

void lapic_eoi(void)
{
	eois++;
}

void lapic_log_error(void)
{
}

bool lapic_requested(u8 vector)
{
	return false;
}

void pcpu_kick(struct pcpu *cpu, u32 pending_bits)
{
}

void smp_take_call(void)
{
}

void timer_run(void)
{
}

static void handler(struct irq *self)
{
	handled++;
	last = self;
	/* The EOI comes behind the handler */
	assert_int_equal(eois, 0);
}

static struct irq mine = { handler }, other = { handler };

static int setup(void **state)
{
	eois = handled = 0;
	fake_log_reset();
	last = NULL;
	return 0;
}

#define OWN (VEC_SHARED_LAST + 1)

static void test_bind(void **state)
{
	assert_int_equal(irq_bind(OWN, &mine), 0);
	assert_int_equal(irq_bind(OWN, &other), -EBUSY);
	irq_dispatch(OWN);
	assert_int_equal(handled, 1);
	assert_ptr_equal(last, &mine);
	assert_int_equal(eois, 1);
}

static void test_each_core_its_own(void **state)
{
	int a = irq_place(&mine, &fake_pcpus[0]);
	int b = irq_place(&other, &fake_pcpus[1]);

	assert_true(a > 0 && a == b);
	irq_dispatch((u8)a);
	assert_ptr_equal(last, &mine);
	fake_this_cpu = &fake_pcpus[1];
	eois = 0;
	irq_dispatch((u8)a);
	assert_ptr_equal(last, &other);
	fake_this_cpu = &fake_pcpus[0];
}

static void test_nobodys_interrupt(void **state)
{
	irq_dispatch(0x41);
	assert_int_equal(fake_log_lines, 1);
	assert_int_equal(eois, 1);
	irq_dispatch(VEC_SPURIOUS);
	assert_int_equal(fake_log_lines, 1);
	assert_int_equal(eois, 1);
	/* A device sends many: all are ended, some are told */
	fake_ratelimit_left = 2;
	for (u32 i = 0; i < 100; i++)
		irq_dispatch(0x10);
	assert_int_equal(fake_log_lines, 3);
	assert_int_equal(eois, 101);
	fake_ratelimit_left = ~0u;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_bind, setup),
		cmocka_unit_test_setup(test_nobodys_interrupt, setup),
		cmocka_unit_test_setup(test_each_core_its_own, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
