/* SOURCES: hv/run/event.c hv/core/exception.c hv/core/fan.c hv/vm/pause.c hv/vm/kept.c lib/string.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a vCPU takes before an entry, on a back-end that only takes notes. Over
 * 400 lines: the fake back-end and controllers serve every case.
 */
#include "hv/assign/passthrough.h"
#include "hv/core/crowd.h"
#include "hv/core/vcpu.h"
#include "hv/irq/vioapic.h"
#include "hv/irq/vlapic.h"
#include "hv/irq/vpic.h"
#include "hv/pv/kvm_pv.h"
#include "hv/pv/pvclock.h"
#include "hv/run/event.h"
#include "hv/run/exit.h"
#include "hv/time/vtimer.h"
#include "hv/vm/life.h"
#include "hv/vm/pause.h"
#include "hv/vm/stats.h"
#include "hv/vm/still.h"
#include "hv/vm/work.h"
#include "include/hw/cpu.h"
#include "include/hw/lapic.h"
#include "tests/unit/fakes/vcpu.h"
#include "tests/unit/test.h"

static struct vm vm;
static struct vcpu vcpu;
static u32 apic_page[1024];
static struct vcpu_event injected;
static u32 injections, windows[2], parked, resets, ended, followed, pieces;
static u32 pv_resets, reports;
static int irr, isr; /* vectors, -1: none */
static bool pic;
static bool built;

static void fake_read(struct vcpu_hw *hw, u32 groups)
{
	hw->regs.valid |= groups;
}

static void fake_inject(struct vcpu_hw *hw, const struct vcpu_event *event)
{
	injected = *event;
	injections++;
}

static void fake_window(struct vcpu_hw *hw, enum window which, u8 vector)
{
	windows[which]++;
}

static void fake_reset(struct vcpu_hw *hw, bool init)
{
	assert_true(init);
	resets++;
}

static const struct vcpu_ops fake_ops = {
	.read = fake_read,
	.inject = fake_inject,
	.request_window = fake_window,
	.vcpu_reset = fake_reset,
};
const struct vcpu_ops *vcpu_ops = &fake_ops;

void vcpu_report(struct vcpu *v)
{
	reports++;
}

void pvclock_reset(struct vcpu *v)
{
	pv_resets++;
}

static u32 clocks_written;

void pvclock_update(struct vcpu *v)
{
	clocks_written++;
}

void kvm_pv_reset(struct vcpu *v)
{
	pv_resets++;
}

void vlapic_reset(struct vcpu *v, bool init)
{
}

int vlapic_highest_irr(struct vcpu *v)
{
	return irr;
}

int vlapic_pending(struct vcpu *v)
{
	u32 tpr = v->hw.apic_page[APIC_TPR / 4];

	if (irr < 0 || irr >> 4 <= (int)tpr >> 4 ||
	    (isr >= 0 && irr >> 4 <= isr >> 4))
		return -1;
	return irr;
}

void vlapic_accept(struct vcpu *v, u8 vector)
{
	assert_int_equal(vector, irr);
	isr = irr;
	irr = -1;
}

bool vlapic_extint_enabled(struct vcpu *v)
{
	return true;
}

bool vioapic_extint(struct vm *m, const struct vcpu *v)
{
	return false;
}

bool vpic_has_interrupt(struct vm *m)
{
	return pic;
}

int vpic_acknowledge(struct vm *m)
{
	pic = false;
	return 0x30;
}

static u32 controls;

void control_go_on(struct vcpu *v)
{
	controls++;
}

/* Two pieces */
bool passthrough_insn_go_on(struct vcpu *v)
{
	return true;
}

static u32 virtio_pieces;

void virtio_go_on(struct vcpu *v)
{
	virtio_pieces++;
}

void passthrough_go_on(struct vcpu *v)
{
	if (++pieces == 1)
		v->events |= VE_ASSIGN;
}

static u32 casts, lates, forgotten, pieces_left;
static u32 cast_meets; /* events that come during it */

bool vlapic_insn_go_on(struct vcpu *v)
{
	casts++;
	v->events |= cast_meets;
	cast_meets = 0;
	return !--pieces_left;
}

/* The instruction that is emulated in pieces; its end */
static u32 emulations_left, advances;
static enum verdict emulation_end;

bool emulate_go_on(struct vcpu *v, enum verdict *verdict)
{
	*verdict = VERDICT_RESUME;
	if (!emulations_left)
		return true;
	if (--emulations_left)
		return false;
	*verdict = emulation_end;
	return true;
}

void exit_give_way(struct vcpu *v, enum verdict verdict)
{
	assert_int_equal(verdict, VERDICT_KILL);
	v->events |= VE_STOP;
}

void retire_wrap_rip(struct vcpu *v)
{
}

void retire_insn(struct vcpu *v)
{
	advances++;
}

bool vlapic_late_go_on(struct vcpu *v)
{
	lates++;
	return !--pieces_left;
}

void vlapic_late_forget(struct vcpu *v)
{
	forgotten++;
}

void vtimer_follow(struct vm *m)
{
	followed++;
}

void vm_vcpu_parked(struct vcpu *v)
{
	parked++;
}

bool vm_work_step(struct vcpu *v)
{
	if (built)
		v->activity = VCPU_RUNNING;
	return built;
}

void exit_shutdown(struct vcpu *v)
{
	ended++;
}

static u32 stands, sched_blocks, sched_wakes;

void dynamic_paused(struct vm *it)
{
	fail();
}

void still_stood(struct vm *it)
{
	assert_ptr_equal(it, &vm);
	stands++;
}

void sched_block(struct sched_entity *e)
{
	assert_ptr_equal(e, &vcpu.entity);
	sched_blocks++;
}

void sched_wake(struct sched_entity *e)
{
	sched_wakes++;
}

void pcpu_kick(struct pcpu *cpu, u32 bits)
{
	assert_int_equal(bits, PCPU_RESCHED);
}

static int setup(void **state)
{
	memset(&vcpu, 0, sizeof(vcpu));
	memset(&vm, 0, sizeof(vm));
	memset(apic_page, 0, sizeof(apic_page));
	memset(windows, 0, sizeof(windows));
	memset(&injected, 0, sizeof(injected));
	vcpu.vm = &vm;
	vcpu.hw.apic_page = apic_page;
	vcpu.hw.regs.rflags = RFLAGS_IF;
	injections = fake_blocks = parked = resets = ended = followed = pieces =
		0;
	irr = isr = -1;
	pic = built = false;
	return 0;
}

static void test_interrupt_is_delivered(void **state)
{
	irr = 0x41;
	vcpu.events = VE_IRQ;
	assert_true(vcpu_prepare(&vcpu));
	assert_int_equal(injected.type, EVENT_EXTINT);
	assert_int_equal(injected.vector, 0x41);
	assert_int_equal(isr, 0x41);
	assert_int_equal(vcpu.events, 0);
}

static void test_closed_window_is_requested(void **state)
{
	static const struct {
		u64 rflags;
		u32 shadow;
	} closed[] = { { 0, 0 },
		       { RFLAGS_IF, SHADOW_STI },
		       { RFLAGS_IF, SHADOW_MOV_SS } };

	for (u32 i = 0; i < ARRAY_SIZE(closed); i++) {
		setup(state);
		irr = 0x41;
		vcpu.events = VE_IRQ;
		vcpu.hw.regs.rflags = closed[i].rflags;
		vcpu.hw.regs.shadow = closed[i].shadow;
		assert_true(vcpu_prepare(&vcpu));
		assert_int_equal(injections, 0);
		assert_int_equal(windows[WINDOW_IRQ], 1);
		assert_int_equal(irr, 0x41);
		/* And delivered when it opens */
		vcpu.hw.regs.rflags = RFLAGS_IF;
		vcpu.hw.regs.shadow = 0;
		vcpu_irq_window_open(&vcpu);
		assert_true(vcpu_prepare(&vcpu));
		assert_int_equal(injected.vector, 0x41);
	}
}

static void test_task_priority_waits_for_its_window(void **state)
{
	irr = 0x41;
	apic_page[APIC_TPR / 4] = 0x50;
	vcpu.events = VE_IRQ;
	assert_true(vcpu_prepare(&vcpu));
	assert_int_equal(injections, 0);
	assert_int_equal(windows[WINDOW_IRQ], 1);
}

/* Else the window opens at once, again and again */
static void test_in_service_waits_for_the_eoi(void **state)
{
	irr = 0x41;
	isr = 0x51;
	vcpu.events = VE_IRQ;
	assert_true(vcpu_prepare(&vcpu));
	assert_int_equal(injections, 0);
	assert_int_equal(windows[WINDOW_IRQ], 0);
}

static void test_one_event_an_entry(void **state)
{
	vcpu.pending = (struct vcpu_event){ .type = EVENT_EXCEPTION,
					    .vector = EXC_PF,
					    .has_error = true };
	irr = 0x41;
	vcpu.events = VE_IRQ | VE_NMI;
	assert_true(vcpu_prepare(&vcpu));
	assert_int_equal(injections, 1);
	assert_int_equal(injected.vector, EXC_PF);
	assert_int_equal(vcpu.pending.type, EVENT_NONE);
	assert_int_equal(windows[WINDOW_NMI], 1);
	assert_int_equal(windows[WINDOW_IRQ], 1);
	/* A second look before the entry must not inject over the first */
	vcpu.events = VE_IRQ;
	assert_true(vcpu_prepare(&vcpu));
	assert_int_equal(injections, 1);
}

/* A halted vCPU arms the board's timers and stays halted */
static void test_clock_is_written_anew(void **state)
{
	clocks_written = 0;
	vcpu.events = VE_CLOCK;
	assert_true(vcpu_prepare(&vcpu));
	assert_int_equal(clocks_written, 1);
}

static void test_device_timer_is_followed(void **state)
{
	vcpu.activity = VCPU_HALTED;
	vcpu.events = VE_VTIMER;
	assert_false(vcpu_prepare(&vcpu));
	assert_int_equal(followed, 1);
	assert_int_equal(fake_blocks, 1);
}

/* It goes on with a device's table as long as there is more, halted or not */
static void test_device_work(void **state)
{
	vcpu.activity = VCPU_HALTED;
	vcpu.events = VE_ASSIGN;
	assert_false(vcpu_prepare(&vcpu));
	assert_int_equal(pieces, 1);
	assert_int_equal(vcpu.events, VE_ASSIGN);
	assert_false(vcpu_prepare(&vcpu));
	assert_int_equal(pieces, 2);
	assert_int_equal(vcpu.events, 0);
	/* The control device's, likewise */
	vcpu.events = VE_CONTROL;
	assert_false(vcpu_prepare(&vcpu));
	assert_int_equal(controls, 1);
	/* The virtio devices', unless no code of the guest runs */
	virtio_pieces = 0;
	vcpu.events = VE_VIRTIO;
	assert_false(vcpu_prepare(&vcpu));
	assert_int_equal(virtio_pieces, 1);
	assert_int_equal(vcpu.events, 0);
	vcpu.activity = VCPU_WORKING;
	vcpu.events = VE_VIRTIO;
	(void)vcpu_prepare(&vcpu);
	assert_int_equal(virtio_pieces, 1);
	vcpu.activity = VCPU_HALTED;
	/* The end of the guest ends it */
	vcpu.events = VE_ASSIGN | VE_STOP;
	assert_false(vcpu_prepare(&vcpu));
	assert_int_equal(pieces, 2);
	assert_int_equal(parked, 1);
}

/* All else waits for the end of an instruction: interrupts, INIT, NMIs, of
 * which none is lost */
static void test_rest_of_an_instruction(void **state)
{
	casts = 0;
	pieces_left = 3;
	irr = 0x41;
	reports = 0;
	vcpu.events = VE_INSN | VE_IRQ | VE_NMI | VE_REPORT;
	assert_false(vcpu_prepare(&vcpu));
	assert_int_equal(reports, 1);
	assert_int_equal(vcpu.events, VE_INSN | VE_IRQ | VE_NMI);
	vcpu.events |= VE_INIT;
	assert_false(vcpu_prepare(&vcpu));
	assert_int_equal(resets, 0);
	assert_false(vcpu_prepare(&vcpu));
	assert_int_equal(casts, 3);
	assert_int_equal(injections, 0);
	assert_int_equal(vcpu.events, VE_INIT | VE_IRQ | VE_NMI);
	vcpu_prepare(&vcpu);
	assert_int_equal(resets, 1);
	/* The end of the guest ends it */
	pieces_left = 3;
	vcpu.events = VE_INSN | VE_STOP;
	assert_false(vcpu_prepare(&vcpu));
	assert_int_equal(casts, 3);
	assert_int_equal(parked, 1);
}

/* What comes during a piece, when the rest is in hand */
/* One that the emulator does: RIP moves at its end, and what comes with that is
 * delivered before the interrupt that has come */
static void test_emulated_in_pieces(void **state)
{
	pieces_left = 1;
	emulations_left = 2;
	emulation_end = VERDICT_ADVANCE;
	vcpu.hw.exit.insn_len = 4;
	vcpu.hw.regs.rip = 0x1000;
	irr = 0x41;
	vcpu.events = VE_INSN | VE_IRQ;
	assert_false(vcpu_prepare(&vcpu));
	assert_int_equal(vcpu.events, VE_INSN | VE_IRQ);
	assert_int_equal(vcpu.hw.regs.rip, 0x1000);
	pieces_left = 1;
	assert_false(vcpu_prepare(&vcpu));
	assert_int_equal(vcpu.events, VE_IRQ);
	assert_int_equal(vcpu.hw.regs.rip, 0x1004);
	assert_int_equal(injections, 0);
	/* The end of the guest */
	pieces_left = emulations_left = 1;
	emulation_end = VERDICT_KILL;
	vcpu.events = VE_INSN;
	assert_false(vcpu_prepare(&vcpu));
	assert_int_equal(vcpu.events, VE_STOP);
	assert_int_equal(vcpu.hw.regs.rip, 0x1004);
}

/* Others are in the devices: what goes on there waits, looking at the core's
 * timer in between, and a halted vCPU does not sleep on it */
static void test_devices_in_a_crowd(void **state)
{
	vm.vcpu_count = CROWD_ISOLATED + 1;
	vm.crowd = CROWD_ISOLATED;
	controls = 0;
	pieces = 1;
	vcpu.activity = VCPU_HALTED;
	virtio_pieces = 0;
	vcpu.events = VE_ASSIGN | VE_CONTROL | VE_VTIMER | VE_VIRTIO;
	assert_false(vcpu_prepare(&vcpu));
	assert_int_equal(vcpu.events, VE_ASSIGN | VE_CONTROL | VE_VIRTIO);
	assert_int_equal(virtio_pieces, 0);
	assert_int_equal(followed, 1);
	assert_int_equal(pieces, 1);
	assert_int_equal(controls, 0);
	vm.crowd--;
	assert_false(vcpu_prepare(&vcpu));
	assert_int_equal(vcpu.events, 0);
	assert_int_equal(pieces, 2);
	assert_int_equal(controls, 1);
	assert_int_equal(virtio_pieces, 1);
	assert_int_equal(vm.crowd, CROWD_ISOLATED - 1);
}

/* The rest of an instruction, likewise; what it sends has no part in it */
static void test_instruction_in_a_crowd(void **state)
{
	vm.vcpu_count = CROWD_ISOLATED + 1;
	vm.crowd = CROWD_ISOLATED;
	casts = 0;
	pieces_left = 2;
	emulations_left = 1;
	emulation_end = VERDICT_ADVANCE;
	vcpu.hw.exit.insn_len = 4;
	vcpu.hw.regs.rip = 0x1000;
	vcpu.events = VE_INSN;
	assert_false(vcpu_prepare(&vcpu));
	assert_false(vcpu_prepare(&vcpu));
	assert_int_equal(casts, 2);
	assert_int_equal(emulations_left, 1);
	assert_int_equal(vcpu.events, VE_INSN);
	assert_int_equal(vcpu.hw.regs.rip, 0x1000);
	pieces_left = 1;
	vm.crowd = 0;
	assert_false(vcpu_prepare(&vcpu));
	assert_int_equal(vcpu.events, 0);
	assert_int_equal(vcpu.hw.regs.rip, 0x1004);
	assert_int_equal(vm.crowd, 0);
}

static void test_signals_during_a_piece(void **state)
{
	pieces_left = 2;
	cast_meets = VE_NMI;
	vcpu.events = VE_INSN | VE_NMI;
	assert_false(vcpu_prepare(&vcpu));
	assert_int_equal(vcpu.events, VE_INSN | VE_NMI | VE_NMI_AGAIN);
	cast_meets = VE_INIT;
	vcpu.events = VE_INSN | VE_SIPI;
	assert_false(vcpu_prepare(&vcpu));
	assert_int_equal(vcpu.events, VE_INIT);
}

/* What devices send to many, whatever vCPU 0 does; not before its guest runs,
 * and not when it runs no more: then no source stays in the queue */
static void test_late_messages(void **state)
{
	lates = forgotten = 0;
	pieces_left = 2;
	vcpu.activity = VCPU_HALTED;
	vcpu.events = VE_LATE;
	assert_false(vcpu_prepare(&vcpu));
	assert_int_equal(vcpu.events, VE_LATE);
	assert_false(vcpu_prepare(&vcpu));
	assert_int_equal(lates, 2);
	assert_int_equal(vcpu.events, 0);
	vcpu.activity = VCPU_WORKING;
	vcpu.events = VE_LATE;
	vcpu_prepare(&vcpu);
	assert_int_equal(forgotten, 1);
	vcpu.activity = VCPU_PARKED;
	vcpu.events = VE_LATE;
	assert_false(vcpu_prepare(&vcpu));
	assert_int_equal(forgotten, 2);
	assert_int_equal(lates, 2);
}

static void test_nmi_before_interrupt(void **state)
{
	irr = 0x41;
	vcpu.events = VE_IRQ | VE_NMI;
	assert_true(vcpu_prepare(&vcpu));
	assert_int_equal(injected.type, EVENT_NMI);
	assert_false(vcpu.nmi_waiting);
	assert_int_equal(windows[WINDOW_IRQ], 1);
}

static void test_nmi_waits_for_its_window(void **state)
{
	vcpu.hw.regs.shadow = SHADOW_NMI;
	vcpu.events = VE_NMI;
	assert_true(vcpu_prepare(&vcpu));
	assert_int_equal(injections, 0);
	assert_true(vcpu.nmi_waiting);
	vcpu.hw.regs.shadow = 0;
	vcpu_nmi_window_open(&vcpu);
	assert_true(vcpu_prepare(&vcpu));
	assert_int_equal(injected.type, EVENT_NMI);
	vcpu_nmi_window_open(&vcpu);
	assert_int_equal(vcpu.events, 0);
}

/* What comes waits for a debugger's step, but not in a handler in between */
static void test_step(void **state)
{
	irr = 0x41;
	vcpu.debug.stepping = true;
	vcpu.hw.regs.rflags |= RFLAGS_TF;
	vcpu.events = VE_IRQ | VE_NMI;
	assert_true(vcpu_prepare(&vcpu));
	assert_int_equal(injections, 0);
	assert_int_equal(windows[WINDOW_IRQ] + windows[WINDOW_NMI], 0);
	vcpu.hw.regs.rflags &= ~RFLAGS_TF;
	vcpu.events = VE_IRQ;
	assert_true(vcpu_prepare(&vcpu));
	assert_int_equal(injected.type, EVENT_NMI);
	vcpu.injected = false;
	vcpu.events = VE_IRQ;
	assert_true(vcpu_prepare(&vcpu));
	assert_int_equal(injected.type, EVENT_EXTINT);
	assert_int_equal(injections, 2);
}

static void test_two_nmis(void **state)
{
	vcpu.events = VE_NMI | VE_NMI_AGAIN;
	assert_true(vcpu_prepare(&vcpu));
	assert_int_equal(injected.type, EVENT_NMI);
	assert_int_equal(windows[WINDOW_NMI], 1);
	assert_int_equal(vcpu.nmi_waiting, 1);
	/* In its handler: one more is latched, no third */
	vcpu.injected = false;
	vcpu.hw.regs.shadow = SHADOW_NMI;
	vcpu.events = VE_NMI | VE_NMI_AGAIN;
	assert_true(vcpu_prepare(&vcpu));
	assert_int_equal(vcpu.nmi_waiting, 1);
	vcpu.hw.regs.shadow = 0;
	vcpu_nmi_window_open(&vcpu);
	assert_true(vcpu_prepare(&vcpu));
	assert_int_equal(injections, 2);
	assert_int_equal(vcpu.nmi_waiting, 0);
}

static void test_halt_ends_for_what_it_would_take(void **state)
{
	vcpu.activity = VCPU_HALTED;
	assert_false(vcpu_prepare(&vcpu));
	assert_int_equal(fake_blocks, 1);
	vcpu.hw.regs.rflags = 0;
	irr = 0x41;
	vcpu.events = VE_IRQ;
	assert_false(vcpu_prepare(&vcpu));
	assert_int_equal(vcpu.activity, VCPU_HALTED);
	vcpu.events = VE_NMI;
	assert_true(vcpu_prepare(&vcpu));
	assert_int_equal(injected.type, EVENT_NMI);
	/* The interrupt is still there and has asked for its window */
	assert_int_equal(windows[WINDOW_IRQ], 1);
}

/* A read of a sleep state's port: with interrupts off, one that waits ends it,
 * and is delivered when the guest takes it */
static void test_sleep_ends_for_what_waits(void **state)
{
	vcpu.activity = VCPU_SLEEPS;
	vcpu.hw.regs.rflags = 0;
	vcpu.events = VE_IRQ;
	assert_false(vcpu_prepare(&vcpu));
	assert_int_equal(vcpu.activity, VCPU_SLEEPS);
	assert_int_equal(fake_blocks, 1);
	irr = 0x41;
	vcpu.events = VE_IRQ;
	assert_true(vcpu_prepare(&vcpu));
	assert_int_equal(vcpu.activity, VCPU_RUNNING);
	assert_int_equal(injections, 0);
	assert_int_equal(windows[WINDOW_IRQ], 1);
}

/* Whatever it does, it says so, and goes on with it */
static void test_reports(void **state)
{
	reports = 0;
	vcpu.events = VE_REPORT;
	assert_true(vcpu_prepare(&vcpu));
	vcpu.activity = VCPU_HALTED;
	vcpu.events = VE_REPORT;
	assert_false(vcpu_prepare(&vcpu));
	assert_int_equal(vcpu.activity, VCPU_HALTED);
	vcpu.activity = VCPU_PARKED;
	vcpu.events = VE_REPORT;
	assert_false(vcpu_prepare(&vcpu));
	assert_int_equal(reports, 3);
}

/* A kick ends a halt with interrupts off, also one that begins later, once */
static void test_kick_ends_a_halt(void **state)
{
	vcpu.hw.regs.rflags = 0;
	vcpu.activity = VCPU_HALTED;
	vcpu.events = VE_KICK;
	assert_true(vcpu_prepare(&vcpu));
	assert_int_equal(vcpu.activity, VCPU_RUNNING);
	vcpu.events = VE_KICK;
	assert_true(vcpu_prepare(&vcpu));
	vcpu.activity = VCPU_HALTED;
	assert_true(vcpu_prepare(&vcpu));
	vcpu.activity = VCPU_HALTED;
	assert_false(vcpu_prepare(&vcpu));
	assert_int_equal(injections, 0);
}

static void test_external_interrupt_of_the_pic(void **state)
{
	vm.devices[VDEV_vpic] = &vm; /* only tested for NULL */
	pic = true;
	vcpu.events = VE_IRQ;
	vcpu.hw.regs.rflags = 0;
	assert_true(vcpu_prepare(&vcpu));
	assert_true(pic);
	assert_int_equal(windows[WINDOW_IRQ], 1);
	vcpu.hw.regs.rflags = RFLAGS_IF;
	vcpu.events = VE_IRQ;
	assert_true(vcpu_prepare(&vcpu));
	assert_int_equal(injected.vector, 0x30);
	assert_int_equal(isr, -1);
}

static void test_init_and_sipi(void **state)
{
	vcpu.id = 1;
	vcpu.sipi_vector = 0x9a;
	vcpu.events = VE_SIPI; /* does not wait for one: ignored */
	assert_true(vcpu_prepare(&vcpu));
	assert_int_equal(vcpu.hw.regs.dirty, 0);
	vcpu.events = VE_INIT;
	pv_resets = 0;
	assert_false(vcpu_prepare(&vcpu));
	assert_int_equal(pv_resets, 2); /* its addresses are no one's now */
	assert_int_equal(vcpu.activity, VCPU_WAIT_SIPI);
	assert_int_equal(resets, 1);
	vcpu.events = VE_IRQ | VE_NMI;
	assert_false(vcpu_prepare(&vcpu));
	vcpu.events = VE_SIPI;
	assert_true(vcpu_prepare(&vcpu));
	assert_int_equal(vcpu.hw.regs.seg[SEG_CS].sel, 0x9a00);
	assert_int_equal(vcpu.hw.regs.seg[SEG_CS].base, 0x9a000);
	assert_int_equal(vcpu.hw.regs.rip, 0);
}

static void test_init_of_the_boot_cpu(void **state)
{
	vcpu.events = VE_INIT;
	assert_true(vcpu_prepare(&vcpu));
	assert_int_equal(vcpu.activity, VCPU_RUNNING);
	/* A debugger is told */
	vcpu.debug.on = vcpu.debug.stepping = true;
	vcpu.events = VE_INIT;
	assert_true(vcpu_prepare(&vcpu));
	assert_false(vcpu.debug.stepping);
}

static void test_stop_comes_first(void **state)
{
	vcpu.events = VE_STOP | VE_IRQ | VE_INIT;
	assert_false(vcpu_prepare(&vcpu));
	assert_int_equal(parked, 1);
	assert_int_equal(resets, 0);
}

/* Its sibling still runs, and sends it what would start it again */
static void test_parked_stays_parked(void **state)
{
	vcpu.activity = VCPU_PARKED;
	vcpu.events = VE_INIT | VE_SIPI | VE_NMI | VE_IRQ;
	assert_false(vcpu_prepare(&vcpu));
	assert_int_equal(vcpu.activity, VCPU_PARKED);
	assert_int_equal(resets, 0);
	assert_int_equal(fake_blocks, 1);
	assert_false(vcpu.nmi_waiting);
	assert_int_equal(vcpu.events, 0);
}

/* Its guest starts again. What comes with that is of the new life, and reaches
 * no boot vCPU that has work. */
static void test_start_ends_the_parking(void **state)
{
	vcpu.activity = VCPU_PARKED;
	vcpu.events = VE_START | VE_INIT | VE_SIPI;
	assert_false(vcpu_prepare(&vcpu));
	assert_int_equal(vcpu.activity, VCPU_WORKING);
	assert_true(vcpu.entity.spared);
	assert_int_equal(resets, 0);
	setup(state);
	vcpu.id = 1;
	vcpu.activity = VCPU_PARKED;
	vcpu.events = VE_START;
	assert_false(vcpu_prepare(&vcpu));
	assert_int_equal(vcpu.activity, VCPU_WAIT_SIPI);
	assert_false(vcpu.entity.spared);
	vcpu.activity = VCPU_PARKED;
	vcpu.sipi_vector = 0x9a;
	vcpu.events = VE_START | VE_INIT | VE_SIPI;
	assert_true(vcpu_prepare(&vcpu));
	assert_int_equal(vcpu.activity, VCPU_RUNNING);
	/* It ends at once */
	vcpu.activity = VCPU_PARKED;
	vcpu.events = VE_START | VE_STOP;
	assert_false(vcpu_prepare(&vcpu));
	assert_int_equal(parked, 1);
}

static void test_building(void **state)
{
	vcpu.activity = VCPU_WORKING;
	assert_false(vcpu_prepare(&vcpu));
	assert_int_equal(fake_blocks, 0);
	/* Nothing that is sent meanwhile starts code before its time */
	vcpu.events = VE_INIT | VE_SIPI | VE_NMI | VE_KICK | VE_IRQ | VE_VTIMER;
	assert_false(vcpu_prepare(&vcpu));
	assert_int_equal(vcpu.activity, VCPU_WORKING);
	assert_int_equal(resets, 0);
	assert_int_equal(followed, 1);
	assert_false(vcpu.nmi_waiting);
	vcpu.events = VE_STOP;
	assert_false(vcpu_prepare(&vcpu));
	assert_int_equal(parked, 1);
	built = true;
	assert_true(vcpu_prepare(&vcpu));
}

/* SDM 3A table 6-5 */
static void test_double_faults(void **state)
{
	static const struct {
		u8 first, second, result; /* 0xff: the guest ends */
	} rows[] = {
		{ EXC_PF, EXC_PF, EXC_DF }, { EXC_PF, EXC_GP, EXC_DF },
		{ EXC_GP, EXC_GP, EXC_DF }, { EXC_GP, EXC_PF, EXC_PF },
		{ EXC_DB, EXC_PF, EXC_PF }, { EXC_GP, EXC_DB, EXC_DB },
		{ EXC_DF, EXC_GP, 0xff },   { EXC_DF, EXC_PF, 0xff },
		{ EXC_DF, EXC_DB, EXC_DB }, { EXC_DE, EXC_NP, EXC_DF },
	};

	for (u32 i = 0; i < ARRAY_SIZE(rows); i++) {
		setup(state);
		vcpu_raise_exception(&vcpu, rows[i].first, true, 1);
		vcpu_raise_exception(&vcpu, rows[i].second, false, 0);
		if (rows[i].result == 0xff) {
			/* Nothing hides a shutdown, nothing delivers it */
			vcpu_raise_exception(&vcpu, EXC_DB, false, 0);
			assert_int_equal(ended, 0);
			assert_false(vcpu_prepare(&vcpu));
			assert_int_equal(ended, 1);
			assert_int_equal(injections, 0);
			assert_int_equal(vcpu.pending.type, EVENT_NONE);
			continue;
		}
		assert_int_equal(vcpu.pending.vector, rows[i].result);
		assert_int_equal(ended, 0);
	}
}

/* The fault came first: an INIT that arrives before the entry undoes nothing */
static void test_init_does_not_undo_a_shutdown(void **state)
{
	vcpu_raise_exception(&vcpu, EXC_DF, true, 0);
	vcpu_raise_exception(&vcpu, EXC_GP, true, 0);
	vcpu.events = VE_INIT;
	assert_false(vcpu_prepare(&vcpu));
	assert_int_equal(ended, 1);
	assert_int_equal(resets, 0);
}

static void test_faults_set_the_resume_flag(void **state)
{
	vcpu.hw.regs.rflags = 2;
	vcpu_raise_exception(&vcpu, EXC_DB, false, 0);
	assert_int_equal(vcpu.hw.regs.rflags, 2);
	vcpu.pending.type = EVENT_NONE;
	vcpu_raise_ud(&vcpu);
	assert_int_equal(vcpu.hw.regs.rflags, 2 | RFLAGS_RF);
	assert_true(vcpu.hw.regs.dirty & RG_RIP);
}

static void test_page_fault_sets_cr2(void **state)
{
	vcpu_raise_pf(&vcpu, GVA(0x1234), PF_W);
	assert_int_equal(vcpu.hw.regs.cr2, 0x1234);
	assert_int_equal(vcpu.pending.error, PF_W);
	assert_true(vcpu.pending.has_error);
}

/* It stands whatever comes, loses nothing, and is not woken for it again and
 * again */
static void test_pause(void **state)
{
	stands = sched_blocks = sched_wakes = 0;
	vm.vcpu_count = 1;
	vm.vcpus[0] = &vcpu;
	vcpu.vm = &vm;
	pause_begin(&vm);
	assert_int_equal(vcpu.events, VE_PAUSE);
	vcpu.events |= VE_NMI;
	assert_false(vcpu_prepare(&vcpu));
	assert_int_equal(vcpu.activity, VCPU_PAUSED);
	assert_int_equal(stands, 1);
	assert_int_equal(sched_blocks, 1);
	assert_int_equal(sched_wakes, 0);
	assert_int_equal(vcpu.events, VE_NMI);
	assert_int_equal(injections, 0);
	vcpu.events |= VE_IRQ | VE_INIT;
	assert_false(vcpu_prepare(&vcpu));
	assert_int_equal(vcpu.events, VE_NMI | VE_IRQ | VE_INIT);
	assert_int_equal(resets, 0);
	vcpu.events = VE_NMI;
	pause_end(&vm);
	irr = 0x50;
	(void)vcpu_prepare(&vcpu);
	assert_int_equal(vcpu.activity, VCPU_RUNNING);
	assert_int_equal(injections, 1);
	assert_int_equal(injected.type, EVENT_NMI);
	assert_true(vcpu.events & VE_IRQ); /* it looks again */
	/* What a debugger changes meanwhile is there when it goes on, also
	 * where it hears of the end and of the next pause at once */
	setup(state);
	vm.vcpu_count = 1;
	vm.vcpus[0] = &vcpu;
	pause_begin(&vm);
	assert_false(vcpu_prepare(&vcpu));
	assert_true(vcpu.is_kept);
	vcpu.kept.rip = 0x77;
	vcpu.kept_changed = RG_RIP;
	pause_end(&vm);
	pause_begin(&vm);
	assert_false(vcpu_prepare(&vcpu));
	assert_int_equal(vcpu.kept.rip, 0x77);
	pause_end(&vm);
	(void)vcpu_prepare(&vcpu);
	assert_false(vcpu.is_kept);
	assert_int_equal(vcpu.hw.regs.rip, 0x77);
	/* Its end comes before all */
	setup(state);
	pause_begin(&vm);
	vcpu.events = VE_PAUSE;
	assert_false(vcpu_prepare(&vcpu));
	vcpu.events = VE_STOP;
	assert_false(vcpu_prepare(&vcpu));
	assert_int_equal(parked, 1);
	pause_forget(&vm);
	/* VE_PAUSE that came between two looks wakes it */
	setup(state);
	vcpu.activity = VCPU_PAUSED;
	vcpu.events = VE_PAUSE;
	pause_wait(&vcpu);
	assert_int_equal(sched_wakes, 1);
	/* It is no news to a debugger when it goes on */
	setup(state);
	vcpu.activity = VCPU_PAUSED;
	vcpu.events = VE_DEBUG | VE_NMI;
	assert_false(vcpu_prepare(&vcpu));
	assert_int_equal(vcpu.events & (VE_DEBUG | VE_NMI), VE_NMI);
}

/* Whatever else there is, and whatever it does: what its TLB has is gone before
 * it can be entered, once, and nobody waits for it any more */
static void test_flush(void **state)
{
	static const enum vcpu_activity all[] = {
		VCPU_RUNNING, VCPU_HALTED, VCPU_WAIT_SIPI, VCPU_WORKING,
		VCPU_PARKED,  VCPU_SLEEPS, VCPU_PAUSED,
	};

	for (u32 i = 0; i < ARRAY_SIZE(all); i++) {
		fake_flushes = 0;
		vcpu.activity = all[i];
		vcpu.events = VE_FLUSH;
		(void)vcpu_prepare(&vcpu);
		assert_int_equal(fake_flushes, 1);
		assert_int_equal(vcpu.events & VE_FLUSH, 0);
		assert_int_equal(vcpu.activity, all[i]);
		vcpu.events = VE_FLUSH | VE_DEBUG;
		(void)vcpu_prepare(&vcpu);
		assert_int_equal(fake_flushes, 2);
		assert_int_equal(vcpu.events & VE_FLUSH, 0);
	}
	setup(state);
	vcpu.events = VE_FLUSH | VE_STOP;
	assert_false(vcpu_prepare(&vcpu));
	assert_int_equal(fake_flushes, 3);
	/* It is no interrupt */
	setup(state);
	irr = 0x41;
	vcpu.events = VE_FLUSH;
	assert_true(vcpu_prepare(&vcpu));
	assert_int_equal(injections, 0);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup(name, setup)
	const struct CMUnitTest tests[] = {
		T(test_interrupt_is_delivered),
		T(test_flush),
		T(test_closed_window_is_requested),
		T(test_task_priority_waits_for_its_window),
		T(test_in_service_waits_for_the_eoi),
		T(test_one_event_an_entry),
		T(test_clock_is_written_anew),
		T(test_device_timer_is_followed),
		T(test_device_work),
		T(test_rest_of_an_instruction),
		T(test_emulated_in_pieces),
		T(test_devices_in_a_crowd),
		T(test_instruction_in_a_crowd),
		T(test_signals_during_a_piece),
		T(test_late_messages),
		T(test_nmi_before_interrupt),
		T(test_nmi_waits_for_its_window),
		T(test_two_nmis),
		T(test_halt_ends_for_what_it_would_take),
		T(test_kick_ends_a_halt),
		T(test_sleep_ends_for_what_waits),
		T(test_reports),
		T(test_external_interrupt_of_the_pic),
		T(test_step),
		T(test_init_and_sipi),
		T(test_init_of_the_boot_cpu),
		T(test_stop_comes_first),
		T(test_parked_stays_parked),
		T(test_start_ends_the_parking),
		T(test_building),
		T(test_double_faults),
		T(test_init_does_not_undo_a_shutdown),
		T(test_faults_set_the_resume_flag),
		T(test_page_fault_sets_cr2),
		T(test_pause),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
