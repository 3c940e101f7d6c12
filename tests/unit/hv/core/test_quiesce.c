/* SOURCES: hv/core/quiesce.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/* Each core passes the head of its run loop once before a question is over */
#include "hv/core/quiesce.h"

#include "hv/core/vcpu.h"
#include "tests/unit/fakes/percpu.h"
#include "tests/unit/fakes/vm.h"
#include "tests/unit/test.h"

#define MANY 100u

struct pcpu *pcpus[MAX_CPUS];
u32 pcpu_count;
struct vm *vm_privileged;
static struct pcpu cores[MANY];
static u32 kicks, flushes, acts;

void pcpu_kick(struct pcpu *cpu, u32 bits)
{
	cpu->pending |= bits;
	kicks++;
}

void vm_flush_here(const struct vm *vm)
{
	assert_ptr_equal(vm, &fake_vm);
	flushes++;
}

static void act(void)
{
	acts++;
}

static void machine(u32 count)
{
	memset(cores, 0, sizeof(cores));
	kicks = flushes = acts = 0;
	vm_privileged = NULL;
	pcpu_count = count;
	for (u32 i = 0; i < count; i++) {
		pcpus[i] = &cores[i];
		/* Each number goes on from the last test's */
		cores[i].id = i;
		cores[i].online = true;
	}
}

/* Core @i at the head of its loop; false: nobody asked it */
static bool turn(u32 i)
{
	if (!(cores[i].pending & PCPU_PASS))
		return false;
	cores[i].pending = 0;
	fake_this_cpu = &cores[i];
	quiesce_pass(act);
	fake_this_cpu = &fake_pcpus[0];
	return true;
}

static void test_all_pass(void **state)
{
	struct quiesce q;

	machine(3);
	vm_privileged = &fake_vm;
	q = quiesce_ask();
	assert_false(quiesce_over(&q));
	assert_true(turn(2));
	assert_true(turn(0));
	assert_false(quiesce_over(&q));
	assert_true(turn(1));
	assert_true(quiesce_over(&q));
	assert_int_equal(flushes, 3);
	assert_int_equal(acts, 3);
	assert_false(turn(1));
}

/* A pass before the question is none */
static void test_later_question(void **state)
{
	struct quiesce a, b;

	machine(2);
	a = quiesce_ask();
	assert_true(turn(0));
	b = quiesce_ask();
	assert_true(turn(1)); /* of both */
	assert_true(quiesce_over(&a));
	assert_false(quiesce_over(&b));
	assert_true(turn(0));
	assert_true(quiesce_over(&b));
	assert_int_equal(flushes, 0); /* no privileged guest */
}

/* The asker tells VM_FAN, and each passes it on */
static void test_many(void **state)
{
	struct quiesce q;

	machine(MANY);
	q = quiesce_ask();
	assert_int_equal(kicks, VM_FAN);
	for (u32 i = 0; i < MANY; i++)
		assert_true(turn(i));
	/* Some are looked at in one go */
	for (u32 i = 0; i < (MANY - 1) / 64; i++)
		assert_false(quiesce_over(&q));
	assert_true(quiesce_over(&q));
	assert_int_equal(kicks, MANY);
}

static void test_stopped_core(void **state)
{
	struct quiesce q;

	machine(2);
	q = quiesce_ask();
	assert_true(turn(0));
	assert_false(quiesce_over(&q));
	cores[1].online = false;
	assert_true(quiesce_over(&q));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_pass),
		cmocka_unit_test(test_later_question),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_stopped_core),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
