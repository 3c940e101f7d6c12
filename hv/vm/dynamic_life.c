/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What follows from the commands on a dynamic guest; see dynamic_priv.h and
 * docs/lifecycle.md. Its boot vCPU works in pieces; what comes next is decided
 * where that work ends: dynamic_granted(), dynamic_runs(), dynamic_ended(),
 * dynamic_scrubbed(). Called by life.c, work.c, memory.c and create.c.
 *
 * Lock: vm->lock, as dynamic_priv.h says.
 */
#include "hv/core/piece.h"
#include "hv/core/vcpu.h"
#include "hv/vm/create.h"
#include "hv/vm/dynamic_priv.h"
#include "hv/vm/grant.h"
#include "hv/vm/life.h"
#include "hv/vm/machine_end.h"
#include "hv/vm/news.h"
#include "hv/vm/pool.h"
#include "hv/vm/reap.h"
#include "hv/vm/vcpu.h"
#include "hv/vm/work.h"
#include "lib/errno.h"
#include "lib/string.h"

/* Commands that wait for the end of a guest, by its index */
static struct {
	u64 id;
	u32 tag;
	bool waits;
} farewells[VM_MAX];

/* --- its parts --- */

int dynamic_attach(struct vm *vm, const struct vm_order *order)
{
	struct dynamic *d = kmem_alloc(&vm->budget, sizeof(*d));

	if (!d)
		return -ENOMEM;
	d->state = BH_CTL_BUILDING;
	d->config = *order->config;
	d->range_count = order->range_count;
	memcpy(d->ranges, order->ranges,
	       order->range_count * sizeof(d->ranges[0]));
	vm->config = &d->config;
	vm->staged = &d->staged;
	vm->dynamic = d;
	return 0;
}

void dynamic_detach(struct vm *vm)
{
	kmem_free(&vm->budget, vm->dynamic, sizeof(*vm->dynamic));
	vm->dynamic = NULL;
	vm->staged = NULL;
}

u32 dynamic_ranges(const struct vm *vm, const struct bh_ctl_range **ranges)
{
	*ranges = vm->dynamic->ranges;
	return vm->dynamic->range_count;
}

int dynamic_take_memory(struct vm *vm)
{
	struct dynamic *d = vm->dynamic;
	int err = pool_take(d->ranges, d->range_count, vm->id, &d->clean);

	d->has_memory = !err;
	return err;
}

void dynamic_give_memory_back(struct vm *vm)
{
	struct dynamic *d = vm->dynamic;

	for (u32 i = 0; i < d->range_count && d->has_memory; i++)
		pool_give_back(&d->ranges[i], vm->id, d->clean);
	d->has_memory = false;
}

void dynamic_work(struct vm *vm, enum vm_work first)
{
	vm->dynamic->done = 0;
	vm->dynamic->passing = vm->dynamic->touched = false;
	vm_work_set(vm, first);
	vcpu_post(vm->vcpus[0], VE_START);
}

/* Lock not held */
static void set_state(struct vm *vm, enum bh_ctl_state state)
{
	spin_lock(&vm->lock);
	vm->dynamic->state = state;
	spin_unlock(&vm->lock);
	news_state(vm_number(vm), state);
}

/* The command that waits, if one does, is done */
static void answer(struct vm *vm, s32 status, const char *why)
{
	struct dynamic *d = vm->dynamic;
	bool waits;
	u32 tag;

	spin_lock(&vm->lock);
	waits = d->waits;
	tag = d->tag;
	d->waits = false;
	spin_unlock(&vm->lock);
	if (waits)
		news_answer(tag, status, vm_number(vm), why);
}

/* --- grants, in pieces --- */

static u64 bytes_of(const struct dynamic *d)
{
	u64 sum = 0;

	for (u32 i = 0; i < d->range_count; i++)
		sum += d->ranges[i].size;
	return sum;
}

/* The address of byte @at of its memory */
static u64 address_of(const struct dynamic *d, u64 at)
{
	u32 i = 0;

	for (; at >= d->ranges[i].size; i++)
		at -= d->ranges[i].size;
	return d->ranges[i].base + at;
}

/* True: each core has passed since all was changed */
static bool pass_step(struct dynamic *d)
{
	if (!d->passing) {
		d->quiet = quiesce_ask();
		d->passing = true;
	}
	return quiesce_over(&d->quiet);
}

bool dynamic_grant_begun(const struct vm *vm)
{
	return vm->dynamic->granted;
}

bool dynamic_grant_step(struct vm *vm)
{
	struct dynamic *d = vm->dynamic;
	struct piece piece = piece_begin();
	u64 bytes = bytes_of(d);

	d->granted = true;
	d->clean = false;
	for (; d->done < bytes && !piece_over(&piece); d->done += POOL_UNIT)
		d->touched |= grant_unit(address_of(d, d->done));
	if (d->done < bytes)
		return false;
	/* A core may still know the scratch frame there */
	return !d->touched || pass_step(d);
}

bool dynamic_revoke_step(struct vm *vm)
{
	struct dynamic *d = vm->dynamic;
	struct piece piece = piece_begin();
	u64 bytes = bytes_of(d);

	if (!d->granted)
		return true;
	for (; d->done < bytes && !piece_over(&piece); d->done += POOL_UNIT)
		grant_end(address_of(d, d->done));
	if (d->done < bytes || !pass_step(d))
		return false;
	d->granted = false;
	d->done = 0;
	d->passing = false;
	return true;
}

bool dynamic_is_clean(const struct vm *vm)
{
	return vm->dynamic->clean;
}

void dynamic_cleaned(struct vm *vm)
{
	vm->dynamic->clean = true;
}

/* --- what comes next --- */

void dynamic_runs(struct vm *vm)
{
	set_state(vm, BH_CTL_RUNNING);
	answer(vm, 0, NULL);
}

void dynamic_paused(struct vm *vm)
{
	vm->dynamic->pausing = false;
	set_state(vm, BH_CTL_PAUSED);
	answer(vm, 0, NULL);
}

/* It counts as alive no longer. May end the machine. */
static void count_out(struct vm *vm)
{
	struct dynamic *d = vm->dynamic;
	bool counted = d->counted;

	spin_lock(&vm->lock);
	vm->state = VM_STOPPED;
	spin_unlock(&vm->lock);
	d->counted = false;
	if (counted)
		machine_guest_ended(vm);
}

/* All its vCPUs are parked */
void dynamic_ended(struct vm *vm)
{
	struct dynamic *d = vm->dynamic;
	bool keep;

	if (d->pausing)
		answer(vm, -BH_CTL_ESTATE, "the guest has ended meanwhile");
	d->pausing = vm->paused = false;
	spin_lock(&vm->lock);
	if (d->asked != ASKED_DESTROY &&
	    (vm->end == VM_END_RESET || vm->end == VM_END_NOT_LOADED))
		d->asked = ASKED_RESET;
	keep = vm->end == VM_END_CRASH && d->asked == ASKED_STOP && !d->waits;
	spin_unlock(&vm->lock);
	if (vm->end == VM_END_NOT_LOADED)
		answer(vm, -BH_CTL_EFILE,
		       "its files cannot be loaded; the hypervisor's log says "
		       "why");
	if (keep) {
		count_out(vm);
		set_state(vm, BH_CTL_CRASHED);
		return;
	}
	set_state(vm, BH_CTL_STOPPING);
	dynamic_work(vm, VM_SCRUB);
}

static void freed(u16 id)
{
	u64 number = farewells[id].id;

	news_state(number, BH_CTL_GONE);
	if (farewells[id].waits)
		news_answer(farewells[id].tag, 0, number, NULL);
	farewells[id].waits = false;
}

static void destroy(struct vm *vm)
{
	farewells[vm->id].id = vm_number(vm);
	farewells[vm->id].waits = vm->dynamic->waits;
	farewells[vm->id].tag = vm->dynamic->tag;
	vcpu_park(vm->vcpus[0]);
	reap(vm, freed);
}

/* The boot vCPU's core; its memory is zero and nobody's */
void dynamic_scrubbed(struct vm *vm)
{
	struct dynamic *d = vm->dynamic;
	enum asked asked;

	count_out(vm);
	spin_lock(&vm->lock);
	asked = d->asked;
	if (asked == ASKED_STOP)
		d->state = BH_CTL_STOPPED;
	spin_unlock(&vm->lock);
	if (asked == ASKED_DESTROY) {
		destroy(vm);
	} else if (asked == ASKED_RESET) {
		d->done = 0;
		d->passing = d->touched = false;
		vm_work_set(vm, VM_GRANT);
	} else {
		vcpu_park(vm->vcpus[0]);
		news_state(vm_number(vm), BH_CTL_STOPPED);
		answer(vm, 0, NULL);
	}
}

/* The boot vCPU's core: its memory is the privileged guest's to fill */
void dynamic_granted(struct vm *vm)
{
	struct dynamic *d = vm->dynamic;
	bool destroy_it;

	vcpu_park(vm->vcpus[0]);
	spin_lock(&vm->lock);
	destroy_it = d->asked == ASKED_DESTROY;
	if (!destroy_it) {
		d->state = BH_CTL_DEFINED;
		d->asked = ASKED_STOP;
	}
	spin_unlock(&vm->lock);
	if (destroy_it) {
		dynamic_work(vm, VM_SCRUB);
		return;
	}
	news_state(vm_number(vm), BH_CTL_DEFINED);
	answer(vm, 0, NULL);
}
