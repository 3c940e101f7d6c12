/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Commands about guests: which there are, what they do, their end. What a vCPU
 * counts is read while it counts, so a sum may be a moment old. Called under
 * control.lock.
 */
#include "arch/x86/cpu/nospec.h"
#include "hv/control/priv.h"
#include "hv/core/exit.h"
#include "hv/core/slots.h"
#include "hv/device/pc/vpm.h"
#include "hv/load/reload.h"
#include "hv/vm/ids.h"
#include "hv/vm/life.h"
#include "lib/printf.h"
#include "lib/string.h"

/* Their counters are lines of cache that others write */
#define VCPUS_AT_ONCE 64u

static const char no_guest[] = "there is no such guest (any more)";

/* The one with the lowest id above @id, or NULL; *@more: how many have one
 * above that. One that is going is no more (vm_unlist()). */
static struct vm *guest_above(u64 id, u32 *more)
{
	struct vm *vm;

	do {
		id = ids_above(id, more);
		vm = vm_numbered(id);
	} while (id && !vm);
	return vm;
}

static u64 exits_of(const struct vcpu *v)
{
	u64 sum = 0;

	for (u32 i = 0; i < EXIT_KINDS; i++)
		sum += READ_ONCE(v->exits[i]);
	return sum;
}

/* Beside its RAM: what it has, what is kept for its next start, itself */
static u64 overhead_of(const struct vm *vm)
{
	u64 pages = READ_ONCE(vm->budget.used_pages) +
		    READ_ONCE(vm->budget.reserved_pages);

	return (pages << PAGE_SHIFT) + reload_bytes(vm) +
	       (PAGE_SIZE << pmm_order(vm_bytes(vm->slot_max)));
}

/* Why it has ended, or, if it runs again, why it had to */
static void describe_end(const struct vm *vm, struct bh_ctl_guest *g)
{
	const char *reason = READ_ONCE(vm->end_reason);

	g->restarts = READ_ONCE(vm->lives);
	if (!reason)
		return;
	if (READ_ONCE(vm->end) != VM_END_NONE)
		str_copy(g->reason, reason, sizeof(g->reason));
	else if (g->restarts == 1)
		bh_snprintf(g->reason, sizeof(g->reason), "started again: %s",
			    reason);
	else if (g->restarts)
		bh_snprintf(g->reason, sizeof(g->reason),
			    "started again %u times, last: %s", g->restarts,
			    reason);
}

/* All but what its vCPUs count */
static void describe(const struct vm *vm, struct bh_ctl_guest *g)
{
	g->id = vm_number(vm);
	str_copy(g->name, vm->name, sizeof(g->name));
	g->state = control_state_of(vm);
	g->flags = vm->privileged ? BH_CTL_GUEST_PRIVILEGED : 0;
	if (!vm->dynamic)
		g->flags |= BH_CTL_GUEST_STATIC;
	else if (dynamic_is_granted(vm))
		g->flags |= BH_CTL_GUEST_GRANTED;
	g->vcpus = vm->vcpu_count;
	g->node = vm->node;
	g->memory_bytes = vm->dynamic
				  ? ALIGN_UP(vm->config->memory_bytes, PAGE_2M)
				  : vm_ram_between(vm, 0, ~0ull);
	g->overhead_bytes = overhead_of(vm);
	g->start_tsc = vm->tsc_start;
	g->weight = READ_ONCE(vm->vcpus[0]->entity.weight);
	g->cap = READ_ONCE(vm->vcpus[0]->entity.cap);
	describe_end(vm, g);
}

/* A guest, and some of its vCPUs, a step. An id whose guest has gone meanwhile
 * keeps what was summed by then. */
s32 control_guests(struct control *c, struct control_call *call)
{
	u64 last = call->at ? call->at : call->command.arg[0];
	struct bh_ctl_guest *out;
	u32 more, left = VCPUS_AT_ONCE;
	const struct vm *vm;

	if (!call->vcpu) {
		vm = guest_above(last, &more);
		out = vm ? control_next(c, call, sizeof(*out)) : NULL;
		call->result[0] = more + (vm && !out);
		if (!out)
			return 0;
		describe(vm, out);
		call->at = vm_number(vm);
	} else {
		vm = vm_numbered(last);
	}
	out = (struct bh_ctl_guest *)(c->out + call->bytes) - 1;
	for (; vm && call->vcpu < vm->vcpu_count && left; left--) {
		const struct vcpu *v = vm->vcpus[call->vcpu++];

		out->run_ticks += sched_run_ticks(&v->entity);
		out->exits += exits_of(v);
	}
	if (left)
		call->vcpu = 0;
	return CONTROL_GOES_ON;
}

enum vcpu_shown { SHOWN_RUNS, SHOWN_HALTED, SHOWN_NOT_STARTED, SHOWN_PARKED };

u32 control_shown_state(enum vcpu_activity activity)
{
	switch (activity) {
	case VCPU_HALTED:
	case VCPU_SLEEPS:
		return SHOWN_HALTED;
	case VCPU_WAIT_SIPI:
		return SHOWN_NOT_STARTED;
	case VCPU_PARKED:
		return SHOWN_PARKED;
	default:
		return SHOWN_RUNS;
	}
}

s32 control_vcpus(struct control *c, struct control_call *call)
{
	const struct vm *vm = vm_numbered(call->command.arg[0]);
	u64 i = call->command.arg[1];

	if (!vm)
		return control_error(c, call, BH_CTL_ENOENT, no_guest);
	call->result[0] = vm->vcpu_count;
	for (u32 left = VCPUS_AT_ONCE; i < vm->vcpu_count && left; left--) {
		const struct vcpu *v =
			vm->vcpus[index_nospec(i++, vm->vcpu_count)];
		struct bh_ctl_vcpu *out = control_next(c, call, sizeof(*out));

		if (!out)
			break;
		out->id = v->id;
		out->core = v->entity.cpu->id;
		out->state = control_shown_state(READ_ONCE(v->activity));
		out->run_ticks = sched_run_ticks(&v->entity);
		out->wait_ticks = READ_ONCE(v->entity.steal_tsc);
		out->exits = exits_of(v);
	}
	return 0;
}

/* Sums that grow by some vCPUs a step */
s32 control_exits(struct control *c, struct control_call *call)
{
	const struct vm *vm = vm_numbered(call->command.arg[0]);
	u64 first = index_nospec(MIN(call->command.arg[1], (u64)EXIT_KINDS),
				 EXIT_KINDS + 1);
	u32 count = MIN((u32)(EXIT_KINDS - first), call->out_bytes / 8);
	u32 left = VCPUS_AT_ONCE;

	if (!vm)
		return control_error(c, call, BH_CTL_ENOENT, no_guest);
	while (call->bytes < count * 8)
		(void)control_next(c, call, 8);
	for (; call->vcpu < vm->vcpu_count && left; left--) {
		const struct vcpu *v = vm->vcpus[call->vcpu++];

		for (u32 i = 0; i < count; i++)
			((u64 *)c->out)[i] += READ_ONCE(v->exits[first + i]);
	}
	call->result[0] = EXIT_KINDS;
	return left ? 0 : CONTROL_GOES_ON;
}

static s32 press_button(struct control *c, struct control_call *call,
			struct vm *vm)
{
	if (control_state_of(vm) == BH_CTL_PAUSED)
		return control_error(c, call, BH_CTL_ESTATE,
				     "the guest is paused; resume it, or stop "
				     "it instead");
	if (vpm_power_button(vm))
		return 0;
	return control_error(c, call, BH_CTL_ESTATE,
			     "the guest does not listen to its power button; "
			     "stop it instead");
}

/* The answer comes when it has ended, or when its code runs again; whatever
 * else becomes of it meanwhile */
static s32 end(struct control *c, struct control_call *call, struct vm *vm,
	       enum vm_end how, const char *reason)
{
	u32 states = 1u << BH_CTL_STOPPED | 1u << BH_CTL_CRASHED;
	s32 status;

	if (how == VM_END_RESET)
		states |= 1u << BH_CTL_RUNNING;
	status = control_await(c, call, vm, states);
	if (status == CONTROL_LATER)
		vm_end(vm, how, reason);
	return status;
}

/* The answer comes when its code runs, or cannot; at once if the machine ends,
 * and no guest starts */
static s32 start_again(struct control *c, struct control_call *call,
		       struct vm *vm)
{
	u32 states = 1u << BH_CTL_STOPPED | 1u << BH_CTL_CRASHED |
		     1u << BH_CTL_RUNNING;
	s32 status = control_await(c, call, vm, states);

	if (status == CONTROL_LATER && !vm_start_again(vm))
		vm_changed();
	return status;
}

s32 control_end(struct control *c, struct control_call *call)
{
	struct vm *vm = vm_numbered(call->command.arg[0]);

	if (!vm)
		return control_error(c, call, BH_CTL_ENOENT, no_guest);
	if (vm->dynamic)
		return control_end_dynamic(c, call);
	if (vm->privileged)
		return control_error(c, call, BH_CTL_ESTATIC,
				     "the privileged guest ends by its own "
				     "poweroff or reboot");
	if (call->command.arg[1] == BH_CTL_END_DESTROY)
		return control_error(c, call, BH_CTL_ESTATIC,
				     "a guest of the manifest cannot be "
				     "destroyed; stop it instead");
	if (READ_ONCE(vm->state) == VM_STOPPED &&
	    call->command.arg[1] == BH_CTL_END_RESET)
		return start_again(c, call, vm);
	if (READ_ONCE(vm->state) != VM_RUNNING ||
	    READ_ONCE(vm->end) != VM_END_NONE)
		return control_error(c, call, BH_CTL_ESTATE,
				     "the guest does not run");
	switch (call->command.arg[1]) {
	case BH_CTL_END_BUTTON:
		return press_button(c, call, vm);
	case BH_CTL_END_STOP:
		return end(c, call, vm, VM_END_POWER_OFF, "it was stopped");
	case BH_CTL_END_RESET:
		return end(c, call, vm, VM_END_RESET, "it was reset");
	default:
		return control_error(c, call, BH_CTL_EINVAL,
				     "there is no such way to end a guest");
	}
}
