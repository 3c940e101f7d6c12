/* SOURCES: arch/x86/svm/run.c arch/x86/svm/exit.c arch/x86/svm/event.c arch/x86/svm/state.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/* What enter.asm calls before an entry and behind an exit */
#include "arch/x86/machine/lapic.h"
#include "arch/x86/svm/internal.h"
#include "include/hw/lapic.h"
#include "tests/unit/test.h"

struct svm_caps svm_caps;
const u8 svm_enter_vmrun[1];
static struct vmcb vmcb;
static struct vcpu_arch arch;
static u32 apic_page[PAGE_SIZE / 4];
static struct vcpu_hw hw;
static u32 loads, unloads, taken;

void lapic_send_ipi(u32 apic_id, u8 vector)
{
}

void lapic_offer_again(void)
{
}

void svm_unload(struct pcpu *c)
{
	unloads++;
}

void svm_load(struct vcpu_arch *a, struct pcpu *cpu)
{
	loads++;
	a->attention &= ~(u32)ATT_LOAD;
}

void svm_take_interrupts(struct vcpu_arch *a)
{
	assert_false(a->attention & ATT_LOAD);
	taken++;
}

void svm_xcr0_sync(struct vcpu_hw *v)
{
}

static int setup(void **state)
{
	memset(&vmcb, 0, sizeof(vmcb));
	memset(&hw, 0, sizeof(hw));
	memset(apic_page, 0, sizeof(apic_page));
	arch = (struct vcpu_arch){ .vmcb = &vmcb,
				   .plain_vintr = VINTR_MASKING };
	vmcb.control.vintr = VINTR_MASKING;
	hw.arch = &arch;
	hw.apic_page = apic_page;
	svm_caps = (struct svm_caps){ .nrips = true };
	loads = unloads = taken = 0;
	return 0;
}

static struct vcpu_exit *leave(u64 code)
{
	vmcb.control.exitcode = code;
	svm_exited(&hw, &arch, &vmcb);
	return &hw.exit;
}

/* The NMI or SMI is taken at once. If it came while an event was delivered, the
 * core still has to hear of that: it injects the event again. */
static void test_nmi_and_delivery(void **state)
{
	static const u32 codes[] = { VMEXIT_NMI, VMEXIT_SMI };

	for (u32 i = 0; i < ARRAY_SIZE(codes); i++) {
		setup(state);
		assert_int_equal(leave(codes[i])->kind, EXIT_BACKEND);
		assert_int_equal(hw.exit.vectoring.type, EVENT_NONE);
		vmcb.control.exitintinfo = EVENT_VALID | 0x41;
		assert_int_equal(leave(codes[i])->kind, EXIT_BACKEND);
		assert_int_equal(unloads, 2);
		assert_int_equal(hw.exit.vectoring.type, EVENT_EXTINT);
		assert_int_equal(hw.exit.vectoring.vector, 0x41);
	}
}

/* A #PF that was being delivered needs its CR2 once more */
static void test_page_fault_in_delivery(void **state)
{
	vmcb.control.exitintinfo = EVENT_VALID | EVENT_ERROR_VALID |
				   EVENT_TYPE_EXCEPTION << EVENT_TYPE_SHIFT |
				   EXC_PF;
	vmcb.save.cr2 = 0x1234;
	vmcb.control.exitinfo2 = 0xfee00020;
	assert_int_equal(leave(VMEXIT_NPF)->kind, EXIT_MMIO);
	assert_int_equal(hw.exit.mmio.gpa.v, 0xfee00020);
	assert_int_equal(hw.exit.insn_len, 0);
	assert_int_equal(hw.exit.vectoring.vector, EXC_PF);
	assert_int_equal(hw.regs.cr2, 0x1234);
}

/* What every exit brings, and what it leaves for the next entry */
static void test_exited(void **state)
{
	hw.regs.dirty = RG_IP;
	vmcb.save.rax = 0x11;
	vmcb.save.rip = 0x10ff;
	vmcb.save.rflags = RFLAGS_FIXED;
	vmcb.control.nrip = 0x1101;
	vmcb.control.interrupt_shadow = INTERRUPT_SHADOW;
	vmcb.control.eventinj = EVENT_VALID;
	vmcb.control.tlb_control = TLB_FLUSH_ALL;
	arch.nmi_shadow = SHADOW_NMI;
	svm_look(&arch);
	assert_int_equal(leave(VMEXIT_CPUID)->kind, EXIT_CPUID);
	assert_int_equal(hw.exit.insn_len, 2);
	assert_int_equal(hw.regs.gpr[GPR_RAX], 0x11);
	assert_int_equal(hw.regs.rip, 0x10ff);
	assert_int_equal(hw.regs.rflags, RFLAGS_FIXED);
	assert_int_equal(hw.regs.shadow, SHADOW_STI | SHADOW_NMI);
	assert_int_equal(hw.regs.valid, RG_RIP);
	assert_int_equal(hw.regs.dirty, 0);
	assert_int_equal(vmcb.control.eventinj, 0);
	assert_int_equal(vmcb.control.tlb_control, TLB_DO_NOTHING);
	assert_int_equal(vmcb.control.vmcb_clean, CLEAN_ALL);
	/* NMIs are blocked until their handler returns */
	assert_int_equal(leave(VMEXIT_CPUID)->kind, EXIT_CPUID);
	assert_int_equal(hw.regs.shadow, SHADOW_STI | SHADOW_NMI);
	/* The CPU does not say how long an instruction was that this is not */
	assert_int_equal(leave(VMEXIT_INTR)->insn_len, 0);
	assert_int_equal(leave(VMEXIT_HLT)->insn_len, 2);
	svm_caps.nrips = false;
	assert_int_equal(leave(VMEXIT_HLT)->insn_len, 0);
	assert_true(hw.regs.valid & RG_CR);
	vmcb.control.exitinfo1 = 1;
	assert_int_equal(leave(VMEXIT_MSR)->kind, EXIT_WRMSR);
}

static void test_port(void **state)
{
	vmcb.save.rip = 0x1000;
	vmcb.control.exitinfo1 =
		0x3f8u << IOIO_PORT_SHIFT | 2u << IOIO_SIZE_SHIFT | IOIO_IN;
	vmcb.control.exitinfo2 = 0x1003;
	assert_int_equal(leave(VMEXIT_IOIO)->kind, EXIT_PORT);
	assert_int_equal(hw.exit.insn_len, 3);
	assert_int_equal(hw.exit.port.port, 0x3f8);
	assert_int_equal(hw.exit.port.size, 2);
	assert_true(hw.exit.port.in);
	assert_false(hw.exit.port.string);
}

/* The guest's CR8 and the vLAPIC's TPR are one */
static void test_tpr(void **state)
{
	u32 *tpr = &apic_page[APIC_TPR / sizeof(u32)];

	vmcb.control.vintr = VINTR_MASKING | 5;
	leave(VMEXIT_CPUID);
	assert_int_equal(*tpr, 0x50);
	assert_int_equal(arch.plain_vintr, VINTR_MASKING | 5);
	*tpr = 0x93;
	hw.regs.dirty = RG_CONTROL;
	assert_true(svm_prepare(&hw));
	assert_int_equal(vmcb.control.vintr, VINTR_MASKING | 9);
	assert_false(vmcb.control.vmcb_clean & CLEAN_TPR);
	leave(VMEXIT_CPUID);
	assert_int_equal(*tpr, 0x93);
}

static void test_load(void **state)
{
	arch.attention = ATT_LOAD;
	assert_true(svm_prepare(&hw));
	assert_true(svm_prepare(&hw));
	assert_int_equal(loads, 1);
}

static void ask_for_window(void)
{
	hw.exit.kind = EXIT_UNKNOWN;
	svm_request_window(&hw, WINDOW_IRQ, 0x31);
	assert_int_equal(arch.attention, ATT_WINDOW);
}

/* An interrupt that can be taken needs no entry to say so. It cannot with IF
 * clear, in a shadow, or behind another event. */
static void test_open_window(void **state)
{
	ask_for_window();
	assert_true(svm_prepare(&hw));
	hw.regs.rflags = RFLAGS_IF;
	hw.regs.shadow = SHADOW_STI;
	hw.regs.dirty = RG_RIP;
	assert_true(svm_prepare(&hw));
	hw.regs.shadow = 0;
	hw.regs.dirty = RG_RIP;
	vmcb.control.eventinj = EVENT_VALID;
	assert_true(svm_prepare(&hw));
	vmcb.control.eventinj = 0;
	assert_int_equal(hw.exit.kind, EXIT_UNKNOWN);
	hw.exit.vectoring.type = EVENT_EXTINT;
	assert_false(svm_prepare(&hw));
	assert_int_equal(hw.exit.kind, EXIT_IRQ_WINDOW);
	assert_int_equal(hw.exit.insn_len, 0);
	assert_int_equal(hw.exit.vectoring.type, EVENT_NONE);
	assert_false(vmcb.control.vintr & VINTR_IRQ);
	assert_int_equal(arch.attention, 0);
	assert_true(svm_prepare(&hw));
}

/* True: the guest's polls have turned the entry into the exit INTR */
static bool polled_entry(void)
{
	hw.exit.kind = EXIT_UNKNOWN;
	if (svm_prepare(&hw))
		return false;
	assert_int_equal(hw.exit.kind, EXIT_IRQ);
	assert_false(hw.exit.irq.acked);
	return true;
}

/* Few polls of a guest that keeps interrupts off need an entry less, which
 * takes them */
static void test_polls(void **state)
{
	u32 entries = 0;

	svm_caps.irqs_held = true;
	for (u32 i = 0; i < 64; i++) {
		leave(i % 2 ? VMEXIT_NPF : VMEXIT_PAUSE);
		entries += !polled_entry();
		assert_int_equal(arch.attention, 0);
	}
	assert_in_range(taken, 4, 32);
	assert_int_equal(entries + taken, 64);
	vmcb.save.rflags = RFLAGS_IF;
	taken = 0;
	for (u32 i = 0; i < 64; i++) {
		leave(VMEXIT_NPF);
		assert_false(polled_entry());
	}
	assert_int_equal(taken, 0);
}

/* With an event to deliver, or the core's own state in it, there is an entry */
static void test_polls_wait(void **state)
{
	arch.attention = ATT_IRQS | ATT_LOAD;
	assert_false(polled_entry());
	vmcb.control.eventinj = EVENT_VALID;
	assert_false(polled_entry());
	vmcb.control.eventinj = 0;
	assert_true(polled_entry());
	assert_false(polled_entry());
	assert_int_equal(taken, 1);
}

/* The dispatcher takes the kind as it is */
static void test_kinds(void **state)
{
	for (u32 i = 0; i < ARRAY_SIZE(svm_exit_rows); i++)
		assert_in_range(svm_exit_rows[i].kind, 0, EXIT_KINDS - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_nmi_and_delivery, setup),
		cmocka_unit_test_setup(test_page_fault_in_delivery, setup),
		cmocka_unit_test_setup(test_exited, setup),
		cmocka_unit_test_setup(test_kinds, setup),
		cmocka_unit_test_setup(test_port, setup),
		cmocka_unit_test_setup(test_tpr, setup),
		cmocka_unit_test_setup(test_load, setup),
		cmocka_unit_test_setup(test_open_window, setup),
		cmocka_unit_test_setup(test_polls, setup),
		cmocka_unit_test_setup(test_polls_wait, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
