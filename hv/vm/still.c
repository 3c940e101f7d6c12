/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * PAUSE and RESUME of static guests; see still.h. Its answer is news
 * (hv/vm/news.h), as a dynamic guest's is. Lock: vm->lock protects vm->still.
 */
#include "hv/vm/still.h"

#include "hv/vm/dynamic.h"
#include "hv/vm/life.h"
#include "hv/vm/news.h"
#include "hv/vm/pause.h"
#include "lib/string.h"

static s32 refuse(enum bh_ctl_error error, const char *text,
		  struct dynamic_why *why)
{
	str_copy(why->text, text, sizeof(why->text));
	return -(s32)error;
}

static s32 refuse_state(const struct vm *vm, struct dynamic_why *why)
{
	if (vm->still.waits)
		return refuse(BH_CTL_EBUSY,
			      "a command on this guest is not done yet; wait "
			      "for its answer",
			      why);
	return refuse(BH_CTL_ESTATE,
		      "the guest is in a state in which that cannot be", why);
}

s32 still_begin(struct vm *vm, u32 tag, struct dynamic_why *why)
{
	s32 status = 0;

	spin_lock(&vm->lock);
	if (still_wanted(vm) || !vm_code_runs(vm) ||
	    vm->debug.mode != VM_NOT_DEBUGGED) {
		status = refuse_state(vm, why);
	} else {
		vm->still.waits = true;
		vm->still.tag = tag;
		pause_begin(vm);
	}
	spin_unlock(&vm->lock);
	return status;
}

s32 still_end(struct vm *vm, struct dynamic_why *why)
{
	s32 status = 1;

	spin_lock(&vm->lock);
	if (!vm->still.stands || vm->end != VM_END_NONE) {
		status = refuse_state(vm, why);
	} else {
		vm->still.stands = false;
		pause_end(vm);
	}
	spin_unlock(&vm->lock);
	if (status == 1)
		vm_changed();
	return status;
}

/* It stands, or it never will: the command that waits, if one does, is told */
static void settle(struct vm *vm, bool stands)
{
	bool waits;
	u32 tag;

	spin_lock(&vm->lock);
	waits = vm->still.waits;
	tag = vm->still.tag;
	vm->still = (struct vm_still){ .stands = stands };
	spin_unlock(&vm->lock);
	vm_changed();
	if (waits)
		news_answer(tag, stands ? 0 : -BH_CTL_ESTATE, vm_number(vm),
			    stands ? NULL : "the guest has ended meanwhile");
}

void still_stood(struct vm *vm)
{
	settle(vm, true);
}

void still_forget(struct vm *vm)
{
	spin_lock(&vm->lock);
	pause_forget(vm);
	spin_unlock(&vm->lock);
	if (still_wanted(vm))
		settle(vm, false);
}
