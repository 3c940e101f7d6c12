/* SOURCES: hv/vm/kept.c lib/string.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/* A vCPU's registers while it stands: what is kept, what may be changed, and
 * what of it comes back */
#include "hv/vm/kept.h"

#include "arch/x86/cpu/debug_regs.h"
#include "include/hw/cpu.h"
#include "lib/errno.h"
#include "tests/unit/test.h"

static struct vcpu vcpu;
static struct vcpu_regs *const r = &vcpu.hw.regs;

static int setup(void **state)
{
	memset(&vcpu, 0, sizeof(vcpu));
	r->rflags = RFLAGS_FIXED | RFLAGS_IF | RFLAGS_IOPL;
	r->efer = EFER_LME | EFER_LMA;
	r->seg[SEG_CS].attr = SEG_ATTR_L;
	r->rip = 0x1000;
	return 0;
}

static void test_kept(void **state)
{
	static const u64 dr[4] = { 1, 2, 3, 4 };

	assert_null(kept_of(&vcpu));
	debug_regs_load(dr);
	r->gpr[GPR_R9] = 9;
	kept_take(&vcpu);
	r->gpr[GPR_R9] = 10; /* as a reset does */
	assert_int_equal(kept_of(&vcpu)->gpr[GPR_R9], 9);
	assert_int_equal(kept_of(&vcpu)->dr[3], 4);
	assert_int_equal(kept_of(&vcpu)->rip, 0x1000);
	/* Nothing was changed: nothing is */
	kept_give_back(&vcpu);
	assert_null(kept_of(&vcpu));
	assert_int_equal(r->gpr[GPR_R9], 10);
	assert_int_equal(r->dirty, 0);
	kept_take(&vcpu);
	kept_forget(&vcpu);
	assert_null(kept_of(&vcpu));
}

static void test_change(void **state)
{
	struct vcpu_regs now = { .gpr = { 5, 6 }, .rip = 0x2000, .cr0 = ~0ull };

	now.seg[SEG_GS].base = 0xffff800000000000;
	now.rflags = ~0ull;
	assert_int_equal(kept_change(&vcpu, &now), -ENOENT);
	kept_take(&vcpu);
	assert_int_equal(kept_change(&vcpu, &now), 0);
	assert_int_equal(r->rip, 0x1000);
	kept_give_back(&vcpu);
	assert_int_equal(r->gpr[1], 6);
	assert_int_equal(r->rip, 0x2000);
	assert_int_equal(r->cr0, 0);
	assert_int_equal(r->seg[SEG_GS].base, 0xffff800000000000);
	/* Neither virtual-8086 mode, nor a privilege, nor what is reserved */
	assert_int_equal(r->rflags, RFLAGS_FIXED | RFLAGS_IOPL | RFLAGS_CF |
					    RFLAGS_PF | RFLAGS_AF | RFLAGS_ZF |
					    RFLAGS_SF | RFLAGS_TF | RFLAGS_IF |
					    RFLAGS_DF | RFLAGS_OF);
	assert_int_equal(r->dirty & (RG_RIP | RG_RSP | RG_SEG),
			 RG_RIP | RG_RSP | RG_SEG);
	assert_int_equal(r->dirty & RG_CR, 0);
}

/* IF stays while an interrupt is on its way in */
static void test_delivered(void **state)
{
	struct vcpu_regs now = { .rip = 0x1000 };

	kept_take(&vcpu);
	vcpu.injected = true;
	assert_int_equal(kept_change(&vcpu, &now), 0);
	assert_true(vcpu.kept.rflags & RFLAGS_IF);
	vcpu.injected = false;
	vcpu.pending.type = EVENT_EXTINT;
	assert_int_equal(kept_change(&vcpu, &now), 0);
	assert_true(vcpu.kept.rflags & RFLAGS_IF);
	vcpu.pending.type = EVENT_NONE;
	assert_int_equal(kept_change(&vcpu, &now), 0);
	assert_false(vcpu.kept.rflags & RFLAGS_IF);
}

static void test_refused(void **state)
{
	struct vcpu_regs now = { .rip = 0x800000000000 };

	kept_take(&vcpu);
	assert_int_equal(kept_change(&vcpu, &now), -EINVAL);
	now.rip = 0x1000;
	now.seg[SEG_FS].base = BIT(63);
	assert_int_equal(kept_change(&vcpu, &now), -EINVAL);
	now.seg[SEG_FS].base = 0;
	/* In the middle of an instruction it stays there */
	vcpu.events = VE_INSN;
	assert_int_equal(kept_change(&vcpu, &now), 0);
	now.rip = 0x1001;
	assert_int_equal(kept_change(&vcpu, &now), -EBUSY);
	vcpu.events = 0;
	assert_int_equal(kept_change(&vcpu, &now), 0);
	/* 32 bits */
	vcpu.kept.seg[SEG_CS].attr = SEG_ATTR_DB;
	now.rip = 0xffffffff;
	assert_int_equal(kept_change(&vcpu, &now), 0);
	now.rip = BIT(32);
	assert_int_equal(kept_change(&vcpu, &now), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_kept, setup),
		cmocka_unit_test_setup(test_change, setup),
		cmocka_unit_test_setup(test_delivered, setup),
		cmocka_unit_test_setup(test_refused, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
