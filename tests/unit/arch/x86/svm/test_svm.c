/* SOURCES: arch/x86/svm/event.c arch/x86/svm/exit.c arch/x86/svm/bitmap.c arch/x86/svm/state.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The SVM back-end without a CPU: permission maps, events, windows, segments
 * and the exit codes. Over 400 lines: one VMCB that each case fills.
 */
#include "arch/x86/cpu/features.h"
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
static u32 ipis, offers, unloads, taken;

void lapic_send_ipi(u32 apic_id, u8 vector)
{
	ipis++;
}
void lapic_offer_again(void)
{
	offers++;
}
void svm_unload(struct pcpu *c)
{
	unloads++;
}

void svm_take_interrupts(struct vcpu_arch *a)
{
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
	arch = (struct vcpu_arch){ .vmcb = &vmcb, .attention = ATT_LOAD };
	hw.arch = &arch;
	hw.apic_page = apic_page;
	ipis = offers = unloads = taken = 0;
	cpu_features = (struct cpu_features){ .mce = true };
	svm_caps.nrips = svm_caps.decode_assists = svm_caps.tcg = false;
	return 0;
}

static void test_msr_map(void **state)
{
	static u8 map[MSRPM_PAGES * PAGE_SIZE], before[sizeof(map)];
	struct vm_intercepts i = { .msr_bitmap = map };

	memset(map, 0xff, sizeof(map));
	svm_intercept_msr(&i, 0x174, INTERCEPT_OFF, INTERCEPT_ON);
	assert_int_equal(map[0x174 / 4], 0xfe);
	svm_intercept_msr(&i, 0xc0000082, INTERCEPT_OFF, INTERCEPT_OFF);
	assert_int_equal(map[0x800 + 0x82 / 4], 0xcf);
	svm_intercept_msr(&i, 0xc0011fff, INTERCEPT_ON, INTERCEPT_OFF);
	assert_int_equal(map[0x1000 + 0x7ff], 0x7f);
	assert_int_equal(svm_msr_passes(&i, 0x174), ACCESS_R);
	assert_int_equal(svm_msr_passes(&i, 0x175), 0);
	assert_int_equal(svm_msr_passes(&i, 0xc0000082), ACCESS_R | ACCESS_W);
	assert_int_equal(svm_msr_passes(&i, 0xc0011fff), ACCESS_W);
	assert_int_equal(svm_msr_passes(&i, 0xc0002000), 0);
	assert_int_equal(svm_msr_passes(&i, 0x2000), 0);
	/* In no range: always intercepted, the map is left alone */
	memcpy(before, map, sizeof(map));
	svm_intercept_msr(&i, 0x2000, INTERCEPT_OFF, INTERCEPT_OFF);
	svm_intercept_msr(&i, 0x4b564d00, INTERCEPT_OFF, INTERCEPT_OFF);
	svm_intercept_msr(&i, 0xc0002000, INTERCEPT_OFF, INTERCEPT_OFF);
	assert_memory_equal(before, map, sizeof(map));
}

static void test_port_map(void **state)
{
	static u8 map[IOPM_PAGES * PAGE_SIZE];
	struct vm_intercepts i = { .port_bitmap = map };

	memset(map, 0xff, sizeof(map));
	svm_intercept_port(&i, 0, INTERCEPT_OFF);
	svm_intercept_port(&i, 0xffff, INTERCEPT_OFF);
	assert_int_equal(map[0], 0xfe);
	assert_int_equal(map[0x1fff], 0x7f);
	assert_int_equal(map[0x2000], 0xff);
	assert_int_equal(svm_ports_pass(&i, 0), 1);
	assert_int_equal(svm_ports_pass(&i, 8), 0);
	assert_int_equal(svm_ports_pass(&i, 0xfff8), 0x80);
	svm_intercept_port(&i, 0, INTERCEPT_ON);
	assert_int_equal(map[0], 0xff);
}

static void test_inject(void **state)
{
	struct vcpu_event irq = { .type = EVENT_EXTINT, .vector = 0x31 };
	struct vcpu_event gp = { .type = EVENT_EXCEPTION,
				 .vector = 13,
				 .has_error = true,
				 .error = 0xabc };
	struct vcpu_event nmi = { .type = EVENT_NMI, .vector = 2 };
	struct vcpu_event none = { .type = EVENT_NONE };

	svm_inject(&hw, &irq);
	assert_int_equal(vmcb.control.eventinj, 0x80000031);
	svm_inject(&hw, &gp);
	assert_int_equal(vmcb.control.eventinj, 0xabc80000b0dull);
	svm_inject(&hw, &nmi);
	assert_int_equal(vmcb.control.eventinj, 0x80000202);
	assert_true(vmcb.control.intercept1 & I1_IRET);
	assert_int_equal(arch.nmi_shadow, SHADOW_NMI);
	svm_inject(&hw, &none);
	assert_int_equal(vmcb.control.eventinj, 0);
}

static struct vcpu_event from_info(u64 info)
{
	struct vcpu_event e;

	svm_event_from_info(&e, info);
	return e;
}

/* An emulator that delivers an interrupt twice gets a software interrupt, or
 * looks up before the guest's first instruction */
static void test_inject_once(void **state)
{
	struct vcpu_event irq = { .type = EVENT_EXTINT, .vector = 0x31 };
	struct vcpu_event gp = { .type = EVENT_EXCEPTION, .vector = 13 };
	struct vcpu_event back;

	svm_caps.tcg = true;
	svm_inject(&hw, &irq);
	assert_int_equal(vmcb.control.eventinj, 0x80001431);
	assert_int_equal(ipis, 0);
	/* Its delivery met an exit: it is not the guest's INT 31h */
	back = from_info(vmcb.control.eventinj);
	assert_int_equal(back.type, EVENT_EXTINT);
	assert_int_equal(back.vector, 0x31);
	assert_int_equal(from_info(0x80000431).type, EVENT_NONE);
	svm_inject(&hw, &gp);
	assert_int_equal(vmcb.control.eventinj, 0x8000030d);
	/* A gate's DPL may forbid it */
	vmcb.save.cpl = 3;
	svm_inject(&hw, &irq);
	assert_int_equal(vmcb.control.eventinj, 0x80000031);
	assert_int_equal(ipis, 1);
	/* The VMCB's CPL is not the next entry's */
	vmcb.save.cpl = 0;
	hw.regs.dirty = RG_SEG;
	svm_inject(&hw, &irq);
	assert_int_equal(vmcb.control.eventinj, 0x80000031);
	assert_int_equal(ipis, 2);
	svm_caps.tcg = false;
}

/* What an exit finds of CR8; and an emulator that forgets an interrupt at an
 * entry with the window is asked to look again at each exit from it */
static void test_exit_vintr(void **state)
{
	u32 *tpr = &apic_page[APIC_TPR / 4];

	*tpr = 0x57;
	svm_exit_vintr(&hw, VINTR_IRQ | 5);
	assert_int_equal(*tpr, 0x57);
	svm_exit_vintr(&hw, 6);
	assert_int_equal(*tpr, 0x60);
	assert_int_equal(offers, 0);
	svm_caps.tcg = true;
	svm_exit_vintr(&hw, 7);
	assert_int_equal(*tpr, 0x70);
	assert_int_equal(offers, 0);
	svm_exit_vintr(&hw, VINTR_IRQ | 7);
	assert_int_equal(*tpr, 0x70);
	assert_int_equal(offers, 1);
	svm_caps.tcg = false;
}

static void test_decode(void **state)
{
	struct vcpu_event e = from_info(0xabc80000b0eull);

	assert_int_equal(e.type, EVENT_EXCEPTION);
	assert_int_equal(e.vector, 14);
	assert_true(e.has_error);
	assert_int_equal(e.error, 0xabc);
	assert_int_equal(from_info(0x80000031).type, EVENT_EXTINT);
	assert_int_equal(from_info(0x80000202).type, EVENT_NMI);
	/* Run again, not injected again: INT n, INT3, INTO */
	assert_int_equal(from_info(0x80000480).type, EVENT_NONE);
	assert_int_equal(from_info(0x80000303).type, EVENT_NONE);
	assert_int_equal(from_info(0x80000304).type, EVENT_NONE);
	assert_int_equal(from_info(0x31).type, EVENT_NONE);
}

static void test_irq_window(void **state)
{
	svm_request_window(&hw, WINDOW_IRQ, 0x51);
	assert_true(vmcb.control.vintr & VINTR_IRQ);
	assert_true(vmcb.control.vintr & VINTR_IGN_TPR);
	assert_true(vmcb.control.intercept1 & I1_VINTR);
	assert_true(vmcb.control.intercept_cr & CR8_WRITE);
	svm_close_window(&hw);
	assert_int_equal(vmcb.control.vintr, 0);
	assert_int_equal(vmcb.control.intercept1, 0);
	assert_int_equal(vmcb.control.intercept_cr, 0);
	/* Held back by the TPR: only CR8 can open it */
	apic_page[APIC_TPR / 4] = 0x50;
	svm_request_window(&hw, WINDOW_IRQ, 0x51);
	assert_false(vmcb.control.vintr & VINTR_IRQ);
	assert_int_equal(vmcb.control.intercept_cr, CR8_WRITE);
}

static void fill(u64 code)
{
	hw.exit.raw_reason = code;
	hw.exit.kind = svm_exit_rows[code].kind;
	svm_exit_rows[code].decode(&hw, &vmcb);
}

/* The instruction that took the lock runs at the next entry */
static void test_bus_lock(void **state)
{
	vmcb.control.vmcb_clean = ~0ull;
	fill(VMEXIT_BUSLOCK);
	assert_int_equal(hw.exit.kind, EXIT_BUS_LOCK);
	assert_int_equal(hw.exit.insn_len, 0);
	assert_int_equal(vmcb.control.bus_lock_counter, BUS_LOCKS);
	assert_false(vmcb.control.vmcb_clean & CLEAN_I);
}

static void test_nmi_window(void **state)
{
	struct vcpu_event nmi = { .type = EVENT_NMI, .vector = 2 };

	svm_inject(&hw, &nmi);
	svm_request_window(&hw, WINDOW_NMI, 0);
	assert_int_equal(ipis, 0);
	/* The handler's IRET, then the step over it */
	vmcb.save.dr6 = 0xffff0ff0;
	fill(VMEXIT_IRET);
	assert_int_equal(hw.exit.kind, EXIT_BACKEND);
	assert_true(hw.regs.rflags & RFLAGS_TF);
	assert_true(hw.regs.dirty & RG_RIP);
	assert_false(vmcb.control.intercept1 & I1_IRET);
	vmcb.save.dr6 = 0xffff4ff0;
	hw.regs.shadow = SHADOW_NMI;
	fill(VMEXIT_EXCP_DB);
	assert_int_equal(hw.exit.kind, EXIT_NMI_WINDOW);
	assert_int_equal(vmcb.save.dr6, 0xffff0ff0);
	assert_int_equal(hw.regs.shadow, 0);
	assert_int_equal(arch.nmi_shadow, 0);
	/* The guest's own #DB */
	fill(VMEXIT_EXCP_DB);
	assert_int_equal(hw.exit.kind, EXIT_EXCEPTION);
	/* Only a shadow in the way */
	svm_request_window(&hw, WINDOW_NMI, 0);
	assert_int_equal(ipis, 1);
	vmcb.control.interrupt_shadow = 1;
	fill(VMEXIT_INTR);
	assert_int_equal(hw.exit.kind, EXIT_IRQ);
	assert_int_equal(taken, 1);
	vmcb.control.interrupt_shadow = 0;
	fill(VMEXIT_INTR);
	assert_int_equal(hw.exit.kind, EXIT_NMI_WINDOW);
	fill(VMEXIT_NMI);
	assert_int_equal(hw.exit.kind, EXIT_BACKEND);
	assert_int_equal(unloads, 1);
}

static void store(void)
{
	svm_store_groups(&hw, vcpu_hw_dirty(&hw.regs));
}

static void begin_step(u64 rflags)
{
	struct vcpu_event nmi = { .type = EVENT_NMI, .vector = 2 };

	svm_inject(&hw, &nmi);
	hw.regs.rflags = rflags;
	vmcb.save.dr6 = DR6_FIXED;
	fill(VMEXIT_IRET);
	assert_int_equal(hw.exit.kind, EXIT_BACKEND);
	assert_int_equal(vmcb.control.intercept_exceptions, ~0u);
	store();
	assert_int_equal(vmcb.save.rflags, rflags | RFLAGS_TF);
}

/* The IRET faults, or something else comes first: nothing is seen of the step,
 * NMIs stay blocked and the next IRET is watched again */
static void test_step_aborted(void **state)
{
	static const u32 codes[] = { VMEXIT_EXCP0 + EXC_GP, VMEXIT_INTR,
				     VMEXIT_VINTR,          VMEXIT_EXCP_MC,
				     VMEXIT_INIT,           VMEXIT_NMI };

	for (u32 i = 0; i < ARRAY_SIZE(codes); i++) {
		setup(state);
		begin_step(RFLAGS_FIXED);
		fill(codes[i]);
		store();
		assert_int_equal(vmcb.save.rflags, RFLAGS_FIXED);
		assert_int_equal(hw.regs.rflags, RFLAGS_FIXED);
		assert_int_equal(vmcb.control.intercept_exceptions, EXCEPTIONS);
		assert_true(vmcb.control.intercept1 & I1_IRET);
		assert_int_equal(arch.nmi_shadow, SHADOW_NMI);
		assert_false(arch.nmi_step);
	}
	/* CR2 comes with an intercepted #PF */
	setup(state);
	begin_step(RFLAGS_FIXED | RFLAGS_TF);
	vmcb.control.exitinfo2 = 0x1234;
	fill(VMEXIT_EXCP0 + EXC_PF);
	assert_int_equal(hw.regs.cr2, 0x1234);
	assert_int_equal(vmcb.save.cr2, 0x1234);
	store();
	assert_int_equal(vmcb.save.rflags, RFLAGS_FIXED | RFLAGS_TF);
}

/* An event before the step's entry: its handler must not see our TF, and the
 * next IRET is watched again */
static void test_step_and_event(void **state)
{
	static const struct vcpu_event events[] = {
		{ .type = EVENT_EXTINT, .vector = 0x31 },
		{ .type = EVENT_EXCEPTION, .vector = EXC_GP },
	};

	for (u32 i = 0; i < ARRAY_SIZE(events); i++) {
		setup(state);
		begin_step(RFLAGS_FIXED);
		svm_inject(&hw, &events[i]);
		store();
		assert_int_equal(vmcb.save.rflags, RFLAGS_FIXED);
		assert_true(vmcb.control.intercept1 & I1_IRET);
		assert_false(arch.nmi_step);
	}
}

/* A #PF that is injected brings its CR2 along; nothing else touches CR2 */
static void test_cr2(void **state)
{
	struct vcpu_event pf = { .type = EVENT_EXCEPTION, .vector = EXC_PF };
	struct vcpu_event gp = { .type = EVENT_EXCEPTION, .vector = EXC_GP };

	vmcb.save.cr2 = 0x1000;
	hw.regs.cr2 = 0x2000;
	vmcb.control.vmcb_clean = ~0ull;
	svm_inject(&hw, &gp);
	assert_int_equal(vmcb.save.cr2, 0x1000);
	assert_true(vmcb.control.vmcb_clean & CLEAN_CR2);
	svm_inject(&hw, &pf);
	assert_int_equal(vmcb.save.cr2, 0x2000);
	assert_false(vmcb.control.vmcb_clean & CLEAN_CR2);
	hw.regs.valid = hw.regs.cr2 = 0;
	svm_load_groups(&hw, RG_CR);
	assert_int_equal(hw.regs.cr2, 0x2000);
}

/* The trap is the guest's when it stepped itself, or met a breakpoint */
static void test_step_and_guests_trap(void **state)
{
	begin_step(RFLAGS_FIXED | RFLAGS_TF);
	vmcb.save.dr6 = DR6_FIXED | DR6_BS;
	fill(VMEXIT_EXCP_DB);
	assert_int_equal(hw.exit.kind, EXIT_EXCEPTION);
	assert_int_equal(vmcb.save.dr6, DR6_FIXED | DR6_BS);
	assert_int_equal(arch.nmi_shadow, 0);
	begin_step(RFLAGS_FIXED);
	vmcb.save.dr6 = DR6_FIXED | DR6_BS | 1;
	fill(VMEXIT_EXCP_DB);
	assert_int_equal(hw.exit.kind, EXIT_EXCEPTION);
	assert_int_equal(vmcb.save.dr6, DR6_FIXED | 1);
}

/* An IRET to another task is software's, which unblocks NMIs */
static void test_iret_to_a_task(void **state)
{
	struct vcpu_event nmi = { .type = EVENT_NMI, .vector = 2 };

	svm_inject(&hw, &nmi);
	vmcb.save.rflags = RFLAGS_NT;
	vmcb.save.cr0 = CR0_PE;
	fill(VMEXIT_IRET);
	assert_int_equal(hw.exit.kind, EXIT_TASK_SWITCH);
	assert_int_equal(hw.exit.task.source, TASK_IRET);
	hw.regs.shadow = 0;
	hw.regs.dirty = RG_RIP;
	store();
	assert_int_equal(arch.nmi_shadow, 0);
	assert_false(vmcb.control.intercept1 & I1_IRET);
}

/* Set in the core whatever the guest wants; its reads exit while it does not */
static void test_mce_stays_on(void **state)
{
	hw.regs.cr4 = CR4_PAE;
	hw.regs.mce_hidden = true;
	hw.regs.dirty = RG_CR;
	store();
	assert_int_equal(vmcb.save.cr4, CR4_PAE | CR4_MCE);
	assert_true(vmcb.control.intercept_cr & CR4_READ);
	hw.regs.cr4 = CR4_PAE | CR4_MCE;
	hw.regs.mce_hidden = false;
	hw.regs.dirty = RG_CR;
	store();
	assert_false(vmcb.control.intercept_cr & CR4_READ);
}

/* CD and NW are the guest's to see, and never the core's */
static void test_caches_stay_on(void **state)
{
	const u64 off = CR0_CD | CR0_NW;
	const u32 access = CR0_READ | CR0_WRITE;

	hw.regs.cr0 = CR0_PE | CR0_ET | off;
	hw.regs.dirty = RG_CR;
	store();
	assert_int_equal(vmcb.save.cr0, CR0_PE | CR0_ET);
	assert_int_equal(vmcb.control.intercept_cr & access, access);
	hw.regs.cr0 = hw.regs.valid = 0;
	svm_load_groups(&hw, RG_CR);
	assert_int_equal(hw.regs.cr0, CR0_PE | CR0_ET | off);
	hw.regs.cr0 &= ~off;
	hw.regs.dirty = RG_CR;
	store();
	assert_int_equal(vmcb.save.cr0, CR0_PE | CR0_ET);
	assert_int_equal(vmcb.control.intercept_cr & access, 0);
	hw.regs.valid = 0;
	svm_load_groups(&hw, RG_CR);
	assert_int_equal(hw.regs.cr0, CR0_PE | CR0_ET);
}

/* The CPU tells the register of a MOV; of the others it tells nothing */
static void test_cr0_exits(void **state)
{
	fill(VMEXIT_CR0_READ);
	assert_int_equal(hw.exit.kind, EXIT_CR0);
	assert_false(hw.exit.cr.write);
	fill(VMEXIT_CR0_SEL_WRITE);
	assert_int_equal(hw.exit.kind, EXIT_CR0);
	assert_true(hw.exit.cr.write);
	svm_caps.nrips = svm_caps.decode_assists = true;
	vmcb.save.rip = 0x1000;
	vmcb.control.nrip = 0x1003;
	fill(VMEXIT_CR0_WRITE);
	assert_int_equal(hw.exit.kind, EXIT_CR0);
	vmcb.control.exitinfo1 = CRX_VALID | 3;
	fill(VMEXIT_CR0_SEL_WRITE);
	assert_int_equal(hw.exit.kind, EXIT_CR);
	assert_int_equal(hw.exit.cr.cr, 0);
	assert_int_equal(hw.exit.cr.gpr, 3);
	assert_int_equal(hw.exit.insn_len, 3);
}

/* The write has not been made: the guest is in the mode that it was in */
static void test_cr0_exit_keeps_long_mode(void **state)
{
	vmcb.save.efer = EFER_SVME | EFER_LME;
	vmcb.save.cr0 = CR0_PE | CR0_PG;
	fill(VMEXIT_CR0_SEL_WRITE);
	svm_load_groups(&hw, RG_CR);
	assert_int_equal(hw.regs.efer, EFER_LME | EFER_LMA);
	vmcb.save.efer = EFER_SVME | EFER_LME | EFER_LMA;
	vmcb.save.cr0 = CR0_PE;
	hw.regs.valid = 0;
	fill(VMEXIT_CR0_SEL_WRITE);
	svm_load_groups(&hw, RG_CR);
	assert_int_equal(hw.regs.efer, EFER_LME);
}

/* It has flushed nothing: run.c took the flush for done */
static void test_refused_entry(void **state)
{
	hw.exit.raw_reason = VMEXIT_INVALID;
	vmcb.control.tlb_control = TLB_DO_NOTHING;
	svm_decode_rare(&hw, &vmcb);
	assert_int_equal(hw.exit.kind, EXIT_ENTRY_FAILED);
	assert_int_equal(vmcb.control.tlb_control, TLB_FLUSH_ALL);
	vmcb.control.tlb_control = TLB_DO_NOTHING;
	vmcb.save.rip = (u64)svm_enter_vmrun;
	hw.exit.raw_reason = VMEXIT_INVALID_TCG;
	svm_decode_rare(&hw, &vmcb);
	assert_int_equal(hw.exit.kind, EXIT_ENTRY_FAILED);
	assert_int_equal(vmcb.control.tlb_control, TLB_FLUSH_ALL);
}

/* INT1 leaves before it has run */
static void test_icebp(void **state)
{
	svm_caps.nrips = true;
	vmcb.save.rip = 0x1000;
	vmcb.control.nrip = 0x1001;
	fill(VMEXIT_ICEBP);
	assert_int_equal(hw.exit.exception.type, EVENT_PRIV_EXCEPTION);
	assert_int_equal(hw.exit.exception.vector, EXC_DB);
	assert_int_equal(hw.exit.exception.insn_len, 1);
	vmcb.save.dr7 = DR7_FIXED | DR7_GD;
	hw.regs.rip = 0x1000;
	svm_inject(&hw, &hw.exit.exception);
	assert_int_equal(hw.regs.rip, 0x1001);
	assert_int_equal(vmcb.save.dr7, DR7_FIXED);
}

static void test_exits(void **state)
{
	hw.exit.raw_reason = VMEXIT_NPF;
	vmcb.control.exitinfo1 = 0x100000006ull;
	vmcb.control.exitinfo2 = 0xfee00020;
	svm_decode_rare(&hw, &vmcb);
	assert_int_equal(hw.exit.kind, EXIT_MMIO);
	assert_int_equal(hw.exit.mmio.gpa.v, 0xfee00020);
	assert_int_equal(hw.exit.mmio.access, ACCESS_W);
	vmcb.control.exitinfo1 = 0x100000014ull;
	svm_decode_rare(&hw, &vmcb);
	assert_int_equal(hw.exit.mmio.access, ACCESS_X);
	hw.exit.raw_reason = ~0ull;
	svm_decode_rare(&hw, &vmcb);
	assert_int_equal(hw.exit.kind, EXIT_ENTRY_FAILED);
	hw.exit.raw_reason = 0x403;
	svm_decode_rare(&hw, &vmcb);
	assert_int_equal(hw.exit.kind, EXIT_UNKNOWN);

	vmcb.control.exitinfo1 = 1;
	fill(VMEXIT_MSR);
	assert_int_equal(hw.exit.kind, EXIT_WRMSR);
	fill(VMEXIT_CR8_WRITE);
	assert_int_equal(hw.exit.cr.cr, 8);
	assert_int_equal(hw.exit.cr.gpr, GPR_COUNT);
	svm_caps.decode_assists = svm_caps.nrips = true;
	vmcb.control.exitinfo1 = BIT(63) | 3;
	vmcb.save.rip = 0x1000;
	vmcb.control.nrip = 0x1004;
	fill(VMEXIT_CR8_WRITE);
	assert_int_equal(hw.exit.cr.gpr, GPR_RBX);
	assert_int_equal(hw.exit.insn_len, 4);
}

/* TCG's answer to a reserved CR4 bit: #GP, unless the entry itself failed */
static void test_refused(void **state)
{
	hw.exit.raw_reason = 0xffffffff;
	svm_decode_rare(&hw, &vmcb);
	assert_int_equal(hw.exit.kind, EXIT_EXCEPTION);
	assert_int_equal(hw.exit.exception.vector, EXC_GP);
	vmcb.control.exitintinfo = EVENT_VALID;
	svm_decode_rare(&hw, &vmcb);
	assert_int_equal(hw.exit.kind, EXIT_ENTRY_FAILED);
	vmcb.control.exitintinfo = 0;
	vmcb.save.rip = (u64)svm_enter_vmrun;
	svm_decode_rare(&hw, &vmcb);
	assert_int_equal(hw.exit.kind, EXIT_ENTRY_FAILED);
}

static void test_registers(void **state)
{
	struct vcpu_regs *r = &hw.regs;
	struct segment cs = { 0x10, 0xa09b, ~0u, 0 };
	struct segment ss = { 0x2b, 0xc0f3, ~0u, 0x1000 };
	struct segment none = { 0, SEG_ATTR_UNUSABLE, 0, 0 };

	r->seg[SEG_CS] = cs;
	r->seg[SEG_SS] = ss;
	r->seg[SEG_FS] = none;
	r->seg[SEG_TR].attr = 0x8b;
	r->efer = EFER_LME;
	r->rip = 0x1234;
	r->shadow = SHADOW_MOV_SS;
	r->valid = r->dirty = RG_ALL;
	store();
	assert_int_equal(r->dirty, 0);
	assert_int_equal(vmcb.save.cs.attrib, 0xa9b);
	assert_int_equal(vmcb.save.cpl, 3);
	assert_int_equal(vmcb.save.fs.attrib, 0);
	assert_int_equal(vmcb.save.efer, EFER_LME | EFER_SVME);
	assert_int_equal(vmcb.control.interrupt_shadow, 1);

	memset(r, 0, sizeof(*r));
	svm_load_groups(&hw, RG_ALL);
	assert_int_equal(r->seg[SEG_CS].sel, cs.sel);
	assert_int_equal(r->seg[SEG_CS].attr, cs.attr);
	assert_int_equal(r->seg[SEG_CS].limit, cs.limit);
	assert_int_equal(r->seg[SEG_SS].attr, ss.attr);
	assert_int_equal(r->seg[SEG_SS].base, ss.base);
	assert_true(r->seg[SEG_FS].attr & SEG_ATTR_UNUSABLE);
	assert_int_equal(r->efer, EFER_LME);
	assert_int_equal(r->rip, 0x1234);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_msr_map, setup),
		cmocka_unit_test_setup(test_port_map, setup),
		cmocka_unit_test_setup(test_inject, setup),
		cmocka_unit_test_setup(test_inject_once, setup),
		cmocka_unit_test_setup(test_exit_vintr, setup),
		cmocka_unit_test_setup(test_decode, setup),
		cmocka_unit_test_setup(test_bus_lock, setup),
		cmocka_unit_test_setup(test_irq_window, setup),
		cmocka_unit_test_setup(test_nmi_window, setup),
		cmocka_unit_test_setup(test_step_aborted, setup),
		cmocka_unit_test_setup(test_step_and_event, setup),
		cmocka_unit_test_setup(test_cr2, setup),
		cmocka_unit_test_setup(test_step_and_guests_trap, setup),
		cmocka_unit_test_setup(test_iret_to_a_task, setup),
		cmocka_unit_test_setup(test_mce_stays_on, setup),
		cmocka_unit_test_setup(test_caches_stay_on, setup),
		cmocka_unit_test_setup(test_cr0_exits, setup),
		cmocka_unit_test_setup(test_cr0_exit_keeps_long_mode, setup),
		cmocka_unit_test_setup(test_refused_entry, setup),
		cmocka_unit_test_setup(test_icebp, setup),
		cmocka_unit_test_setup(test_exits, setup),
		cmocka_unit_test_setup(test_refused, setup),
		cmocka_unit_test_setup(test_registers, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
