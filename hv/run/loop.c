/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The run loop of every core.
 *
 * A core runs with interrupts off; a guest's stay in the core is bounded by
 * whatever sets pcpu.pending or vcpu.events. A poster sets its bit first and
 * looks at in_guest afterwards. This loop sets in_guest first and looks at the
 * bits afterwards. With a full barrier in both, one of them sees the other: no
 * wake-up is lost and no IPI goes to a core that need not have it.
 *
 * The core's own timer, and with it the end of a slice, comes by an interrupt.
 * An entry and a halt let it through. What keeps the core from both has to look
 * for it: work in pieces (hv/core/piece.h), and events that others post as fast
 * as they are taken. So the core opens interrupts before each further round.
 */
#include "hv/run/loop.h"

#include "arch/x86/cpu/asm.h"
#include "arch/x86/machine/idle.h"
#include "arch/x86/machine/irq.h"
#include "arch/x86/machine/smp.h"
#include "arch/x86/machine/trace.h"
#include "hv/console/console.h"
#include "hv/core/meter.h"
#include "hv/core/quiesce.h"
#include "hv/core/stretch.h"
#include "hv/run/dispatch.h"
#include "hv/run/event.h"
#include "hv/run/nmi.h"
#include "hv/vm/reap.h"
#include "hv/vm/vcpu.h"
#include "hv/vm/zero.h"

/* Turns that end neither in a guest nor in a halt, until the core looks */
#define BLIND_TURNS 2

static __noreturn void stop_core(struct pcpu *cpu)
{
	vcpu_leave_core(cpu);
	__atomic_store_n(&cpu->online, false, __ATOMIC_SEQ_CST);
	cpu_halt_forever();
}

static void serve_pending(struct pcpu *cpu)
{
	u32 bits = __atomic_exchange_n(&cpu->pending, 0, __ATOMIC_SEQ_CST);

	if (bits & PCPU_CALL)
		smp_call_run();
	if (bits & PCPU_VECTORS)
		irq_look_for_retired();
	if (bits & PCPU_KEY)
		console_take_key();
	if (bits & PCPU_NMI)
		nmi_serve();
	if (bits & PCPU_PASS)
		quiesce_pass(reap_here);
	if (bits & PCPU_STOP)
		stop_core(cpu);
}

/* Anything to do before the entry? One look, with in_guest set before it: the
 * XCHG is the full barrier. The compiler's atomics would keep the address. */
static inline bool entry_is_free(struct pcpu *cpu, const struct vcpu *v)
{
	bool in_guest = true;

	__asm__ volatile("xchg %0, %1"
			 : "+r"(in_guest), "+m"(cpu->in_guest)
			 :
			 : "memory");
	return !(READ_ONCE(cpu->pending) | v->busy | (u32)v->pending.type);
}

/* Take the interrupts that wait. True: somebody wants the core. */
static bool look(struct pcpu *cpu)
{
	stretch_look();
	return READ_ONCE(cpu->pending);
}

/* It is not free. Do what there is; false: somebody wants the core for
 * something else */
static inline __attribute__((always_inline)) bool
entry_make_free(struct pcpu *cpu, struct vcpu *v)
{
	bool again = false;

	do {
		WRITE_ONCE(cpu->in_guest, false);
		WRITE_ONCE(cpu->turns, cpu->turns + 1);
		if (READ_ONCE(cpu->pending) || (again && look(cpu)))
			return false;
		vcpu_prepare(v);
		again = true;
	} while (!entry_is_free(cpu, v));
	return true;
}

/*
 * vcpu_ops->run, by vcpu_enter. Guest registers take the place of all but RBX,
 * RBP and RSP: the loop needs no other, and a C call would save them all.
 */
static inline void hw_run(struct vcpu *v)
{
	struct vcpu_hw *hw = &v->hw;

	__asm__ volatile("call vcpu_enter"
			 : "+D"(hw)
			 :
			 : "rax", "rcx", "rdx", "rsi", "r8", "r9", "r10", "r11",
			   "r12", "r13", "r14", "r15", "memory", "cc");
}

/* Behind an exit, and when it is over: in the forms that want to know. @late:
 * the core has looked at events meanwhile. */
static inline __attribute__((always_inline)) void exited(struct pcpu *cpu,
							 enum meter_form form)
{
	if (form == METER_TIMED)
		meter_exited(cpu);
	else if (form == METER_WATCHED)
		watch_exited(cpu);
}

static inline __attribute__((always_inline)) void
exit_over(struct pcpu *cpu, struct vcpu *v, enum meter_form form, bool late)
{
	if (form == METER_WATCHED)
		watch_exit(cpu, v);
	else if (form == METER_TIMED && late)
		meter_exit_late(cpu, v);
	else if (form == METER_TIMED)
		meter_exit(cpu, v);
}

/* The current vCPU until somebody wants the core for something else. False: its
 * guest was not entered. */
static inline __attribute__((always_inline)) bool
stay(struct pcpu *cpu, struct vcpu *v, enum meter_form form)
{
	bool free;

	if (form >= METER_TIMED)
		meter_turn(v);
	if (!entry_is_free(cpu, v) && !entry_make_free(cpu, v))
		return false;
	if (form >= METER_TIMED)
		meter_delivers(v, 0);
	if (form == METER_TIMED)
		stretch_entered();
	for (;;) {
		if (form == METER_WATCHED)
			watch_entry();
		hw_run(v);
		exited(cpu, form);
		WRITE_ONCE(cpu->in_guest, false);
		exit_dispatch(v, form);
		if (likely(entry_is_free(cpu, v))) {
			exit_over(cpu, v, form, false);
			continue;
		}
		v->injected = false; /* that entry is over */
		free = entry_make_free(cpu, v);
		exit_over(cpu, v, form, true);
		if (!free)
			return true;
		if (form >= METER_TIMED)
			meter_delivers(v, cpu->exit_since);
	}
}

/* The forms of it. Not inlined: in a frame of its own, nothing is spilled
 * around hw_run() */
#define STAY_AS(name, form)                                                    \
	static __attribute__((noinline)) bool name(struct pcpu *cpu,           \
						   struct vcpu *v)             \
	{                                                                      \
		return stay(cpu, v, form);                                     \
	}
STAY_AS(run_bare, METER_BARE)
STAY_AS(run_counted, METER_COUNTED)
STAY_AS(run_timed, METER_TIMED)
STAY_AS(run_watched, METER_WATCHED)

/* Interrupts are off from the check to the HLT: an IPI that comes in between
 * stays pending in the LAPIC and ends the HLT. False: there was something. */
static bool idle(struct pcpu *cpu)
{
	u64 since = trace_is_on() ? rdtsc() : 0;
	bool quiet;

	if (unlikely(zero_help_wanted()) && zero_help())
		return false;
	if (cpu->unload_guest)
		cpu->unload_guest(cpu);
	WRITE_ONCE(cpu->idle, true);
	quiet = !READ_ONCE(cpu->pending);
	if (quiet) {
		stretch_pause();
		idle_wait(cpu);
		stretch_go_on();
	}
	WRITE_ONCE(cpu->idle, false);
	if (unlikely(since))
		meter_idle(since);
	return quiet;
}

static bool run(struct pcpu *cpu, struct vcpu *v)
{
	if (v != cpu->current)
		vcpu_take_core(cpu, v);
	switch (meter_form(v)) {
	case METER_BARE:
		return run_bare(cpu, v);
	case METER_COUNTED:
		return run_counted(cpu, v);
	case METER_TIMED:
		return run_timed(cpu, v);
	default:
		return run_watched(cpu, v);
	}
}

void vcpu_loop(void)
{
	struct pcpu *cpu = this_cpu();
	struct sched_entity *e;
	u32 blind = 0;
	bool looked;

	for (;;) {
		WRITE_ONCE(cpu->turns, cpu->turns + 1);
		serve_pending(cpu);
		e = sched_pick();
		looked = e ? run(cpu, container_of(e, struct vcpu, entity))
			   : idle(cpu);
		blind = looked ? 0 : blind + 1;
		if (blind < BLIND_TURNS)
			continue;
		look(cpu);
		blind = 0;
	}
}
