/* SOURCES: */
/* SPDX-License-Identifier: BSD-2-Clause */
/* How many get in at a time, alone and with vCPUs that are threads */
#include "hv/core/crowd.h"
#include "tests/unit/fakes/threads.h"
#include "tests/unit/test.h"

#define VCPUS  12u
#define ROUNDS 20u

static struct vm vm;
static u32 inside, most_inside, done[VCPUS];
static u64 refused;

static void guest(bool privileged, u32 vcpus)
{
	memset(&vm, 0, sizeof(vm));
	memset(done, 0, sizeof(done));
	vm.privileged = privileged;
	vm.vcpu_count = vcpus;
	inside = most_inside = 0;
	refused = 0;
}

static void enter_all(u32 count)
{
	for (u32 i = 0; i < count; i++)
		assert_true(crowd_enter(&vm));
	assert_false(crowd_enter(&vm));
	assert_false(crowd_enter(&vm));
	for (u32 i = 0; i < count; i++) {
		crowd_leave(&vm);
		assert_true(crowd_enter(&vm));
		assert_false(crowd_enter(&vm));
	}
	for (u32 i = 0; i < count; i++)
		crowd_leave(&vm);
	assert_int_equal(vm.crowd, 0);
}

static void test_so_many(void **state)
{
	guest(true, 1024);
	enter_all(CROWD_PRIVILEGED);
	guest(false, 128);
	enter_all(CROWD_ISOLATED);
}

/* Its vCPUs cannot be too many: no exit of theirs writes to the line */
static void test_small_guest_is_not_counted(void **state)
{
	guest(true, CROWD_PRIVILEGED);
	assert_false(crowd_possible(&vm));
	for (u32 i = 0; i < 2 * CROWD_PRIVILEGED; i++) {
		assert_true(crowd_enter(&vm));
		assert_int_equal(vm.crowd, 0);
	}
	guest(false, CROWD_ISOLATED);
	assert_false(crowd_possible(&vm));
	crowd_leave(&vm);
	assert_int_equal(vm.crowd, 0);
	guest(false, CROWD_ISOLATED + 1);
	assert_true(crowd_possible(&vm));
}

/* What others write at each exit of theirs lies elsewhere */
static void test_line_of_its_own(void **state)
{
	assert_int_equal(offsetof(struct vm, crowd) % 64, 0);
	assert_int_equal(offsetof(struct vm, xcr0_mask) -
				 offsetof(struct vm, crowd),
			 64);
}

/* The first ones stay until as many are in as may be, and one more has come */
static void visit(void)
{
	u32 now = __atomic_add_fetch(&inside, 1, __ATOMIC_SEQ_CST);
	u32 most = READ_ONCE(most_inside);

	while (now > most &&
	       !__atomic_compare_exchange_n(&most_inside, &most, now, false,
					    __ATOMIC_SEQ_CST, __ATOMIC_RELAXED))
		;
	do
		threads_yield();
	while (READ_ONCE(most_inside) < crowd_most(&vm) || !READ_ONCE(refused));
	__atomic_sub_fetch(&inside, 1, __ATOMIC_SEQ_CST);
}

/* A vCPU that is refused tries again, as its guest does */
static void vcpu(u32 id)
{
	while (done[id] < ROUNDS) {
		if (!crowd_enter(&vm)) {
			__atomic_add_fetch(&refused, 1, __ATOMIC_RELAXED);
			threads_yield();
			continue;
		}
		visit();
		crowd_leave(&vm);
		done[id]++;
	}
}

static void run(bool privileged)
{
	guest(privileged, VCPUS);
	threads_run(VCPUS, vcpu);
	for (u32 i = 0; i < VCPUS; i++)
		assert_int_equal(done[i], ROUNDS);
	assert_int_equal(vm.crowd, 0);
	assert_int_equal(most_inside, crowd_most(&vm));
}

static void test_many_at_once(void **state)
{
	run(true);
	run(false);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_so_many),
		cmocka_unit_test(test_small_guest_is_not_counted),
		cmocka_unit_test(test_line_of_its_own),
		cmocka_unit_test(test_many_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
