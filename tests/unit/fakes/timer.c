/* SPDX-License-Identifier: BSD-2-Clause */
/* A core's timer, see timer.h */
#include "tests/unit/fakes/timer.h"

#include "arch/x86/cpu/percpu.h"
#include "tests/unit/test.h"

struct timer *fake_timer;
u32 fake_timer_arms;
static struct timer_queue fake_queue;

void timer_arm(struct timer *t, u64 deadline_tsc)
{
	fake_timer_arms++;
	t->deadline = deadline_tsc;
	t->queue = &fake_queue;
	fake_timer = t;
}

void timer_cancel(struct timer *t)
{
	t->queue = NULL;
	if (fake_timer == t)
		fake_timer = NULL;
}

void fake_timer_fire(void)
{
	struct timer *t = fake_timer;

	assert_non_null(t);
	fake_timer = NULL;
	t->queue = NULL;
	t->fn(t);
}
