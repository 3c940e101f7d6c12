/* SOURCES: hv/vm/devices.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/* The walks of the device table: who is made, in which order what was made is
 * reset and destroyed. Every device is a fake that writes down what it is asked
 * for; those with no instance are not asked again. */
#include "tests/unit/fakes/vdev.h"

#include "hv/vm/devices.h"

enum call { CREATE, DESTROY, RESET };

static struct {
	enum call call;
	enum vdev_id id;
} calls[3 * VDEV_COUNT];
static u32 call_count;
static enum vdev_id failing;
static bool fails_late; /* its instance is there already */
static u32 goes_on;     /* so many calls of VDEV_entropy's are not its last */

/* None of these has a state, nor a destroy() */
static bool has_instance(enum vdev_id id)
{
	return id != VDEV_vpower && id != VDEV_debug_exit &&
	       id != VDEV_serial_hide;
}

static void note(struct vm *vm, enum call call, enum vdev_id id)
{
	assert_ptr_equal(vm, &fake_vm);
	assert_true(call_count < ARRAY_SIZE(calls));
	calls[call_count].call = call;
	calls[call_count++].id = id;
}

static int fake_create(struct vm *vm, enum vdev_id id)
{
	if (id == VDEV_entropy && goes_on) {
		goes_on--;
		return VM_GOES_ON;
	}
	note(vm, CREATE, id);
	assert_null(vm->devices[id]);
	if (has_instance(id) && (id != failing || fails_late))
		vm->devices[id] = &calls;
	return id == failing ? -ENOMEM : 0;
}

static void fake_destroy(struct vm *vm, enum vdev_id id)
{
	assert_non_null(vm->devices[id]);
	note(vm, DESTROY, id);
}

/* clang-format off */
#define FAKE(n, guests) \
	static int n##_create(struct vm *vm) \
	{ return fake_create(vm, VDEV_##n); } \
	static void n##_destroy(struct vm *vm) \
	{ fake_destroy(vm, VDEV_##n); } \
	static void n##_reset(struct vm *vm) \
	{ note(vm, RESET, VDEV_##n); } \
	const struct vdev n##_vdev = { \
		.name = #n, .create = n##_create, .destroy = n##_destroy, \
		.reset = VDEV_##n == VDEV_passthrough ? NULL : n##_reset, \
	};
VDEV_ROWS(FAKE)
/* clang-format on */

#define GUESTS(n, guests) VDEV_##guests,
static const enum vdev_guests guests_of[] = { VDEV_ROWS(GUESTS) };

static void begin(bool privileged)
{
	fake_vm_init(1);
	fake_vm.privileged = privileged;
	call_count = 0;
	failing = VDEV_COUNT;
	fails_late = false;
	goes_on = 0;
	fake_log_reset();
}

static bool for_guest(u32 id)
{
	return guests_of[id] &
	       (fake_vm.privileged ? VDEV_PRIVILEGED : VDEV_ISOLATED);
}

/* The next calls are @call of each in [0, @end) that is @made, in order */
static u32 expect_forward(u32 at, enum call call, u32 end, bool made)
{
	for (u32 id = 0; id < end; id++) {
		if (!for_guest(id) || (made && !has_instance(id)) ||
		    (call == RESET && id == VDEV_passthrough))
			continue;
		assert_int_equal(calls[at].call, call);
		assert_int_equal(calls[at++].id, id);
	}
	return at;
}

static u32 expect_destroyed(u32 at, u32 end)
{
	for (u32 id = end; id-- > 0;) {
		if (!for_guest(id) || !has_instance(id))
			continue;
		assert_int_equal(calls[at].call, DESTROY);
		assert_int_equal(calls[at++].id, id);
	}
	return at;
}

/* One a call, whether or not a guest of its kind has it */
static int create_all(void)
{
	u32 done = 0, before = call_count, at;
	int err = VM_GOES_ON;

	for (u32 i = 0; err > 0; i++) {
		at = call_count;
		err = devices_create(&fake_vm, &done);
		assert_in_range(call_count - at, 0, 1);
		assert_true(err < 0 || done == i + 1);
	}
	assert_true(err < 0 || done == VDEV_COUNT);
	assert_true(call_count > before);
	return err;
}

static void life(bool privileged)
{
	u32 at;

	begin(privileged);
	assert_int_equal(create_all(), 0);
	at = expect_forward(0, CREATE, VDEV_COUNT, false);
	devices_reset(&fake_vm);
	at = expect_forward(at, RESET, VDEV_COUNT, true);
	devices_destroy(&fake_vm);
	at = expect_destroyed(at, VDEV_COUNT);
	devices_destroy(&fake_vm);
	devices_reset(&fake_vm);
	assert_int_equal(call_count, at);
	assert_int_equal(fake_log_lines, 0);
}

static void test_isolated(void **state)
{
	life(false);
}

static void test_privileged(void **state)
{
	life(true);
}

/* Each device fails once: none after it is made, and those before it go, the
 * last first. Itself only if it has left something behind. */
static void fail_at(u32 id, bool late)
{
	u32 at;

	failing = id;
	fails_late = late && has_instance(id);
	assert_int_equal(create_all(), -ENOMEM);
	assert_int_equal(fake_log_lines, 1);
	at = expect_forward(0, CREATE, id + 1, false);
	devices_destroy(&fake_vm);
	at = expect_destroyed(at, fails_late ? id + 1 : id);
	assert_int_equal(call_count, at);
	for (u32 i = 0; i < VDEV_COUNT; i++)
		assert_null(fake_vm.devices[i]);
}

static void test_failures(void **state)
{
	for (u32 i = 0; i < 4 * VDEV_COUNT; i++) {
		begin(i & 1);
		if (for_guest(i / 4))
			fail_at(i / 4, i & 2);
	}
}

/* One that is made in steps is asked until it is done, and then the next */
static void test_in_steps(void **state)
{
	u32 done = 0, steps = 1;

	begin(false);
	goes_on = 3;
	while (devices_create(&fake_vm, &done) == VM_GOES_ON)
		steps++;
	assert_int_equal(done, VDEV_COUNT);
	assert_int_equal(steps, VDEV_COUNT + 3);
	expect_forward(0, CREATE, VDEV_COUNT, false);
	assert_int_equal(fake_log_lines, 0);
	devices_destroy(&fake_vm);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_isolated),
		cmocka_unit_test(test_privileged),
		cmocka_unit_test(test_failures),
		cmocka_unit_test(test_in_steps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
