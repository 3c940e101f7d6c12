/* SOURCES: arch/x86/vmx/enter.asm arch/x86/vmx/sites.c arch/x86/machine/text_area.asm arch/x86/cpu/spec_code.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/* enter.asm itself, run on this CPU as far as it goes (entry_cpu.h), as it is
 * built and with each detour: which MSRs are written when, and that no value of
 * the guest's is left in a register */
#include "arch/x86/vmx/internal.h"
#include "include/hw/msr.h"
#include "tests/unit/fakes/entry_cpu.h"
#include "tests/unit/test.h"

#define GUEST_CTRL (SPEC_CTRL_STIBP | SPEC_CTRL_SSBD)

/* What the back-end's C does behind an exit, and before a first entry */
__asm__(".text\n"
	".globl vmx_exited\n"
	"vmx_exited:\n"
	"	ret\n");
void vmx_refused(struct vcpu_hw *v, bool error_known)
{
	abort();
}
bool vmx_prepare(struct vcpu_hw *v)
{
	return true;
}

static struct vcpu_arch arch;
static struct vcpu_hw hw;

static void run(u32 attention, const struct speculation *choice)
{
	entry_cpu_patch(vmx_sites, VMX_SITES, choice);
	arch = (struct vcpu_arch){ .attention = attention };
	hw = (struct vcpu_hw){ .arch = &arch, .spec_ctrl = GUEST_CTRL };
	for (u32 i = 0; i < GPR_COUNT; i++)
		hw.regs.gpr[i] = 0x1000 + i;
	entry_cpu_call((void (*)(void)) & vmx_run, (u64)&hw, 0);
	assert_int_equal(entry_cpu.launched, attention != 0);
	for (u32 i = 0; i < GPR_COUNT; i++) {
		if (i == GPR_RSP)
			continue;
		assert_int_equal(entry_cpu.guest[i], 0x1000 + i);
		assert_int_equal(hw.regs.gpr[i], entry_cpu_guest_value(i));
		assert_int_not_equal(entry_cpu.host[i],
				     entry_cpu_guest_value(i));
	}
	assert_ptr_equal(entry_cpu.host[GPR_RDI], &hw);
	assert_ptr_equal(entry_cpu.host[GPR_RSI], &arch);
	assert_int_equal(entry_cpu.host[GPR_RDX], VMCS_EXIT_REASON.id);
	assert_int_equal(hw.regs.rip, VMCS_GUEST_RIP.id);
	assert_int_equal(hw.regs.rflags, VMCS_GUEST_RFLAGS.id);
	assert_int_equal(entry_cpu.host[GPR_RBX], 0x1b);
	assert_int_equal(entry_cpu.host[GPR_RBP], 0x1c);
}

/* Zero, or what the host has put there? */
static bool is_the_hosts(u32 gpr)
{
	return BIT(gpr) &
	       (BIT(GPR_RAX) | BIT(GPR_RCX) | BIT(GPR_RDX) | BIT(GPR_RBX) |
		BIT(GPR_RSP) | BIT(GPR_RBP) | BIT(GPR_RSI) | BIT(GPR_RDI));
}

/* With nothing chosen, all that is not the host's is zero */
static void test_nothing(void **state)
{
	const struct speculation none = { 0 };

	for (u32 attention = 0; attention <= ATT_LAUNCH;
	     attention += ATT_LAUNCH) {
		run(attention, &none);
		assert_int_equal(entry_cpu.write_count, 0);
		for (u32 i = 0; i < GPR_COUNT; i++)
			if (!is_the_hosts(i))
				assert_int_equal(entry_cpu.host[i], 0);
		assert_false(entry_cpu_detoured(vmx_sites, VMX_SITES));
	}
}

static void test_writes(void **state)
{
	const struct speculation s = { .actions = SPEC_IBRS_EXIT |
						  SPEC_IBPB_EXIT |
						  SPEC_L1D_FLUSH |
						  SPEC_RSB_FILL | SPEC_DIVIDE,
				       .host_ctrl = SPEC_CTRL_IBRS };

	for (u32 attention = 0; attention <= ATT_LAUNCH;
	     attention += ATT_LAUNCH) {
		run(attention, &s);
		assert_int_equal(entry_cpu.write_count, 4);
		entry_cpu_expect_write(0, MSR_SPEC_CTRL, GUEST_CTRL, false);
		entry_cpu_expect_write(1, MSR_FLUSH_CMD, FLUSH_CMD_L1D, false);
		entry_cpu_expect_write(2, MSR_SPEC_CTRL, SPEC_CTRL_IBRS, true);
		entry_cpu_expect_write(3, MSR_PRED_CMD, PRED_CMD_IBPB, true);
	}
}

/* Each alone: it runs, and the stack is even afterwards */
static void test_each(void **state)
{
	for (u32 i = 0; i < 31; i++) {
		const struct speculation s = { .actions = 1u << i };

		run(0, &s);
		run(ATT_LAUNCH, &s);
	}
}

static void test_all(void **state)
{
	const struct speculation s = { .actions = ~0u };

	run(0, &s);
	run(ATT_LAUNCH, &s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing),
		cmocka_unit_test(test_writes),
		cmocka_unit_test(test_each),
		cmocka_unit_test(test_all),
	};

	entry_cpu_init(vmx_sites, VMX_SITES);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
