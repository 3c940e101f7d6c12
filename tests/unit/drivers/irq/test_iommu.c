/* SOURCES: drivers/irq/iommu.c check/iommu.c lib/printf.c lib/string.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/* IOMMUs that firmware left on: two small models follow the order that the
 * manuals ask for, and count each write that breaks it. And those that cannot
 * be looked at. */
#include "tests/unit/fakes/core_tsc.h"

#include "arch/x86/cpu/asm.h"
#include "arch/x86/cpu/features.h"

#define cpu_pause() (void)(fake_now += 1000000)
#include "drivers/irq/iommu_off.c"

#include "drivers/acpi/acpi.h"
#include "drivers/irq/iommu.h"
#include "include/hw/acpi.h"
#include "lib/errno.h"
#include "mm/owner.h"
#include "tests/unit/fakes/ioremap.h"
#include "tests/unit/fakes/log.h"
#include "tests/unit/fakes/tsc.h"
#include "tests/unit/test.h"

#define INTEL 0xfed90000ull
#define AMD   0xfeb80000ull
#define RAM   0x100000ull

struct acpi_facts acpi;

static u8 intel[PAGE_SIZE], amd[AMD_IOMMU_BYTES];
static u32 faults; /* writes that the manual forbids */
static u32 stuck;  /* bits of GSTS that do not go off */
static u64 amd_stuck, queue_head;
static u64 kept[32][2];
static u32 kept_count;
static int keep_error;

static u64 *reg(u8 *regs, u32 offset)
{
	return (u64 *)(void *)(regs + offset);
}

u64 mmio_read(const volatile void *addr, u8 size)
{
	u64 value = 0;

	memcpy(&value, (const void *)addr, size);
	/* The queue goes on while somebody looks */
	if (addr == intel + VTD_IQH && queue_head < *reg(intel, VTD_IQT))
		queue_head += 16;
	if (addr == intel + VTD_IQH)
		value = queue_head;
	return value;
}

static void intel_command(u32 value)
{
	u32 *status = (u32 *)(void *)(intel + VTD_GSTS);
	u32 change = (*status & VTD_G_LASTING) ^ value;

	/* One bit, and none of those that do something */
	faults += __builtin_popcount(change) != 1 || (value & ~VTD_G_LASTING);
	faults += (change & VTD_G_QIE) && queue_head != *reg(intel, VTD_IQT);
	/* Entries of its cache need the queue as long as it remaps */
	faults += (change & VTD_G_QIE) && (*status & (VTD_G_TE | VTD_G_IRE));
	*status = (*status & ~VTD_G_LASTING) | value | (stuck & change);
}

static void amd_control(u64 value)
{
	u64 *control = reg(amd, AMDVI_CONTROL), was = *control;

	/* The IOMMU is the last to go */
	faults += (was & ~value & AMDVI_IOMMU_EN) &&
		  (was & (AMDVI_CMD_BUF_EN | AMDVI_EVENT_LOG_EN));
	faults += (value & ~was) != 0;
	*control = value | (was & amd_stuck);
	if (!(value & AMDVI_CMD_BUF_EN))
		*reg(amd, AMDVI_STATUS) &= ~(u64)AMDVI_CMD_BUF_RUN;
	if (!(value & AMDVI_EVENT_LOG_EN))
		*reg(amd, AMDVI_STATUS) &= ~(u64)AMDVI_EVENT_LOG_RUN;
}

void mmio_write(volatile void *addr, u8 size, u64 value)
{
	if (addr == intel + VTD_GCMD && size == 4)
		intel_command((u32)value);
	else if (addr == intel + VTD_PMEN && size == 4)
		memset(intel + VTD_PMEN, 0, 4);
	else if (addr == amd + AMDVI_CONTROL && size == 8)
		amd_control(value);
	else
		faults++;
}

int owner_keep_device(u64 base, u64 size)
{
	if (base == RAM)
		return -EBUSY;
	if (keep_error)
		return keep_error;
	assert_true(kept_count < ARRAY_SIZE(kept));
	kept[kept_count][0] = base;
	kept[kept_count++][1] = size;
	return 0;
}

static void set32(u8 *at, u32 value)
{
	memcpy(at, &value, sizeof(value));
}

static int setup(void **state)
{
	fake_log_reset();
	fake_ioremap_reset();
	fake_ioremap_add(INTEL, intel, sizeof(intel));
	fake_ioremap_add(AMD, amd, sizeof(amd));
	memset(intel, 0, sizeof(intel));
	memset(amd, 0, sizeof(amd));
	memset(&acpi, 0, sizeof(acpi));
	faults = stuck = kept_count = 0;
	amd_stuck = queue_head = 0;
	keep_error = 0;
	cpu_features.phys_bits = 39;
	set32(intel + VTD_VER, 0x10);
	tsc_khz = 1000000;
	acpi.iommu_count = 1;
	acpi.iommus[0] = (struct acpi_iommu){ .base = INTEL, .size = 4096 };
	return 0;
}

static u32 status(void)
{
	u32 value;

	memcpy(&value, intel + VTD_GSTS, sizeof(value));
	return value;
}

static void test_intel(void **state)
{
	/* SRTP's and SIRTP's marks, as they stay from then on */
	u32 marks = BIT(30) | BIT(24);

	set32(intel + VTD_GSTS,
	      VTD_G_TE | VTD_G_IRE | VTD_G_QIE | VTD_G_CFI | marks);
	*reg(intel, VTD_IQT) = 5 * 16;
	assert_int_equal(iommu_take_all(), 0);
	assert_int_equal(faults, 0);
	assert_int_equal(status() & VTD_G_LASTING, 0);
	assert_string_equal(fake_log_last,
			    "firmware left the IOMMU at 0xfed90000 on (DMA "
			    "remapping, interrupt remapping, its command "
			    "queue, compatibility interrupts): it is off now");
	assert_int_equal(fake_ioremaps, 0);
	/* And once more: there is nothing to say */
	fake_log_reset();
	assert_int_equal(iommu_take_all(), 0);
	assert_int_equal(fake_log_lines, 0);
}

static void test_intel_protected_memory(void **state)
{
	*reg(intel, VTD_CAP) = VTD_CAP_PLMR;
	set32(intel + VTD_PMEN, VTD_PMEN_EPM | VTD_PMEN_PRS);
	assert_int_equal(iommu_take_all(), 0);
	assert_int_equal(mmio_read(intel + VTD_PMEN, 4), 0);
	assert_int_equal(fake_log_lines, 1);
	assert_int_equal(faults, 0);
	/* Where there is no such register, nothing is there to look at */
	*reg(intel, VTD_CAP) = 0;
	set32(intel + VTD_PMEN, VTD_PMEN_EPM);
	assert_int_equal(iommu_take_all(), 0);
	assert_int_equal(fake_log_lines, 1);
}

/* Each bit that stays on is an end of the boot, and within bounds */
static void test_intel_stays_on(void **state)
{
	static const u32 bits[] = { VTD_G_TE, VTD_G_IRE, VTD_G_CFI };

	for (u32 i = 0; i < ARRAY_SIZE(bits); i++) {
		fake_log_reset();
		fake_now = 0;
		stuck = bits[i];
		set32(intel + VTD_GSTS, bits[i]);
		assert_int_equal(iommu_take_all(), -EIO);
		assert_int_equal(fake_log_errors, 1);
		assert_non_null(strstr(fake_log_last, "cannot be turned off"));
		assert_in_range(fake_now, 1, NS_PER_S);
	}
	/* A queue that stays on is idle */
	stuck = VTD_G_QIE;
	set32(intel + VTD_GSTS, VTD_G_TE | VTD_G_QIE);
	assert_int_equal(iommu_take_all(), 0);
	assert_non_null(strstr(fake_log_last, "off now, but for its command"));
	/* One that hangs keeps nobody */
	stuck = 0;
	queue_head = 64;
	*reg(intel, VTD_IQT) = 32;
	set32(intel + VTD_GSTS, VTD_G_QIE);
	assert_int_equal(iommu_take_all(), 0);
	assert_int_equal(status(), 0);
}

/* Switched off in setup, and named all the same: no reason to stop */
static void test_nothing_answers(void **state)
{
	memset(intel, 0xff, sizeof(intel));
	assert_int_equal(iommu_take_all(), 0);
	assert_int_equal(fake_log_warnings, 1);
	assert_non_null(strstr(fake_log_last, "nothing answers at 0xfed90000, "
					      "where DMAR has an IOMMU"));
	memset(amd, 0xff, sizeof(amd));
	acpi.iommus[0] = (struct acpi_iommu){ AMD, KIB(16), true };
	assert_int_equal(iommu_take_all(), 0);
	assert_int_equal(fake_log_warnings, 2);
	assert_non_null(strstr(fake_log_last, "where IVRS has an IOMMU"));
	assert_int_equal(faults, 0);
	assert_int_equal(fake_ioremaps, 0);
}

/* Nothing at address 0 is touched or kept */
static void test_no_address(void **state)
{
	acpi.iommus[0] = (struct acpi_iommu){ 0, PAGE_SIZE, false };
	assert_int_equal(iommu_take_all(), 0);
	assert_non_null(strstr(fake_log_last, "DMAR has an IOMMU without an"));
	acpi.iommus[0] = (struct acpi_iommu){ 0, KIB(16), true };
	assert_int_equal(iommu_take_all(), 0);
	assert_non_null(strstr(fake_log_last, "turn the AMD IOMMU off"));
	assert_int_equal(fake_log_warnings, 2);
	assert_int_equal(kept_count, 0);
	assert_int_equal(fake_ioremaps, 0);
	assert_int_equal(faults, 0);
}

/* The boot stops with one sentence, and nothing is touched */
static void stops(const char *why)
{
	assert_int_equal(iommu_take_all(), -EIO);
	assert_int_equal(fake_log_errors, 1);
	assert_non_null(strstr(fake_log_last, why));
	assert_non_null(strstr(fake_log_last, "in the firmware's setup"));
	assert_int_equal(faults, 0);
	assert_int_equal(fake_ioremaps, 0);
	fake_log_reset();
}

static void test_cannot_be_there(void **state)
{
	static const struct {
		u64 base;
		bool amd;
		const char *why;
	} units[] = {
		{ INTEL + 0x800, false,
		  "DMAR names an IOMMU at 0xfed90800 that cannot be looked at "
		  "and may be on (its address is not aligned" },
		{ AMD + PAGE_SIZE, true, "its address is not aligned" },
		{ 1ull << 39, false, "its address is beyond the processor's" },
		{ ~0ull << 14, true, "its address is beyond the processor's" },
		{ RAM, false, "there is memory" },
		{ RAM, true, "turn the AMD IOMMU off" },
	};

	for (u32 i = 0; i < ARRAY_SIZE(units); i++) {
		acpi.iommus[0] = (struct acpi_iommu){ units[i].base, PAGE_SIZE,
						      units[i].amd };
		stops(units[i].why);
		assert_int_equal(kept_count, 0);
	}
	acpi.iommus[0] = (struct acpi_iommu){ INTEL, PAGE_SIZE, false };
	keep_error = -ENOSPC;
	stops("the memory map has no room");
}

/* Something else is at its address, as a version tells */
static void test_another_device(void **state)
{
	static const u32 versions[] = { 0, 0x01, 0x100, 0xffff0010 };

	for (u32 i = 0; i < ARRAY_SIZE(versions); i++) {
		set32(intel + VTD_VER, versions[i]);
		stops("no VT-d unit is there");
	}
	set32(intel + VTD_VER, 0x60);
	assert_int_equal(iommu_take_all(), 0);
}

/* The units that can be read are off by then */
static void test_unread_table(void **state)
{
	acpi.iommu_unread = "DMAR";
	set32(intel + VTD_GSTS, VTD_G_TE);
	stops("the table DMAR cannot be read whole");
	assert_int_equal(status(), 0);
}

/* No DMAR and no IVRS, and a table that may be one: told, and gone on */
static void test_unknown(void **state)
{
	acpi.iommu_count = 0;
	assert_int_equal(iommu_take_all(), 0);
	assert_int_equal(fake_log_lines, 0);
	acpi.table_unread = true;
	assert_int_equal(iommu_take_all(), 0);
	assert_int_equal(fake_log_warnings, 1);
	assert_non_null(strstr(fake_log_last, "no table names an IOMMU"));
	assert_non_null(strstr(fake_log_last, "in the firmware's setup"));
	/* One that is known, or known to be lost, is told of by itself */
	acpi.iommu_count = 1;
	assert_int_equal(iommu_take_all(), 0);
	assert_int_equal(fake_log_warnings, 1);
	acpi.iommu_count = 0;
	acpi.iommu_unread = "IVRS";
	assert_int_equal(iommu_take_all(), -EIO);
	assert_int_equal(fake_log_lines, 2);
}

/* As many pages as the registers say, of a table that does not */
static void test_keeps_all_pages(void **state)
{
	*reg(intel, VTD_CAP) = 0x200ull << 24 | 7ull << 40;
	assert_int_equal(iommu_take_all(), 0);
	assert_int_equal(kept[kept_count - 1][0], INTEL);
	assert_int_equal(kept[kept_count - 1][1], 3 * PAGE_SIZE);
}

static void test_amd(void **state)
{
	acpi.iommus[0] = (struct acpi_iommu){ AMD, KIB(512), true };
	*reg(amd, AMDVI_CONTROL) = AMDVI_IOMMU_EN | AMDVI_EVENT_LOG_EN |
				   AMDVI_CMD_BUF_EN | BIT(10);
	*reg(amd, AMDVI_STATUS) = AMDVI_EVENT_LOG_RUN | AMDVI_CMD_BUF_RUN;
	assert_int_equal(iommu_take_all(), 0);
	assert_int_equal(faults, 0);
	/* What is not of this kind stays */
	assert_int_equal(*reg(amd, AMDVI_CONTROL), BIT(10));
	assert_string_equal(fake_log_last,
			    "firmware left the IOMMU at 0xfeb80000 on "
			    "(remapping, its command buffer, its event log): "
			    "it is off now");
	assert_int_equal(kept[kept_count - 1][1], KIB(512));
	amd_stuck = AMDVI_IOMMU_EN;
	*reg(amd, AMDVI_CONTROL) = AMDVI_IOMMU_EN;
	assert_int_equal(iommu_take_all(), -EIO);
}

static void test_opt_in(void **state)
{
	acpi.dma_opt_in = true;
	assert_int_equal(iommu_take_all(), 0);
	assert_non_null(strstr(fake_log_last, "opt-in"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_intel, setup),
		cmocka_unit_test_setup(test_intel_protected_memory, setup),
		cmocka_unit_test_setup(test_intel_stays_on, setup),
		cmocka_unit_test_setup(test_nothing_answers, setup),
		cmocka_unit_test_setup(test_no_address, setup),
		cmocka_unit_test_setup(test_cannot_be_there, setup),
		cmocka_unit_test_setup(test_another_device, setup),
		cmocka_unit_test_setup(test_unread_table, setup),
		cmocka_unit_test_setup(test_unknown, setup),
		cmocka_unit_test_setup(test_keeps_all_pages, setup),
		cmocka_unit_test_setup(test_amd, setup),
		cmocka_unit_test_setup(test_opt_in, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
