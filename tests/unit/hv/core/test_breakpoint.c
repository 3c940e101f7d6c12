/* SOURCES: hv/core/breakpoint.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/* Which accesses meet which breakpoint, and when a vCPU counts as having any */
#include "arch/x86/cpu/debug_regs.h"
#include "hv/core/breakpoint.h"
#include "include/hw/cpu.h"
#include "tests/unit/test.h"

#define ON(n, kind, len)                                                       \
	(1ull << 2 * (n) | (u64)(kind) << (16 + 4 * (n)) |                     \
	 (u64)(len) << (18 + 4 * (n)))
enum { CODE, WRITE, PORT, ACCESS };
enum { LEN_1, LEN_2, LEN_8, LEN_4 };

static struct vcpu vcpu;
static u64 core_dr[4];

void debug_regs_save(u64 dr[4])
{
	memcpy(dr, core_dr, sizeof(core_dr));
}

static int setup(void **state)
{
	memset(&vcpu, 0, sizeof(vcpu));
	memset(core_dr, 0, sizeof(core_dr));
	vcpu.hw.regs.breakpoints = true;
	return 0;
}

static void test_data(void **state)
{
	/* clang-format off */
	static const struct {
		u64 dr0, dr7, at;
		u32 size;
		u8 access;
		bool met;
	} rows[] = {
		{ 0x1000, ON(0, WRITE, LEN_4), 0x1000, 4, ACCESS_W, true },
		{ 0x1000, ON(0, WRITE, LEN_4), 0x1000, 4, ACCESS_R, false },
		{ 0x1000, ON(0, ACCESS, LEN_4), 0x1000, 4, ACCESS_R, true },
		{ 0x1000, ON(0, ACCESS, LEN_4), 0x1000, 4, ACCESS_W, true },
		{ 0x1000, ON(0, CODE, LEN_1), 0x1000, 1, ACCESS_R, false },
		{ 0x1000, ON(0, PORT, LEN_1), 0x1000, 1, ACCESS_R, false },
		{ 0x1000, ON(0, ACCESS, LEN_1), 0x1001, 1, ACCESS_R, false },
		{ 0x1000, ON(0, ACCESS, LEN_2), 0x1001, 1, ACCESS_R, true },
		{ 0x1001, ON(0, ACCESS, LEN_2), 0x1000, 1, ACCESS_R, true },
		{ 0x1007, ON(0, ACCESS, LEN_8), 0x0ff8, 16, ACCESS_R, true },
		{ 0x1007, ON(0, ACCESS, LEN_8), 0x0ff8, 8, ACCESS_R, false },
		{ 0x1000, ON(0, ACCESS, LEN_8), 0x1008, 8, ACCESS_R, false },
		{ ~0ull, ON(0, ACCESS, LEN_8), ~0ull - 8, 2, ACCESS_R, true },
		{ 0x1000, ON(1, ACCESS, LEN_8), 0x1000, 8, ACCESS_R, false },
	};
	/* clang-format on */
	for (u32 i = 0; i < ARRAY_SIZE(rows); i++) {
		core_dr[0] = rows[i].dr0;
		core_dr[1] = ~0ull << 63;
		vcpu.hw.regs.dr[7] = rows[i].dr7;
		vcpu.hw.regs.pending_debug = 0;
		breakpoint_data(&vcpu, rows[i].at, rows[i].size,
				rows[i].access);
		if (vcpu.hw.regs.pending_debug !=
		    (rows[i].met ? DR6_PENDING | 1 : 0))
			fail_msg("row %u: %x", i, vcpu.hw.regs.pending_debug);
	}
}

/* Each access of an instruction adds what it meets */
static void test_all_four(void **state)
{
	for (u32 n = 0; n < 4; n++) {
		core_dr[n] = 0x1000 * n;
		vcpu.hw.regs.dr[7] |= ON(n, ACCESS, LEN_1);
	}
	breakpoint_data(&vcpu, 0x3000, 1, ACCESS_R);
	breakpoint_data(&vcpu, 0x1000, 1, ACCESS_W);
	assert_int_equal(vcpu.hw.regs.pending_debug, DR6_PENDING | 0xa);
}

static void test_ports(void **state)
{
	struct vcpu_regs *r = &vcpu.hw.regs;

	core_dr[2] = 0x3f8;
	r->dr[7] = ON(2, PORT, LEN_8);
	vcpu.hw.exit.kind = EXIT_PORT;
	vcpu.hw.exit.port.port = 0x3fd;
	vcpu.hw.exit.port.size = 1;
	assert_int_equal(breakpoint_port(&vcpu), 0);
	r->cr4 = CR4_DE;
	assert_int_equal(breakpoint_port(&vcpu), 4);
	vcpu.hw.exit.kind = EXIT_CPUID;
	assert_int_equal(breakpoint_port(&vcpu), 0);
	assert_true(r->breakpoints);
}

static void test_lasts_as_long_as_dr7(void **state)
{
	struct vcpu_regs *r = &vcpu.hw.regs;

	r->breakpoints = false;
	assert_int_equal(breakpoint_exit(&vcpu, &vcpu.hw.exit), VERDICT_RESUME);
	assert_true(r->breakpoints && (r->dirty & RG_DR));
	r->dr[7] = DR7_FIXED | DR7_GD;
	breakpoint_port(&vcpu);
	assert_true(r->breakpoints);
	r->dr[7] = DR7_FIXED | 0xffff0000;
	r->dirty = 0;
	breakpoint_port(&vcpu);
	assert_true(!r->breakpoints && (r->dirty & RG_DR));
}

/* One look at the end of an instruction is for both */
static void test_after(void **state)
{
	struct vcpu_regs *r = &vcpu.hw.regs;

	assert_int_equal(r->after, AFTER_BREAKPOINTS);
	r->shadow = SHADOW_MOV_SS;
	assert_int_equal(r->after, AFTER_BREAKPOINTS | SHADOW_MOV_SS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_data, setup),
		cmocka_unit_test_setup(test_all_four, setup),
		cmocka_unit_test_setup(test_ports, setup),
		cmocka_unit_test_setup(test_lasts_as_long_as_dr7, setup),
		cmocka_unit_test_setup(test_after, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
