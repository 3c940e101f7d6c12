/* SOURCES: hv/load/fill.c hv/core/slots.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/* A guest's memory is filled in pieces: what was noted is written whole and in
 * order, no call takes long, and what is no memory of the guest is refused
 * before a byte is written. */
#include "tests/unit/fakes/loader.h"

#include "arch/x86/machine/tsc.h"
#include "hv/core/piece.h"
#include "hv/load/fill.h"
#include "tests/unit/fakes/panic.h"

#define BIG_BYTES MIB(8)

static u8 big[BIG_BYTES];

static int setup(void **state)
{
	vm_setup(state);
	memset(big, 0x5a, sizeof(big));
	assert_int_equal(fill_begin(&fake_vm), 0);
	return 0;
}

static int teardown(void **state)
{
	fill_end(&fake_vm);
	return vm_teardown(state);
}

/* Steps until all is written */
static u32 fill(void)
{
	u32 steps = 1;

	while (!fill_step(&fake_vm))
		steps++;
	return steps;
}

static void test_writes_what_was_noted(void **state)
{
	assert_int_equal(fill_copy(&fake_vm, MIB(1) + 5, "abcdef", 6), 0);
	assert_int_equal(fill_zero(&fake_vm, MIB(2) - 3, 5), 0);
	assert_int_equal(fill_copy(&fake_vm, MIB(4), big, 0), 0);
	assert_int_equal(fake_ram[MIB(1) + 5], 0xaa); /* not yet */
	fill();
	assert_memory_equal(fake_ram + MIB(1) + 4,
			    "\xaa"
			    "abcdef\xaa",
			    8);
	assert_memory_equal(fake_ram + MIB(2) - 4, "\xaa\0\0\0\0\0\xaa", 7);
	assert_int_equal(fake_ram[MIB(4)], 0xaa);
}

/* Much more than fits one piece */
static void test_in_pieces(void **state)
{
	u32 steps;

	assert_int_equal(fill_copy(&fake_vm, MIB(8) + 1, big, BIG_BYTES), 0);
	assert_int_equal(fill_zero(&fake_vm, MIB(1), MIB(4)), 0);
	steps = fill();
	assert_true(steps > 1);
	assert_memory_equal(fake_ram + MIB(8) + 1, big, BIG_BYTES);
	assert_int_equal(fake_ram[MIB(8)], 0xaa);
	assert_int_equal(fake_ram[MIB(8) + 1 + BIG_BYTES], 0xaa);
	for (u64 i = 0; i < MIB(4); i++)
		assert_int_equal(fake_ram[MIB(1) + i], 0);
}

static void test_refuses(void **state)
{
	fake_vm.slots[0].size = MIB(16);
	fake_vm.slots[1] = (struct vm_slot){ MIB(16), MIB(16), MIB(1), true };
	fake_vm.slots[2] = (struct vm_slot){ MIB(32), MIB(32), MIB(1), false };
	fake_vm.slot_count = 3;
	assert_int_equal(fill_copy(&fake_vm, MIB(16) - 1, "ab", 2), -EFAULT);
	assert_int_equal(fill_zero(&fake_vm, MIB(33) - 1, 2), -EFAULT);
	assert_int_equal(fill_zero(&fake_vm, MIB(64), 1), -EFAULT);
	assert_int_equal(fill_zero(&fake_vm, ~0ull, 2), -EFAULT);
	assert_int_equal(fill_copy_rom(&fake_vm, MIB(17), "a", 1), -EFAULT);
	assert_int_equal(fill_copy_rom(&fake_vm, MIB(16), "ab", 2), 0);
	fill();
	assert_memory_equal(fake_ram + MIB(16), "ab", 2);
	assert_int_equal(fake_ram[MIB(16) - 1], 0xaa);
}

static void test_too_many(void **state)
{
	int err = 0;
	u32 n = 0;

	for (; !err && n < 1000; n++)
		err = fill_zero(&fake_vm, n, 1);
	assert_int_equal(err, -ENOSPC);
	fill();
	assert_int_equal(fake_ram[n - 2], 0);
	assert_int_equal(fake_ram[n - 1], 0xaa);
}

/* A load that is given up, and the next one */
static void test_again(void **state)
{
	assert_int_equal(fill_copy(&fake_vm, 0, "old", 3), 0);
	assert_int_equal(fill_begin(&fake_vm), 0);
	assert_int_equal(fake_pool_live, 1);
	fill();
	assert_int_equal(fake_ram[0], 0xaa);
	fake_pool_left = 0;
	assert_int_equal(fill_begin(&fake_vm), -ENOMEM);
	assert_int_equal(fake_pool_live, 0);
}

#define test(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(test_writes_what_was_noted),
		test(test_in_pieces),
		test(test_refuses),
		test(test_too_many),
		test(test_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
