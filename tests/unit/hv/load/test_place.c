/* SOURCES: hv/load/place.c hv/core/slots.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/* Where the parts of an image go */
#include "tests/unit/fakes/loader.h"

#include "hv/load/acpi_area.h"
#include "hv/load/place.h"

static const struct place_range everywhere = { 0, GIB(4) };

static void test_low_and_high(void **state)
{
	struct place p;
	u64 gpa;

	place_init(&p, &fake_vm);
	assert_int_equal(place_low(&p, 0x1800, 0x1000, &everywhere, &gpa), 0);
	assert_int_equal(gpa, MIB(1));
	assert_int_equal(place_low(&p, 0x1000, 0x1000, &everywhere, &gpa), 0);
	assert_int_equal(gpa, MIB(1) + 0x2000);
	assert_int_equal(place_high(&p, 0x1000, 0x1000, &everywhere, &gpa), 0);
	assert_int_equal(gpa, RAM_BYTES - 0x1000);
	assert_int_equal(place_high(&p, 0x1000, MIB(2), &everywhere, &gpa), 0);
	assert_int_equal(gpa, RAM_BYTES - MIB(2));
	assert_int_equal(place_high(&p, MIB(64), 1, &everywhere, &gpa),
			 -ENOMEM);
	assert_int_equal(place_low(&p, RAM_BYTES * 2, 1, &everywhere, &gpa),
			 -ENOMEM);
}

static void test_bounds(void **state)
{
	const struct place_range within = { MIB(8), MIB(2) };
	struct place p;
	u64 gpa;

	place_init(&p, &fake_vm);
	assert_int_equal(place_high(&p, MIB(1), 4096, &within, &gpa), 0);
	assert_int_equal(gpa, MIB(9));
	assert_int_equal(place_low(&p, MIB(1), 4096, &within, &gpa), 0);
	assert_int_equal(gpa, MIB(8));
	assert_int_equal(place_low(&p, 1, 1, &within, &gpa), -ENOMEM);
	assert_int_equal(place_high(&p, 1, 1, &within, &gpa), -ENOMEM);
}

static void test_at(void **state)
{
	struct place p;

	place_init(&p, &fake_vm);
	assert_int_equal(place_at(&p, 0x8000, 16), -EBUSY);
	assert_int_equal(place_at(&p, MIB(2), MIB(1)), 0);
	assert_int_equal(place_at(&p, MIB(3) - 1, 2), -EBUSY);
	assert_int_equal(place_at(&p, MIB(3), 2), 0);
	assert_int_equal(place_at(&p, RAM_BYTES - 1, 2), -EFAULT);
	assert_int_equal(place_at(&p, GIB(3), 2), -EFAULT);
	assert_int_equal(place_at(&p, MIB(4), ~0ull), -EFAULT);
}

static void test_full(void **state)
{
	struct place p;
	int err = 0;

	place_init(&p, &fake_vm);
	for (u64 i = 0; i < PLACE_MAX && !err; i++)
		err = place_at(&p, MIB(1) + i * 16, 16);
	assert_int_equal(err, -ENOSPC);
}

/* Adjacent slots are one piece of memory to a guest */
static void test_runs(void **state)
{
	struct place p;

	fake_vm.slot_count = 3;
	fake_vm.slots[0] = (struct vm_slot){ 0, 0, MIB(2), false };
	fake_vm.slots[1] = (struct vm_slot){ MIB(2), MIB(8), MIB(2), false };
	fake_vm.slots[2] = (struct vm_slot){ MIB(6), MIB(12), MIB(2), false };
	place_init(&p, &fake_vm);
	assert_int_equal(place_at(&p, MIB(1), MIB(3)), 0);
	assert_int_equal(place_at(&p, MIB(4), 1), -EFAULT);
	assert_int_equal(place_at(&p, MIB(6), MIB(2)), 0);
}

/* The firmware's memory is mapped for the privileged guest, and not its own */
static void test_privileged(void **state)
{
	struct place p;
	u64 gpa;

	vm_make_privileged();
	fake_vm.slots[fake_vm.slot_count++] =
		(struct vm_slot){ MIB(56), MIB(56), MIB(3), false };
	place_init(&p, &fake_vm);
	assert_int_equal(place_at(&p, MIB(56), 16), -EFAULT);
	assert_int_equal(place_at(&p, MIB(33), 16), -EFAULT);
	assert_int_equal(place_at(&p, MIB(30), MIB(4)), -EFAULT);
	assert_int_equal(place_high(&p, MIB(6), 4096, &everywhere, &gpa), 0);
	assert_int_equal(gpa, MIB(50));
}

static void test_acpi_area_is_taken(void **state)
{
	struct place p;
	u64 gpa;

	fake_vm.acpi_rsdp = RAM_BYTES - ACPI_AREA_BYTES;
	place_init(&p, &fake_vm);
	assert_int_equal(place_high(&p, 4096, 4096, &everywhere, &gpa), 0);
	assert_int_equal(gpa, fake_vm.acpi_rsdp - 4096);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		vm_test(test_low_and_high),
		vm_test(test_bounds),
		vm_test(test_at),
		vm_test(test_full),
		vm_test(test_runs),
		vm_test(test_privileged),
		vm_test(test_acpi_area_is_taken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
