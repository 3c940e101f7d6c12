/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A guest's boot vCPU at work for it, see work.h. Called by the run loop, one
 * piece a call, and by life.c. No locks: what is touched is the guest's own,
 * and none of its vCPUs runs.
 */
#include "hv/vm/work.h"

#include "arch/x86/machine/tsc.h"
#include "hv/assign/passthrough.h"
#include "hv/console/console.h"
#include "hv/core/stretch.h"
#include "hv/device/virtio/served.h"
#include "hv/irq/vlapic.h"
#include "hv/load/load.h"
#include "hv/load/staged.h"
#include "hv/policy/cpuid.h"
#include "hv/vm/devices.h"
#include "hv/vm/dynamic.h"
#include "hv/vm/life.h"
#include "hv/vm/shape.h"
#include "hv/vm/zero.h"
#include "lib/errno.h"
#include "lib/log.h"

/* Of a guest that has very many, until the core looks at its interrupts */
#define CLOCKS_AT_ONCE 64u
/* Between two looks at a dynamic guest's devices, which have to stop first */
#define STOP_POLL_NS 1000000u

void vm_work_set(struct vm *vm, enum vm_work first)
{
	vm->work = first;
	zero_begin(vm);
}

void vm_work_abandon(struct vm *vm)
{
	load_abandon(vm);
}

/* Time begins: all vCPUs have the same TSC */
static void start_clock(struct vm *vm)
{
	cpuid_renew_rate(vm);
	vm->tsc_start = rdtsc();
	if (!vm->tsc_first)
		vm->tsc_first = vm->tsc_start;
	for (u32 i = 0; i < vm->vcpu_count; i++) {
		vm->vcpus[i]->stood = 0;
		vm->vcpus[i]->hw.tsc_offset = 0 - vm->tsc_start;
		if (i % CLOCKS_AT_ONCE == CLOCKS_AT_ONCE - 1)
			stretch_look();
	}
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

/* --- a step each: true if the work named by the row is done --- */

static void wait_is_over(struct timer *t)
{
	const struct vm *vm = container_of(t, struct vm, restart_timer);

	vcpu_post(vm->vcpus[0], 0);
}

/* The core is others' meanwhile */
static void wait_until(struct vm *vm, u64 tsc)
{
	vm->restart_timer.fn = wait_is_over;
	timer_arm(&vm->restart_timer, tsc);
	vcpu_block(vm->vcpus[0]);
}

/* The machine's devices still do what the guest's last life had them do */
static bool work_quiet(struct vm *vm)
{
	u64 until;

	if (!vm->privileged || passthrough_quiet_step(vm, &until))
		return true;
	if (until)
		wait_until(vm, until);
	return false;
}

static bool work_reset(struct vm *vm)
{
	devices_reset(vm);
	vlapic_late_forget(vm->vcpus[0]);
	return true;
}

/* The privileged guest's RAM is as the firmware left it, a dynamic guest's as
 * it was filled */
static bool work_zero(struct vm *vm)
{
	return vm->privileged || vm->dynamic || zero_step(vm);
}

/* The privileged guest reaches a dynamic guest's memory no longer */
static bool work_revoke(struct vm *vm)
{
	return dynamic_revoke_step(vm);
}

/* The files of a dynamic guest are there, and those that stay are no RAM.
 * -EAGAIN: not yet */
static int make_ready(struct vm *vm)
{
	int err = shape_step(vm);

	if (err == VM_GOES_ON)
		return -EAGAIN;
	return err ? err : staged_map(vm);
}

static bool work_load(struct vm *vm)
{
	int err = vm->staged ? make_ready(vm) : 0;

	if (err == -EAGAIN)
		return false;
	if (!err)
		err = load_guest(vm);
	if (!err)
		return true;
	if (vm->staged)
		staged_unmap(vm);
	vm_end(vm, VM_END_NOT_LOADED, "its image cannot be loaded");
	return false;
}

static bool work_fill(struct vm *vm)
{
	return load_step(vm);
}

/* The last step: what it shares is granted, and its code runs */
static bool work_share(struct vm *vm)
{
	if (vm->dynamic && !dynamic_share_step(vm))
		return false;
	start_clock(vm);
	console_guest_starts(vm);
	report_start(vm);
	WRITE_ONCE(vm->runs, true);
	if (vm->dynamic)
		dynamic_runs(vm);
	vm->vcpus[0]->activity = VCPU_RUNNING;
	sched_spare(&vm->vcpus[0]->entity, false);
	vm_changed();
	return true;
}

/* The privileged guest's programs, and its devices, touch the memory no longer
 * for the guest's own devices */
static bool stop_step(struct vm *vm)
{
	if (served_is_over(vm))
		return true;
	wait_until(vm, rdtsc() + ns_to_tsc(STOP_POLL_NS));
	return false;
}

/* A dynamic guest's memory: nobody but it reaches it, and all is zero */
static bool clean_step(struct vm *vm)
{
	if (dynamic_is_clean(vm))
		return true;
	if (!zero_step(vm))
		return false;
	dynamic_cleaned(vm);
	return true;
}

static bool work_grant(struct vm *vm)
{
	if (!dynamic_grant_begun(vm) && !clean_step(vm))
		return false;
	if (!dynamic_grant_step(vm))
		return false;
	dynamic_granted(vm);
	return true;
}

static bool work_scrub(struct vm *vm)
{
	if (vm->dynamic && (!stop_step(vm) || !dynamic_revoke_step(vm)))
		return false;
	if (vm->dynamic ? !clean_step(vm) : !zero_step(vm))
		return false;
	vm_scrubbed(vm);
	return true;
}

static bool (*const steps[])(struct vm *vm) = {
	[VM_REVOKE] = work_revoke, [VM_QUIET] = work_quiet,
	[VM_RESET] = work_reset,   [VM_ZERO] = work_zero,
	[VM_LOAD] = work_load,     [VM_FILL] = work_fill,
	[VM_SHARE] = work_share,   [VM_SCRUB] = work_scrub,
	[VM_GRANT] = work_grant,
};

bool vm_work_step(struct vcpu *boot)
{
	struct vm *vm = boot->vm;
	enum vm_work work = vm->work;
	bool goes_on = work < VM_SHARE;

	/* Where a step ends the work, vm->work may be another core's by now */
	if (steps[work](vm) && goes_on)
		vm->work = work + 1;
	return boot->activity == VCPU_RUNNING;
}
