/* SOURCES: drivers/irq/ioapic.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/* The physical IOAPICs: two fakes behind select and window */
#include "arch/x86/cpu/features.h"
#include "arch/x86/cpu/portio.h"
#include "drivers/acpi/acpi.h"
#include "drivers/irq/ioapic.h"
#include "include/hw/ioapic.h"
#include "lib/errno.h"
#include "lib/log.h"
#include "mm/owner.h"
#include "tests/unit/fakes/ioremap.h"
#include "tests/unit/fakes/log.h"
#include "tests/unit/test.h"

#define FAKES 2u

static struct fake {
	u8 page[IOAPIC_BYTES];
	u32 select;
	u32 version;
	u64 rte[IOAPIC_MAX_PINS];
} fakes[FAKES];

static u64 kept_end; /* from IOAPIC_DEFAULT_BASE on */

int owner_keep_device(u64 base, u64 size)
{
	if (base >= IOAPIC_DEFAULT_BASE && base + size > kept_end)
		kept_end = base + size;
	return 0;
}

static struct fake *fake_of(const volatile void *addr, u64 *offset)
{
	for (u32 i = 0; i < FAKES; i++) {
		*offset = (u64)((const volatile u8 *)addr - fakes[i].page);
		if (*offset < IOAPIC_BYTES)
			return &fakes[i];
	}
	fail();
	return NULL;
}

u64 mmio_read(const volatile void *addr, u8 size)
{
	u64 offset;
	struct fake *f = fake_of(addr, &offset);

	assert_int_equal(size, 4);
	assert_int_equal(offset, IOWIN);
	return f->select == IOAPICVER ? f->version : 0;
}

void mmio_write(volatile void *addr, u8 size, u64 value)
{
	u64 offset;
	struct fake *f = fake_of(addr, &offset);
	u32 pin = (f->select - IOREDTBL) / 2;

	assert_int_equal(size, 4);
	if (offset == IOREGSEL) {
		f->select = (u32)value;
		return;
	}
	assert_int_equal(offset, IOWIN);
	assert_true(pin < IOAPICVER_PINS(f->version));
	if (f->select & 1)
		f->rte[pin] = (u32)f->rte[pin] | value << 32;
	else
		f->rte[pin] = (f->rte[pin] >> 32 << 32) | value;
}

static int fresh(void **state)
{
	memset(&acpi, 0, sizeof(acpi));
	memset(fakes, 0, sizeof(fakes));
	fake_ioremap_reset();
	for (u32 i = 0; i < FAKES; i++)
		fake_ioremap_add(IOAPIC_DEFAULT_BASE + i * IOAPIC_BYTES,
				 fakes[i].page, IOAPIC_BYTES);
	kept_end = 0;
	cpu_features.vendor = VENDOR_AMD;
	fakes[0].version = 23 << 16 | 0x20;
	fakes[1].version = 7 << 16 | 0x20;
	fake_log_reset();
	return 0;
}

static void two(void)
{
	acpi.ioapic_count = 2;
	acpi.ioapics[0].base = IOAPIC_DEFAULT_BASE;
	acpi.ioapics[1].base = IOAPIC_DEFAULT_BASE + IOAPIC_BYTES;
	acpi.ioapics[1].gsi_base = 24;
	assert_int_equal(ioapic_init(0), 0);
}

static void test_init(void **state)
{
	two();
	assert_int_equal(ioapic_gsi_count(), 32);
	for (u32 i = 0; i < 24; i++)
		assert_int_equal(fakes[0].rte[i], RTE_MASKED);
	fresh(state);
	assert_int_equal(ioapic_init(0), 0);
	assert_int_equal(ioapic_gsi_count(), 24);
	assert_int_equal(ioapic_init(IOAPIC_DEFAULT_BASE + IOAPIC_BYTES), 0);
	assert_int_equal(ioapic_gsi_count(), 8);
}

/* Intel's can be moved: wherever they go, no guest has them */
static void test_kept(void **state)
{
	two();
	assert_int_equal(kept_end, IOAPIC_DEFAULT_BASE + 2 * IOAPIC_BYTES);
	cpu_features.vendor = VENDOR_INTEL;
	two();
	assert_int_equal(kept_end, IOAPIC_DEFAULT_BASE + MIB(1));
}

static void test_absent(void **state)
{
	fakes[0].version = ~0u;
	assert_int_equal(ioapic_init(0), -ENODEV);
	assert_int_equal(fake_log_warnings, 1);
	assert_int_equal(fake_ioremaps, 0);
	assert_int_equal(ioapic_gsi_count(), 0);
	assert_int_equal(ioapic_init(GIB(1)), -ENODEV);
	/* One of two missing: the other works, with its own GSIs */
	two();
	ioapic_unmask(3); /* nobody's: nothing happens */
	ioapic_unmask(24);
	assert_int_equal(fakes[1].rte[0], 0);
}

static void test_route(void **state)
{
	two();
	assert_int_equal(ioapic_route(26, 0x41, 3, true, true), 0);
	assert_int_equal(fakes[1].rte[2], 3ull << RTE_DEST_SHIFT | RTE_MASKED |
						  RTE_LEVEL | RTE_ACTIVE_LOW |
						  0x41);
	ioapic_unmask(26);
	assert_int_equal(fakes[1].rte[2] & RTE_MASKED, 0);
	assert_int_equal(fakes[1].rte[2] & RTE_VECTOR, 0x41);
	/* To another core, and not masked meanwhile */
	ioapic_aim(26, 7);
	assert_int_equal(fakes[1].rte[2], 7ull << RTE_DEST_SHIFT | RTE_LEVEL |
						  RTE_ACTIVE_LOW | 0x41);
	ioapic_aim(1000, 7);
	ioapic_mask(26);
	assert_true(fakes[1].rte[2] & RTE_MASKED);
	assert_int_equal(ioapic_route(4, 0x50, 0, false, false), 0);
	assert_int_equal(fakes[0].rte[4], RTE_MASKED | 0x50);
	/* An id that eight bits cannot name: the old route does not stay on */
	ioapic_unmask(4);
	assert_int_equal(fakes[0].rte[4], 0x50);
	assert_int_equal(ioapic_route(4, 0x51, 300, false, false), -ENOTSUP);
	assert_int_equal(fakes[0].rte[4], RTE_MASKED | 0x50);
	assert_int_equal(fake_log_warnings, 1);
	assert_int_equal(ioapic_route(1000, 0x51, 0, false, false), 0);
	ioapic_mask(~0u);
}

/* Up to the last GSI, and two whose GSIs cannot be */
static void test_many(void **state)
{
	acpi.ioapic_count = 3;
	acpi.ioapics[0] = (struct acpi_ioapic){ 0, IOAPIC_DEFAULT_BASE, 1016 };
	acpi.ioapics[1] =
		(struct acpi_ioapic){ 1, IOAPIC_DEFAULT_BASE + IOAPIC_BYTES,
				      1024 };
	acpi.ioapics[2] =
		(struct acpi_ioapic){ 2, IOAPIC_DEFAULT_BASE + IOAPIC_BYTES,
				      ~0u };
	assert_int_equal(ioapic_init(0), 0);
	assert_int_equal(fake_log_warnings, 2);
	assert_int_equal(ioapic_gsi_count(), 1024); /* of 24 pins, 8 count */
	ioapic_unmask(1023);
	assert_int_equal(fakes[0].rte[7], 0);
	ioapic_unmask(1024);
	assert_int_equal(fakes[0].rte[8] & ~RTE_MASKED, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_init, fresh),
		cmocka_unit_test_setup(test_kept, fresh),
		cmocka_unit_test_setup(test_absent, fresh),
		cmocka_unit_test_setup(test_route, fresh),
		cmocka_unit_test_setup(test_many, fresh),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
