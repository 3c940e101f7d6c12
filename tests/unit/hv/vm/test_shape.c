/* SOURCES: hv/vm/shape.c hv/core/slots.c hv/manifest/lookup.c hv/manifest/keys.c hv/manifest/values.c hv/manifest/values_serial.c hv/manifest/values_device.c lib/string.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What of a dynamic guest's memory is RAM: slots and table for any files and
 * any ranges, one start after the other, and those that were cut short.
 */
#include "hv/vm/shape.h"

#include "hv/core/pc_map.h"
#include "hv/core/slots.h"
#include "hv/core/vcpu.h"
#include "hv/load/load.h"
#include "hv/vm/dynamic_priv.h"
#include "lib/errno.h"
#include "tests/unit/fakes/log.h"
#include "tests/unit/fakes/vm.h"

#define UNITS     (GIB(6) / PAGE_2M)
#define ROM_BASE  (PC_ROM_END - PC_FIRMWARE_MAX)
#define ROM_PAGES (PC_FIRMWARE_MAX / PAGE_SIZE)

u32 vm_npt_max_level = 3;

static struct guest_config config;
static struct dynamic d;
static u64 table[UNITS];      /* what RAM is mapped to, and 1 */
static u64 rom[ROM_PAGES];    /* the same of a page of ROM */
static u64 moved;             /* bytes in a step */
static u64 cleared;           /* the same, of no ROM */
static u64 rom_done;          /* bytes of ROM in a step */
static struct image firmware; /* size 0: none */
static u32 fail_in;           /* calls until there is no memory; 0: never */

static int may_fail(void)
{
	assert_int_not_equal(fake_vm.npt_lock.next, fake_vm.npt_lock.owner);
	return fail_in && !--fail_in ? -ENOMEM : 0;
}

static u64 *entry_at(u64 addr, u64 *step)
{
	bool is_rom = addr >= ROM_BASE && addr < PC_ROM_END;

	*step = is_rom ? PAGE_SIZE : PAGE_2M;
	assert_true(IS_ALIGNED(addr, *step));
	return is_rom ? &rom[(addr - ROM_BASE) / PAGE_SIZE]
		      : &table[addr / PAGE_2M];
}

int pt_map(struct page_table *pt, u64 addr, hpa_t hpa, u64 size, u32 attrs)
{
	bool is_rom = addr >= ROM_BASE && addr < PC_ROM_END;
	int err = may_fail();
	u64 step;

	if (err)
		return err;
	assert_int_equal(attrs, is_rom ? PT_R | PT_X : PT_R | PT_W | PT_X);
	moved += size;
	rom_done += is_rom ? size : 0;
	for (u64 end = addr + size; addr < end; addr += step, hpa.v += step) {
		u64 *e = entry_at(addr, &step);

		assert_int_equal(*e, 0); /* -EEXIST */
		*e = hpa.v | 1;
	}
	return 0;
}

int pt_unmap(struct page_table *pt, u64 addr, u64 size)
{
	int err = may_fail();
	u64 step;

	if (addr < ROM_BASE || addr >= PC_ROM_END)
		cleared += size;
	else
		rom_done += size;
	for (u64 end = addr + size; addr < end && !err; addr += step)
		*entry_at(addr, &step) = 0;
	return err;
}

bool staged_stays(const struct guest_config *c, const char *name)
{
	return name[0] == 's' || firmware.size;
}

const char *firmware_name(const struct guest_config *c)
{
	return c->firmware[0] ? c->firmware : NULL;
}

bool firmware_rom(const struct vm *vm, struct image *out)
{
	*out = firmware;
	return firmware.size;
}

u32 dynamic_ranges(const struct vm *vm, const struct bh_ctl_range **ranges)
{
	*ranges = d.ranges;
	return d.range_count;
}

/* @count ranges of @size each, the later ones below the earlier */
static void begin(u32 count, u64 size)
{
	fake_vm_init(2);
	memset(&d, 0, sizeof(d));
	memset(&config, 0, sizeof(config));
	memset(table, 0, sizeof(table));
	memset(rom, 0, sizeof(rom));
	firmware = (struct image){ .size = 0 };
	fail_in = 0;
	for (u32 i = 0; i < count; i++)
		d.ranges[i] = (struct bh_ctl_range){
			.base = GIB(100) - i * 2 * size,
			.size = size,
		};
	d.range_count = count;
	fake_vm.dynamic = &d;
	fake_vm.config = &config;
	strcpy(config.kernel, "stays");
	strcpy(config.firmware, "firmware");
	fake_vm.slot_max = shape_slots(&config, count);
	shape_plain(&fake_vm);
	for (u32 i = 0; i < fake_vm.slot_count; i++) {
		const struct vm_slot *s = &fake_vm.slots[i];

		for (u64 at = 0; at < s->size; at += PAGE_2M)
			table[(s->gpa + at) / PAGE_2M] = (s->hpa + at) | 1;
	}
}

static int start(u64 ram_end, u64 rom_at, u64 rom_bytes)
{
	/* Where pages are split each 2 MiB may be 512 leaves */
	u64 most = fake_vm.npt.split_exec ? MIB(16) : GIB(1);
	int err;

	firmware = (struct image){ .hpa = rom_at, .size = rom_bytes };
	d.staged.ram_end = ram_end;
	shape_begin(&fake_vm);
	do {
		moved = cleared = rom_done = 0;
		err = shape_step(&fake_vm);
		assert_in_range(rom_done, 0, PAGE_2M);
		assert_in_range(moved, 0, most);
		assert_in_range(cleared, 0, most);
	} while (err == VM_GOES_ON);
	return err;
}

/* Where the byte of its memory is, by the ranges */
static u64 home_of(u64 gpa)
{
	u64 offset = gpa < GIB(2) ? gpa : gpa - GIB(2);
	u32 i = 0;

	for (; offset >= d.ranges[i].size; i++)
		offset -= d.ranges[i].size;
	return d.ranges[i].base + offset;
}

static u64 bytes(void)
{
	u64 sum = 0;

	for (u32 i = 0; i < d.range_count; i++)
		sum += d.ranges[i].size;
	return sum;
}

/* Table, slots and what is held agree, for every unit */
static void check(u64 ram_end)
{
	u64 all = bytes(), left;
	hpa_t hpa;

	assert_int_equal(vm_held_bytes(&fake_vm), all);
	assert_true(fake_vm.slot_count + fake_vm.kept_count <=
		    fake_vm.slot_max);
	for (u64 at = 0; at < all; at += PAGE_2M) {
		u64 gpa = staged_gpa(at);
		bool ram = gpa < ram_end;

		assert_int_equal(table[gpa / PAGE_2M],
				 ram ? home_of(gpa) | 1 : 0);
		assert_int_equal(vm_translate(&fake_vm, GPA(gpa), &hpa, &left),
				 ram);
		assert_true(vm_held(&fake_vm, GPA(gpa), &hpa, &left));
		assert_int_equal(hpa.v, home_of(gpa));
		assert_int_equal(vm_keeps(&fake_vm, GPA(gpa)), !ram);
	}
	for (u64 i = 0; i < ROM_PAGES; i++) {
		u64 gpa = ROM_BASE + i * PAGE_SIZE;
		u64 below = PC_ROM_END - gpa;
		bool is_rom = below <= firmware.size;
		const struct vm_slot *s = vm_slot_at(&fake_vm, GPA(gpa));
		u64 at = is_rom ? home_of(firmware.hpa + firmware.size - below)
				: 0;

		assert_int_equal(rom[i], is_rom ? at | 1 : 0);
		assert_int_equal(s != NULL, is_rom);
		if (s)
			assert_true(s->rom && s->hpa + (gpa - s->gpa) == at);
	}
	assert_int_equal(table[GIB(2) / PAGE_2M], 0);
}

static void test_plain(void **state)
{
	begin(2, MIB(16));
	check(STAGED_ALL_RAM);
	assert_int_equal(fake_vm.slot_count, 2);
	assert_int_equal(start(STAGED_ALL_RAM, 0, 0), 0);
	check(STAGED_ALL_RAM);
	/* Nothing changed, so no TLB has to forget */
	assert_int_equal(fake_vcpus[0].events, 0);
	begin(1, GIB(3));
	assert_int_equal(fake_vm.slot_count, 2);
	check(STAGED_ALL_RAM);
}

static void test_firmware(void **state)
{
	begin(1, MIB(32));
	fake_vcpus[1].slot_hint = 3;
	fake_vcpus[1].code.page = 5;
	assert_int_equal(start(MIB(28), MIB(30), MIB(2)), 0);
	check(MIB(28));
	assert_int_equal(fake_vm.slot_count, 2);
	assert_int_equal(fake_vm.kept_count, 1);
	assert_int_equal(fake_vcpus[0].events, VE_FLUSH);
	assert_int_equal(fake_vcpus[1].events, VE_FLUSH);
	assert_int_equal(fake_vcpus[1].slot_hint, 0);
	assert_int_equal(fake_vcpus[1].code.page, ~0ull);
	/* Its next starts: others, the same, none */
	assert_int_equal(start(MIB(30), MIB(32) - KIB(64), KIB(64)), 0);
	check(MIB(30));
	assert_int_equal(start(MIB(30), MIB(32) - KIB(64), KIB(64)), 0);
	check(MIB(30));
	assert_int_equal(start(MIB(14), MIB(14), MIB(16)), 0);
	check(MIB(14));
	assert_int_equal(start(STAGED_ALL_RAM, 0, 0), 0);
	check(STAGED_ALL_RAM);
}

/* A firmware in as many ranges as there can be; memory above 4 GiB */
static void test_ranges(void **state)
{
	begin(64, MIB(2));
	assert_int_equal(start(MIB(64), MIB(65), MIB(16)), 0);
	check(MIB(64));
	begin(3, GIB(1) + MIB(2));
	assert_int_equal(start(GIB(4) + MIB(512), GIB(4) + MIB(900), MIB(4)),
			 0);
	check(GIB(4) + MIB(512));
	assert_int_equal(start(GIB(1), GIB(1) + MIB(1), MIB(4)), 0);
	check(GIB(1));
	assert_int_equal(start(GIB(4), GIB(4) + MIB(2), MIB(4)), 0);
	check(GIB(4));
	vm_npt_max_level = 1;
	assert_int_equal(start(MIB(4), GIB(1) + MIB(1), MIB(4)), 0);
	check(MIB(4));
	vm_npt_max_level = 3;
	fake_vm.npt.split_exec = true;
	assert_int_equal(start(GIB(4) + MIB(6), GIB(4) + MIB(8), MIB(4)), 0);
	check(GIB(4) + MIB(6));
	assert_int_equal(start(STAGED_ALL_RAM, 0, 0), 0);
	check(STAGED_ALL_RAM);
}

/* Wherever it fails or is given up, the next start has what it wants */
static void test_cut_short(void **state)
{
	u32 n = 1;

	for (int err = -ENOMEM; err; n++) {
		begin(5, MIB(2));
		assert_int_equal(start(MIB(6), MIB(6), MIB(1)), 0);
		fake_log_reset();
		fail_in = n;
		err = start(MIB(4), MIB(4), MIB(2));
		assert_int_equal(fake_log_errors, err ? 1 : 0);
		fail_in = 0;
		assert_int_equal(start(n % 2 ? MIB(8) : STAGED_ALL_RAM, MIB(8),
				       n % 2 ? MIB(1) : 0),
				 0);
		check(n % 2 ? MIB(8) : STAGED_ALL_RAM);
	}
	assert_in_range(n, 5, 50);
	begin(5, MIB(2));
	d.staged.ram_end = MIB(4);
	shape_begin(&fake_vm);
	assert_int_equal(shape_step(&fake_vm), VM_GOES_ON);
	assert_int_equal(vm_held_bytes(&fake_vm), MIB(10));
	assert_int_equal(start(STAGED_ALL_RAM, 0, 0), 0);
	check(STAGED_ALL_RAM);
}

static void test_sizes(void **state)
{
	begin(1, MIB(2));
	config.memory_bytes = MIB(2);
	assert_int_equal(shape_slots(&config, 1), 4);
	assert_int_equal(shape_slots(&config, 64), 64 + 2 + 9);
	assert_in_range(shape_pages(&config), 9, 12);
	config.firmware[0] = 0;
	assert_int_equal(shape_slots(&config, 64), 64 + 2);
	assert_int_equal(shape_pages(&config), 1);
	/* Each start may cut another leaf, and no table goes back */
	config.memory_bytes = GIB(3) + MIB(2);
	assert_int_equal(shape_pages(&config), 4);
	strcpy(config.kernel, "kernel");
	assert_int_equal(shape_slots(&config, 64), 64 + 1);
	assert_int_equal(shape_pages(&config), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plain),  cmocka_unit_test(test_firmware),
		cmocka_unit_test(test_ranges), cmocka_unit_test(test_cut_short),
		cmocka_unit_test(test_sizes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
