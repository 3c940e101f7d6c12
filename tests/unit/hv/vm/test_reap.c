/* SOURCES: hv/vm/reap.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/* A guest that has run is taken apart, step by step, when each core let go */
#include "hv/vm/reap.h"

#include "hv/vm/create.h"
#include "hv/vm/vcpu.h"
#include "tests/unit/fakes/timer.h"
#include "tests/unit/fakes/tsc.h"
#include "tests/unit/fakes/vm.h"

#define STEPS 3u

static u32 asks, removed, steps, frees, told;
static bool passed, listed;

struct quiesce quiesce_ask(void)
{
	asks++;
	passed = false;
	return (struct quiesce){ .number = asks };
}

bool quiesce_over(struct quiesce *q)
{
	assert_in_range(q->number, 1, asks);
	return passed;
}

void vcpu_remove(struct vcpu *v)
{
	assert_ptr_equal(v->entity.cpu, fake_this_cpu);
	assert_ptr_equal(v->vm, &fake_vm);
	assert_false(listed);
	removed++;
}

void vm_unlist(struct vm *vm)
{
	assert_true(listed);
	listed = false;
}

bool vm_free_step(struct vm *vm)
{
	assert_int_equal(removed, listed ? 0 : vm->vcpu_count);
	assert_false(frees);
	frees = ++steps == STEPS;
	if (frees) /* the next guest's, at once */
		vm->reap = (struct vm_reap){ 0 };
	return frees;
}

static void freed(const struct vm_farewell *f)
{
	assert_int_equal(frees, 1);
	assert_true(f->waits);
	told = f->tag;
}

static int setup(void **state)
{
	fake_vm_init(4);
	fake_vm.id = 7;
	fake_vm.reap.farewell = (struct vm_farewell){ 1, 7, true };
	asks = removed = steps = frees = told = 0;
	listed = true;
	fake_this_cpu = &fake_pcpus[0];
	return 0;
}

static void pass(u32 core)
{
	fake_this_cpu = &fake_pcpus[core];
	reap_here();
	fake_this_cpu = &fake_pcpus[0];
}

static void pass_all(void)
{
	for (u32 i = 0; i < 4; i++)
		pass(i);
	passed = true;
}

static void test_steps(void **state)
{
	reap(&fake_vm, freed);
	assert_false(listed);
	assert_int_equal(asks, 1);
	fake_timer_fire(); /* a core holds it yet */
	assert_int_equal(asks, 1);
	pass_all();
	assert_int_equal(removed, 0); /* it may still be posted to */
	fake_timer_fire();
	fake_timer_fire();
	assert_int_equal(asks, 2);
	pass(2);
	assert_int_equal(removed, 1);
	fake_timer_fire();
	assert_int_equal(frees, 0);
	pass(0);
	pass(1);
	pass(3);
	passed = true;
	fake_timer_fire();
	assert_int_equal(asks, 3);
	assert_int_equal(removed, 4);
	fake_timer_fire();
	assert_int_equal(steps, 0); /* a core may be at it since before */
	pass_all();                 /* none touches it from here on */
	assert_int_equal(removed, 4);
	fake_timer_fire();
	assert_int_equal(steps, 0);
	fake_timer_fire();
	assert_int_equal(frees, 0);
	assert_int_equal(steps, 1);
	fake_timer_fire();
	fake_timer_fire();
	assert_int_equal(frees, 1);
	assert_int_equal(told, 7);
	assert_null(fake_timer);
}

static void fire(u32 times)
{
	while (times--)
		fake_timer_fire();
}

static void test_no_hook(void **state)
{
	reap(&fake_vm, NULL);
	pass_all();
	fire(2);
	pass_all();
	fire(1);
	pass_all();
	fire(1 + STEPS);
	assert_int_equal(frees, 1);
	assert_null(fake_timer);
}

/* Many are taken apart at once: a core that passes has one guest's vCPUs to
 * take off, and the next one's parts wait for the last part of the first */
static void test_one_at_a_time(void **state)
{
	static struct vm other;
	struct timer *first;

	other.vcpu_count = 0;
	reap(&fake_vm, NULL);
	pass_all();
	fire(2);
	first = fake_timer;
	listed = true;
	reap(&other, NULL);
	passed = true;
	fire(1);
	for (u32 i = 0; i < 5; i++) {
		fire(1);
		assert_int_equal(asks, 3); /* of the first two, three passes */
	}
	/* The first goes on to its end, and then the other has its turn */
	fake_timer = first;
	pass_all();
	assert_int_equal(removed, 4);
	fire(1);
	pass_all();
	fire(1);
	listed = false;
	fire(STEPS);
	assert_int_equal(frees, 1);
	assert_int_equal(asks, 4);
	fake_timer = &other.restart_timer;
	fire(1);
	assert_int_equal(asks, 5);
}

/* Nobody has known it: no core is waited for */
static void test_unborn(void **state)
{
	reap_unborn(&fake_vm, freed);
	for (u32 i = 0; i < STEPS; i++) {
		assert_int_equal(steps, i);
		assert_int_equal(frees, 0);
		fake_timer_fire();
	}
	assert_int_equal(told, 7);
	assert_int_equal(asks, 0);
	assert_true(listed); /* whatever has its place now */
	assert_null(fake_timer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_steps, setup),
		cmocka_unit_test_setup(test_no_hook, setup),
		cmocka_unit_test_setup(test_one_at_a_time, setup),
		cmocka_unit_test_setup(test_unborn, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
