/* SOURCES: hv/core/slots.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/* A guest's slots: which one an address is in, and how much RAM they are */
#include "hv/core/slots.h"
#include "tests/unit/test.h"

/* RAM, a hole, RAM and ROM side by side, and RAM above 4 GiB */
static struct vm vm = {
	.slots = { { .gpa = 0, .hpa = MIB(512), .size = MIB(16) },
		   { .gpa = MIB(32), .hpa = MIB(64), .size = MIB(8) },
		   { .gpa = MIB(40), .hpa = 0, .size = MIB(2), .rom = true },
		   { .gpa = GIB(4), .hpa = GIB(1), .size = GIB(1) } },
	.slot_count = 4,
};

static void test_at_edges(void **state)
{
	for (u32 i = 0; i < vm.slot_count; i++) {
		const struct vm_slot *s = &vm.slots[i];

		assert_ptr_equal(vm_slot_at(&vm, GPA(s->gpa)), s);
		assert_ptr_equal(vm_slot_at(&vm, GPA(s->gpa + s->size - 1)), s);
	}
	assert_null(vm_slot_at(&vm, GPA(MIB(16))));
	assert_null(vm_slot_at(&vm, GPA(MIB(32) - 1)));
	assert_null(vm_slot_at(&vm, GPA(MIB(42))));
	assert_null(vm_slot_at(&vm, GPA(GIB(5))));
	assert_null(vm_slot_at(&vm, GPA(~0ull)));
}

static void test_translate(void **state)
{
	hpa_t hpa;
	u64 left;

	assert_true(vm_translate(&vm, GPA(MIB(33) + 5), &hpa, &left));
	assert_int_equal(hpa.v, MIB(65) + 5);
	assert_int_equal(left, MIB(7) - 5);
	assert_false(vm_translate(&vm, GPA(MIB(40)), &hpa, &left));
	assert_false(vm_translate(&vm, GPA(MIB(20)), &hpa, &left));
}

static void test_none(void **state)
{
	static const struct vm empty;

	assert_null(vm_slot_at(&empty, GPA(0)));
	assert_int_equal(vm_ram_between(&empty, 0, ~0ull), 0);
	assert_int_equal(vm_ram_end(&empty, ~0ull), 0);
}

static void test_sums(void **state)
{
	assert_int_equal(vm_ram_between(&vm, 0, ~0ull), GIB(1) + MIB(24));
	assert_int_equal(vm_ram_between(&vm, MIB(1), MIB(33)), MIB(16));
	assert_int_equal(vm_ram_between(&vm, MIB(40), GIB(4)), 0);
	assert_int_equal(vm_ram_end(&vm, 1), MIB(16));
	assert_int_equal(vm_ram_end(&vm, GIB(4)), MIB(40));
	assert_int_equal(vm_ram_end(&vm, ~0ull), GIB(5));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_at_edges),
		cmocka_unit_test(test_translate),
		cmocka_unit_test(test_none),
		cmocka_unit_test(test_sums),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
