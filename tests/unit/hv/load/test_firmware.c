/* SOURCES: hv/load/firmware.c hv/core/slots.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/* The raw firmware image: what is one, where it lies, what the guest finds */
#include "tests/unit/fakes/files.h"
#include "tests/unit/fakes/loader.h"

#include "hv/core/pc_map.h"
#include "hv/load/staged.h"

#define IMAGE_BYTES KIB(256)
#define ROM_HPA     MIB(32)
#define JUMP        0xe9

static u8 image_bytes[IMAGE_BYTES + 1];
static struct image image = { "bios.bin", image_bytes, IMAGE_BYTES, 0 };

static int setup(void **state)
{
	vm_setup(state);
	for (u32 i = 0; i < sizeof(image_bytes); i++)
		image_bytes[i] = (u8)(i >> 12);
	image.size = IMAGE_BYTES;
	image_bytes[IMAGE_BYTES - 16] = JUMP;
	fake_files[0] = image;
	fake_vm.slots[0].size = MIB(16);
	fake_vm.slots[1] = (struct vm_slot){ PC_ROM_END - IMAGE_BYTES, ROM_HPA,
					     IMAGE_BYTES, true };
	fake_vm.slot_count = 2;
	return 0;
}

static void test_probe(void **state)
{
	static const u8 vectors[][5] = {
		{ 0xea, 0x5b, 0xe0, 0, 0xf0 }, { 0xeb, 0xfe },
		{ 0x90, 0x90, 0xe9, 1, 2 },    { 0x0f, 0x09, 0xe9, 1, 2 },
		{ 0xfa, 0xfc, 0x66, 0xe9, 1 },
	};

	assert_true(firmware_probe(&image));
	for (size_t i = 0; i < ARRAY_SIZE(vectors); i++) {
		memcpy(image_bytes + IMAGE_BYTES - 16, vectors[i], 5);
		assert_true(firmware_probe(&image));
	}
	memset(image_bytes + IMAGE_BYTES - 16, 0x90, 16);
	assert_false(firmware_probe(&image));
	image_bytes[IMAGE_BYTES - 16] = 0xc3;
	assert_false(firmware_probe(&image));
}

static void test_sizes(void **state)
{
	static const u64 bad[] = { 0,           16,      KIB(60),
				   KIB(64) - 1, KIB(66), MIB(16) + KIB(4) };

	struct image rom;

	fake_config.boot = BOOT_WAY_FIRMWARE;
	strcpy(fake_config.firmware, "bios.bin");
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		fake_files[0].size = bad[i];
		assert_false(firmware_probe(&fake_files[0]));
		assert_false(firmware_rom(&fake_vm, &rom));
		assert_int_equal(firmware_load(&fake_vm, &fake_files[0]),
				 -ENOEXEC);
		assert_non_null(strstr(fake_log_last,
				       "guest box: bios.bin is no "
				       "firmware image: its size"));
	}
	fake_files[0].size = KIB(64);
	assert_true(firmware_rom(&fake_vm, &rom));
	assert_int_equal(rom.size, KIB(64));
	fake_files[0].size = MIB(16);
	assert_true(firmware_rom(&fake_vm, &rom));
	assert_int_equal(rom.size, MIB(16));
}

/* Which guests start at a reset vector, and from which file */
static void test_name(void **state)
{
	struct image rom;

	strcpy(fake_config.kernel, "bios.bin");
	for (enum boot_way w = BOOT_WAY_AUTO; w < BOOT_WAY_FIRMWARE; w++) {
		fake_config.boot = w;
		assert_null(firmware_name(&fake_config));
		assert_false(firmware_rom(&fake_vm, &rom));
	}
	fake_config.boot = BOOT_WAY_FIRMWARE;
	assert_string_equal(firmware_name(&fake_config), "bios.bin");
	assert_true(firmware_rom(&fake_vm, &rom));
	assert_int_equal(rom.size, IMAGE_BYTES);
	strcpy(fake_config.firmware, "other.bin");
	assert_string_equal(firmware_name(&fake_config), "other.bin");
	assert_false(firmware_rom(&fake_vm, &rom));
}

static void test_load(void **state)
{
	assert_int_equal(firmware_load(&fake_vm, &image), 0);
	assert_memory_equal(fake_ram + ROM_HPA, image_bytes, IMAGE_BYTES);
	assert_memory_equal(fake_ram + MIB(1) - KIB(128),
			    image_bytes + IMAGE_BYTES - KIB(128), KIB(128));
	assert_int_equal(fake_ram[MIB(1) - KIB(128) - 1], 0xaa);
	assert_int_equal(fake_ram[MIB(1)], 0xaa);
}

/* A small image is in the shadow whole, and nothing below it */
static void test_load_small(void **state)
{
	image.size = KIB(64);
	fake_vm.slots[1].gpa = PC_ROM_END - KIB(64);
	fake_vm.slots[1].size = KIB(64);
	assert_int_equal(firmware_load(&fake_vm, &image), 0);
	assert_memory_equal(fake_ram + MIB(1) - KIB(64), image_bytes, KIB(64));
	assert_int_equal(fake_ram[MIB(1) - KIB(64) - 1], 0xaa);
}

/* A dynamic guest's ROM is the file itself: only the shadow is copied */
static void test_load_staged(void **state)
{
	static struct staged staged;

	fake_vm.staged = &staged;
	fake_vm.slot_count = 1;
	assert_int_equal(firmware_load(&fake_vm, &image), 0);
	assert_memory_equal(fake_ram + MIB(1) - KIB(128),
			    image_bytes + IMAGE_BYTES - KIB(128), KIB(128));
	assert_int_equal(fake_ram[ROM_HPA], 0xaa);
	fake_vm.staged = NULL;
}

static void test_no_rom(void **state)
{
	fake_vm.slot_count = 1;
	assert_int_equal(firmware_load(&fake_vm, &image), -EFAULT);
	assert_non_null(strstr(fake_log_last, "could not be copied"));
}

#define firmware_test(f) cmocka_unit_test_setup_teardown(f, setup, vm_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		firmware_test(test_probe),      firmware_test(test_sizes),
		firmware_test(test_name),       firmware_test(test_load),
		firmware_test(test_load_small), firmware_test(test_load_staged),
		firmware_test(test_no_rom),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
