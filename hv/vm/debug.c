/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which guests have a debugger, and when they stand; see debug.h. What a vCPU
 * does with it: debug_vcpu.c.
 *
 *	NOT_DEBUGGED -- attach --> STOPPING --> STANDS -- go --> GOES
 *	                              ^                           |
 *	                              +---- stop, a breakpoint ---+
 *
 * Detach lets it stand first. An end of the guest ends it, from any mode.
 *
 * Lock: vm->lock protects vm->debug. Its lists do not change while the guest
 * goes or stops: its vCPUs read them then.
 */
#include "hv/vm/debug.h"

#include "arch/x86/cpu/nospec.h"
#include "hv/core/gmem.h"
#include "hv/vm/dynamic_priv.h"
#include "hv/vm/life.h"
#include "hv/vm/news.h"
#include "hv/vm/pause.h"
#include "hv/vm/still.h"
#include "include/hw/cpu.h"
#include "lib/errno.h"
#include "mm/window.h"

#define INT1 0xf1

/* The field of breakpoint @n in DR7 (SDM 3B 18.2.4) */
#define DR7_ON(n)           (3ull << (2 * (n)))
#define DR7_KIND(n, kind)   ((u64)(kind) << (16 + 4 * (n)))
#define DR7_LENGTH(n, code) ((u64)(code) << (18 + 4 * (n)))

static_assert(VM_SOFT_BREAKPOINTS == BH_CTL_SOFTWARE_BREAKPOINTS, "one limit");

/* Ids of guests that have a debugger, or had; one caller at a time */
static u64 debugged[BH_CTL_DEBUGGERS];

static bool is_debugged(u64 id)
{
	const struct vm *vm = vm_numbered(id);

	return vm && READ_ONCE(vm->debug.mode) != VM_NOT_DEBUGGED;
}

/* Of a guest that had a debugger before: it has one place */
static void clear_places(u64 id)
{
	for (u32 i = 0; i < ARRAY_SIZE(debugged); i++)
		if (debugged[i] == id)
			debugged[i] = 0;
}

static u64 *free_place(void)
{
	for (u32 i = 0; i < ARRAY_SIZE(debugged); i++)
		if (!is_debugged(debugged[i]))
			return &debugged[i];
	return NULL;
}

/* --- breakpoints. Lock held. --- */

/* All that are planted, last first; what the guest has written there since
 * stays */
static void unplant(struct vm *vm)
{
	struct vm_debug *d = &vm->debug;
	u8 now;

	while (d->planted) {
		u32 i = --d->planted;
		gpa_t gpa = GPA(d->soft[i].gpa);

		if (!gmem_read(vm, gpa, &now, 1) && now == INT1 &&
		    gmem_write(vm, gpa, &d->soft[i].byte, 1))
			continue; /* no RAM any more: nothing to undo */
	}
	window_flush();
}

static int plant_one(struct vm *vm, u64 gpa)
{
	struct vm_debug *d = &vm->debug;
	const u8 int1 = INT1;
	u8 was;

	if (d->planted == VM_SOFT_BREAKPOINTS)
		return -EINVAL;
	for (u32 i = 0; i < d->planted; i++)
		if (d->soft[i].gpa == gpa)
			return 0;
	if (gmem_read(vm, GPA(gpa), &was, 1) ||
	    gmem_write(vm, GPA(gpa), &int1, 1))
		return -EFAULT;
	d->soft[d->planted].gpa = gpa;
	d->soft[d->planted++].byte = was;
	return 0;
}

/* By length: 1, 2, 4, 8 */
static int length_code(u32 length)
{
	switch (length) {
	case 1:
		return 0;
	case 2:
		return 1;
	case 4:
		return 3;
	case 8:
		return 2;
	default:
		return -EINVAL;
	}
}

static int set_hardware(struct vm_debug *d, const struct bh_ctl_breakpoint *b)
{
	static const u8 kinds[] = {
		[BH_CTL_BREAK_HARDWARE] = 0,
		[BH_CTL_BREAK_WRITE] = 1,
		[BH_CTL_BREAK_ACCESS] = 3,
	};
	u32 kind = (u32)index_nospec(b->kind, ARRAY_SIZE(kinds));
	int code = length_code(b->length);
	u32 n = d->hardware;

	if (code < 0 || b->address % b->length || n == ARRAY_SIZE(d->dr))
		return -EINVAL;
	if (kind == BH_CTL_BREAK_HARDWARE)
		code = 0; /* SDM 3B 18.2.4: the only one it may be */
	d->dr[n] = b->address;
	d->dr7 |= DR7_ON(n) | DR7_KIND(n, kinds[kind]) | DR7_LENGTH(n, code);
	d->hardware++;
	return 0;
}

static int set_one(struct vm *vm, const struct bh_ctl_breakpoint *b)
{
	if (b->kind == BH_CTL_BREAK_SOFTWARE)
		return plant_one(vm, b->address);
	if (b->kind > BH_CTL_BREAK_ACCESS)
		return -EINVAL;
	return set_hardware(&vm->debug, b);
}

static int set_all(struct vm *vm, const struct debug_go *how)
{
	struct vm_debug *d = &vm->debug;
	int err = 0;

	d->hardware = 0;
	d->dr7 = DR7_FIXED;
	for (u32 i = 0; i < how->count && !err; i++)
		err = set_one(vm, &how->breakpoints[i]);
	if (err)
		unplant(vm);
	window_flush();
	return err;
}

/* --- commands --- */

/* Lock held */
static bool may_attach(const struct vm *vm)
{
	const struct dynamic *d = vm->dynamic;

	if (!vm_code_runs(vm) || still_wanted(vm) ||
	    vm->debug.mode != VM_NOT_DEBUGGED)
		return false;
	return !d || (d->state == BH_CTL_RUNNING && !d->waits);
}

/* Lock held */
static void begin_stop(struct vm *vm)
{
	vm->debug.mode = VM_DEBUG_STOPPING;
	pause_begin(vm);
}

int debug_attach(struct vm *vm)
{
	u64 *place = free_place();
	bool may;

	if (!place)
		return -EBUSY;
	spin_lock(&vm->lock);
	may = may_attach(vm);
	if (may) {
		vm->debug = (struct vm_debug){ .mode = VM_NOT_DEBUGGED,
					       .strays = vm->debug.strays };
		begin_stop(vm);
	}
	spin_unlock(&vm->lock);
	if (!may)
		return -ENOENT;
	clear_places(vm_number(vm));
	*place = vm_number(vm);
	return 0;
}

/* True: it is debugged */
static bool stop(struct vm *vm)
{
	bool is;

	spin_lock(&vm->lock);
	is = vm->debug.mode != VM_NOT_DEBUGGED;
	if (vm->debug.mode == VM_DEBUG_GOES && vm->end == VM_END_NONE)
		begin_stop(vm);
	spin_unlock(&vm->lock);
	return is;
}

int debug_stop(struct vm *vm)
{
	return stop(vm) ? 0 : -ENOENT;
}

/* Lock held; it stands */
static void leave(struct vm *vm)
{
	vm->debug.mode = VM_NOT_DEBUGGED;
	pause_end(vm);
}

int debug_detach(struct vm *vm)
{
	bool is;

	spin_lock(&vm->lock);
	is = vm->debug.mode != VM_NOT_DEBUGGED;
	vm->debug.leaves = true;
	if (vm->debug.mode == VM_DEBUG_STANDS && vm->end == VM_END_NONE)
		leave(vm);
	else if (vm->debug.mode == VM_DEBUG_GOES && vm->end == VM_END_NONE)
		begin_stop(vm);
	spin_unlock(&vm->lock);
	return is ? 0 : -ENOENT;
}

void debug_detach_all(void)
{
	for (u32 i = 0; i < ARRAY_SIZE(debugged); i++) {
		if (is_debugged(debugged[i]))
			debug_detach(vm_numbered(debugged[i]));
		debugged[i] = 0;
	}
}

int debug_go(struct vm *vm, const struct debug_go *how)
{
	struct vm_debug *d = &vm->debug;
	int err = -ENOENT;

	spin_lock(&vm->lock);
	if (d->mode == VM_DEBUG_STANDS && !d->leaves && vm->end == VM_END_NONE)
		err = set_all(vm, how);
	if (!err) {
		d->stepper = how->stepper;
		d->others = how->others;
		d->mode = VM_DEBUG_GOES;
		pause_end(vm);
	}
	spin_unlock(&vm->lock);
	return err;
}

/* --- what follows --- */

bool debug_stood(struct vm *vm)
{
	bool stops, leaves;

	spin_lock(&vm->lock);
	stops = vm->debug.mode == VM_DEBUG_STOPPING;
	leaves = stops && vm->debug.leaves;
	if (stops) {
		unplant(vm);
		vm->debug.mode = VM_DEBUG_STANDS;
	}
	if (leaves)
		leave(vm);
	spin_unlock(&vm->lock);
	if (stops && !leaves)
		news_debug(vm_number(vm));
	return stops;
}

void debug_ended(struct vm *vm)
{
	bool was;

	spin_lock(&vm->lock);
	was = vm->debug.mode != VM_NOT_DEBUGGED;
	vm->debug.strays = 0;
	if (was) {
		unplant(vm);
		vm->debug.mode = VM_NOT_DEBUGGED;
		pause_forget(vm);
	}
	spin_unlock(&vm->lock);
	if (was)
		news_debug(vm_number(vm));
}

void debug_take(struct vcpu *v)
{
	if (v->debug.on)
		stop(v->vm);
}
