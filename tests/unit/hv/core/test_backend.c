/* SOURCES: hv/core/backend.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/* The choice of a back-end, and what a reset and INIT leave in the registers */
#include "hv/core/backend.h"
#include "include/hw/cpu.h"
#include "lib/errno.h"
#include "tests/unit/fakes/log.h"
#include "tests/unit/test.h"

static int absent(u32 *max_level)
{
	return -ENODEV;
}

static int locked_off(u32 *max_level)
{
	return -ENOTSUP;
}

static int usable(u32 *max_level)
{
	*max_level = 2;
	return 0;
}

static const struct vcpu_ops none = { .probe = absent };
static const struct vcpu_ops locked = { .probe = locked_off };
static const struct vcpu_ops good = { .probe = usable };

static int setup(void **state)
{
	fake_log_reset();
	vcpu_ops = NULL;
	return 0;
}

static void first_usable_is_chosen(void **state)
{
	const struct vcpu_ops *const rows[] = { &none, &good };
	u32 level = 0;

	assert_int_equal(backend_select(rows, 2, &level), 0);
	assert_ptr_equal(vcpu_ops, &good);
	assert_int_equal(level, 2);
	assert_int_equal(fake_log_lines, 0);
}

/* The back-end has said what is wrong; the user is told when none is there */
static void none_is_usable(void **state)
{
	const struct vcpu_ops *const off[] = { &locked, &good };
	const struct vcpu_ops *const nothing[] = { &none, &none };
	u32 level;

	assert_int_equal(backend_select(off, 2, &level), -ENOTSUP);
	assert_int_equal(fake_log_lines, 0);
	assert_int_equal(backend_select(nothing, 2, &level), -ENODEV);
	assert_int_equal(fake_log_lines, 1);
	assert_null(vcpu_ops);
}

static void reset_and_init(void **state)
{
	static struct vcpu_regs regs;
	struct vcpu_regs *r = &regs;

	vcpu_regs_reset(r, false);
	assert_int_equal(r->rip + r->seg[SEG_CS].base, 0xfffffff0);
	assert_int_equal(r->cr0, 0x60000010);
	assert_int_equal(r->rflags, 2);
	assert_int_equal(r->seg[SEG_TR].attr, 0x8b);
	r->cr0 = 0x80050033;
	r->lstar = 0x1234;
	r->xcr0 = 7;
	r->gpr[GPR_RSP] = 0x9000;
	vcpu_regs_reset(r, true);
	assert_int_equal(r->cr0, 0x10);
	assert_int_equal(r->lstar, 0x1234);
	assert_int_equal(r->xcr0, 7);
	assert_int_equal(r->gpr[GPR_RSP], 0);
	assert_int_equal(r->valid & RG_ALL, RG_ALL);
	assert_int_equal(r->dirty, RG_ALL | RG_CONTROL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(first_usable_is_chosen, setup),
		cmocka_unit_test_setup(none_is_usable, setup),
		cmocka_unit_test_setup(reset_and_init, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
