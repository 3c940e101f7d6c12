/* SOURCES: arch/x86/machine/mtrr.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/* Memory types from MTRRs as firmware of several kinds sets them */
#include "arch/x86/cpu/asm.h"
#include "arch/x86/cpu/features.h"
#include "arch/x86/machine/mtrr.h"
#include "include/hw/cpu.h"
#include "include/hw/msr.h"
#include "tests/unit/fakes/log.h"
#include "tests/unit/fakes/percpu.h"
#include "tests/unit/test.h"

#define TOP      BIT(39) /* of this CPU's addresses */
#define RANGE(n) (MSR_MTRR_PHYSBASE0 + 2 * (n))
#define NOTHING  0xff

static u64 msrs[0x300];

int rdmsr_safe(u32 msr, u64 *value)
{
	*value = msrs[msr];
	return 0;
}

static const struct mtrrs *written;

void mtrr_write(const struct mtrrs *m)
{
	written = m;
}

static void range(u32 n, u64 base, u64 size, u64 type)
{
	msrs[RANGE(n)] = base | type;
	msrs[RANGE(n) + 1] = (TOP - size) | MTRR_MASK_VALID;
}

/* Eight ranges, none in use; UC where none is, WB below 640 KiB */
static int setup(void **state)
{
	memset(msrs, 0, sizeof(msrs));
	cpu_features = (struct cpu_features){ .mtrr = true };
	fake_this_cpu = &fake_pcpus[0];
	msrs[MSR_MTRRCAP] = MTRRCAP_WC | MTRRCAP_FIX | 8;
	msrs[MSR_MTRR_DEF_TYPE] = MTRR_DEF_E | MTRR_DEF_FE | MEM_UC;
	msrs[MSR_MTRR_FIX64K_00000] = 0x0606060606060606;
	msrs[MSR_MTRR_FIX16K_80000] = 0x0606060606060606;
	msrs[MSR_MTRR_FIX4K_C0000] = 0x0505050505050505;
	return 0;
}

static u8 type_of(u64 base, u64 size)
{
	u8 type;

	mtrr_init_cpu();
	return mtrr_type(base, size, &type) ? type : NOTHING;
}

static void test_variable(void **state)
{
	range(0, 0, GIB(2), MEM_WB);
	range(2, GIB(2), GIB(1), MEM_WB);
	range(5, GIB(4), GIB(4), MEM_WB);
	assert_int_equal(type_of(GIB(1), PAGE_1G), MEM_WB);
	assert_int_equal(type_of(GIB(2), PAGE_1G), MEM_WB);
	assert_int_equal(type_of(GIB(3), PAGE_1G), MEM_UC);
	assert_int_equal(type_of(GIB(3) - PAGE_SIZE, PAGE_SIZE), MEM_WB);
	assert_int_equal(type_of(GIB(7), PAGE_2M), MEM_WB);
	assert_int_equal(type_of(GIB(8), PAGE_2M), MEM_UC);
}

/* All is WB but what is cut out of it, as OVMF does */
static void test_default_wb(void **state)
{
	msrs[MSR_MTRR_DEF_TYPE] = MTRR_DEF_E | MEM_WB;
	range(0, GIB(3), GIB(1), MEM_UC);
	range(1, GIB(3) + MIB(512), MIB(4), MEM_WC);
	assert_int_equal(type_of(GIB(3), PAGE_2M), MEM_UC);
	/* Types that may not overlap: the safe one */
	assert_int_equal(type_of(GIB(3) + MIB(512), PAGE_2M), MEM_UC);
	assert_int_equal(type_of(GIB(2), PAGE_1G), MEM_WB);
	range(0, GIB(2), GIB(2), MEM_WT);
	range(2, GIB(2), GIB(1), MEM_WB);
	assert_int_equal(type_of(GIB(2), PAGE_1G), MEM_WT);
}

/* A range that ends inside a large piece leaves smaller ones */
static void test_cut(void **state)
{
	range(0, GIB(5), MIB(16), MEM_WC);
	assert_int_equal(type_of(GIB(5), PAGE_1G), NOTHING);
	assert_int_equal(type_of(GIB(5), PAGE_2M), MEM_WC);
	assert_int_equal(type_of(GIB(5) + MIB(16), PAGE_2M), MEM_UC);
	range(0, GIB(5), PAGE_SIZE, MEM_WC);
	assert_int_equal(type_of(GIB(5), PAGE_2M), NOTHING);
	assert_int_equal(type_of(GIB(5), PAGE_SIZE), MEM_WC);
	assert_int_equal(type_of(GIB(5) + PAGE_SIZE, PAGE_SIZE), MEM_UC);
}

static void test_fixed(void **state)
{
	assert_int_equal(type_of(0x7f000, PAGE_SIZE), MEM_WB);
	assert_int_equal(type_of(0x80000, PAGE_SIZE), MEM_WB);
	assert_int_equal(type_of(0xa0000, PAGE_SIZE), MEM_UC);
	assert_int_equal(type_of(0xc7000, PAGE_SIZE), MEM_WP);
	assert_int_equal(type_of(0xc8000, PAGE_SIZE), MEM_UC);
	assert_int_equal(type_of(0, PAGE_2M), NOTHING);
	assert_int_equal(type_of(0, PAGE_1G), NOTHING);
	/* Off, or not there: the variable ones rule there too */
	range(0, 0, GIB(2), MEM_WB);
	msrs[MSR_MTRR_DEF_TYPE] = MTRR_DEF_E;
	assert_int_equal(type_of(0xa0000, PAGE_SIZE), MEM_WB);
	msrs[MSR_MTRR_DEF_TYPE] = MTRR_DEF_E | MTRR_DEF_FE;
	msrs[MSR_MTRRCAP] &= ~MTRRCAP_FIX;
	assert_int_equal(type_of(0xa0000, PAGE_SIZE), MEM_WB);
	/* All off */
	msrs[MSR_MTRR_DEF_TYPE] = MTRR_DEF_FE | MEM_WB;
	assert_int_equal(type_of(GIB(1), PAGE_1G), MEM_UC);
}

/* A CPU may say more ranges than any has, and AMD's routing bits may show */
static void test_odd_registers(void **state)
{
	msrs[MSR_MTRRCAP] |= 0xff;
	msrs[MSR_MTRR_FIX4K_C0000 + 7] = 0x1e1e1e1e1e1e1e1e;
	assert_int_equal(type_of(0xff000, PAGE_SIZE), MEM_WB);
	assert_int_equal(host_mtrrs.cap & MTRRCAP_VCNT_MASK, MTRR_VAR_MAX);
	cpu_features.mtrr = false;
	assert_int_equal(type_of(GIB(1), PAGE_1G), MEM_UC);
	assert_int_equal(host_mtrrs.cap, 0);
}

static void test_cores_differ(void **state)
{
	fake_log_reset();
	written = NULL;
	mtrr_init_cpu();
	fake_this_cpu = &fake_pcpus[3];
	fake_pcpus[3].id = 3;
	mtrr_init_cpu();
	assert_null(written);
	assert_int_equal(fake_log_lines, 0);
	range(4, GIB(4), GIB(4), MEM_WB);
	mtrr_init_cpu();
	assert_ptr_equal(written, &host_mtrrs);
	assert_int_equal(host_mtrrs.var[8], 0);
	mtrr_init_cpu();
	assert_int_equal(fake_log_lines, 0);
	mtrr_report();
	assert_int_equal(fake_log_lines, 1);
	assert_non_null(strstr(fake_log_last, "2 cores got"));
	/* No way to make them alike */
	written = NULL;
	msrs[MSR_MTRRCAP]++;
	mtrr_init_cpu();
	assert_null(written);
	assert_int_equal(fake_log_errors, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_variable, setup),
		cmocka_unit_test_setup(test_default_wb, setup),
		cmocka_unit_test_setup(test_cut, setup),
		cmocka_unit_test_setup(test_fixed, setup),
		cmocka_unit_test_setup(test_odd_registers, setup),
		cmocka_unit_test_setup(test_cores_differ, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
