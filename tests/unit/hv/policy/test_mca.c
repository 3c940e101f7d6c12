/* SOURCES: hv/policy/mca.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/* The privileged guest's machine-check banks: whose they are, what is put there
 * and when it stays, what the guest may write; and errors of many cores at once
 * while it reads. */
#include "arch/x86/cpu/features.h"
#include "hv/policy/mca.h"
#include "hv/policy/msr_table.h"
#include "include/hw/msr.h"
#include "lib/errno.h"
#include "tests/unit/fakes/pool.h"
#include "tests/unit/fakes/threads.h"
#include "tests/unit/fakes/vm.h"
#include "tests/unit/test.h"

#define VAL    MC_STATUS_VAL
#define OVER   MC_STATUS_OVER
#define UC     (VAL | MC_STATUS_UC)
#define YELLOW (VAL | (u64)MC_STATUS_YELLOW << 53)

enum { CTL, STATUS, ADDR, MISC };

struct vm *vm_privileged;
static u64 common;

u64 mce_common_cap(void)
{
	return common;
}

static void create(u64 cap)
{
	for (u32 i = 0; i < fake_vm.vcpu_count; i++)
		mca_destroy(&fake_vcpus[i]);
	common = cap;
	for (u32 i = 0; i < fake_vm.vcpu_count; i++)
		assert_int_equal(mca_create(&fake_vcpus[i]), 0);
}

static int setup(void **state)
{
	cpu_features = (struct cpu_features){ .vendor = VENDOR_INTEL };
	fake_this_cpu = &fake_pcpus[0];
	fake_vm_init(3);
	fake_vm.privileged = true;
	vm_privileged = &fake_vm;
	create(4 | MCG_CAP_SER_P | MCG_CAP_TES_P);
	return 0;
}

static int teardown(void **state)
{
	for (u32 i = 0; i < fake_vm.vcpu_count; i++)
		mca_destroy(&fake_vcpus[i]);
	fake_pool_check(&fake_vm.budget);
	return 0;
}

static u32 number(u32 bank, u32 reg)
{
	return MSR_MC0_CTL + bank * MC_BANK_STRIDE + reg;
}

static u64 get(u32 vcpu, u32 bank, u32 reg)
{
	u64 value = 0;

	assert_int_equal(msr_read_mca_bank(&fake_vcpus[vcpu], NULL,
					   number(bank, reg), &value),
			 0);
	return value;
}

static int set(u32 bank, u32 reg, u64 value)
{
	return msr_write_mca_bank(&fake_vcpus[0], NULL, number(bank, reg),
				  value);
}

static u64 mcg_cap(u32 vcpu)
{
	u64 value;

	assert_int_equal(
		msr_read_mcg_cap(&fake_vcpus[vcpu], NULL, MSR_MCG_CAP, &value),
		0);
	return value;
}

static void put(u32 bank, u64 status)
{
	const struct mce_error e = {
		.bank = bank,
		.status = status | MC_STATUS_ADDRV | MC_STATUS_MISCV,
		.addr = 0x1000 + status,
		.misc = 0x86,
	};

	mca_put(&e);
}

static void test_isolated(void **state)
{
	u64 value;

	fake_vm.privileged = false;
	create(4);
	assert_int_equal(mcg_cap(0), 0);
	assert_int_equal(
		msr_read_mca_bank(&fake_vcpus[0], NULL, number(0, CTL), &value),
		-EINVAL);
	assert_int_equal(set(0, STATUS, 0), -EINVAL);
	/* Errors have nowhere to go */
	put(0, VAL);
	vm_privileged = NULL;
	put(0, VAL);
}

/* As many as the host has and as have numbers, and nothing that is not emulated
 * is told */
static void test_cap(void **state)
{
	u64 value;

	assert_int_equal(mcg_cap(1), 4 | MCG_CAP_SER_P | MCG_CAP_TES_P);
	assert_int_equal(
		msr_read_mca_bank(&fake_vcpus[0], NULL, number(4, CTL), &value),
		-EINVAL);
	assert_int_equal(set(4, CTL, 0), -EINVAL);
	create(~0ull);
	assert_int_equal(mcg_cap(2), 32 | MCG_CAP_SER_P | MCG_CAP_TES_P);
	assert_int_equal(get(2, 31, MISC), 0);
	put(32, VAL);
	put(~0u, VAL);
	cpu_features.vendor = VENDOR_AMD;
	create(~0ull);
	assert_int_equal(mcg_cap(2), 32);
	create(0);
	assert_int_equal(mcg_cap(0), 0);
}

static void test_no_memory(void **state)
{
	mca_destroy(&fake_vcpus[0]);
	fake_pool_left = 0;
	assert_int_equal(mca_create(&fake_vcpus[0]), -ENOMEM);
	fake_pool_left = ~0u;
}

static void test_writes(void **state)
{
	assert_int_equal(set(3, CTL, ~BIT(10)), 0);
	assert_int_equal(get(0, 3, CTL), ~BIT(10));
	assert_int_equal(get(1, 3, CTL), 0);
	put(3, VAL | 0x151);
	for (u32 reg = STATUS; reg <= MISC; reg++) {
		assert_int_equal(set(3, reg, 1), -EINVAL);
		assert_true(get(0, 3, reg));
		assert_int_equal(set(3, reg, 0), 0);
		assert_int_equal(get(0, 3, reg), 0);
	}
	assert_int_equal(get(0, 3, CTL), ~BIT(10));
	/* AMD's, but for the status (no McStatusWrEn) */
	cpu_features.vendor = VENDOR_AMD;
	assert_int_equal(set(3, STATUS, VAL), -EINVAL);
	assert_int_equal(set(3, ADDR, 5), 0);
	assert_int_equal(get(0, 3, ADDR), 5);
	assert_int_equal(set(3, MISC, 5), 0);
	assert_int_equal(get(0, 3, MISC), 0);
}

/* By the core's guest, or to vCPU 0 */
static void test_which_vcpu(void **state)
{
	fake_this_cpu = &fake_pcpus[2];
	put(1, VAL | 7);
	assert_int_equal(get(2, 1, STATUS),
			 VAL | 7 | MC_STATUS_ADDRV | MC_STATUS_MISCV);
	assert_int_equal(get(2, 1, ADDR), 0x1000 + (VAL | 7));
	assert_int_equal(get(2, 1, MISC), 0x86);
	assert_int_equal(get(0, 1, STATUS), 0);
	fake_this_cpu = &fake_pcpus[3];
	put(1, VAL | 8);
	assert_int_equal(get(0, 1, STATUS) & 0xff, 8);
}

/* What is not valid is not there, whatever the bank had before */
static void test_not_valid(void **state)
{
	const struct mce_error e = { .status = VAL, .addr = 1, .misc = 2 };

	put(0, VAL);
	mca_put(&e);
	assert_int_equal(get(0, 0, STATUS), VAL | OVER);
	assert_int_equal(get(0, 0, ADDR), 0);
	assert_int_equal(get(0, 0, MISC), 0);
}

/* SDM 3B 16.3.2.2.1, tables *Overwrite Rules for Enabled Errors* and,
 * in 16.6.4,
 * *... for UC, CE, and UCR Errors* */
static void test_overwrite(void **state)
{
	static const struct {
		enum cpu_vendor vendor;
		u64 first, second;
		bool second_stays;
	} rows[] = {
		{ VENDOR_INTEL, VAL, VAL, true },
		{ VENDOR_INTEL, VAL, YELLOW, true },
		{ VENDOR_INTEL, YELLOW, VAL, false },
		{ VENDOR_INTEL, YELLOW, UC, true },
		{ VENDOR_INTEL, UC, VAL, false },
		{ VENDOR_INTEL, UC, YELLOW, false },
		{ VENDOR_INTEL, UC, UC, false },
		{ VENDOR_AMD, VAL | MC_STATUS_DEFERRED, VAL, false },
		{ VENDOR_AMD, VAL, VAL | MC_STATUS_DEFERRED, true },
		{ VENDOR_AMD, YELLOW, VAL, true },
	};

	for (u32 i = 0; i < ARRAY_SIZE(rows); i++) {
		u64 stays = rows[i].second_stays ? rows[i].second | 2
						 : rows[i].first | 1;

		cpu_features.vendor = rows[i].vendor;
		put(0, rows[i].first | 1);
		assert_false(get(0, 0, STATUS) & OVER);
		put(0, rows[i].second | 2);
		assert_int_equal(get(0, 0, STATUS) &
					 ~(MC_STATUS_ADDRV | MC_STATUS_MISCV),
				 stays | OVER);
		assert_int_equal(get(0, 0, ADDR), 0x1000 + stays);
		assert_int_equal(set(0, STATUS, 0), 0);
	}
	/* OVER has gone with the status */
	put(0, VAL);
	assert_false(get(0, 0, STATUS) & OVER);
}

/* A guest that is sent no #MC must not wait for one with a full bank */
static void test_uncorrected(void **state)
{
	put(0, UC | MC_STATUS_S | MC_STATUS_AR);
	assert_int_equal(get(0, 0, STATUS),
			 UC | MC_STATUS_ADDRV | MC_STATUS_MISCV);
	put(1, UC | MC_STATUS_PCC);
	assert_int_equal(get(0, 1, STATUS), 0);
	create(4);
	put(2, UC);
	assert_int_equal(get(0, 2, STATUS), 0);
	cpu_features.vendor = VENDOR_AMD;
	create(4 | MCG_CAP_SER_P);
	put(2, UC);
	assert_int_equal(get(0, 2, STATUS), 0);
}

/* Counters and SMCA's registers are the host's alone */
static void test_amd(void **state)
{
	cpu_features.vendor = VENDOR_AMD;
	cpu_features.smca = true;
	create(4);
	put(0, VAL | MC_STATUS_SYNDV | MC_STATUS_DEFERRED);
	assert_int_equal(get(0, 0, STATUS),
			 VAL | MC_STATUS_DEFERRED | MC_STATUS_ADDRV);
	assert_int_equal(get(0, 0, MISC), 0);
	/* Before SMCA, the bit is one of a syndrome */
	cpu_features.smca = false;
	put(1, VAL | MC_STATUS_SYNDV);
	assert_true(get(0, 1, STATUS) & MC_STATUS_SYNDV);
}

/* --- all at once --- */

#define ROUNDS  20000u
#define WRITERS 3u

/* The address and the MISC of an error are told by its code */
static void put_many(u32 id)
{
	for (u32 i = 0; i < ROUNDS; i++) {
		u64 code = (u64)id << 20 | i;
		const struct mce_error e = {
			.status =
				VAL | MC_STATUS_ADDRV | MC_STATUS_MISCV | code,
			.addr = code << 12,
			.misc = ~code,
		};

		mca_put(&e);
	}
}

static u32 found;

/* What is read between two reads of one status is that error's */
static void read_many(void)
{
	for (u32 i = 0; i < ROUNDS; i++) {
		u64 status = get(0, 0, STATUS), addr = get(0, 0, ADDR);
		u64 misc = get(0, 0, MISC), code = status & BITS(31, 0);

		if (!status || status != get(0, 0, STATUS))
			continue;
		found++;
		assert_true(status & VAL);
		assert_int_equal(addr, code << 12);
		assert_int_equal(misc, ~code);
		assert_int_equal(set(0, STATUS, 0), 0);
	}
}

static void race(u32 id)
{
	if (id < WRITERS)
		put_many(id);
	else
		read_many();
}

static void test_race(void **state)
{
	threads_run(WRITERS + 1, race);
	read_many();
	assert_true(found);
	/* Nobody has left it half full */
	assert_int_equal(get(0, 0, STATUS), 0);
	put(0, VAL);
	assert_true(get(0, 0, STATUS));
	assert_false(get(0, 0, STATUS) & OVER);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_isolated),   CASE(test_cap),
		CASE(test_no_memory),  CASE(test_writes),
		CASE(test_which_vcpu), CASE(test_not_valid),
		CASE(test_overwrite),  CASE(test_uncorrected),
		CASE(test_amd),        CASE(test_race),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
