/* SOURCES: tools/control/audit.c tools/control/fail.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/* An audit that finds no memory for its guests is a failure, and no more.
 * tests/unit/tools/bhd/test_bhd.c has the others. */
#include "tests/unit/test.h"
#include "tools/control/audit.h"

static u32 calls;

/* An allocation of more than there is is NULL, as without ASan */
const char *__asan_default_options(void);

const char *__asan_default_options(void)
{
	return "allocator_may_return_null=1";
}

/* So many that there is no memory for what an audit keeps of each */
int control_guests(struct ring *r, struct list *l, struct failure *f)
{
	l->items = malloc(1);
	l->count = ~0u - 1;
	return 0;
}

int ring_call(struct ring *r, const struct ring_call *call, void *out,
	      struct ring_answer *answer, struct failure *f)
{
	calls++;
	return -1;
}

static void test_no_memory(void **state)
{
	struct ring ring = { 0 };
	struct failure f = { 0 };
	struct audit a;

	assert_int_equal(audit_read(&ring, &a, &f), -1);
	assert_int_equal(f.kind, FAIL_NO_ROOM);
	assert_string_equal(f.text, "no memory for the audit");
	assert_int_equal(calls, 0);
	assert_null(a.guests);
	assert_int_equal(a.guest_count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
