/* SOURCES: arch/x86/machine/irq.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/* Host vectors: binding, allocation and dispatch */
#include "arch/x86/cpu/percpu.h"
#include "arch/x86/machine/irq.h"
#include "arch/x86/machine/lapic.h"
#include "arch/x86/machine/smp.h"
#include "arch/x86/machine/timer.h"
#include "lib/assert.h"
#include "lib/errno.h"
#include "lib/log.h"
#include "tests/unit/fakes/log.h"
#include "tests/unit/fakes/ratelimit.h"
#include "tests/unit/test.h"

static u32 eois, handled;
static void *last_arg;

void lapic_eoi(void)
{
	eois++;
}

void lapic_log_error(void)
{
}

void smp_take_call(void)
{
}

void timer_run(void)
{
}

static void handler(void *arg)
{
	handled++;
	last_arg = arg;
	/* The EOI comes behind the handler */
	assert_int_equal(eois, 0);
}

static int setup(void **state)
{
	eois = handled = 0;
	fake_log_reset();
	last_arg = NULL;
	return 0;
}

#define OWN (VEC_DEVICE_LAST + 1)

static void test_bind(void **state)
{
	int cookie;

	assert_int_equal(irq_bind(OWN, handler, &cookie), 0);
	assert_int_equal(irq_bind(OWN, handler, NULL), -EBUSY);
	irq_dispatch(OWN);
	assert_int_equal(handled, 1);
	assert_ptr_equal(last_arg, &cookie);
	assert_int_equal(eois, 1);
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

static void test_alloc_all(void **state)
{
	u32 room = VEC_DEVICE_LAST - VEC_DEVICE_FIRST + 1;
	static bool seen[256];

	assert_int_equal(irq_bind(VEC_DEVICE_FIRST + 3, handler, NULL), 0);
	for (u32 i = 0; i < room - 1; i++) {
		int v = irq_alloc(handler, NULL);

		assert_in_range(v, VEC_DEVICE_FIRST, VEC_DEVICE_LAST);
		assert_false(seen[v]);
		seen[v] = true;
	}
	assert_int_equal(irq_alloc(handler, NULL), -ENOSPC);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_bind, setup),
		cmocka_unit_test_setup(test_nobodys_interrupt, setup),
		cmocka_unit_test_setup(test_alloc_all, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
