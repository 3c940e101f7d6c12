/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A vCPU's making and power-on state, and its turns on a core. Called by
 * hv/vm/create.c and life.c, and by the run loop.
 */
#include "hv/vm/vcpu.h"

#include "arch/x86/cpu/asm.h"
#include "arch/x86/cpu/guest_barrier.h"
#include "arch/x86/cpu/speculation.h"
#include "arch/x86/machine/smp.h"
#include "hv/core/last_exit.h"
#include "hv/core/meter.h"
#include "hv/emulate/emulate.h"
#include "hv/irq/vlapic.h"
#include "hv/policy/mca.h"
#include "hv/policy/msr.h"
#include "hv/pv/kvm_pv.h"
#include "hv/pv/pvclock.h"
#include "hv/time/vtimer.h"
#include "include/hw/msr.h"
#include "lib/errno.h"
#include "mm/window.h"

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
	err = mca_create(v);
	if (err)
		goto out_pv;
	sched_add(&v->entity, home);
	if (vm->config->weight)
		v->entity.weight = vm->config->weight;
	if (vm->config->cap)
		v->entity.cap = vm->config->cap;
	vcpu_reset(v);
	vm->vcpus[id] = v;
	return 0;

out_pv:
	kvm_pv_destroy(v);
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
	meter_destroy(v);
	mca_destroy(v);
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
	emulate_reset(v);
	v->pending = (struct vcpu_event){ .type = EVENT_NONE };
	v->injected = false;
	v->nmi_waiting = 0;
	v->tsc_adjust = 0;
	v->misc_enable = MISC_ENABLE_FAST_STRING;
	mtrr_reset(v);
	v->hw.spec_ctrl = 0;
	v->tsc_aux = 0;
	v->stood = v->vm->stood.ticks;
	v->hw.tsc_offset = 0 - v->vm->tsc_start - v->stood;
	pvclock_reset(v);
	kvm_pv_reset(v);
	v->activity = VCPU_WAIT_SIPI;
}

static void change_msr(u32 msr, u64 old, u64 val)
{
	if (old != val)
		wrmsr(msr, val);
}

/* MSRs that stay in the core while a vCPU is current; NULL: none */
static void switch_msrs(const struct vcpu *from, const struct vcpu *to)
{
	change_msr(MSR_SPEC_CTRL,
		   speculation_ctrl(from ? from->hw.spec_ctrl : 0),
		   speculation_ctrl(to ? to->hw.spec_ctrl : 0));
	change_msr(MSR_TSC_AUX, from ? from->tsc_aux : 0, to ? to->tsc_aux : 0);
}

void vcpu_take_core(struct pcpu *cpu, struct vcpu *v)
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
	vtimer_taken(v);
}

void vcpu_leave_core(struct pcpu *cpu)
{
	if (cpu->current) {
		vcpu_ops->put(&cpu->current->hw);
		cpu->current = NULL;
	}
	vcpu_ops->cpu_disable();
}

static void leave_if_current(struct pcpu *cpu, struct vcpu *v)
{
	if (cpu->current != v)
		return;
	vcpu_ops->put(&v->hw);
	switch_msrs(v, NULL);
	cpu->current = NULL;
}

void vcpu_remove(struct vcpu *v)
{
	leave_if_current(v->entity.cpu, v);
	sched_remove(&v->entity);
}

void vcpu_park(struct vcpu *v)
{
	struct pcpu *cpu = v->entity.cpu;

	leave_if_current(cpu, v);
	/* Here, because its timers are in this core's queue */
	vcpu_reset(v);
	v->activity = VCPU_PARKED;
	sched_block(&v->entity);
	pcpu_kick(cpu, PCPU_RESCHED);
}

void vcpu_dump(struct vcpu *v, void (*rest)(void))
{
	vcpu_ops->dump(&v->hw, rest);
	rest();
	vlapic_dump(v);
	rest();
	last_exit_log(v, rest);
	rest();
}
