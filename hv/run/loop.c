/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The run loop of every core.
 *
 * A core runs with interrupts off; a guest's stay in the core is bounded by
 * whatever sets pcpu.pending or vcpu.events. A poster sets its bit first and
 * looks at in_guest afterwards. This loop sets in_guest first and looks at the
 * bits afterwards. With a full barrier in both, one of them sees the other: no
 * wake-up is lost and no IPI goes to a core that need not have it.
 */
#include "hv/run/loop.h"

#include "arch/x86/cpu/asm.h"
#include "arch/x86/machine/smp.h"
#include "hv/core/stretch.h"
#include "hv/run/dispatch.h"
#include "hv/run/event.h"
#include "hv/vm/vcpu.h"

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
	if (bits & PCPU_STOP)
		stop_core(cpu);
}

/* Anything to do before the entry? One look, with in_guest set before it */
static inline bool entry_is_free(struct pcpu *cpu, const struct vcpu *v)
{
	__atomic_store_n(&cpu->in_guest, true, __ATOMIC_SEQ_CST);
	return !(READ_ONCE(cpu->pending) | READ_ONCE(v->events) |
		 (u32)v->activity | (u32)v->pending.type);
}

/* Do it; false: somebody wants the core for something else */
static bool entry_make_free(struct pcpu *cpu, struct vcpu *v)
{
	while (!entry_is_free(cpu, v)) {
		WRITE_ONCE(cpu->in_guest, false);
		WRITE_ONCE(cpu->turns, cpu->turns + 1);
		if (READ_ONCE(cpu->pending))
			return false;
		vcpu_prepare(v);
	}
	return true;
}

/*
 * vcpu_ops->run. Guest registers take the place of all but RBX, RBP and RSP:
 * the loop needs no other, and a C call would save them all.
 */
static inline void hw_run(struct vcpu *v)
{
	const struct vcpu_ops *ops = vcpu_ops;
	struct vcpu_hw *hw = &v->hw;

	__asm__ volatile("call *%c[run](%[ops])"
			 : [ops] "+a"(ops), "+D"(hw)
			 : [run] "i"(offsetof(struct vcpu_ops, run))
			 : "rcx", "rdx", "rsi", "r8", "r9", "r10", "r11", "r12",
			   "r13", "r14", "r15", "memory", "cc");
}

/* The current vCPU until somebody wants the core for something else. Not
 * inlined: in a frame of its own, nothing is spilled around hw_run() */
static __attribute__((noinline)) void run_current(struct pcpu *cpu,
						  struct vcpu *v)
{
	if (!entry_make_free(cpu, v))
		return;
	for (;;) {
		hw_run(v);
		WRITE_ONCE(cpu->in_guest, false);
		exit_dispatch(v);
		if (likely(entry_is_free(cpu, v)))
			continue;
		v->injected = false; /* that entry is over */
		if (!entry_make_free(cpu, v))
			return;
	}
}

/* Interrupts are off from the check to the HLT: an IPI that comes in between
 * stays pending in the LAPIC and ends the HLT */
static void idle(struct pcpu *cpu)
{
	if (cpu->unload_guest)
		cpu->unload_guest(cpu);
	WRITE_ONCE(cpu->idle, true);
	if (!READ_ONCE(cpu->pending)) {
		stretch_pause();
		cpu_idle_once();
		stretch_go_on();
	}
	WRITE_ONCE(cpu->idle, false);
}

void vcpu_loop(void)
{
	struct pcpu *cpu = this_cpu();
	struct sched_entity *e;
	struct vcpu *v;

	for (;;) {
		WRITE_ONCE(cpu->turns, cpu->turns + 1);
		serve_pending(cpu);
		e = sched_pick();
		if (!e) {
			idle(cpu);
			continue;
		}
		v = container_of(e, struct vcpu, entity);
		if (v != cpu->current)
			vcpu_take_core(cpu, v);
		run_current(cpu, v);
	}
}
