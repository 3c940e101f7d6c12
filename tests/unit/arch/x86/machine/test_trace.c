/* SOURCES: arch/x86/machine/trace.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/* The ring of a core's trace: what is read of it while it is written */
#include "arch/x86/machine/trace.h"

#include "tests/unit/fakes/percpu.h"
#include "tests/unit/test.h"

#define SIZE 8u

static struct bh_ctl_trace records[SIZE], out[SIZE];
static struct trace_ring ring;

static int setup(void **state)
{
	memset(records, 0, sizeof(records));
	ring = (struct trace_ring){ .mask = SIZE - 1, .records = records };
	fake_pcpus[0].trace = &ring;
	return 0;
}

static void put(u64 first, u64 count)
{
	for (u64 i = first; i < first + count; i++)
		trace_now(BH_CTL_TRACE_KICK, 0, i);
}

static void test_off(void **state)
{
	fake_pcpus[0].trace = NULL;
	assert_false(trace_is_on());
	put(0, 3);
	assert_int_equal(ring.tail, 0);
}

static void test_read(void **state)
{
	u64 position = 0, end;

	assert_true(trace_is_on());
	assert_int_equal(trace_read(&ring, out, SIZE, &position, &end), 0);
	assert_int_equal(end, 0);
	put(0, 5);
	assert_int_equal(trace_read(&ring, out, 3, &position, &end), 3);
	assert_int_equal(position, 0);
	assert_int_equal(end, 5);
	assert_int_equal(out[2].arg, 2);
	assert_int_equal(out[2].event, BH_CTL_TRACE_KICK);
	position = 3;
	assert_int_equal(trace_read(&ring, out, SIZE, &position, &end), 2);
	assert_int_equal(out[0].arg, 3);
	/* Past the end there is nothing, and it says where that is */
	position = 1000;
	assert_int_equal(trace_read(&ring, out, SIZE, &position, &end), 0);
	assert_int_equal(position, 5);
}

/* The place behind the newest may be half written: it counts as lost */
static void test_lost(void **state)
{
	u64 position = 2, end;

	put(0, 100);
	assert_int_equal(trace_read(&ring, out, SIZE, &position, &end),
			 SIZE - 1);
	assert_int_equal(end, 100);
	assert_int_equal(position, 100 - (SIZE - 1));
	for (u32 i = 0; i < SIZE - 1; i++)
		assert_int_equal(out[i].arg, position + i);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_off, setup),
		cmocka_unit_test_setup(test_read, setup),
		cmocka_unit_test_setup(test_lost, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
