/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A virtual machine's life: start, the work before its first instruction, end,
 * restart. vm_end() (hv/core/vm.c) may come from any core: it marks the VM and
 * posts VE_STOP to its vCPUs. The core on which the last of them parks does the
 * rest, here.
 *
 * Lock: vm->lock protects state and end; below it no other lock.
 */
#include "hv/vm/life.h"

#include "arch/x86/machine/tsc.h"
#include "hv/console/console.h"
#include "hv/core/gmem.h"
#include "hv/core/slots.h"
#include "hv/core/vcpu.h"
#include "hv/load/load.h"
#include "hv/time/vtimer.h"
#include "hv/vm/devices.h"
#include "hv/vm/machine_end.h"
#include "hv/vm/stats.h"
#include "hv/vm/vcpu.h"
#include "lib/log.h"

/* Zeroed at a time: long enough to be cheap, short enough for the slice */
#define BUILD_STEP MIB(1)
/* From one start of a guest to its next at least: one that only resets costs
 * its core and the log little */
#define RESTART_NS 1000000000u

/* The last thing: from then on vm_end() on any core may stop it again */
static void set_running(struct vm *vm)
{
	spin_lock(&vm->lock);
	vm->end = VM_END_NONE;
	vm->state = VM_RUNNING;
	spin_unlock(&vm->lock);
}

static void start(struct vm *vm)
{
	vm->vcpus_live = vm->vcpu_count;
	/* The privileged guest's RAM is as the firmware left it */
	vm->built_bytes = vm->privileged ? vm_ram_between(vm, 0, ~0ull) : 0;
	vm->vcpus[0]->activity = VCPU_BUILDING;
	set_running(vm);
	sched_wake(&vm->vcpus[0]->entity);
}

void vm_start(struct vm *vm)
{
	machine_guest_started();
	start(vm);
}

/* The slot and offset of the RAM's byte number @at */
static gpa_t ram_at(const struct vm *vm, u64 at, u64 *left)
{
	u32 i = 0;

	for (; vm->slots[i].rom || at >= vm->slots[i].size; i++)
		at -= vm->slots[i].rom ? 0 : vm->slots[i].size;
	*left = vm->slots[i].size - at;
	return GPA(vm->slots[i].gpa + at);
}

/* Time begins: all vCPUs have the same TSC */
static void start_clock(struct vm *vm)
{
	vm->tsc_start = rdtsc();
	for (u32 i = 0; i < vm->vcpu_count; i++)
		vm->vcpus[i]->hw.tsc_offset = 0 - vm->tsc_start;
}

static void report_start(const struct vm *vm)
{
	u64 ticks = rdtsc() - tsc_boot;

	log_info("vm", "guest %s starts", vm->name);
	if (vm->privileged)
		log_info("vm",
			 "privileged guest starts %llu ticks (%llu us) after "
			 "the hypervisor's entry",
			 ticks, (tsc_to_ns(ticks) / 1000));
}

bool vm_build_step(struct vcpu *boot)
{
	struct vm *vm = boot->vm;
	u64 left;

	if (vm->built_bytes < vm_ram_between(vm, 0, ~0ull)) {
		gpa_t gpa = ram_at(vm, vm->built_bytes, &left);

		left = MIN(left, BUILD_STEP);
		if (gmem_zero(vm, gpa, left))
			vm_end(vm, VM_END_CRASH, "its memory is not there");
		vm->built_bytes += left;
		return false;
	}
	if (load_guest(vm)) {
		vm_end(vm, VM_END_NOT_LOADED, "its image cannot be loaded");
		return false;
	}
	start_clock(vm);
	console_guest_starts(vm);
	report_start(vm);
	boot->activity = VCPU_RUNNING;
	return true;
}

static void restart(struct timer *t)
{
	struct vm *vm = container_of(t, struct vm, restart_timer);

	for (u32 i = 0; i < vm->vcpu_count; i++) {
		__atomic_store_n(&vm->vcpus[i]->events, 0, __ATOMIC_SEQ_CST);
		vm->vcpus[i]->activity = VCPU_WAIT_SIPI;
	}
	exit_stats_reset(vm);
	devices_reset(vm);
	start(vm);
	/* machine_end() may have passed it by while it was neither */
	if (machine_is_ending())
		vm_end(vm, VM_END_POWER_OFF, "the machine ends");
}

/* All vCPUs have parked */
static void ended(struct vm *vm)
{
	if (vm->tsc_start)
		exit_stats_log(vm);
	if (vm->end == VM_END_RESET && !vm->privileged &&
	    !machine_is_ending()) {
		vm->restart_timer.fn = restart;
		timer_arm(&vm->restart_timer,
			  vm->tsc_start + ns_to_tsc(RESTART_NS));
		return;
	}
	spin_lock(&vm->lock);
	vm->state = VM_STOPPED;
	spin_unlock(&vm->lock);
	if (vm->privileged && vm->end == VM_END_POWER_OFF)
		machine_end(MACHINE_POWER_OFF);
	else if (vm->privileged && vm->end == VM_END_RESET)
		machine_end(MACHINE_RESET);
	machine_guest_ended();
}

void vm_vcpu_parked(struct vcpu *v)
{
	struct vm *vm = v->vm;

	vcpu_park(v);
	/* Here, because they are in this core's queue; parked, it arms none */
	if (v->id == 0)
		vtimer_stop_all(vm);
	if (!__atomic_sub_fetch(&vm->vcpus_live, 1, __ATOMIC_SEQ_CST))
		ended(vm);
}
