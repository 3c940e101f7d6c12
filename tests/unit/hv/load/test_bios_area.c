/* SOURCES: hv/load/bios_area.c hv/load/bios_code.asm hv/load/e820.c hv/core/slots.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/* What a BIOS leaves in RAM: the data areas as E820 has them, and vectors that
 * lead to code. What the code does: tests/guest/modes.c. */
#include "tests/unit/fakes/loader.h"

#include "hv/core/pc_map.h"
#include "hv/load/platform.h"
#include "include/hw/bios_data.h"

#define CODE_IRET 0xcf

static const struct bios_data *data(void)
{
	return (const void *)fake_ram_at(BIOS_DATA_BASE,
					 sizeof(struct bios_data));
}

static const struct bios_vector *vector(u32 n)
{
	return (const void *)fake_ram_at(BIOS_VECTORS_BASE +
						 n * sizeof(struct bios_vector),
					 sizeof(struct bios_vector));
}

static u64 linear(const struct bios_vector *v)
{
	return v->segment * 16ull + v->offset;
}

static void test_data_agrees_with_e820(void **state)
{
	struct e820_entry map[8];

	assert_int_equal(bios_area_write(&fake_vm), 0);
	assert_true(e820_build(&fake_vm, map, ARRAY_SIZE(map)) > 2);
	assert_int_equal(map[0].base, 0);
	assert_int_equal(map[0].type, E820_RAM);
	assert_int_equal(data()->memory_kib * KIB(1), map[0].size);
	assert_int_equal(map[1].type, E820_RESERVED);
	assert_int_equal(data()->ebda_segment * 16u, map[1].base);
	/* The extended area begins with its size in KiB */
	assert_int_equal(*fake_ram_at(map[1].base, 1) * KIB(1), map[1].size);
}

static void test_data(void **state)
{
	const struct bios_data *d;

	assert_int_equal(bios_area_write(&fake_vm), 0);
	d = data();
	assert_int_equal(d->com[0], 0x3f8);
	assert_int_equal(d->com[1] | d->com[2] | d->com[3], 0);
	assert_int_equal(d->lpt[0], 0);
	assert_int_equal(d->equipment >> 9 & 7, 1); /* serial ports */
	assert_int_equal(d->equipment >> 14, 0);    /* parallel ones */
	/* An empty ring of 16 words */
	assert_int_equal(d->kbd_head, 0x1e);
	assert_int_equal(d->kbd_tail, 0x1e);
	assert_int_equal(d->kbd_start, 0x1e);
	assert_int_equal(d->kbd_end, 0x3e);
	assert_int_equal(d->ticks, 0);
	assert_int_equal(d->disks[1], 0);
}

static void test_vectors_lead_to_code(void **state)
{
	bool iret = false;

	assert_int_equal(bios_area_write(&fake_vm), 0);
	for (u32 i = 0; i < BIOS_VECTOR_COUNT; i++) {
		assert_int_equal(vector(i)->segment, BIOS_SEGMENT);
		assert_in_range(linear(vector(i)), PC_BIOS_CODE,
				BIOS_SEGMENT_BASE + BIOS_RESET - 1);
		assert_int_not_equal(*fake_ram_at(linear(vector(i)), 1), 0);
	}
	/* The code has room to spare up to the reset vector */
	for (u64 at = PC_BIOS_CODE; at < BIOS_SEGMENT_BASE + BIOS_RESET; at++)
		iret = iret || *fake_ram_at(at, 1) == CODE_IRET;
	assert_true(iret);
	assert_int_equal(*fake_ram_at(BIOS_SEGMENT_BASE + BIOS_RESET - 1, 1),
			 0);
}

static void test_kinds_of_vectors(void **state)
{
	assert_int_equal(bios_area_write(&fake_vm), 0);
	/* Nothing to do: the code is one IRET */
	assert_int_equal(*fake_ram_at(linear(vector(0x1c)), 1), CODE_IRET);
	assert_int_equal(*fake_ram_at(linear(vector(0)), 1), CODE_IRET);
	assert_true(linear(vector(0x10)) == linear(vector(0x15)));
	assert_true(linear(vector(0x10)) == linear(vector(0xff)));
	assert_true(linear(vector(0x0d)) != linear(vector(0x75)));
	assert_true(linear(vector(8)) != linear(vector(9)));
	assert_true(linear(vector(0x11)) != linear(vector(0x12)));
}

static void test_reset_vector(void **state)
{
	const struct bios_reset *r;

	assert_int_equal(bios_area_write(&fake_vm), 0);
	r = (const void *)fake_ram_at(0xffff0, sizeof(*r));
	assert_int_equal(r->jump, 0xea);
	assert_true(linear(&r->start) == PC_BIOS_CODE);
	assert_true(linear(vector(0x19)) == PC_BIOS_CODE);
	assert_memory_equal(fake_ram_at(0xffff5, 8), "01/01/26", 8);
	assert_int_equal(*fake_ram_at(0xffffe, 1), 0xfc);
}

static void test_no_ram(void **state)
{
	fake_vm.slots[0].size = PC_BIOS_AREA;
	assert_int_equal(bios_area_write(&fake_vm), -EFAULT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		vm_test(test_data_agrees_with_e820),
		vm_test(test_data),
		vm_test(test_vectors_lead_to_code),
		vm_test(test_kinds_of_vectors),
		vm_test(test_reset_vector),
		vm_test(test_no_ram),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
