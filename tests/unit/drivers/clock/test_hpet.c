/* SOURCES: drivers/clock/hpet.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/* The machine's HPETs: silent after boot, and nobody else's */
#include "drivers/acpi/acpi.h"
#include "drivers/clock/hpet.h"
#include "include/hw/hpet.h"
#include "lib/errno.h"
#include "mm/owner.h"
#include "tests/unit/fakes/ioremap.h"
#include "tests/unit/fakes/log.h"
#include "tests/unit/test.h"

#define BASE 0xfed00000ull

static u8 registers[HPET_BYTES];
static u32 kept, writes;
static u64 kept_base, kept_size, in_ram;

int owner_keep_device(u64 base, u64 size)
{
	if (base == in_ram)
		return -EBUSY;
	kept++;
	kept_base = base;
	kept_size = size;
	return 0;
}

u64 mmio_read(const volatile void *addr, u8 size)
{
	u64 value = 0;

	memcpy(&value, (const void *)addr, size);
	return value;
}

void mmio_write(volatile void *addr, u8 size, u64 value)
{
	memcpy((void *)addr, &value, size);
	writes++;
}

static u32 word(u32 offset)
{
	return (u32)mmio_read(registers + offset, 4);
}

static int setup(void **state)
{
	const u32 timer = (u32)(HPET_T_ENABLE | HPET_T_FSB | HPET_T_PERIODIC);

	memset(registers, 0, sizeof(registers));
	memset(&acpi, 0, sizeof(acpi));
	fake_ioremap_reset();
	fake_ioremap_add(BASE, registers, sizeof(registers));
	mmio_write(registers + HPET_CAP, 8, HPET_CAP_VALUE);
	mmio_write(registers + HPET_CONFIG, 4, HPET_CONFIG_LEGACY);
	for (u32 i = 0; i < HPET_TIMERS; i++)
		mmio_write(registers + HPET_TIMER0 + i * HPET_TIMER_BYTES, 4,
			   timer);
	kept = writes = 0;
	in_ram = 0;
	fake_log_reset();
	return 0;
}

/* As firmware left them, its timers would send messages to us */
static void test_quiet(void **state)
{
	acpi.hpet_count = 1;
	acpi.hpets[0] = BASE;
	hpet_init();
	assert_int_equal(hpet_count(), 1);
	assert_int_equal(hpet_base(0), BASE);
	assert_int_equal(kept, 2);
	for (u32 i = 0; i < HPET_TIMERS; i++)
		assert_int_equal(word(HPET_TIMER0 + i * HPET_TIMER_BYTES),
				 HPET_T_PERIODIC);
	assert_int_equal(word(HPET_CONFIG), HPET_CONFIG_ENABLE);
}

static void test_read(void **state)
{
	acpi.hpet_count = 1;
	acpi.hpets[0] = BASE;
	hpet_init();
	writes = 0;
	assert_int_equal(hpet_read(0, HPET_CAP, 8), HPET_CAP_VALUE);
	assert_int_equal(hpet_read(0, HPET_CAP + 4, 4), HPET_PERIOD_FS);
	assert_int_equal(hpet_read(0, HPET_CAP, 2), 0xffff);
	assert_int_equal(hpet_read(0, HPET_CAP + 4, 8), ~0ull);
	assert_int_equal(hpet_read(0, HPET_BYTES, 4), ~0u);
	assert_int_equal(writes, 0);
}

/* It may be switched on later, at any of its usual addresses */
static void test_none(void **state)
{
	hpet_init();
	assert_int_equal(hpet_count(), 0);
	assert_int_equal(kept, 1);
	assert_int_equal(kept_base, BASE);
	assert_int_equal(kept_size, 4 * PAGE_SIZE);
	assert_int_equal(writes, 0);
}

static void test_wrong_tables(void **state)
{
	acpi.hpet_count = 3;
	acpi.hpets[0] = in_ram = MIB(2);
	acpi.hpets[1] = 0xe0000000; /* nothing can be mapped there */
	acpi.hpets[2] = BASE;
	hpet_init();
	assert_int_equal(hpet_count(), 1);
	assert_int_equal(hpet_base(0), BASE);
	assert_int_equal(fake_log_warnings, 1);
	memset(registers, 0xff, sizeof(registers)); /* no device answers */
	writes = 0;
	hpet_init();
	assert_int_equal(hpet_count(), 0);
	assert_int_equal(writes, 0);
}

#define T(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_quiet),
		T(test_read),
		T(test_none),
		T(test_wrong_tables),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
