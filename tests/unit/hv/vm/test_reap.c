/* SOURCES: hv/vm/reap.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/* A guest that has run is taken apart, step by step, when each core let go */
#include "hv/vm/reap.h"

#include "hv/vm/create.h"
#include "hv/vm/vcpu.h"
#include "tests/unit/fakes/timer.h"
#include "tests/unit/fakes/tsc.h"
#include "tests/unit/fakes/vm.h"

#define TABLES 20u

static u32 freed_tables;
static u32 asks, removed, freed_vcpus, frees, told;
static bool passed, listed;
static bool making; /* another guest is being made */

struct quiesce quiesce_ask(void)
{
	asks++;
	passed = false;
	return (struct quiesce){ .number = asks };
}

bool quiesce_over(struct quiesce *q)
{
	assert_int_equal(q->number, asks);
	return passed;
}

void vcpu_remove(struct vcpu *v)
{
	assert_ptr_equal(v->entity.cpu, fake_this_cpu);
	assert_false(listed);
	removed++;
}

void vm_unlist(struct vm *vm)
{
	assert_true(listed);
	listed = false;
}

bool vm_free_vcpus(struct vm *vm, u32 max)
{
	assert_int_equal(removed, vm->vcpu_count);
	freed_vcpus += max;
	return freed_vcpus >= vm->vcpu_count;
}

bool vm_free_tables(struct vm *vm, u32 max)
{
	assert_true(freed_vcpus >= vm->vcpu_count);
	freed_tables += max;
	return freed_tables >= TABLES;
}

bool vm_free(struct vm *vm)
{
	assert_true(freed_tables >= TABLES);
	assert_true(freed_vcpus >= vm->vcpu_count);
	if (making)
		return false;
	frees++;
	return true;
}

static void freed(u16 id)
{
	assert_int_equal(frees, 1);
	told = id;
}

static int setup(void **state)
{
	fake_vm_init(4);
	fake_vm.id = 7;
	freed_tables = 0;
	asks = removed = freed_vcpus = frees = told = 0;
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
	pass_all(); /* no core touches it from here on */
	assert_int_equal(removed, 4);
	fake_timer_fire();
	assert_int_equal(frees, 0);
	assert_in_range(freed_tables, 1, TABLES / 2);
	fake_timer_fire();
	fake_timer_fire();
	assert_int_equal(frees, 1);
	assert_int_equal(told, 7);
	assert_null(fake_timer);
}

/* One is in the list while others come and go */
static void test_no_hook(void **state)
{
	reap(&fake_vm, NULL);
	pass_all();
	fake_timer_fire();
	pass_all();
	for (u32 i = 0; i < 4; i++)
		fake_timer_fire();
	assert_int_equal(frees, 1);
}

/* It waits, but no core does */
static void test_making(void **state)
{
	reap(&fake_vm, freed);
	pass_all();
	fake_timer_fire();
	pass_all();
	making = true;
	for (u32 i = 0; i < 10; i++)
		fake_timer_fire();
	assert_int_equal(frees, 0);
	making = false;
	fake_timer_fire();
	assert_int_equal(frees, 1);
	assert_int_equal(told, 7);
}

static void test_try(void **state)
{
	struct spinlock lock = { .next = 0xffff, .owner = 0xffff };

	assert_true(spin_try(&lock));
	assert_false(spin_try(&lock));
	spin_unlock(&lock);
	spin_lock(&lock);
	assert_false(spin_try(&lock));
	spin_unlock(&lock);
	assert_true(spin_try(&lock));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_steps, setup),
		cmocka_unit_test_setup(test_no_hook, setup),
		cmocka_unit_test_setup(test_making, setup),
		cmocka_unit_test(test_try),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
