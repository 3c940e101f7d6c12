/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A guest's parts are freed; see reap.h. A timer of the core that began goes
 * from step to step:
 *
 *   1. vms[] has forgotten it; wait until each core has passed (quiesce.h): now
 *      nobody posts to it any more.
 *   2. Wait for its turn. One guest at a time has it, to the end: many that are
 *      taken apart at once would keep each core for all of their vCPUs, and
 *      their timers would wait for each other in making_lock (create.c).
 *   3. It is `dying`; wait for another pass, in which each core takes its own
 *      vCPUs off its queue (reap_here()).
 *   4. It is so no longer; wait for a pass, as a core may still look at it.
 *   5. Its parts are freed, some in a step.
 *
 * One that was never whole begins at 5: nobody has known it. No lock: `turn`
 * and `dying` are atomic.
 */
#include "hv/vm/reap.h"

#include "arch/x86/machine/tsc.h"
#include "hv/core/quiesce.h"
#include "hv/core/vcpu.h"
#include "hv/vm/create.h"
#include "hv/vm/vcpu.h"

#define REAP_STEP_NS 50000u
#define REAP_TURN_NS 500000u /* between two looks for its turn */

static struct vm *turn;  /* whose turn it is, or NULL */
static struct vm *dying; /* the same while its vCPUs go, or NULL */

void reap_here(void)
{
	struct vm *vm = __atomic_load_n(&dying, __ATOMIC_ACQUIRE);

	for (u32 i = 0; vm && i < vm->vcpu_count; i++)
		if (vm->vcpus[i]->entity.cpu == this_cpu())
			vcpu_remove(vm->vcpus[i]);
}

static bool take_turn(struct vm *vm)
{
	struct vm *nobody = NULL;

	return __atomic_compare_exchange_n(&turn, &nobody, vm, false,
					   __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
}

static void end_turn(void)
{
	__atomic_store_n(&turn, NULL, __ATOMIC_RELEASE);
}

static void again(struct vm *vm)
{
	timer_arm(&vm->restart_timer, rdtsc() + ns_to_tsc(REAP_STEP_NS));
}

static void free_step(struct timer *t)
{
	struct vm *vm = container_of(t, struct vm, restart_timer);
	void (*freed)(const struct vm_farewell *f) = vm->reap.freed;
	struct vm_farewell farewell = vm->reap.farewell;
	bool its_turn = READ_ONCE(turn) == vm;

	if (!vm_free_step(vm)) {
		again(vm);
		return;
	}
	if (its_turn)
		end_turn();
	if (freed)
		freed(&farewell);
}

static void wait_let_go(struct timer *t)
{
	struct vm *vm = container_of(t, struct vm, restart_timer);

	if (quiesce_over(&vm->reap.quiet))
		t->fn = free_step;
	again(vm);
}

static void wait_removed(struct timer *t)
{
	struct vm *vm = container_of(t, struct vm, restart_timer);

	if (quiesce_over(&vm->reap.quiet)) {
		__atomic_store_n(&dying, NULL, __ATOMIC_SEQ_CST);
		vm->reap.quiet = quiesce_ask();
		t->fn = wait_let_go;
	}
	again(vm);
}

static void wait_turn(struct timer *t)
{
	struct vm *vm = container_of(t, struct vm, restart_timer);

	if (!take_turn(vm)) {
		timer_arm(t, rdtsc() + ns_to_tsc(REAP_TURN_NS));
		return;
	}
	__atomic_store_n(&dying, vm, __ATOMIC_SEQ_CST);
	vm->reap.quiet = quiesce_ask();
	t->fn = wait_removed;
	again(vm);
}

static void wait_unknown(struct timer *t)
{
	struct vm *vm = container_of(t, struct vm, restart_timer);

	if (quiesce_over(&vm->reap.quiet))
		t->fn = wait_turn;
	again(vm);
}

void reap(struct vm *vm, void (*freed)(const struct vm_farewell *f))
{
	vm->reap.freed = freed;
	vm_unlist(vm);
	vm->reap.quiet = quiesce_ask();
	vm->restart_timer.fn = wait_unknown;
	again(vm);
}

void reap_unborn(struct vm *vm, void (*freed)(const struct vm_farewell *f))
{
	vm->reap.freed = freed;
	vm->restart_timer.fn = free_step;
	again(vm);
}
