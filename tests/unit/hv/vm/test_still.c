/* SOURCES: hv/vm/still.c hv/vm/pause.c hv/vm/kept.c hv/vm/news.c hv/core/fan.c hv/core/vm.c lib/string.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/* A static guest is paused and goes on; what is refused, and an end that comes
 * in between */
#include "hv/vm/dynamic.h"
#include "hv/vm/pause.h"
#include "hv/vm/still.h"
#include "tests/unit/fakes/vcpu.h"
#include "tests/unit/fakes/vm.h"
#include "tests/unit/test.h"

#define TAG 44u

static struct dynamic_why why;
static u32 changes;

void dynamic_paused(struct vm *vm)
{
	fail();
}

static void changed(void)
{
	changes++;
}

static int setup(void **state)
{
	fake_vm_init(2);
	fake_vm.number = 1;
	fake_vm.state = VM_RUNNING;
	fake_vm.runs = true;
	fake_vcpus[1].activity = VCPU_HALTED;
	vm_changed_hook = changed;
	changes = 0;
	dynamic_forget_news();
	memset(&why, 0, sizeof(why));
	return 0;
}

static void take(u32 i)
{
	fake_vcpus[i].events &= ~(u32)VE_PAUSE;
	pause_take(&fake_vcpus[i]);
}

/* The one news there is: the answer */
static void expect_answer(s32 status)
{
	struct bh_ctl_event e;
	bool lost;

	assert_true(dynamic_news(&e, &why, &lost));
	assert_int_equal(e.type, BH_CTL_EVENT_ANSWER);
	assert_int_equal(e.tag, TAG);
	assert_int_equal(e.status, status);
	assert_false(dynamic_news(&e, &why, &lost));
}

static void pause_it(void)
{
	assert_int_equal(still_begin(&fake_vm, TAG, &why), 0);
	assert_false(fake_vm.still.stands);
	take(0);
	assert_false(fake_vm.still.stands);
	take(1);
	assert_true(fake_vm.still.stands);
	expect_answer(0);
}

static void test_pauses_and_goes_on(void **state)
{
	for (u32 i = 0; i < 3; i++) {
		pause_it();
		assert_int_equal(changes, 2 * i + 1);
		assert_int_equal(still_begin(&fake_vm, TAG, &why),
				 -BH_CTL_ESTATE);
		assert_int_equal(still_end(&fake_vm, &why), 1);
		assert_int_equal(changes, 2 * i + 2);
		take(0);
		take(1);
		assert_int_equal(fake_vcpus[0].activity, VCPU_RUNNING);
		assert_int_equal(fake_vcpus[1].activity, VCPU_HALTED);
		assert_int_equal(still_end(&fake_vm, &why), -BH_CTL_ESTATE);
	}
}

static void test_refused(void **state)
{
	assert_int_equal(still_begin(&fake_vm, TAG, &why), 0);
	assert_int_equal(still_begin(&fake_vm, 1, &why), -BH_CTL_EBUSY);
	assert_int_equal(still_end(&fake_vm, &why), -BH_CTL_EBUSY);
	assert_non_null(strstr(why.text, "not done yet"));
	/* It is being loaded, or is to be: it would never stand */
	setup(state);
	fake_vm.runs = false;
	assert_int_equal(still_begin(&fake_vm, TAG, &why), -BH_CTL_ESTATE);
	setup(state);
	fake_vm.end = VM_END_RESET;
	assert_int_equal(still_begin(&fake_vm, TAG, &why), -BH_CTL_ESTATE);
	setup(state);
	fake_vm.state = VM_STOPPED;
	assert_int_equal(still_begin(&fake_vm, TAG, &why), -BH_CTL_ESTATE);
	setup(state);
	fake_vm.debug.mode = VM_DEBUG_GOES;
	assert_int_equal(still_begin(&fake_vm, TAG, &why), -BH_CTL_ESTATE);
	assert_int_equal(fake_vm.pauses, 0);
}

static void test_ends_before_it_stands(void **state)
{
	assert_int_equal(still_begin(&fake_vm, TAG, &why), 0);
	take(0);
	fake_vm.end = VM_END_CRASH;
	still_forget(&fake_vm);
	expect_answer(-BH_CTL_ESTATE);
	assert_false(still_wanted(&fake_vm));
	assert_false(fake_vm.pauses & 1);
}

/* In its next life it is not paused */
static void test_ends_while_it_stands(void **state)
{
	pause_it();
	fake_vm.end = VM_END_RESET;
	assert_int_equal(still_end(&fake_vm, &why), -BH_CTL_ESTATE);
	still_forget(&fake_vm);
	assert_false(still_wanted(&fake_vm));
	fake_vm.end = VM_END_NONE;
	fake_vcpus[0].activity = fake_vcpus[1].activity = VCPU_RUNNING;
	take(0);
	take(1);
	assert_int_equal(fake_vcpus[0].activity, VCPU_RUNNING);
	pause_it();
}

int main(void)
{
#define T(name) cmocka_unit_test_setup(name, setup)
	static const struct CMUnitTest tests[] = {
		T(test_pauses_and_goes_on),
		T(test_refused),
		T(test_ends_before_it_stands),
		T(test_ends_while_it_stands),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
