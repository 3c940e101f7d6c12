/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The run loop of every core, and the life of a vCPU. With hv/run/event.c the
 * only caller of struct vcpu_ops.
 *
 * A core runs with interrupts off; a guest's stay in the core is bounded by
 * whatever sets pcpu.pending or vcpu.events. A poster sets its bit first and
 * looks at in_guest afterwards; this loop sets in_guest first and looks at the
 * bits afterwards (both with a full barrier), so that one of them sees the
 * other: no wake-up is lost and no IPI goes to a core that need not have it.
 */
#include "hv/core/vcpu.h"

#include "arch/x86/cpu/asm.h"
#include "arch/x86/cpu/barrier.h"
#include "arch/x86/machine/smp.h"
#include "arch/x86/machine/tsc.h"
#include "hv/irq/vlapic.h"
#include "hv/policy/msr.h"
#include "hv/pv/kvm_pv.h"
#include "hv/pv/pvclock.h"
#include "hv/run/dispatch.h"
#include "include/hw/cpu.h"
#include "include/hw/msr.h"
#include "lib/errno.h"
#include "lib/log.h"
#include "mm/window.h"

const struct vcpu_ops *vcpu_ops;

int vcpu_select_backend(u32 *max_level)
{
	static const struct vcpu_ops *const rows[] = { &vmx_ops, &svm_ops };
	int err = -ENODEV;
	u32 i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		err = rows[i]->probe(max_level);
		if (!err) {
			vcpu_ops = rows[i];
			return 0;
		}
		if (err != -ENODEV)
			return err; /* it said what is wrong */
	}
	log_error("cpu",
		  "this processor offers neither VMX nor SVM: switch \"Intel "
		  "Virtualization Technology (VT-x)\" or \"SVM Mode\" on in "
		  "the firmware's CPU settings, or use a processor with it");
	return err;
}

int vcpu_create(struct vm *vm, u32 id, struct pcpu *home)
{
	struct vcpu *v = kmem_alloc(&vm->budget, sizeof(*v));
	int err = -ENOMEM;

	if (!v)
		return err;
	v->vm = vm;
	v->id = id;
	v->hw.npt_root = virt_to_hpa(vm->npt.root);
	v->hw.intercepts = &vm->intercepts;
	v->hw.budget = &vm->budget;
	v->code.page = ~0ull; /* none */
	err = vlapic_create(v);
	if (err)
		goto out_free;
	err = vcpu_ops->vcpu_create(&v->hw);
	if (err)
		goto out_vlapic;
	err = pvclock_create(v);
	if (err)
		goto out_hw;
	err = kvm_pv_create(v);
	if (err)
		goto out_clock;
	sched_add(&v->entity, home);
	vcpu_reset(v);
	vm->vcpus[id] = v;
	return 0;

out_clock:
	pvclock_destroy(v);
out_hw:
	vcpu_ops->vcpu_destroy(&v->hw);
out_vlapic:
	vlapic_destroy(v);
out_free:
	kmem_free(&vm->budget, v, sizeof(*v));
	return err;
}

void vcpu_destroy(struct vcpu *v)
{
	struct vm *vm = v->vm;

	vm->vcpus[v->id] = NULL;
	kvm_pv_destroy(v);
	pvclock_destroy(v);
	vcpu_ops->vcpu_destroy(&v->hw);
	vlapic_destroy(v);
	kmem_free(&vm->budget, v, sizeof(*v));
}

void vcpu_reset(struct vcpu *v)
{
	vcpu_ops->vcpu_reset(&v->hw, false);
	vlapic_reset(v, false);
	v->pending = (struct vcpu_event){ .type = EVENT_NONE };
	v->injected = false;
	v->irq_window = false;
	v->nmi_waiting = 0;
	v->tsc_adjust = 0;
	v->misc_enable = MISC_ENABLE_FAST_STRING;
	mtrr_reset(v);
	v->spec_ctrl = 0;
	v->tsc_aux = 0;
	v->hw.tsc_offset = 0 - v->vm->tsc_start;
	pvclock_reset(v);
	kvm_pv_reset(v);
	v->activity = VCPU_WAIT_SIPI;
}

/* MSRs that stay in the core while a vCPU is current; NULL: none, they are 0 */
static void switch_msrs(const struct vcpu *from, const struct vcpu *to)
{
	static const struct {
		u32 msr;
		size_t offset;
	} rows[] = {
		{ MSR_SPEC_CTRL, offsetof(struct vcpu, spec_ctrl) },
		{ MSR_TSC_AUX, offsetof(struct vcpu, tsc_aux) },
	};
	u32 i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		u64 old = 0, val = 0;

		if (to)
			val = *(const u64 *)((const u8 *)to + rows[i].offset);
		if (from)
			old = *(const u64 *)((const u8 *)from + rows[i].offset);
		if (old != val)
			wrmsr(rows[i].msr, val);
	}
}

static void switch_to(struct pcpu *cpu, struct vcpu *v)
{
	struct vcpu *old = cpu->current;

	if (old) {
		vcpu_ops->put(&old->hw);
		kvm_pv_left(old);
	}
	if (!old || old->vm != v->vm) {
		window_flush();
		guest_barrier();
	}
	switch_msrs(old, v);
	cpu->current = v;
	vcpu_ops->attach(&v->hw);
	kvm_pv_taken(v);
	vlapic_taken(v);
}

void vcpu_leave_core(struct pcpu *cpu)
{
	if (cpu->current) {
		vcpu_ops->put(&cpu->current->hw);
		cpu->current = NULL;
	}
	vcpu_ops->cpu_disable();
}

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
	u64 from = rdtsc();

	if (cpu->unload_guest)
		cpu->unload_guest(cpu);
	if (!READ_ONCE(cpu->pending))
		cpu_idle_once();
	cpu->idle_tsc += rdtsc() - from;
}

void vcpu_loop(void)
{
	struct pcpu *cpu = this_cpu();
	struct sched_entity *e;
	struct vcpu *v;

	for (;;) {
		serve_pending(cpu);
		e = sched_pick();
		if (!e) {
			idle(cpu);
			continue;
		}
		v = container_of(e, struct vcpu, entity);
		if (v != cpu->current)
			switch_to(cpu, v);
		run_current(cpu, v);
	}
}

void vcpu_post(struct vcpu *v, u32 event_bits)
{
	struct pcpu *cpu = v->entity.cpu;

	__atomic_fetch_or(&v->events, event_bits, __ATOMIC_SEQ_CST);
	if (sched_is_blocked(&v->entity))
		sched_wake(&v->entity);
	else if (READ_ONCE(cpu->in_guest) && cpu != this_cpu() &&
		 READ_ONCE(cpu->current) == v)
		pcpu_kick(cpu, 0);
}

void vcpu_block(struct vcpu *v)
{
	sched_block(&v->entity);
	if (READ_ONCE(v->events))
		sched_wake(&v->entity);
	pcpu_kick(v->entity.cpu, PCPU_RESCHED);
}

void vcpu_park(struct vcpu *v)
{
	struct pcpu *cpu = v->entity.cpu;

	if (cpu->current == v) {
		vcpu_ops->put(&v->hw);
		switch_msrs(v, NULL);
		cpu->current = NULL;
	}
	/* Here, because its timers are in this core's queue */
	vcpu_reset(v);
	v->activity = VCPU_PARKED;
	sched_block(&v->entity);
	pcpu_kick(cpu, PCPU_RESCHED);
}

void vcpu_flush(struct vcpu *v)
{
	vcpu_ops->flush(&v->hw);
}

void vcpu_dump(struct vcpu *v)
{
	vcpu_ops->dump(&v->hw);
	vlapic_dump(v);
}

u64 vcpu_guest_tsc(const struct vcpu *v, u64 host_tsc)
{
	return host_tsc + v->hw.tsc_offset;
}

u64 vcpu_host_tsc(const struct vcpu *v, u64 guest_tsc)
{
	return guest_tsc - v->hw.tsc_offset;
}
