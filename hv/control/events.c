/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What becomes of guests, as events: a new state, and the answer of a command
 * that waits for one. Whoever changes a static guest sets control.changed and
 * posts VE_CONTROL; here each guest's state is held to the last one that was
 * told, some guests at a time. What begins and ends between two looks is not
 * seen. Of dynamic guests there is news (hv/vm/news.c). Called under
 * control.lock.
 */
#include "arch/x86/machine/tsc.h"
#include "hv/control/priv.h"
#include "lib/string.h"

#define NEWS_AT_ONCE   8u
#define GUESTS_AT_ONCE 16u        /* each is held to all that wait */
#define NUMBERS        (1u << 31) /* of waits, and behind it: none is 0 */

const char control_too_many[] =
	"too many commands wait for guests; do it later";

/* One that resets by itself is being built again */
enum bh_ctl_state control_state_of(const struct vm *vm)
{
	enum vm_end end = READ_ONCE(vm->end);

	if (READ_ONCE(vm->debug.mode) == VM_DEBUG_STANDS)
		return BH_CTL_PAUSED;
	if (vm->dynamic)
		return dynamic_state(vm);
	switch (READ_ONCE(vm->state)) {
	case VM_BUILDING:
		return BH_CTL_BUILDING;
	case VM_STOPPED:
		return end == VM_END_CRASH ? BH_CTL_CRASHED : BH_CTL_STOPPED;
	default:
		break;
	}
	if (end == VM_END_RESET)
		return BH_CTL_BUILDING;
	if (end != VM_END_NONE)
		return BH_CTL_STOPPING;
	if (READ_ONCE(vm->still.stands))
		return BH_CTL_PAUSED;
	return READ_ONCE(vm->runs) ? BH_CTL_RUNNING : BH_CTL_BUILDING;
}

bool control_round_on(struct control_round *r, bool ask)
{
	r->asked |= ask;
	if (!r->on && r->asked && rdtsc() >= r->next_tsc)
		*r = (struct control_round){ .on = true };
	return r->on;
}

bool control_round_waits(const struct control_round *r)
{
	return r->asked && !r->on;
}

u32 control_round_end(const struct control_round *r, u32 most)
{
	return MIN(vm_count, r->at + most);
}

bool control_round_goes_on(struct control_round *r)
{
	r->on = r->at < vm_count;
	if (!r->on)
		r->next_tsc = rdtsc() + ns_to_tsc(CONTROL_ROUND_GAP_NS);
	return r->on;
}

struct control_wait *control_wait_take(struct control *c,
				       const struct control_call *call)
{
	for (u32 i = 0; i < CONTROL_WAITS; i++) {
		struct control_wait *w = &c->waits[i];

		if (w->number)
			continue;
		*w = (struct control_wait){
			.number = ++c->awaited * CONTROL_WAITS % NUMBERS + i +
				  NUMBERS,
			.tag = call->command.tag,
			.out = call->command.out,
			.out_bytes = call->out_bytes,
		};
		c->waiting++;
		return w;
	}
	return NULL;
}

void control_wait_end(struct control *c, struct control_wait *w)
{
	w->number = 0;
	c->waiting--;
}

s32 control_await(struct control *c, struct control_call *call,
		  const struct vm *vm, u32 states)
{
	struct control_wait *w = control_wait_take(c, call);

	if (!w)
		return control_error(c, call, BH_CTL_EBUSY, control_too_many);
	w->states = states;
	w->id = vm_number(vm);
	w->start_tsc = vm->tsc_start;
	return CONTROL_LATER;
}

/* *@e is the answer but for its tag; @why: a sentence for it */
static void answer(struct control *c, struct control_wait *w,
		   struct bh_ctl_event *e, const char *why)
{
	struct control_wait waited = *w;

	control_wait_end(c, w);
	e->tag = waited.tag;
	e->bytes = (u32)MIN(strlen(why), waited.out_bytes);
	if (e->bytes && vtd_dma_write(c->iommu, waited.out, why, e->bytes))
		e->bytes = 0;
	control_answer(c, e);
}

static bool is_over(const struct control_wait *w, const struct vm *vm,
		    enum bh_ctl_state state)
{
	return w->number && w->id == vm_number(vm) && w->states >> state & 1 &&
	       (state != BH_CTL_RUNNING || w->start_tsc != vm->tsc_start);
}

static void answer_all(struct control *c, const struct vm *vm,
		       enum bh_ctl_state state)
{
	for (u32 i = 0; c->waiting && i < CONTROL_WAITS; i++) {
		struct bh_ctl_event e = { .type = BH_CTL_EVENT_ANSWER };

		if (is_over(&c->waits[i], vm, state))
			answer(c, &c->waits[i], &e, "");
	}
}

static void tell(struct control *c, struct vm *vm)
{
	enum bh_ctl_state state = control_state_of(vm);
	const struct bh_ctl_event e = {
		.type = BH_CTL_EVENT_STATE,
		.tag = (u32)vm_number(vm),
		.arg = { vm_number(vm), state },
	};

	if (vm->told_state != state)
		control_event(c, &e);
	vm->told_state = (u8)state;
	answer_all(c, vm, state);
}

/* Of static guests, also while the device is closed: so all is told when it is
 * opened. True: there is more. */
static bool look_at_some(struct control *c)
{
	struct control_round *r = &c->guests;
	bool changed =
		__atomic_exchange_n(&c->changed, false, __ATOMIC_SEQ_CST);
	u32 end;

	if (!control_round_on(r, changed))
		return false;
	end = control_round_end(r, GUESTS_AT_ONCE);
	for (; r->at < end; r->at++) {
		struct vm *vm = vm_at(r->at);

		if (vm && !vm->dynamic)
			tell(c, vm);
	}
	return control_round_goes_on(r);
}

/* Of dynamic guests: hv/vm/ has kept them in their order */
static bool tell_news(struct control *c)
{
	struct bh_ctl_event e;
	struct control_wait *w;
	bool lost, any = dynamic_news(&e, &c->why, &lost);

	if (lost)
		control_lose(c);
	if (!any)
		return false;
	w = &c->waits[e.tag % CONTROL_WAITS];
	if (e.type != BH_CTL_EVENT_ANSWER)
		control_event(c, &e);
	else if (w->number && w->number == e.tag)
		answer(c, w, &e, c->why.text);
	return true;
}

bool control_guests_look(struct control *c)
{
	bool more = look_at_some(c);

	for (u32 i = 0; i < NEWS_AT_ONCE; i++)
		if (!tell_news(c))
			return more;
	return true;
}

void control_guests_forget(struct control *c)
{
	dynamic_forget_news();
}
