/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A guest's parts are freed; see reap.h. A timer of the core that began goes
 * from step to step:
 *
 *   1. vms[] has forgotten it; wait until each core has passed (quiesce.h): now
 *      nobody posts to it any more.
 *   2. It is in the list `dying`; wait for another pass, in which each core
 *      takes its own vCPUs off its queue (reap_here()).
 *   3. It leaves the list. Its parts are freed, some in a step.
 *
 * One that was never whole begins at 3: nobody has known it.
 *
 * Lock: dying_lock protects the list, a leaf.
 */
#include "hv/vm/reap.h"

#include "arch/x86/machine/tsc.h"
#include "hv/core/quiesce.h"
#include "hv/core/vcpu.h"
#include "hv/vm/create.h"
#include "hv/vm/vcpu.h"

#define REAP_STEP_NS 50000u

static struct spinlock dying_lock;
static struct vm *dying;

void reap_here(void)
{
	if (!READ_ONCE(dying))
		return;
	spin_lock(&dying_lock);
	for (struct vm *vm = dying; vm; vm = vm->reap.next)
		for (u32 i = 0; i < vm->vcpu_count; i++)
			if (vm->vcpus[i]->entity.cpu == this_cpu())
				vcpu_remove(vm->vcpus[i]);
	spin_unlock(&dying_lock);
}

static void dying_add(struct vm *vm)
{
	spin_lock(&dying_lock);
	vm->reap.next = dying;
	dying = vm;
	spin_unlock(&dying_lock);
}

static void dying_remove(struct vm *vm)
{
	struct vm **link = &dying;

	spin_lock(&dying_lock);
	while (*link != vm)
		link = &(*link)->reap.next;
	*link = vm->reap.next;
	spin_unlock(&dying_lock);
}

static void again(struct vm *vm)
{
	timer_arm(&vm->restart_timer, rdtsc() + ns_to_tsc(REAP_STEP_NS));
}

static void free_step(struct timer *t)
{
	struct vm *vm = container_of(t, struct vm, restart_timer);
	void (*freed)(u16 id) = vm->reap.freed;
	u16 id = vm->id;

	if (!vm_free_step(vm)) {
		again(vm);
		return;
	}
	if (freed)
		freed(id);
}

static void wait_removed(struct timer *t)
{
	struct vm *vm = container_of(t, struct vm, restart_timer);

	if (quiesce_over(&vm->reap.quiet)) {
		dying_remove(vm);
		t->fn = free_step;
	}
	again(vm);
}

static void wait_unknown(struct timer *t)
{
	struct vm *vm = container_of(t, struct vm, restart_timer);

	if (quiesce_over(&vm->reap.quiet)) {
		dying_add(vm);
		vm->reap.quiet = quiesce_ask();
		t->fn = wait_removed;
	}
	again(vm);
}

void reap(struct vm *vm, void (*freed)(u16 id))
{
	vm->reap.freed = freed;
	vm_unlist(vm);
	vm->reap.quiet = quiesce_ask();
	vm->restart_timer.fn = wait_unknown;
	again(vm);
}

void reap_unborn(struct vm *vm, void (*freed)(u16 id))
{
	vm->reap.freed = freed;
	vm->restart_timer.fn = free_step;
	again(vm);
}
