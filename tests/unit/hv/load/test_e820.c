/* SOURCES: hv/load/e820.c hv/core/slots.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/* The memory map guests are told */
#include "tests/unit/fakes/loader.h"

#include "hv/load/acpi_area.h"

static struct e820_entry map[128];

static void expect(u32 i, u64 base, u64 end, u32 type)
{
	assert_int_equal(map[i].base, base);
	assert_int_equal(map[i].base + map[i].size, end);
	assert_int_equal(map[i].type, type);
}

static void assert_sorted(u32 count)
{
	for (u32 i = 0; i < count; i++) {
		assert_true(map[i].size > 0);
		assert_true(!i ||
			    map[i - 1].base + map[i - 1].size <= map[i].base);
	}
}

static void test_isolated(void **state)
{
	fake_vm.acpi_rsdp = ACPI_AREA_ISOLATED;
	fake_vm.slot_count = 2;
	fake_vm.slots[1] =
		(struct vm_slot){ GIB(4), RAM_BYTES, MIB(16), false };
	assert_int_equal(e820_build(&fake_vm, map, 128), 7);
	assert_sorted(7);
	expect(0, 0, 0x9fc00, E820_RAM);
	expect(1, 0x9fc00, 0xa0000, E820_RESERVED);
	expect(2, 0xe0000, 0xe0000 + ACPI_AREA_BYTES, E820_NVS);
	expect(3, 0xe0000 + ACPI_AREA_BYTES, 0x100000, E820_RESERVED);
	expect(4, 0x100000, RAM_BYTES, E820_RAM);
	expect(5, PC_ECAM_BASE, PC_ECAM_BASE + PC_ECAM_BYTES, E820_RESERVED);
	expect(6, GIB(4), GIB(4) + MIB(16), E820_RAM);
}

/* 8 GiB and a ROM below 4 GiB */
static void test_large(void **state)
{
	fake_vm.acpi_rsdp = ACPI_AREA_ISOLATED;
	fake_vm.slot_count = 4;
	fake_vm.slots[0].size = PC_LOW_RAM_END;
	fake_vm.slots[1] = (struct vm_slot){ GIB(4) - MIB(2), 0, MIB(2), true };
	fake_vm.slots[2] = (struct vm_slot){ GIB(4), 0, GIB(1), false };
	fake_vm.slots[3] = (struct vm_slot){ GIB(5), GIB(9), GIB(5), false };
	assert_int_equal(e820_build(&fake_vm, map, 128), 7);
	assert_sorted(7);
	expect(4, 0x100000, GIB(2), E820_RAM);
	expect(5, PC_ECAM_BASE, PC_ECAM_BASE + PC_ECAM_BYTES, E820_RESERVED);
	expect(6, GIB(4), GIB(10), E820_RAM);
}

static void test_isolated_slots_join(void **state)
{
	fake_vm.slot_count = 2;
	fake_vm.slots[0].size = MIB(4);
	fake_vm.slots[1] = (struct vm_slot){ MIB(4), MIB(32), MIB(4), false };
	assert_int_equal(e820_build(&fake_vm, map, 128), 5);
	expect(3, 0x100000, MIB(8), E820_RAM);
}

static void test_privileged(void **state)
{
	vm_make_privileged();
	fake_vm.acpi_rsdp = MIB(56) - ACPI_AREA_BYTES;
	assert_int_equal(e820_build(&fake_vm, map, 128), 9);
	assert_sorted(9);
	expect(0, 0x1000, 0xa0000, E820_RAM);
	expect(1, MIB(1), MIB(32), E820_RAM);
	expect(2, MIB(32), MIB(36), E820_RESERVED);
	expect(3, MIB(36), MIB(56) - ACPI_AREA_BYTES, E820_RAM);
	/* Its own tables, with the FACS, and the firmware's */
	expect(4, MIB(56) - ACPI_AREA_BYTES, MIB(56), E820_NVS);
	expect(5, MIB(56), MIB(57), E820_ACPI);
	expect(6, MIB(57), MIB(58), E820_NVS);
	expect(7, MIB(58), MIB(59), E820_RESERVED);
	expect(8, MIB(59), MIB(64), E820_RAM);
}

static void test_others_are_reserved(void **state)
{
	fake_vm.privileged = true;
	fake_vm.slot_count = 0;
	fake_vm.id = 1;
	own(0, MIB(1), OWNER_FREE, BOOT_MEM_CONVENTIONAL);
	own(MIB(1), MIB(1), OWNER_GUEST, BOOT_MEM_CONVENTIONAL);
	own(MIB(2), MIB(1), OWNER_UNUSABLE, BOOT_MEM_UNUSABLE);
	own(MIB(3), MIB(1), OWNER_DEVICE, BOOT_MEM_MMIO);
	assert_int_equal(e820_build(&fake_vm, map, 128), 3);
	expect(0, 0, MIB(2), E820_RESERVED); /* free, and guest 0's */
	expect(1, MIB(2), MIB(3), E820_UNUSABLE);
	expect(2, MIB(3), MIB(4), E820_RESERVED);
}

/* As many entries as there are pieces, and types that only drivers use */
static void test_whole_map(void **state)
{
	struct e820_map whole;

	vm_make_privileged();
	fake_vm.acpi_rsdp = MIB(2);
	for (u64 i = 0; i < 300; i++) {
		fake_owner_add(GIB(1) + MIB(4) * i, MIB(3), OWNER_GUEST,
			       BOOT_MEM_CONVENTIONAL);
		fake_owner_add(GIB(1) + MIB(4) * i + MIB(3), PAGE_SIZE,
			       OWNER_FIRMWARE, BOOT_MEM_RESERVED);
	}
	fake_owner_add(GIB(8), GIB(1), OWNER_FIRMWARE, BOOT_MEM_SPECIAL);
	fake_owner_add(GIB(16), GIB(1), OWNER_FIRMWARE, BOOT_MEM_PERSISTENT);
	assert_int_equal(e820_make(&fake_vm, &whole), 0);
	assert_int_equal(whole.count, 10 + 600 + 2);
	assert_true(whole.count <= e820_max(&fake_vm));
	for (u32 i = 1; i < whole.count; i++)
		assert_true(whole.entries[i - 1].base +
				    whole.entries[i - 1].size <=
			    whole.entries[i].base);
	assert_int_equal(whole.entries[610].type, E820_SOFT_RESERVED);
	assert_int_equal(whole.entries[611].type, E820_PERSISTENT);
	e820_free(&fake_vm, &whole);
	assert_int_equal(fake_log_warnings, 0);
	fake_pool_left = 0;
	assert_int_equal(e820_make(&fake_vm, &whole), -ENOMEM);
}

static void test_too_many(void **state)
{
	fake_vm.acpi_rsdp = ACPI_AREA_ISOLATED;
	assert_int_equal(e820_build(&fake_vm, map, 3), 3);
	assert_non_null(strstr(fake_log_last, "more than 3 entries"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		vm_test(test_isolated),
		vm_test(test_large),
		vm_test(test_isolated_slots_join),
		vm_test(test_privileged),
		vm_test(test_others_are_reserved),
		vm_test(test_whole_map),
		vm_test(test_too_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
