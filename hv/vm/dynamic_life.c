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
#include "hv/device/virtio/served.h"
#include "hv/time/vtimer.h"
#include "hv/vm/create.h"
#include "hv/vm/dynamic_priv.h"
#include "hv/vm/grant.h"
#include "hv/vm/life.h"
#include "hv/vm/machine_end.h"
#include "hv/vm/news.h"
#include "hv/vm/pause.h"
#include "hv/vm/pool.h"
#include "hv/vm/reap.h"
#include "hv/vm/vcpu.h"
#include "hv/vm/work.h"
#include "lib/errno.h"
#include "lib/string.h"

#define POOL_PART (512 * POOL_UNIT) /* taken or given in a step */

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

static u64 bytes_of(const struct dynamic *d)
{
	u64 sum = 0;

	for (u32 i = 0; i < d->range_count; i++)
		sum += d->ranges[i].size;
	return sum;
}

/* From byte @at of its memory on: the rest of that range, or of POOL_PART */
static struct bh_ctl_range part_at(const struct dynamic *d, u64 at)
{
	const struct bh_ctl_range *r = d->ranges;

	for (; at >= r->size; r++)
		at -= r->size;
	return (struct bh_ctl_range){
		.base = r->base + at,
		.size = MIN(r->size - at, POOL_PART),
	};
}

int dynamic_take_memory(struct vm *vm)
{
	struct dynamic *d = vm->dynamic;
	struct bh_ctl_range part;
	bool clean;
	int err;

	if (!d->taken) {
		err = pool_check(d->ranges, d->range_count);
		if (err)
			return err;
		d->clean = true;
	}
	part = part_at(d, d->taken);
	err = pool_take(&part, 1, vm->id, &clean);
	if (err)
		return err;
	d->taken += part.size;
	d->clean &= clean;
	return d->taken < bytes_of(d) ? VM_GOES_ON : 0;
}

bool dynamic_give_memory_back(struct vm *vm)
{
	struct dynamic *d = vm->dynamic;
	struct bh_ctl_range part;

	if (d->given < d->taken) {
		part = part_at(d, d->given);
		pool_give_back(&part, vm->id, d->clean);
		d->given += part.size;
	}
	return d->given == d->taken;
}

void dynamic_work(struct vm *vm, enum vm_work first)
{
	vm->dynamic->done = 0;
	vm->dynamic->passing = vm->dynamic->touched = false;
	vm_work_set(vm, first);
	vcpu_post(vm->vcpus[0], VE_START);
}

void dynamic_enter(struct vm *vm, enum bh_ctl_state state)
{
	vm->dynamic->state = state;
	news_add_state(vm_number(vm), state);
}

/* Lock not held */
static void set_state(struct vm *vm, enum bh_ctl_state state)
{
	spin_lock(&vm->lock);
	dynamic_enter(vm, state);
	spin_unlock(&vm->lock);
	news_tell();
}

/* The command that waits is done: *@tag. False: none does, or it is DESTROY,
 * which is done when all is freed. Lock held. */
static bool take_waiting(struct dynamic *d, u32 *tag)
{
	if (!d->waits || d->asked == ASKED_DESTROY)
		return false;
	*tag = d->tag;
	d->waits = false;
	return true;
}

/* The command that waits, if one does, is done */
static void answer(struct vm *vm, s32 status, const char *why)
{
	bool waits;
	u32 tag;

	spin_lock(&vm->lock);
	waits = take_waiting(vm->dynamic, &tag);
	spin_unlock(&vm->lock);
	if (waits)
		news_answer(tag, status, vm_number(vm), why);
}

/* --- grants, in pieces --- */

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

	WRITE_ONCE(d->granted, true);
	d->clean = false;
	for (; d->done < bytes && !piece_over(&piece); d->done += POOL_UNIT)
		d->touched |= grant_unit(part_at(d, d->done).base);
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
		grant_end(part_at(d, d->done).base);
	if (d->done < bytes || !pass_step(d))
		return false;
	WRITE_ONCE(d->granted, false);
	d->done = 0;
	d->passing = d->touched = false;
	return true;
}

bool dynamic_share_step(struct vm *vm)
{
	return !vm->config->shares_memory || dynamic_grant_step(vm);
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

/* It counts as alive no longer. True: machine_guest_ended() is to be told. Lock
 * held. */
static bool count_out(struct vm *vm)
{
	bool counted = vm->dynamic->counted;

	vm->state = VM_STOPPED;
	vm->dynamic->counted = false;
	return counted;
}

/* It crashed, and nobody has asked for more: it stays as it is. Lock held. */
static bool is_kept(const struct vm *vm)
{
	const struct dynamic *d = vm->dynamic;

	return vm->end == VM_END_CRASH && d->asked == ASKED_NOTHING &&
	       !d->waits;
}

/* All its vCPUs are parked. From the change of its state on, a command may do
 * anything with it. */
void dynamic_ended(struct vm *vm)
{
	struct dynamic *d = vm->dynamic;
	bool keep, counted;

	served_end(vm);
	if (d->pausing)
		answer(vm, -BH_CTL_ESTATE, "the guest has ended meanwhile");
	d->pausing = false;
	if (vm->end == VM_END_NOT_LOADED)
		answer(vm, -BH_CTL_EFILE,
		       "its files cannot be loaded; the hypervisor's log says "
		       "why");
	spin_lock(&vm->lock);
	if (d->asked == ASKED_NOTHING &&
	    (vm->end == VM_END_RESET || vm->end == VM_END_NOT_LOADED))
		d->asked = ASKED_RESET;
	keep = is_kept(vm);
	counted = keep && count_out(vm);
	pause_forget(vm);
	dynamic_enter(vm, keep ? BH_CTL_CRASHED : BH_CTL_STOPPING);
	spin_unlock(&vm->lock);
	news_tell();
	if (counted)
		machine_guest_ended(vm);
	if (!keep)
		dynamic_work(vm, VM_SCRUB);
}

static void freed(const struct vm_farewell *f)
{
	news_state(f->number, BH_CTL_GONE);
	if (f->waits)
		news_answer(f->tag, 0, f->number, NULL);
}

static void destroy(struct vm *vm)
{
	vm->reap.farewell = (struct vm_farewell){ .number = vm_number(vm),
						  .tag = vm->dynamic->tag,
						  .waits = vm->dynamic->waits };
	reap(vm, freed);
}

/* It is in a state that lasts: *@tag, if true, is answered. A command that
 * comes behind the lock is not taken for that one. Lock held. */
static bool arrive(struct vm *vm, enum bh_ctl_state state, u32 *tag)
{
	bool waits = take_waiting(vm->dynamic, tag);

	dynamic_enter(vm, state);
	vm->dynamic->asked = ASKED_NOTHING;
	return waits;
}

/* And that is told, without the lock */
static void arrived(struct vm *vm, bool waits, u32 tag)
{
	if (waits)
		news_answer(tag, 0, vm_number(vm), NULL);
	else
		news_tell();
}

/*
 * The boot vCPU's core; its memory is zero and nobody's. The vCPU parks first:
 * from the change of its state on, a command may set it to work. A device's
 * timer may have been set when that vCPU had parked and another had not, and
 * armed when it began to scrub: none is left, as the guest may be freed.
 */
void dynamic_scrubbed(struct vm *vm)
{
	bool counted, waits = false;
	enum asked asked;
	u32 tag = 0;

	vcpu_park(vm->vcpus[0]);
	vtimer_stop_all(vm);
	spin_lock(&vm->lock);
	counted = count_out(vm);
	asked = vm->dynamic->asked;
	if (asked == ASKED_STOP || asked == ASKED_NOTHING)
		waits = arrive(vm, BH_CTL_STOPPED, &tag);
	spin_unlock(&vm->lock);
	if (counted)
		machine_guest_ended(vm);
	if (asked == ASKED_DESTROY)
		destroy(vm);
	else if (asked == ASKED_RESET)
		dynamic_work(vm, VM_GRANT);
	else
		arrived(vm, waits, tag);
}

/* The boot vCPU's core: its memory is the privileged guest's to fill */
void dynamic_granted(struct vm *vm)
{
	bool destroy_it, waits = false;
	u32 tag = 0;

	vcpu_park(vm->vcpus[0]);
	spin_lock(&vm->lock);
	destroy_it = vm->dynamic->asked == ASKED_DESTROY;
	if (!destroy_it)
		waits = arrive(vm, BH_CTL_DEFINED, &tag);
	spin_unlock(&vm->lock);
	if (destroy_it)
		dynamic_work(vm, VM_SCRUB);
	else
		arrived(vm, waits, tag);
}
