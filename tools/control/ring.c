/* SPDX-License-Identifier: BSD-2-Clause */
/* See ring.h */
#include "tools/control/ring.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define PAGE_NUMBER(iova) ((u32)((iova) >> PAGE_SHIFT))
/* An answer that takes longer is none: ring_call() is for commands that are
 * answered before ring_send() returns, but for a device that is not well. Then
 * whoever calls stands still, with all its clients: once, as the ring is broken
 * from then on. */
#define CALL_MS 1000

static u8 *slot_in(const struct ring *r, u32 slot)
{
	return (u8 *)r->device->memory + sizeof(struct bh_ctl_area) +
	       (size_t)slot * RING_SLOT_BYTES;
}

static u64 slot_iova(const struct ring *r, u32 slot)
{
	return r->device->iova + sizeof(struct bh_ctl_area) +
	       (u64)slot * RING_SLOT_BYTES;
}

static const char *status_text(u32 status)
{
	static const char *const texts[] = {
		[BH_CTL_CLOSED] = "somebody reset it",
		[BH_CTL_IS_OPEN] = "it is open",
		[BH_CTL_AGAIN] = "another program opened it, too",
		[BH_CTL_BAD_ADDRESS] = "it cannot reach the ring's memory",
		[BH_CTL_BAD_TAIL] = "the ring held too many commands",
		[BH_CTL_BAD_HEAD] = "too many events were taken",
		[BH_CTL_OVERRUN] = "an answer had no room",
	};

	return status < ARRAY_SIZE(texts) ? texts[status] : "nobody knows why";
}

int ring_check(struct ring *r, struct failure *f)
{
	u32 status;

	if (r->broken)
		return failed(
			f, FAIL_OTHER,
			"the control device answered what makes no sense; "
			"see the hypervisor's log");
	status = r->device->ops->read(r->device, BH_CTL_STATUS);
	if (status == BH_CTL_IS_OPEN)
		return 0;
	return failed(f, FAIL_OTHER,
		      "the control device closed itself (%u): %s; try again",
		      status, status_text(status));
}

/* Whoever waits is told that no answer comes */
static void abandon(struct ring *r)
{
	static const struct ring_answer lost = { .status = RING_LOST,
						 .out = (const u8 *)"" };

	for (u32 i = 0; i < RING_SLOTS; i++) {
		struct ring_slot was = r->slots[i];

		r->slots[i] = (struct ring_slot){ 0 };
		if (was.busy && was.done)
			was.done(was.context, &lost);
	}
}

int ring_open(struct ring *r, struct device *d, struct failure *f)
{
	u32 revision;

	r->device = d;
	r->area = d->memory;
	r->broken = false;
	r->command_tail = r->event_head = 0;
	abandon(r);
	if (d->ops->read(d, BH_CTL_MAGIC) != BH_CTL_MAGIC_VALUE)
		return failed(f, FAIL_NO_BULKHEAD,
			      "the control device does not answer; see the "
			      "hypervisor's log");
	revision = d->ops->read(d, BH_CTL_REVISION);
	if (revision != BH_CTL_VERSION)
		return failed(
			f, FAIL_NO_BULKHEAD,
			"the hypervisor's control device has version %u "
			"and these tools know %u; install the tools of its "
			"release",
			revision, BH_CTL_VERSION);
	r->features = d->ops->read(d, BH_CTL_FEATURES);
	d->ops->write(d, BH_CTL_OPEN, 0);
	memset(r->area, 0, sizeof(*r->area));
	d->ops->write(d, BH_CTL_OPEN, PAGE_NUMBER(d->iova));
	return ring_check(r, f);
}

void ring_close(struct ring *r)
{
	r->device->ops->write(r->device, BH_CTL_OPEN, 0);
	r->broken = true;
	abandon(r);
}

void ring_forget(struct ring *r, const void *context)
{
	for (u32 i = 0; i < RING_SLOTS; i++)
		if (r->slots[i].busy && r->slots[i].context == context)
			r->slots[i].done = NULL;
}

/* Tags differ by more than the slot, so that a late answer is no other's */
static struct ring_slot *slot_take(struct ring *r, u32 *number)
{
	for (u32 i = 0; i < RING_SLOTS; i++) {
		struct ring_slot *s = &r->slots[i];

		if (s->busy)
			continue;
		*number = i;
		s->busy = true;
		s->tag = r->turn++ * RING_SLOTS + i;
		return s;
	}
	return NULL;
}

static void command_write(struct ring *r, const struct ring_call *call,
			  u32 slot)
{
	struct bh_ctl_command *c =
		&r->area->commands[r->command_tail % BH_CTL_COMMANDS];

	if (call->in_bytes)
		memcpy(slot_in(r, slot), call->in, call->in_bytes);
	*c = (struct bh_ctl_command){
		.op = (u16)call->op,
		.tag = r->slots[slot].tag,
		.in = slot_iova(r, slot),
		.in_bytes = call->in_bytes,
		.out_bytes = call->out_bytes,
		.out = slot_iova(r, slot) + BH_CTL_IN_MAX,
	};
	memcpy(c->arg, call->arg, sizeof(c->arg));
	__atomic_store_n(&r->area->index.command_tail, ++r->command_tail,
			 __ATOMIC_RELEASE);
}

int ring_send(struct ring *r, const struct ring_call *call, ring_done done,
	      void *context, struct failure *f)
{
	struct ring_slot *s;
	u32 head, number;

	/* First room for what the command makes the device say */
	ring_poll(r);
	if (r->broken)
		return ring_check(r, f);
	if (call->in_bytes > BH_CTL_IN_MAX || call->out_bytes > BH_CTL_OUT_MAX)
		return failed(f, FAIL_NO_ROOM,
			      "the definition is longer than the device takes; "
			      "shorten it");
	head = __atomic_load_n(&r->area->index.command_head, __ATOMIC_ACQUIRE);
	s = r->command_tail - head < BH_CTL_COMMANDS ? slot_take(r, &number)
						     : NULL;
	if (!s)
		return failed(
			f, FAIL_NO_ROOM,
			"the control device is busy with %u commands; try "
			"again",
			RING_SLOTS);
	s->out_bytes = call->out_bytes;
	s->done = done;
	s->context = context;
	command_write(r, call, number);
	r->device->ops->write(r->device, BH_CTL_SUBMIT, 1);
	ring_poll(r);
	return 0;
}

static void take_answer(struct ring *r, const struct bh_ctl_event *e)
{
	u32 number = e->tag % RING_SLOTS;
	struct ring_slot *s = &r->slots[number];
	struct ring_slot was = *s;
	u8 out[BH_CTL_OUT_MAX];
	struct ring_answer a = { .status = e->status,
				 .bytes = e->bytes,
				 .arg = { e->arg[0], e->arg[1] },
				 .out = out };

	if (!was.busy || was.tag != e->tag || e->bytes > was.out_bytes) {
		r->broken = true;
		return;
	}
	/* A copy: the slot is free again before the callback takes one */
	memcpy(out, slot_in(r, number) + BH_CTL_IN_MAX, e->bytes);
	s->busy = false;
	if (was.done)
		was.done(was.context, &a);
}

/* The tail is read anew for each: a callback may have polled, too */
static bool next_event(struct ring *r, struct bh_ctl_event *e)
{
	u32 tail =
		__atomic_load_n(&r->area->index.event_tail, __ATOMIC_ACQUIRE);

	if (r->broken || tail == r->event_head)
		return false;
	if (tail - r->event_head > BH_CTL_EVENTS) {
		r->broken = true;
		return false;
	}
	*e = r->area->events[r->event_head % BH_CTL_EVENTS];
	__atomic_store_n(&r->area->index.event_head, ++r->event_head,
			 __ATOMIC_RELEASE);
	return true;
}

void ring_poll(struct ring *r)
{
	struct bh_ctl_event e;

	while (next_event(r, &e)) {
		if (e.type == BH_CTL_EVENT_ANSWER)
			take_answer(r, &e);
		else if (r->event)
			r->event(r->context, &e);
	}
}

struct waiter {
	bool done;
	struct ring_answer *answer;
	u8 text[BH_CTL_OUT_MAX]; /* what came back */
};

static void wake(void *context, const struct ring_answer *answer)
{
	struct waiter *w = context;

	w->done = true;
	*w->answer = *answer;
	memcpy(w->text, answer->out, answer->bytes);
	w->answer->out = w->text;
}

static s64 now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (s64)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int ring_call(struct ring *r, const struct ring_call *call, void *out,
	      struct ring_answer *answer, struct failure *f)
{
	struct ring_answer local;
	struct waiter w = { .answer = answer ? answer : &local };
	s64 end = now_ms() + CALL_MS;

	if (ring_send(r, call, wake, &w, f))
		return -1;
	while (!w.done && !r->broken && now_ms() < end) {
		r->device->ops->wait(r->device, 100);
		ring_poll(r);
	}
	if (!w.done) {
		ring_forget(r, &w);
		if (ring_check(r, f))
			return -1;
		r->broken = true;
		return failed(f, FAIL_TIMEOUT,
			      "the hypervisor does not answer; see its log");
	}
	if (w.answer->status)
		return ring_failure(w.answer, f);
	if (out)
		memcpy(out, w.text, w.answer->bytes);
	w.answer->out = out;
	return 0;
}

int ring_failure(const struct ring_answer *answer, struct failure *f)
{
	static const struct {
		enum fail_kind kind;
		const char *text; /* where the device gives no sentence */
	} kinds[] = {
		[BH_CTL_EINVAL] = { FAIL_DEFINITION, "it makes no sense" },
		[BH_CTL_ENOENT] = { FAIL_NO_GUEST, "there is no such guest" },
		[BH_CTL_EEXIST] = { FAIL_STATE, "the name is taken" },
		[BH_CTL_ESTATE] = { FAIL_STATE,
				    "the guest's state forbids it" },
		[BH_CTL_ENOMEM] = { FAIL_NO_ROOM,
				    "the hypervisor has no memory left" },
		[BH_CTL_EBUSY] = { FAIL_STATE, "something of it is not done "
					       "yet; try again" },
		[BH_CTL_EFAULT] = { FAIL_OTHER, "the device cannot reach it" },
		[BH_CTL_ENOSYS] = { FAIL_NO_BULKHEAD,
				    "this Bulkhead is older and cannot do it" },
		[BH_CTL_EFILE] = { FAIL_DEFINITION, "a file cannot be used" },
		[BH_CTL_ESTATIC] = { FAIL_STATE,
				     "not for a guest of the manifest" },
	};
	u32 number = (u32)-answer->status;
	char text[FAIL_TEXT_BYTES];

	if (answer->status == RING_LOST)
		return failed(f, FAIL_OTHER,
			      "the control device closed itself before it "
			      "answered; bhctl list shows what is");
	if (number >= ARRAY_SIZE(kinds) || !kinds[number].text)
		return failed(f, FAIL_OTHER, "the hypervisor's error %d",
			      answer->status);
	snprintf(text, sizeof(text), "%.*s",
		 (int)MIN(answer->bytes, (u32)sizeof(text) - 1),
		 (const char *)answer->out);
	text_clean(text);
	return failed(f, kinds[number].kind, "%s",
		      *text ? text : kinds[number].text);
}
