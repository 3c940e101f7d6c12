/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A virtual machine's life: start, end, restart. vm_end() (hv/core/vm.c) may
 * come from any core: it marks the VM and posts VE_STOP to its vCPUs. The core
 * on which the last of them parks decides what follows, here. A guest that
 * resets starts again. Of one that has ended, nothing stays in its RAM: that is
 * scrubbed (work.c), and only then does it count as gone. What has crashed is
 * kept for a look (kept.h): its RAM is nobody else's. The privileged guest's
 * end is judged in privileged.c.
 *
 * Lock: vm->lock protects state and end; below it no other lock.
 */
#include "hv/vm/life.h"

#include "arch/x86/machine/tsc.h"
#include "hv/console/console.h"
#include "hv/core/last_exit.h"
#include "hv/core/stretch.h"
#include "hv/core/vcpu.h"
#include "hv/device/virtio/served.h"
#include "hv/irq/vlapic.h"
#include "hv/time/vtimer.h"
#include "hv/vm/debug.h"
#include "hv/vm/dynamic.h"
#include "hv/vm/kept.h"
#include "hv/vm/machine_end.h"
#include "hv/vm/privileged.h"
#include "hv/vm/stats.h"
#include "hv/vm/still.h"
#include "hv/vm/vcpu.h"
#include "hv/vm/work.h"

/* From one start of a guest to its next at least: one that only resets costs
 * its core and the log little */
#define RESTART_NS 1000000000u

/* vCPUs of the privileged guest, which may have very many, until the core takes
 * the interrupts that wait */
#define STARTS_AT_ONCE 16u

/* From then on vm_end() on any core may stop it again. It posts VE_STOP behind
 * the lock: no vCPU takes that before VE_START, which the first @count vCPUs
 * get, and the others have got. That is posted to all at once: INIT of the
 * guest's first code finds none parked. The machine's start may take its time;
 * other guests than the privileged one have VM_MAX_ISOLATED_VCPUS at most. */
static void start(struct vm *vm, enum vm_work first, u32 count)
{
	vm->vcpus_live = vm->vcpu_count;
	vm->stood = (struct vm_stood){ 0 };
	vm_work_set(vm, first);
	spin_lock(&vm->lock);
	WRITE_ONCE(vm->runs, false);
	vm->end = VM_END_NONE;
	vm->state = VM_RUNNING;
	for (u32 i = 0; i < count; i++)
		vcpu_post(vm->vcpus[i], VE_START);
	spin_unlock(&vm->lock);
	vm_changed();
	/* machine_end() has passed it by if it was not running then */
	if (machine_is_ending())
		vm_end(vm, VM_END_POWER_OFF, "the machine ends");
}

void vm_start(struct vm *vm)
{
	start(vm, VM_ZERO, vm->vcpu_count);
}

/* Of a life that is over: signals, and registers kept of a crash. What TLBs
 * have of it still has to go. */
static void forget_life(struct vcpu *v)
{
	__atomic_fetch_and(&v->events, (u32)VE_FLUSH, __ATOMIC_SEQ_CST);
	kept_forget(v);
	last_exit_forget(v);
}

void vm_start_at(struct vm *vm, enum vm_work first)
{
	for (u32 i = 0; i < vm->vcpu_count; i++)
		forget_life(vm->vcpus[i]);
	start(vm, first, vm->vcpu_count);
}

/* An INIT or SIPI of its last life may still wait for a vCPU's home core, or be
 * in its hands: there it finds the vCPU parked. So that is the home core's to
 * change, by VE_START. */
static void restart(struct timer *t)
{
	struct vm *vm = container_of(t, struct vm, restart_timer);

	vm_start_at(vm, VM_RESET);
}

/* Nobody can look at it any more once it starts again: the log keeps what the
 * vCPU did that came to a device last, which is the one that ended it */
static void log_last_exits(const struct vm *vm)
{
	const struct vcpu *last = vm->vcpus[0];

	for (u32 i = 1; i < vm->vcpu_count; i++)
		if (last_exit_when(vm->vcpus[i]) > last_exit_when(last))
			last = vm->vcpus[i];
	last_exit_log(last, stretch_look);
}

/* At once: its devices write to its memory until they are quiet. Until start()
 * its end is still that of its last life, so that no VE_STOP comes in between.
 * The boot vCPU, whose work all else waits for, is the last to be told. */
static void restart_privileged(struct vm *vm)
{
	log_last_exits(vm);
	console_guest_restarts(vm);
	vm->lives++;
	for (u32 i = vm->vcpu_count; --i;) {
		forget_life(vm->vcpus[i]);
		vcpu_post(vm->vcpus[i], VE_START);
		if (!(i % STARTS_AT_ONCE))
			stretch_look();
	}
	forget_life(vm->vcpus[0]);
	start(vm, VM_QUIET, 1);
}

bool vm_start_again(struct vm *vm)
{
	bool may;

	spin_lock(&vm->lock);
	may = vm->state == VM_STOPPED && !machine_is_ending();
	if (may)
		vm->state = VM_BUILDING; /* nobody else begins */
	spin_unlock(&vm->lock);
	if (!may)
		return false;
	machine_guest_made();
	vm_start_at(vm, VM_RESET);
	return true;
}

/* Nothing of it runs, and nothing is left to do */
static void gone(struct vm *vm)
{
	enum vm_end how = vm->end;
	bool reset;

	spin_lock(&vm->lock);
	vm->state = VM_STOPPED;
	spin_unlock(&vm->lock);
	vm_changed();
	/* Nobody would ever say that a device of a guest has stopped */
	if (vm->privileged)
		served_leave();
	if (vm->privileged && privileged_ends_machine(how, &reset))
		machine_end(reset ? MACHINE_RESET : MACHINE_POWER_OFF);
	machine_guest_ended(vm);
}

/* The privileged guest's RAM is the machine's: what it leaves there is its own
 * affair, as on a machine without a hypervisor */
static void privileged_ended(struct vm *vm)
{
	if (!machine_is_ending() && privileged_starts_again(vm))
		restart_privileged(vm);
	else
		gone(vm);
}

/* All vCPUs have parked */
static void ended(struct vm *vm)
{
	if (vm->tsc_start)
		exit_stats_log(vm);
	debug_ended(vm);
	if (!vm->dynamic)
		still_forget(vm);
	if (vm->dynamic) {
		dynamic_ended(vm);
	} else if (vm->privileged) {
		privileged_ended(vm);
	} else if (vm->end == VM_END_RESET && !machine_is_ending()) {
		vm->restart_timer.fn = restart;
		timer_arm(&vm->restart_timer,
			  vm->tsc_start + ns_to_tsc(RESTART_NS));
	} else if (vm->end == VM_END_CRASH) {
		gone(vm);
	} else {
		vm_work_set(vm, VM_SCRUB);
		vcpu_post(vm->vcpus[0], VE_START);
	}
}

void vm_scrubbed(struct vm *vm)
{
	if (vm->dynamic) {
		dynamic_scrubbed(vm);
		return;
	}
	vcpu_park(vm->vcpus[0]);
	gone(vm);
}

void vm_vcpu_parked(struct vcpu *v)
{
	struct vm *vm = v->vm;

	vm_pass_on(v, VE_STOP);
	debug_disarm(v);
	if (vm->end == VM_END_CRASH)
		kept_take(v);
	else
		kept_forget(v);
	vcpu_park(v);
	/* Here, because they are in this core's queue; parked, it arms none */
	if (v->id == 0) {
		vtimer_stop_all(vm);
		vm_work_abandon(vm);
		vlapic_late_forget(v);
	}
	if (!__atomic_sub_fetch(&vm->vcpus_live, 1, __ATOMIC_SEQ_CST))
		ended(vm);
}
