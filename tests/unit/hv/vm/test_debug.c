/* SOURCES: hv/vm/debug.c hv/vm/debug_vcpu.c hv/vm/pause.c hv/vm/kept.c hv/core/fan.c hv/core/retire.c hv/core/exception.c hv/core/slots.c hv/emulate/insn_length.c hv/emulate/insn.c hv/emulate/insn_modrm.c hv/emulate/insn_vex.c lib/string.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/* A debugger's hold on a guest of two vCPUs: it stands, goes with breakpoints
 * in its memory and its registers, steps, and is as before afterwards. Over 400
 * lines: one guest serves all. */
#include "hv/vm/debug.h"

#include "arch/x86/cpu/debug_regs.h"
#include "hv/core/breakpoint.h"
#include "hv/core/retire.h"
#include "hv/vm/dynamic_priv.h"
#include "hv/vm/kept.h"
#include "hv/vm/news.h"
#include "hv/vm/pause.h"
#include "include/hw/cpu.h"
#include "lib/errno.h"
#include "tests/unit/fakes/guest_ram.h"
#include "tests/unit/fakes/timer.h"

#define RAM KIB(64)

static struct vcpu *const v0 = &fake_vcpus[0], *const v1 = &fake_vcpus[1];
static u32 told, paused;
static bool gone;
static u8 code[16];

struct vm *vm_numbered(u64 id)
{
	return id == 7 && !gone ? &fake_vm : NULL;
}

u64 vm_number(const struct vm *vm)
{
	return 7;
}

void news_debug(u64 id)
{
	assert_int_equal(id, 7);
	told++;
}

void dynamic_paused(struct vm *vm)
{
	paused++;
}

void window_flush(void)
{
}

u64 breakpoint_port(struct vcpu *v)
{
	return 0;
}

/* Its addresses are the physical ones */
int gva_find(struct vcpu *v, const struct vcpu_regs *r, gva_t gva, gpa_t *gpa)
{
	*gpa = GPA(gva.v);
	return gva.v < RAM ? 0 : -EFAULT;
}

size_t gmem_fetch(struct vcpu *v, u8 *buf, size_t len)
{
	memcpy(buf, code, len);
	return len;
}

const u8 *gmem_code(struct vcpu *v, u64 *left)
{
	*left = sizeof(code);
	return code;
}

enum verdict exit_gp(struct vcpu *v)
{
	vcpu_raise_gp(v);
	return VERDICT_INJECT;
}

enum verdict exit_ud(struct vcpu *v)
{
	vcpu_raise_ud(v);
	return VERDICT_INJECT;
}

static int setup(void **state)
{
	static const u64 dr[4] = { 0xd0, 0xd1, 0xd2, 0xd3 };

	fake_vm_init(2);
	fake_ram_init(RAM, 0x90);
	memset(&fake_vm.debug, 0, sizeof(fake_vm.debug));
	fake_vm.state = VM_RUNNING;
	fake_vm.runs = true;
	fake_vm.end = VM_END_NONE;
	fake_vm.dynamic = NULL;
	fake_vm.pauses = 0;
	for (u32 i = 0; i < 2; i++) {
		struct vcpu_regs *r = &fake_vcpus[i].hw.regs;

		fake_vcpus[i].activity = VCPU_RUNNING;
		fake_vcpus[i].events = 0;
		r->rip = 0x1000;
		r->rflags = RFLAGS_FIXED | RFLAGS_IF;
		r->efer = EFER_LME | EFER_LMA;
		r->seg[SEG_CS].attr = SEG_ATTR_L;
		r->dr[6] = DR6_FIXED;
		r->dr[7] = DR7_FIXED;
	}
	debug_regs_load(dr);
	told = paused = 0;
	gone = false;
	debug_detach_all();
	return 0;
}

/* Each vCPU takes what waits for it */
static void turn(void)
{
	for (u32 n = 0; n < 6; n++)
		for (u32 i = 0; i < 2; i++) {
			struct vcpu *v = &fake_vcpus[i];
			u32 events = v->events;

			v->events = 0;
			if (events & VE_PAUSE)
				pause_take(v);
			if ((events & VE_DEBUG) && v->activity != VCPU_PAUSED)
				debug_take(v);
		}
}

static void attach(void)
{
	assert_int_equal(debug_attach(&fake_vm), 0);
	turn();
	assert_int_equal(fake_vm.debug.mode, VM_DEBUG_STANDS);
	assert_int_equal(told, 1);
	told = 0;
}

static int go(const struct bh_ctl_breakpoint *list, u32 count, u32 stepper,
	      bool others)
{
	const struct debug_go how = { list, count, stepper, others };
	int err = debug_go(&fake_vm, &how);

	turn();
	return err;
}

/* An exit for #DB, as @type of event */
static bool raises(struct vcpu *v, enum event_type type)
{
	v->hw.exit.kind = EXIT_EXCEPTION;
	v->hw.exit.exception =
		(struct vcpu_event){ .type = type, .vector = EXC_DB };
	return (v->debug.on || fake_vm.debug.strays) &&
	       debug_exception(v, &v->hw.exit);
}

static void test_life(void **state)
{
	attach();
	assert_int_equal(paused, 0);
	assert_int_equal(v1->activity, VCPU_PAUSED);
	assert_non_null(kept_of(v1));
	assert_int_equal(debug_attach(&fake_vm), -ENOENT);
	assert_int_equal(go(NULL, 0, 0, true), 0);
	assert_int_equal(v0->activity, VCPU_RUNNING);
	assert_true(v0->debug.on);
	assert_int_equal(go(NULL, 0, 0, true), -ENOENT);
	assert_int_equal(debug_stop(&fake_vm), 0);
	turn();
	assert_int_equal(told, 1);
	assert_false(v0->debug.on);
	assert_int_equal(debug_detach(&fake_vm), 0);
	turn();
	assert_int_equal(v1->activity, VCPU_RUNNING);
	assert_false(v1->debug.on);
	assert_int_equal(debug_stop(&fake_vm), -ENOENT);
	assert_int_equal(debug_detach(&fake_vm), -ENOENT);
}

static void test_software(void **state)
{
	static const struct bh_ctl_breakpoint list[] = {
		{ .address = 0x1000 },
		{ .address = 0x1000 },
		{ .address = 0x2000 },
	};

	attach();
	assert_int_equal(go(list, 3, 0, true), 0);
	assert_int_equal(fake_ram[0x1000], 0xf1);
	assert_int_equal(fake_ram[0x2000], 0xf1);
	v1->hw.regs.rip = 0x1800; /* the guest's own INT1 */
	assert_false(raises(v1, EVENT_PRIV_EXCEPTION));
	v1->hw.regs.rip = 0x1000;
	assert_true(raises(v1, EVENT_PRIV_EXCEPTION));
	fake_ram[0x2000] = 0xcc; /* the guest has written there */
	turn();
	assert_int_equal(told, 1);
	assert_int_equal(v1->debug.stop, BH_CTL_STOP_SOFTWARE);
	assert_int_equal(v0->debug.stop, BH_CTL_STOP_NONE);
	assert_int_equal(kept_of(v1)->rip, 0x1000);
	assert_int_equal(fake_ram[0x1000], 0x90);
	assert_int_equal(fake_ram[0x2000], 0xcc);
}

/* An emulator's CPU without INT1 raises #UD for it */
static void test_undefined(void **state)
{
	static const struct bh_ctl_breakpoint at = { .address = 0x1000 };
	struct vcpu_exit *e = &v0->hw.exit;

	attach();
	assert_int_equal(go(&at, 1, 0, true), 0);
	e->exception = (struct vcpu_event){ .type = EVENT_EXCEPTION,
					    .vector = EXC_UD };
	v0->hw.regs.rip = 0x1100; /* the guest's own */
	assert_false(debug_exception(v0, e));
	v0->hw.regs.rip = 0x1000;
	assert_true(debug_exception(v0, e));
	turn();
	assert_int_equal(v0->debug.stop, BH_CTL_STOP_SOFTWARE);
	assert_int_equal(told, 1);
}

static void test_software_refused(void **state)
{
	struct bh_ctl_breakpoint list[VM_SOFT_BREAKPOINTS + 1];

	memset(list, 0, sizeof(list));
	attach();
	list[1].address = RAM;
	assert_int_equal(go(list, 2, 0, true), -EFAULT);
	assert_int_equal(fake_ram[0], 0x90);
	assert_int_equal(fake_vm.debug.mode, VM_DEBUG_STANDS);
	for (u32 i = 0; i < ARRAY_SIZE(list); i++)
		list[i].address = i;
	assert_int_equal(go(list, ARRAY_SIZE(list), 0, true), -EINVAL);
	assert_int_equal(fake_ram[5], 0x90);
	list[0].kind = 99;
	assert_int_equal(go(list, 1, 0, true), -EINVAL);
}

static void test_step(void **state)
{
	attach();
	assert_int_equal(go(NULL, 0, 2, false), 0);
	/* Alone, with no interrupt */
	assert_int_equal(v0->activity, VCPU_PAUSED);
	assert_int_equal(v1->activity, VCPU_RUNNING);
	assert_true(v1->debug.stepping);
	assert_true(v1->hw.regs.rflags & RFLAGS_TF);
	v1->hw.regs.rip++;
	v1->hw.regs.dr[6] |= DR6_BS;
	assert_true(raises(v1, EVENT_EXCEPTION));
	turn();
	assert_int_equal(told, 1);
	assert_int_equal(v1->debug.stop, BH_CTL_STOP_STEP);
	assert_int_equal(kept_of(v1)->rip, 0x1001);
	assert_false(kept_of(v1)->rflags & RFLAGS_TF);
	assert_int_equal(kept_of(v1)->dr[6], DR6_FIXED);
	assert_int_equal(v1->pending.type, EVENT_NONE);
	/* The others go, too; an instruction that the hypervisor does */
	assert_int_equal(go(NULL, 0, 1, true), 0);
	assert_int_equal(v1->activity, VCPU_RUNNING);
	v0->hw.regs.rip += 2;
	retire_insn(v0);
	assert_int_equal(v0->pending.type, EVENT_NONE);
	turn();
	assert_int_equal(told, 2);
	assert_int_equal(v0->debug.stop, BH_CTL_STOP_STEP);
	assert_int_equal(v0->activity, VCPU_PAUSED);
	assert_int_equal(v1->activity, VCPU_PAUSED);
	/* Detached in a step: it is as it was */
	assert_int_equal(go(NULL, 0, 1, false), 0);
	assert_int_equal(debug_detach(&fake_vm), 0);
	turn();
	assert_int_equal(v0->activity, VCPU_RUNNING);
	assert_int_equal(v1->activity, VCPU_RUNNING);
	assert_false(v0->hw.regs.rflags & RFLAGS_TF);
	assert_int_equal(told, 2);
}

/* The guest steps by itself: its trap is its own, too */
static void test_guest_steps(void **state)
{
	v0->hw.regs.rflags |= RFLAGS_TF;
	attach();
	assert_int_equal(go(NULL, 0, 1, false), 0);
	v0->hw.regs.dr[6] |= DR6_BS;
	assert_false(raises(v0, EVENT_EXCEPTION));
	turn();
	assert_int_equal(told, 1);
	assert_true(kept_of(v0)->rflags & RFLAGS_TF);
	assert_true(kept_of(v0)->dr[6] & DR6_BS);
	assert_int_equal(go(NULL, 0, 0, true), 0);
	assert_false(raises(v0, EVENT_EXCEPTION));
}

/* @v0's step raises an exception: TF is in the frame, and the handler runs */
static void step_faults(void)
{
	assert_int_equal(go(NULL, 0, 1, false), 0);
	v0->hw.regs.rip = 0x8000;
	v0->hw.regs.rflags &= ~RFLAGS_TF;
}

/* And comes back to the instruction, behind which it traps */
static void comes_back(struct vcpu *v)
{
	v->hw.regs.rip = 0x1001;
	v->hw.regs.rflags |= RFLAGS_TF;
	v->hw.regs.dr[6] |= DR6_BS;
}

/* The handler has interrupts and instructions as ever, and ends no step */
static void test_handler(void **state)
{
	attach();
	assert_int_equal(go(NULL, 0, 1, false), 0);
	assert_true(debug_withholds(v0));
	/* Whatever came is looked for again, even if no exit follows */
	assert_ptr_equal(fake_timer, &v0->debug.timer);
	v0->events = 0;
	fake_timer_fire();
	assert_int_equal(v0->events, VE_IRQ);
	v0->hw.regs.rip = 0x8000;
	v0->hw.regs.rflags &= ~RFLAGS_TF;
	assert_false(debug_withholds(v0));
	retire_insn(v0);
	assert_false(v0->events & VE_DEBUG);
	assert_int_equal(v0->pending.type, EVENT_NONE);
	comes_back(v0);
	assert_true(debug_withholds(v0));
	assert_true(raises(v0, EVENT_EXCEPTION));
	turn();
	assert_int_equal(told, 1);
	assert_int_equal(v0->debug.stop, BH_CTL_STOP_STEP);
	assert_int_equal(fake_vm.debug.strays, 0);
	assert_false(timer_armed(&v0->debug.timer));
}

/* TF that lay in a frame of the guest's comes back later */
static void test_stray(void **state)
{
	attach();
	step_faults();
	assert_int_equal(debug_stop(&fake_vm), 0);
	turn();
	assert_int_equal(fake_vm.debug.strays, 1);
	assert_int_equal(go(NULL, 0, 0, true), 0);
	comes_back(v0);
	assert_true(raises(v0, EVENT_EXCEPTION));
	turn();
	assert_int_equal(v0->activity, VCPU_RUNNING);
	assert_false(v0->hw.regs.rflags & RFLAGS_TF);
	assert_int_equal(v0->hw.regs.dr[6], DR6_FIXED);
	comes_back(v0);
	assert_false(raises(v0, EVENT_EXCEPTION));
}

/* A step that has ended leaves none, wherever it went; nor does one that has
 * not begun */
static void test_no_stray(void **state)
{
	attach();
	assert_int_equal(go(NULL, 0, 1, false), 0);
	comes_back(v0);
	v0->hw.regs.rip = 0x8000; /* a jump */
	assert_true(raises(v0, EVENT_EXCEPTION));
	turn();
	assert_int_equal(fake_vm.debug.strays, 0);
	assert_int_equal(go(NULL, 0, 1, false), 0);
	v0->hw.regs.rflags &= ~RFLAGS_TF; /* POPF */
	v0->hw.regs.dr[6] |= DR6_BS;
	assert_true(raises(v0, EVENT_EXCEPTION));
	turn();
	assert_int_equal(fake_vm.debug.strays, 0);
	assert_int_equal(go(NULL, 0, 1, false), 0);
	assert_int_equal(debug_stop(&fake_vm), 0);
	turn();
	assert_int_equal(fake_vm.debug.strays, 0);
	assert_false(kept_of(v0)->rflags & RFLAGS_TF);
}

/* The debugger goes in a step: the trap comes later, and maybe where the guest
 * has moved its thread to, and behind an instruction that exits */
static void test_stray_left(void **state)
{
	attach();
	step_faults();
	debug_detach_all();
	turn();
	assert_false(v0->debug.on);
	comes_back(v1);
	assert_true(raises(v1, EVENT_EXCEPTION));
	assert_int_equal(v1->pending.type, EVENT_NONE);
	assert_false(v1->hw.regs.rflags & RFLAGS_TF);
	comes_back(v1); /* now it is the guest's own */
	assert_false(raises(v1, EVENT_EXCEPTION));
	v1->hw.regs.rflags &= ~RFLAGS_TF;
	v1->hw.regs.dr[6] = DR6_FIXED;
	told = 0;
	attach();
	step_faults();
	debug_detach_all();
	turn();
	v0->hw.regs.rflags |= RFLAGS_TF;
	retire_insn(v0);
	assert_int_equal(v0->pending.type, EVENT_NONE);
	assert_false(v0->hw.regs.rflags & RFLAGS_TF);
	v0->hw.regs.rflags |= RFLAGS_TF;
	retire_insn(v0);
	assert_int_equal(v0->pending.vector, EXC_DB);
	/* The next debugger knows; the next life does not */
	v0->pending.type = EVENT_NONE;
	v0->hw.regs.rflags &= ~RFLAGS_TF;
	told = 0;
	attach();
	step_faults();
	debug_detach_all();
	turn();
	attach();
	assert_int_equal(fake_vm.debug.strays, 1);
	debug_ended(&fake_vm);
	assert_int_equal(fake_vm.debug.strays, 0);
}

static void test_pushf(void **state)
{
	fake_ram[0x1000] = 0x9c;
	fake_ram[0x3001] = 0x03; /* what it pushed, TF and IF */
	v0->hw.regs.gpr[GPR_RSP] = 0x3000;
	attach();
	assert_int_equal(go(NULL, 0, 1, false), 0);
	v0->hw.regs.rip++;
	v0->hw.regs.dr[6] |= DR6_BS;
	assert_true(raises(v0, EVENT_EXCEPTION));
	turn();
	assert_int_equal(fake_ram[0x3001], 0x02);
}

static void test_hardware(void **state)
{
	static const struct bh_ctl_breakpoint list[] = {
		{ 0x4000, BH_CTL_BREAK_HARDWARE, 1 },
		{ 0x5008, BH_CTL_BREAK_WRITE, 8 },
		{ 0x6004, BH_CTL_BREAK_ACCESS, 4 },
	};
	static const u64 none[4] = { 0, 0, 0, 0 };
	u64 core[4];

	attach();
	assert_int_equal(go(list, 3, 0, true), 0);
	assert_int_equal(v0->hw.regs.dr[1], 0x5008);
	/* SDM 3B 18.2.4: R/W and LEN of each */
	assert_int_equal(v0->hw.regs.dr[7],
			 DR7_FIXED | 0x3f | 9ull << 20 | 0xfull << 24);
	assert_true(v0->hw.regs.dr_hidden);
	v0->hw.regs.dr[6] |= BIT(1);
	assert_true(raises(v0, EVENT_EXCEPTION));
	debug_regs_load(none); /* of the other vCPU's core */
	turn();
	assert_int_equal(v0->debug.stop, BH_CTL_STOP_WATCH);
	assert_int_equal(v0->debug.address, 0x5008);
	assert_int_equal(kept_of(v0)->dr[3], 0xd3);
	assert_int_equal(kept_of(v0)->dr[6], DR6_FIXED);
	assert_int_equal(kept_of(v0)->dr[7], DR7_FIXED);
	assert_false(v0->hw.regs.dr_hidden);
	debug_regs_save(core);
	assert_int_equal(go(list, 3, 0, true), 0);
	v1->hw.regs.dr[6] |= BIT(0);
	assert_true(raises(v1, EVENT_EXCEPTION));
	turn();
	assert_int_equal(v1->debug.stop, BH_CTL_STOP_HARDWARE);
	/* An access that is emulated, at its instruction's end */
	assert_int_equal(go(list, 3, 0, true), 0);
	v1->hw.regs.pending_debug = BIT(2) | DR6_PENDING;
	retire_insn(v1);
	assert_int_equal(v1->pending.type, EVENT_NONE);
	turn();
	assert_int_equal(v1->activity, VCPU_PAUSED);
	assert_int_equal(v1->debug.stop, BH_CTL_STOP_WATCH);
	assert_int_equal(v1->debug.address, 0x6004);
}

static void test_hardware_refused(void **state)
{
	struct bh_ctl_breakpoint list[5] = { { 1, BH_CTL_BREAK_WRITE, 2 } };

	attach();
	assert_int_equal(go(list, 1, 0, true), -EINVAL);
	list[0].length = 3;
	assert_int_equal(go(list, 1, 0, true), -EINVAL);
	list[0].length = 0;
	assert_int_equal(go(list, 1, 0, true), -EINVAL);
	for (u32 i = 0; i < 5; i++)
		list[i] = (struct bh_ctl_breakpoint){ 8 * i, BH_CTL_BREAK_WRITE,
						      8 };
	assert_int_equal(go(list, 5, 0, true), -EINVAL);
	assert_int_equal(go(list, 4, 0, true), 0);
}

static enum verdict moves(const char *bytes)
{
	memset(code, 0, sizeof(code));
	memcpy(code, bytes, strlen(bytes));
	v0->pending.type = EVENT_NONE;
	return debug_dr_exit(v0);
}

/* The guest's debug registers are kept aside for it */
static void test_guest_registers(void **state)
{
	static const struct bh_ctl_breakpoint list[] = {
		{ 0x4000, BH_CTL_BREAK_HARDWARE, 1 },
	};
	u64 *gpr = v0->hw.regs.gpr;

	attach();
	assert_int_equal(go(list, 1, 0, true), 0);
	assert_int_equal(moves("\x0f\x21\xd1"), VERDICT_ADVANCE); /* DR2 */
	assert_int_equal(gpr[GPR_RCX], 0xd2);
	assert_int_equal(v0->hw.exit.insn_len, 3);
	gpr[GPR_R9] = 0x77;
	assert_int_equal(moves("\x41\x0f\x23\xc1"), VERDICT_ADVANCE);
	assert_int_equal(v0->hw.exit.insn_len, 4);
	assert_int_equal(v0->debug.dr[0], 0x77);
	assert_int_equal(v0->hw.regs.dr[0], 0x4000);
	gpr[GPR_RAX] = 0x155 | DR7_GD;
	assert_int_equal(moves("\x0f\x23\xf8"), VERDICT_ADVANCE); /* DR7 */
	assert_int_equal(v0->debug.dr[7], 0x155 | DR7_FIXED);
	gpr[GPR_RAX] = BIT(32);
	assert_int_equal(moves("\x0f\x23\xf8"), VERDICT_INJECT);
	assert_int_equal(v0->pending.vector, EXC_GP);
	assert_int_equal(moves("\x0f\x21\xe0"), VERDICT_ADVANCE); /* DR4 */
	v0->hw.regs.cr4 = CR4_DE;
	assert_int_equal(moves("\x0f\x21\xe0"), VERDICT_INJECT);
	assert_int_equal(moves("\x44\x0f\x21\xc0"), VERDICT_INJECT); /* DR8 */
	assert_int_equal(v0->pending.vector, EXC_UD);
	assert_int_equal(moves("\x0f\x20\xc0"), VERDICT_RESUME);
	v0->pending.type = EVENT_NONE;
	assert_int_equal(debug_stop(&fake_vm), 0);
	turn();
	assert_int_equal(kept_of(v0)->dr[0], 0x77);
	assert_int_equal(kept_of(v0)->dr[7], 0x155 | DR7_FIXED);
	assert_true(v0->hw.regs.breakpoints);
}

/* What is the guest's of a #DB is in the DR6 that it reads */
static void test_guests_causes(void **state)
{
	static const struct bh_ctl_breakpoint at = { 0x4000, BH_CTL_BREAK_WRITE,
						     4 };
	struct vcpu_regs *r = &v0->hw.regs;

	r->dr[6] = DR6_FIXED | BIT(2);
	attach();
	assert_int_equal(go(&at, 1, 0, true), 0);
	r->dr[6] |= DR6_BS; /* it steps by itself */
	assert_false(raises(v0, EVENT_EXCEPTION));
	assert_int_equal(moves("\x0f\x21\xf0"), VERDICT_ADVANCE); /* DR6 */
	assert_int_equal(r->gpr[GPR_RAX], DR6_FIXED | DR6_BS);
	assert_int_equal(r->dr[6], DR6_FIXED);
	assert_false(v0->events & VE_DEBUG);
	r->gpr[GPR_RAX] = 0;
	assert_int_equal(moves("\x0f\x23\xf0"), VERDICT_ADVANCE);
	retire_debug_trap(v0, DR6_BT);
	assert_int_equal(v0->debug.dr[6], DR6_FIXED | DR6_BT);
	/* Both at once */
	r->dr[6] |= DR6_BS | BIT(0);
	assert_false(raises(v0, EVENT_EXCEPTION));
	turn();
	assert_int_equal(v0->debug.stop, BH_CTL_STOP_WATCH);
	assert_int_equal(kept_of(v0)->dr[6], DR6_FIXED | DR6_BT | DR6_BS);
}

/* A step meets a breakpoint that the guest has set; an old one is none */
static void test_guests_breakpoint(void **state)
{
	struct vcpu_regs *r = &v0->hw.regs;

	r->dr[6] = DR6_FIXED | BIT(1);
	attach();
	assert_int_equal(go(NULL, 0, 1, false), 0);
	r->dr[6] |= DR6_BS;
	assert_true(raises(v0, EVENT_EXCEPTION));
	turn();
	assert_int_equal(go(NULL, 0, 1, false), 0);
	r->dr[6] |= DR6_BS | BIT(3);
	assert_false(raises(v0, EVENT_EXCEPTION));
	turn();
	assert_int_equal(v0->debug.stop, BH_CTL_STOP_STEP);
	assert_int_equal(kept_of(v0)->dr[6], DR6_FIXED | BIT(1) | BIT(3));
}

/* A task switch: a step of its own, and it clears what is local of DR7 */
static void test_task(void **state)
{
	static const struct bh_ctl_breakpoint at = { 0x4000, BH_CTL_BREAK_WRITE,
						     4 };
	struct vcpu_regs *r = &v0->hw.regs;

	r->dr[7] = DR7_FIXED | 0xf;
	attach();
	assert_int_equal(go(&at, 1, 1, false), 0);
	retire_task(v0);
	assert_false(r->rflags & RFLAGS_TF);
	r->dr[7] &= ~DR7_LOCAL;
	assert_int_equal(moves("\x0f\x21\xf8"), VERDICT_ADVANCE); /* DR7 */
	assert_int_equal(r->gpr[GPR_RAX], DR7_FIXED | 0xa);
	assert_int_equal(r->dr[7], fake_vm.debug.dr7);
	r->dr[7] &= ~DR7_LOCAL;
	r->rflags |= RFLAGS_TF; /* the new task's */
	turn();
	assert_int_equal(v0->debug.stop, BH_CTL_STOP_STEP);
	assert_int_equal(kept_of(v0)->dr[7], DR7_FIXED | 0xa);
	assert_true(kept_of(v0)->rflags & RFLAGS_TF);
	assert_int_equal(fake_vm.debug.strays, 0);
	r->rflags &= ~RFLAGS_TF;
	retire_task(v0); /* nobody steps */
	assert_int_equal(v0->events, 0);
}

/* INIT in a step, with breakpoints: reset, as take_init() does it */
static void test_init(void **state)
{
	static const struct bh_ctl_breakpoint at = { 0x4000, BH_CTL_BREAK_WRITE,
						     4 };
	struct vcpu_regs *r = &v0->hw.regs;
	u64 core[4];

	r->dr[7] = DR7_FIXED | 1;
	attach();
	assert_int_equal(go(&at, 1, 1, true), 0);
	memset(r, 0, sizeof(*r));
	r->rip = 0xfff0;
	r->rflags = RFLAGS_FIXED;
	r->dr[6] = DR6_FIXED;
	r->dr[7] = DR7_FIXED;
	debug_regs_load(r->dr);
	debug_init(v0);
	assert_int_equal(r->dr[7], fake_vm.debug.dr7);
	assert_true(r->dr_hidden && r->breakpoints);
	debug_regs_save(core);
	assert_int_equal(core[0], 0x4000);
	assert_false(v0->debug.stepping);
	turn();
	assert_int_equal(told, 1);
	assert_int_equal(v0->debug.stop, BH_CTL_STOP_STEP);
	assert_int_equal(kept_of(v0)->rip, 0xfff0);
	assert_int_equal(kept_of(v0)->rflags, RFLAGS_FIXED);
	for (u32 i = 0; i < 4; i++)
		assert_int_equal(kept_of(v0)->dr[i], 0);
	assert_int_equal(kept_of(v0)->dr[7], DR7_FIXED);
	assert_false(kept_of(v0)->breakpoints);
	assert_int_equal(fake_vm.debug.strays, 0);
}

static void test_ends(void **state)
{
	static const struct bh_ctl_breakpoint at = { .address = 0x1000 };

	attach();
	assert_int_equal(go(&at, 1, 0, true), 0);
	fake_vm.end = VM_END_CRASH;
	debug_disarm(v0);
	debug_disarm(v1);
	assert_int_equal(debug_stop(&fake_vm), 0); /* too late: nothing */
	debug_ended(&fake_vm);
	assert_int_equal(fake_ram[0x1000], 0x90);
	assert_int_equal(told, 1);
	assert_int_equal(fake_vm.debug.mode, VM_NOT_DEBUGGED);
	debug_ended(&fake_vm);
	assert_int_equal(told, 1);
}

/* The device is closed, or gdb dies: all goes on as before */
static void test_left(void **state)
{
	static const struct bh_ctl_breakpoint at = { .address = 0x1000 };

	attach();
	assert_int_equal(go(&at, 1, 0, true), 0);
	debug_detach_all();
	turn();
	assert_int_equal(fake_ram[0x1000], 0x90);
	assert_int_equal(v0->activity, VCPU_RUNNING);
	assert_false(v0->debug.on);
	assert_int_equal(fake_vm.debug.mode, VM_NOT_DEBUGGED);
	assert_int_equal(told, 0);
	/* While it is about to stand */
	assert_int_equal(debug_attach(&fake_vm), 0);
	debug_detach_all();
	turn();
	assert_int_equal(v1->activity, VCPU_RUNNING);
}

static void test_not_now(void **state)
{
	struct dynamic d = { .state = BH_CTL_PAUSED };

	fake_vm.dynamic = &d;
	assert_int_equal(debug_attach(&fake_vm), -ENOENT);
	d.state = BH_CTL_RUNNING;
	d.waits = true;
	assert_int_equal(debug_attach(&fake_vm), -ENOENT);
	d.waits = false;
	fake_vm.runs = false; /* its start may not even be taken */
	assert_int_equal(debug_attach(&fake_vm), -ENOENT);
	fake_vm.runs = true;
	fake_vm.end = VM_END_RESET;
	assert_int_equal(debug_attach(&fake_vm), -ENOENT);
	fake_vm.end = VM_END_NONE;
	attach();
	fake_vm.dynamic = NULL;
}

int main(void)
{
#define T(name) cmocka_unit_test_setup(name, setup)
	const struct CMUnitTest tests[] = {
		T(test_life),
		T(test_software),
		T(test_step),
		T(test_software_refused),
		T(test_init),
		T(test_guests_causes),
		T(test_guests_breakpoint),
		T(test_task),
		T(test_handler),
		T(test_no_stray),
		T(test_stray_left),
		T(test_stray),
		T(test_guest_steps),
		T(test_pushf),
		T(test_hardware),
		T(test_ends),
		T(test_hardware_refused),
		T(test_left),
		T(test_guest_registers),
		T(test_not_now),
		T(test_undefined),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
