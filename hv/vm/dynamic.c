/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Commands on dynamic guests, see dynamic.h and docs/lifecycle.md. A command
 * checks the state and sets the boot vCPU to work; the rest is in
 * dynamic_life.c. One command of a guest may wait for its answer; a second one
 * is refused, but for END_DESTROY, which comes before all.
 *
 * Over 400 lines: the checks of each command.
 *
 * Lock: vm->lock, as dynamic_priv.h says.
 */
#include "arch/x86/cpu/nospec.h"
#include "hv/core/vcpu.h"
#include "hv/device/pc/vpm.h"
#include "hv/vm/create.h"
#include "hv/vm/dynamic_priv.h"
#include "hv/vm/life.h"
#include "hv/vm/machine_end.h"
#include "hv/vm/news.h"
#include "hv/vm/pause.h"
#include "hv/vm/plan.h"
#include "hv/vm/pool.h"
#include "hv/vm/reap.h"
#include "hv/vm/shape.h"
#include "hv/vm/still.h"
#include "lib/errno.h"
#include "lib/string.h"

/* Guests whose names are looked at in one go: some lines of cache each */
#define NAMES_AT_ONCE 32u

static const char busy[] = "a command on this guest is not done yet; wait for "
			   "its answer";

static_assert(VM_MAX == 1024, "the sentence says so");
static const char too_many[] =
	"there are 1024 guests already, with the "
	"manifest's, and no more can be: destroy another";

struct vm *vm_numbered(u64 id)
{
	struct vm *vm;

	if (!id)
		return NULL;
	vm = vm_at((u32)index_nospec((id - 1) % VM_MAX, VM_MAX));
	return vm && vm_number(vm) == id ? vm : NULL;
}

enum bh_ctl_state dynamic_state(const struct vm *vm)
{
	return READ_ONCE(vm->dynamic->state);
}

bool dynamic_is_granted(const struct vm *vm)
{
	return READ_ONCE(vm->dynamic->granted);
}

static s32 refuse(enum bh_ctl_error error, const char *text,
		  struct dynamic_why *why)
{
	str_copy(why->text, text, sizeof(why->text));
	return -(s32)error;
}

/* --- made --- */

/* manifest_parse_guest() has no argument for whom it tells. One caller at a
 * time: the control device's lock. */
static struct dynamic_why *told;

static void tell(const char *sentence)
{
	if (!told->text[0])
		str_copy(told->text, sentence, sizeof(told->text));
}

static s32 read_definition(struct guest_config *config, const char *text,
			   u32 len, struct dynamic_why *why)
{
	why->text[0] = 0;
	told = why;
	if (!manifest_parse_guest(config, PLAN_DEFINITION, text, len, tell) ||
	    !plan_check_dynamic(config, tell))
		return -BH_CTL_EINVAL;
	if (plan_has_guest(config->name))
		return refuse(BH_CTL_EEXIST,
			      "the manifest has a guest of this name; take "
			      "another",
			      why);
	return 0;
}

static s32 check_ranges(const struct guest_config *config,
			const struct bh_ctl_range *ranges, u32 count,
			struct dynamic_why *why)
{
	u64 sum = 0;

	if (!vm_privileged || !pool_range_count())
		return refuse(BH_CTL_ENOMEM,
			      "there is no memory for guests: write "
			      "guest-memory into the manifest",
			      why);
	if (!count || count > DYNAMIC_RANGES)
		return refuse(BH_CTL_EINVAL,
			      "a guest has 1 to 64 ranges of memory", why);
	for (u32 i = 0; i < count; i++)
		sum += MIN(ranges[i].size, BIT(52));
	if (sum != ALIGN_UP(config->memory_bytes, POOL_UNIT))
		return refuse(BH_CTL_EINVAL,
			      "the ranges hold less or more than memory =, in "
			      "whole 2 MiB",
			      why);
	return 0;
}

static s32 made_error(int err, struct dynamic_why *why)
{
	if (err == -EBUSY)
		return refuse(BH_CTL_EBUSY,
			      "some of the memory is another guest's", why);
	if (err == -EEXIST)
		return refuse(BH_CTL_EEXIST,
			      "a guest of this name is there already", why);
	if (err == -EINVAL)
		return refuse(BH_CTL_EINVAL,
			      "a range is not of whole 2 MiB units of the "
			      "pool, or is there twice",
			      why);
	return refuse(BH_CTL_ENOMEM,
		      "the hypervisor has no memory for one more guest: "
		      "destroy another, or write a larger guest-count into "
		      "the manifest",
		      why);
}

/* The guest that is being made: one caller at a time, as above. @vm is NULL: it
 * is none. @error is not 0: it is being taken apart. */
static struct {
	struct vm_making making;
	u32 names; /* places whose guest has another name */
	int error;
} unborn;
static bool abandoned; /* atomic: one is being taken apart by reap.c */

s32 dynamic_create(const char *text, u32 len, const struct bh_ctl_range *ranges,
		   u32 count, struct dynamic_why *why)
{
	static struct guest_config config; /* large; one caller at a time */
	const struct vm_order order = { &config, ranges, count };
	s32 status = read_definition(&config, text, len, why);
	int err;

	if (!status)
		status = check_ranges(&config, ranges, count, why);
	if (status)
		return status;
	if (__atomic_load_n(&abandoned, __ATOMIC_ACQUIRE))
		return refuse(BH_CTL_EBUSY,
			      "a guest that nobody waits for is being taken "
			      "apart; do it again",
			      why);
	unborn.error = 0;
	unborn.names = 0;
	err = vm_make_begin(&unborn.making, &order);
	if (err == -ENOSPC)
		return refuse(BH_CTL_ENOMEM, too_many, why);
	return err ? made_error(err, why) : 0;
}

/* Before its memory is taken: is there a guest of its name? None gets it
 * meanwhile, as no other is made. */
static int names_step(void)
{
	u32 end = MIN(vm_count, unborn.names + NAMES_AT_ONCE);

	for (; unborn.names < end; unborn.names++) {
		const struct vm *vm = vm_at(unborn.names);

		if (vm && !strcmp(vm->name, unborn.making.vm->name))
			return -EEXIST;
	}
	return VM_GOES_ON;
}

static void made(struct vm *vm, u32 tag, u64 *id)
{
	vm->dynamic->waits = true;
	vm->dynamic->tag = tag;
	*id = vm_number(vm);
	news_state(*id, BH_CTL_BUILDING);
	for (u32 i = 0; i < vm->vcpu_count; i++)
		WRITE_ONCE(vm->vcpus[i]->activity, VCPU_PARKED);
	dynamic_work(vm, VM_GRANT);
}

s32 dynamic_create_step(u32 tag, u64 *id, struct dynamic_why *why)
{
	struct vm *vm = unborn.making.vm;
	int err;

	if (unborn.error) {
		if (!vm_free_step(vm))
			return DYNAMIC_GOES_ON;
		unborn.making.vm = NULL;
		return made_error(unborn.error, why);
	}
	err = unborn.names < vm_count ? names_step()
				      : vm_make_step(&unborn.making);
	if (err) {
		unborn.error = MIN(err, 0);
		return DYNAMIC_GOES_ON;
	}
	unborn.making.vm = NULL;
	made(vm, tag, id);
	return 0;
}

static void unborn_freed(const struct vm_farewell *f)
{
	__atomic_store_n(&abandoned, false, __ATOMIC_RELEASE);
}

void dynamic_create_abandon(void)
{
	struct vm *vm = unborn.making.vm;

	if (!vm)
		return;
	unborn.making.vm = NULL;
	__atomic_store_n(&abandoned, true, __ATOMIC_RELAXED);
	reap_unborn(vm, unborn_freed);
}

/* --- started --- */

/* No state but @state, and nothing waits: then @tag does. Lock held. */
static s32 begin(struct vm *vm, bool fits, u32 tag, struct dynamic_why *why)
{
	struct dynamic *d = vm->dynamic;

	if (d->waits)
		return refuse(BH_CTL_EBUSY, busy, why);
	if (!fits)
		return refuse(BH_CTL_ESTATE,
			      "the guest is in a state in which that cannot be",
			      why);
	d->waits = true;
	d->tag = tag;
	return 0;
}

/* An isolated guest by its id; NULL after a refusal */
static struct vm *find_any(u64 id, s32 *status, struct dynamic_why *why)
{
	struct vm *vm = vm_numbered(id);

	if (vm && !vm->privileged)
		return vm;
	*status = vm ? refuse(BH_CTL_ESTATIC,
			      "the privileged guest asks for it, and cannot "
			      "stand still itself",
			      why)
		     : refuse(BH_CTL_ENOENT,
			      "there is no such guest (any more)", why);
	return NULL;
}

/* A dynamic one */
static struct vm *find(u64 id, s32 *status, struct dynamic_why *why)
{
	struct vm *vm = find_any(id, status, why);

	if (vm && !vm->dynamic)
		*status = refuse(BH_CTL_ESTATIC,
				 "this guest is the manifest's; it can be "
				 "stopped or reset",
				 why);
	return vm && vm->dynamic ? vm : NULL;
}

s32 dynamic_start(u64 id, const struct bh_ctl_file *files, u32 count, u32 tag,
		  struct dynamic_why *why)
{
	s32 status = 0;
	struct vm *vm = find(id, &status, why);
	const char *wrong;

	if (!vm)
		return status;
	spin_lock(&vm->lock);
	status = begin(vm, vm->dynamic->state == BH_CTL_DEFINED, tag, why);
	if (!status)
		vm->dynamic->state = BH_CTL_BUILDING;
	spin_unlock(&vm->lock);
	if (status)
		return status;
	wrong = staged_note(vm, &vm->dynamic->staged, files, count);
	if (wrong) {
		spin_lock(&vm->lock);
		vm->dynamic->state = BH_CTL_DEFINED;
		vm->dynamic->waits = false;
		spin_unlock(&vm->lock);
		return refuse(BH_CTL_EFILE, wrong, why);
	}
	news_state(id, BH_CTL_BUILDING);
	vm->dynamic->asked = ASKED_NOTHING;
	vm->dynamic->counted = true;
	vm->dynamic->done = 0;
	vm->dynamic->passing = false;
	shape_begin(vm);
	machine_guest_made();
	vm_start_at(vm, VM_REVOKE);
	return 0;
}

/* --- ended --- */

static s32 press_button(struct vm *vm, struct dynamic_why *why)
{
	if (READ_ONCE(vm->dynamic->state) != BH_CTL_RUNNING)
		return refuse(BH_CTL_ESTATE, "the guest does not run", why);
	if (!vpm_power_button(vm))
		return refuse(BH_CTL_ESTATE,
			      "the guest does not listen to its power button",
			      why);
	return 1;
}

/* Does the boot vCPU stand still, so that nothing but a command moves it? */
static bool is_still(enum bh_ctl_state state)
{
	return state == BH_CTL_DEFINED || state == BH_CTL_CRASHED ||
	       state == BH_CTL_STOPPED;
}

static bool may_end(enum bh_ctl_state state, enum bh_ctl_end how)
{
	if (how == BH_CTL_END_DESTROY)
		return true;
	if (how == BH_CTL_END_RESET)
		return state == BH_CTL_RUNNING || state == BH_CTL_PAUSED ||
		       state == BH_CTL_CRASHED || state == BH_CTL_STOPPED;
	return state == BH_CTL_RUNNING || state == BH_CTL_PAUSED ||
	       state == BH_CTL_CRASHED;
}

/* Lock held. A destruction takes the place of what waits, which has failed. */
static s32 begin_end(struct vm *vm, enum bh_ctl_end how, u32 tag,
		     struct dynamic_why *why)
{
	static const enum asked asked[] = {
		[BH_CTL_END_STOP] = ASKED_STOP,
		[BH_CTL_END_RESET] = ASKED_RESET,
		[BH_CTL_END_DESTROY] = ASKED_DESTROY,
	};
	struct dynamic *d = vm->dynamic;
	s32 status;

	if (d->asked == ASKED_DESTROY)
		return refuse(BH_CTL_EBUSY, busy, why);
	if (how == BH_CTL_END_DESTROY && d->waits) {
		news_answer(d->tag, -BH_CTL_ESTATE, vm_number(vm),
			    "the guest was destroyed meanwhile");
		d->waits = false;
	}
	status = begin(vm, may_end(d->state, how), tag, why);
	if (!status)
		d->asked = asked[how];
	return status;
}

s32 dynamic_end(u64 id, enum bh_ctl_end how, u32 tag, struct dynamic_why *why)
{
	s32 status = 0;
	struct vm *vm = find(id, &status, why);
	enum bh_ctl_state state;

	if (!vm)
		return status;
	if ((u32)how > BH_CTL_END_DESTROY)
		return refuse(BH_CTL_EINVAL, "there is no such way to end",
			      why);
	if (how == BH_CTL_END_BUTTON)
		return press_button(vm, why);
	spin_lock(&vm->lock);
	state = vm->dynamic->state;
	status = begin_end(vm, how, tag, why);
	if (!status && is_still(state))
		dynamic_enter(vm, BH_CTL_STOPPING);
	spin_unlock(&vm->lock);
	if (status)
		return status;
	if (is_still(state)) {
		news_tell();
		dynamic_work(vm, VM_SCRUB);
	} else {
		vm_end(vm, VM_END_POWER_OFF, "it was asked for");
	}
	return 0;
}

s32 dynamic_pause(u64 id, u32 tag, struct dynamic_why *why)
{
	s32 status = 0;
	struct vm *vm = find_any(id, &status, why);

	if (!vm)
		return status;
	if (!vm->dynamic)
		return still_begin(vm, tag, why);
	spin_lock(&vm->lock);
	status = begin(vm,
		       vm->dynamic->state == BH_CTL_RUNNING &&
			       vm->debug.mode == VM_NOT_DEBUGGED &&
			       vm->end == VM_END_NONE,
		       tag, why);
	if (!status) {
		vm->dynamic->pausing = true;
		pause_begin(vm);
	}
	spin_unlock(&vm->lock);
	return status;
}

s32 dynamic_resume(u64 id, struct dynamic_why *why)
{
	s32 status = 0;
	struct vm *vm = find_any(id, &status, why);

	if (!vm)
		return status;
	if (!vm->dynamic)
		return still_end(vm, why);
	spin_lock(&vm->lock);
	status = begin(vm,
		       vm->dynamic->state == BH_CTL_PAUSED &&
			       vm->end == VM_END_NONE,
		       0, why);
	if (!status) {
		vm->dynamic->waits = false;
		dynamic_enter(vm, BH_CTL_RUNNING);
		pause_end(vm);
	}
	spin_unlock(&vm->lock);
	if (status)
		return status;
	news_tell();
	return 1;
}
