/* SPDX-License-Identifier: BSD-2-Clause */
/* A core's timer, see timer.h */
#include "tests/unit/fakes/timer.h"

#include "tests/unit/test.h"

struct timer *fake_timer;

void timer_arm(struct timer *t, u64 deadline_tsc)
{
	t->deadline = deadline_tsc;
	t->armed = true;
	fake_timer = t;
}

void timer_cancel(struct timer *t)
{
	t->armed = false;
	if (fake_timer == t)
		fake_timer = NULL;
}

void fake_timer_fire(void)
{
	struct timer *t = fake_timer;

	assert_non_null(t);
	fake_timer = NULL;
	t->armed = false;
	t->fn(t);
}
