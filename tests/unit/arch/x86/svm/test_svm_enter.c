/* SOURCES: arch/x86/svm/enter.asm arch/x86/svm/sites.c arch/x86/machine/text_area.asm arch/x86/cpu/spec_code.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/* enter.asm itself, run on this CPU as far as it goes (entry_cpu.h), as it is
 * built and with each detour: which MSRs are written when, and that no value of
 * the guest's is left in a register */
#include "arch/x86/svm/internal.h"
#include "include/hw/msr.h"
#include "tests/unit/fakes/entry_cpu.h"
#include "tests/unit/test.h"

#define GUEST_CTRL SPEC_CTRL_SSBD
#define VMCB_HPA   0x5000u
#define RIP        0x1234u

/* What the back-end's C does behind an exit */
__asm__(".text\n"
	".globl svm_exited\n"
	"svm_exited:\n"
	"	ret\n");

static struct vmcb vmcb;
static struct vcpu_arch arch;
static struct vcpu_hw hw;
static bool may_enter;
static u32 prepared;

bool svm_prepare(struct vcpu_hw *v)
{
	assert_ptr_equal(v, &hw);
	prepared++;
	return may_enter;
}

static void begin(u32 dirty, u32 attention, const struct speculation *choice)
{
	entry_cpu_patch(svm_sites, SVM_SITES, choice);
	arch = (struct vcpu_arch){ .vmcb = &vmcb,
				   .vmcb_hpa = HPA(VMCB_HPA),
				   .attention = attention };
	hw = (struct vcpu_hw){ .arch = &arch, .spec_ctrl = GUEST_CTRL };
	hw.regs.rip = RIP;
	hw.regs.dirty = dirty;
	for (u32 i = 0; i < GPR_COUNT; i++)
		hw.regs.gpr[i] = 0x1000 + i;
	vmcb = (struct vmcb){ 0 };
	prepared = 0;
	may_enter = true;
	entry_cpu.exited = false;
}

static void call(void)
{
	entry_cpu_call((void (*)(void)) & svm_run, (u64)&hw, 0);
	assert_int_equal(entry_cpu.host[GPR_RBX], 0x1b);
	assert_int_equal(entry_cpu.host[GPR_RBP], 0x1c);
}

static void run_with(u32 dirty, u32 attention, const struct speculation *choice)
{
	begin(dirty, attention, choice);
	call();
	assert_int_equal(entry_cpu.guest[GPR_RAX], VMCB_HPA);
	assert_int_equal(vmcb.save.rax, 0x1000);
	for (u32 i = GPR_RCX; i < GPR_COUNT; i++) {
		if (i == GPR_RSP)
			continue;
		assert_int_equal(entry_cpu.guest[i], 0x1000 + i);
		assert_int_equal(hw.regs.gpr[i], entry_cpu_guest_value(i));
		assert_int_not_equal(entry_cpu.host[i],
				     entry_cpu_guest_value(i));
	}
	assert_ptr_equal(entry_cpu.host[GPR_RDI], &hw);
	assert_ptr_equal(entry_cpu.host[GPR_RSI], &arch);
	assert_ptr_equal(entry_cpu.host[GPR_RDX], &vmcb);
}

static void run(const struct speculation *choice)
{
	run_with(RG_IP, 0, choice);
	assert_int_equal(prepared, 0);
	assert_int_equal(vmcb.save.rip, RIP);
}

/* RIP alone is stored here; what else there is, C does */
static void test_prepare(void **state)
{
	const struct speculation none = { 0 };

	run_with(0, 0, &none);
	assert_int_equal(prepared, 0);
	assert_int_equal(vmcb.save.rip, 0);
	run_with(RG_IP | RG_CR, 0, &none);
	assert_int_equal(prepared, 1);
	run_with(RG_IP, ATT_LOAD, &none);
	assert_int_equal(prepared, 1);
	run_with(0, ATT_WINDOW, &none);
	assert_int_equal(prepared, 1);
	/* An exit with no entry */
	begin(0, ATT_WINDOW, &none);
	may_enter = false;
	call();
	assert_int_equal(prepared, 1);
	assert_false(entry_cpu.exited);
}

/* With nothing chosen, all that is not the host's is zero */
static void test_nothing(void **state)
{
	const struct speculation none = { 0 };

	run(&none);
	assert_int_equal(entry_cpu.write_count, 0);
	for (u32 i = GPR_RCX; i < GPR_COUNT; i++)
		if (i != GPR_RSP && i != GPR_RBP && i != GPR_RBX &&
		    i != GPR_RSI && i != GPR_RDI && i != GPR_RDX)
			assert_int_equal(entry_cpu.host[i], 0);
	assert_false(entry_cpu_detoured(svm_sites, SVM_SITES));
}

static void test_writes(void **state)
{
	const struct speculation s = { .actions = SPEC_IBRS_EXIT |
						  SPEC_IBPB_EXIT | SPEC_DIVIDE |
						  SPEC_VERW | SPEC_RSB_FILL,
				       .host_ctrl = SPEC_CTRL_IBRS };

	run(&s);
	assert_int_equal(entry_cpu.write_count, 3);
	entry_cpu_expect_write(0, MSR_SPEC_CTRL, GUEST_CTRL, false);
	entry_cpu_expect_write(1, MSR_SPEC_CTRL, SPEC_CTRL_IBRS, true);
	entry_cpu_expect_write(2, MSR_PRED_CMD, PRED_CMD_IBPB, true);
}

/* Each alone: it runs, and the stack is even afterwards */
static void test_each(void **state)
{
	for (u32 i = 0; i < 31; i++) {
		const struct speculation s = { .actions = 1u << i };

		run(&s);
	}
}

static void test_all(void **state)
{
	const struct speculation s = { .actions = ~0u };

	run(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_prepare), cmocka_unit_test(test_nothing),
		cmocka_unit_test(test_writes),  cmocka_unit_test(test_each),
		cmocka_unit_test(test_all),
	};

	entry_cpu_init(svm_sites, SVM_SITES);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
