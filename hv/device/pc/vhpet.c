/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The HPET; see vhpet.h. Section numbers are those of IA-PC HPET 1.0a. The main
 * counter is the TSC in other units. A comparator is looked at when a register
 * is touched and when its device timer fires. It then takes in all the counts
 * since the last look.
 *
 * Over 400 lines: one chip, whose registers all act on its three timers.
 */
#include "hv/device/pc/vhpet.h"

#include "arch/x86/cpu/nospec.h"
#include "arch/x86/cpu/spinlock.h"
#include "hv/core/pc_map.h"
#include "hv/core/vcpu.h"
#include "hv/device/pc/vpit.h"
#include "hv/device/pc/vrtc.h"
#include "hv/irq/lines.h"
#include "hv/time/vclock.h"
#include "hv/time/vticks.h"
#include "hv/time/vtimer.h"
#include "include/hw/hpet.h"
#include "lib/bytes.h"
#include "lib/errno.h"

#define NO_IRQ (~0u)

struct hpet_timer {
	struct vhpet *hpet;
	u32 id;
	u64 conf; /* what the guest may write */
	bool set; /* the next write to the comparator sets the accumulator */
	u64 cmp, period;
	u64 seen;   /* counts up to this one were compared */
	u32 irq;    /* of the line as last set */
	bool level; /* what it shows */
	struct vticks ticks;
	struct vtimer timer;
};

struct vhpet {
	struct vm *vm;
	struct spinlock lock;
	u64 config, status;
	u64 offset; /* the counter at @start, or while it is halted */
	u64 start;  /* vtimer_now() */
	struct vclock clock;
	struct hpet_timer timers[HPET_TIMERS];
	struct line_listener listener;
};

static struct vhpet *vhpet_of(const struct vm *vm)
{
	return vm->devices[VDEV_vhpet];
}

/* What each timer can do, as it reads in its configuration (2.3.8) */
static const u64 timer_caps[HPET_TIMERS] = {
	HPET_T_64BIT | HPET_T_PERIODIC_OK | 0x00f00000ull << HPET_T_ROUTES,
	HPET_T_64BIT | 0x00f00000ull << HPET_T_ROUTES,
	HPET_T_64BIT | 0x00f00800ull << HPET_T_ROUTES,
};

static bool enabled(const struct vhpet *h)
{
	return h->config & HPET_CONFIG_ENABLE;
}

static u64 counter(const struct vhpet *h)
{
	if (!enabled(h))
		return h->offset;
	return h->offset +
	       vclock_ticks(&h->clock, vtimer_now(h->vm) - h->start);
}

static u64 timer_mask(const struct hpet_timer *t)
{
	return t->conf & HPET_T_32MODE ? BITS(31, 0) : ~0ull;
}

/* Counts from @from to the next match; 0: @from matches */
static u64 distance(const struct hpet_timer *t, u64 from)
{
	return (t->cmp - from) & timer_mask(t);
}

static u64 timer_period(const struct hpet_timer *t)
{
	return t->conf & HPET_T_PERIODIC ? t->period : 0;
}

/* --- interrupts --- */

static u32 timer_irq(const struct hpet_timer *t)
{
	u32 route = (u32)((t->conf & HPET_T_ROUTE) >> HPET_T_ROUTE_SHIFT);

	if ((t->hpet->config & HPET_CONFIG_LEGACY) && t->id < 2)
		return t->id ? PC_IRQ_RTC : PC_IRQ_TIMER;
	return route ? route : NO_IRQ;
}

/* Bring the line in step with what a level-triggered timer shows */
static void line_update(struct hpet_timer *t)
{
	struct vhpet *h = t->hpet;
	bool level = (t->conf & HPET_T_LEVEL) && (t->conf & HPET_T_ENABLE) &&
		     (h->status & BIT(t->id));
	u32 irq = timer_irq(t);

	/* An edge-triggered timer may have left the old line up */
	if (t->irq != NO_IRQ && (irq != t->irq || (t->level && !level)))
		line_set_source(h->vm, t->irq, t->ticks.source, false);
	if (irq != NO_IRQ && level)
		line_set_source(h->vm, irq, t->ticks.source, true);
	t->irq = irq;
	t->level = level && irq != NO_IRQ;
}

static void match(struct hpet_timer *t, u64 count)
{
	struct vhpet *h = t->hpet;
	u64 period = vclock_tsc(&h->clock, timer_period(t));

	if (t->conf & HPET_T_LEVEL) {
		t->ticks.last = vtimer_now(h->vm);
		if (count)
			h->status |= BIT(t->id);
		line_update(t);
		return;
	}
	if (!(t->conf & HPET_T_ENABLE) || timer_irq(t) == NO_IRQ)
		return;
	vticks_add(&t->ticks, h->vm, timer_irq(t), t->ticks.asleep ? 0 : count,
		   period);
	/* An edge is a pulse. A line of the 8259 stays up, as that forgets a
	 * request whose line falls. */
	if (timer_irq(t) >= PC_GSI_PIRQ_A)
		line_set_source(h->vm, timer_irq(t), t->ticks.source, false);
}

/* Matches since the last look; a periodic timer goes on (2.3.9.2.2). The last
 * look may have been made by a core whose TSC is a little ahead. */
static u64 matches(struct hpet_timer *t, u64 now)
{
	u64 passed = now - t->seen, period = timer_period(t);
	u64 first = distance(t, t->seen + 1), count;

	if ((s64)passed <= 0)
		return 0;
	t->seen = now;
	if (first >= passed)
		return 0;
	if (!period)
		return 1;
	count = (passed - 1 - first) / period + 1;
	t->cmp = (t->cmp + count * period) & timer_mask(t);
	return count;
}

/* Host ticks from the counter's start to the next match. Of a counter with 64
 * bits, a match that has passed does not come again: VCLOCK_NEVER. */
static u64 next_match(const struct hpet_timer *t)
{
	const struct vhpet *h = t->hpet;
	u64 from = t->seen + 1, counts;

	if (__builtin_add_overflow(from - h->offset, distance(t, from),
				   &counts))
		return VCLOCK_NEVER;
	return vclock_tsc(&h->clock, counts);
}

static void plan(struct hpet_timer *t)
{
	const struct vhpet *h = t->hpet;
	u64 next = next_match(t);

	/* No timer is needed while a match would change nothing */
	if (!enabled(h) || !(t->conf & HPET_T_ENABLE) ||
	    timer_irq(t) == NO_IRQ ||
	    (next == VCLOCK_NEVER && !t->ticks.kept) ||
	    (t->conf & HPET_T_LEVEL ? (bool)(h->status & BIT(t->id))
				    : t->ticks.asleep)) {
		vtimer_cancel(&t->timer);
		return;
	}
	vtimer_set(&t->timer,
		   vticks_next(&t->ticks, h->start + next,
			       vclock_tsc(&h->clock, timer_period(t))));
}

static void follow(struct hpet_timer *t)
{
	if (enabled(t->hpet))
		match(t, matches(t, counter(t->hpet)));
	plan(t);
}

static void follow_all(struct vhpet *h)
{
	for (u32 i = 0; i < HPET_TIMERS; i++)
		follow(&h->timers[i]);
}

static void hpet_fired(struct vtimer *self)
{
	struct hpet_timer *t = container_of(self, struct hpet_timer, timer);

	spin_lock(&t->hpet->lock);
	follow(t);
	spin_unlock(&t->hpet->lock);
}

static void hpet_look(struct vm *vm)
{
	struct vhpet *h = vhpet_of(vm);

	spin_lock(&h->lock);
	for (u32 i = 0; i < HPET_TIMERS; i++)
		if (h->timers[i].ticks.asleep)
			follow(&h->timers[i]);
	spin_unlock(&h->lock);
}

bool vhpet_legacy(const struct vm *vm)
{
	const struct vhpet *h = vhpet_of(vm);

	return h && (READ_ONCE(h->config) & HPET_CONFIG_LEGACY);
}

/* --- registers --- */

static u64 timer_read(const struct hpet_timer *t, u32 reg)
{
	switch (reg) {
	case HPET_TIMER_CONF:
		return t->conf | timer_caps[t->id];
	case HPET_TIMER_CMP:
		return t->cmp;
	default:
		return 0;
	}
}

static u64 hpet_reg(const struct vhpet *h, u32 reg)
{
	u32 n = (reg - HPET_TIMER0) / HPET_TIMER_BYTES;

	switch (reg) {
	case HPET_CAP:
		return HPET_CAP_VALUE;
	case HPET_CONFIG:
		return h->config;
	case HPET_STATUS:
		return h->status;
	case HPET_COUNTER:
		return counter(h);
	default:
		break;
	}
	if (reg < HPET_TIMER0 || n >= HPET_TIMERS)
		return 0;
	n = (u32)index_nospec(n, HPET_TIMERS);
	return timer_read(&h->timers[n], reg % HPET_TIMER_BYTES);
}

/* Matches count from the present count on, which may be one */
static void compare_from_now(struct hpet_timer *t)
{
	t->seen = counter(t->hpet) - 1;
	t->ticks.kept = 0;
	t->ticks.asleep = false;
}

static void config_write(struct vhpet *h, u64 value)
{
	bool was = enabled(h);
	u64 now = counter(h);

	WRITE_ONCE(h->config,
		   value & (HPET_CONFIG_ENABLE | HPET_CONFIG_LEGACY));
	if (was == enabled(h))
		return;
	h->offset = now;
	h->start = vtimer_now(h->vm);
	for (u32 i = 0; i < HPET_TIMERS; i++)
		compare_from_now(&h->timers[i]);
}

static void status_write(struct vhpet *h, u64 value)
{
	h->status &= ~value;
}

static void counter_write(struct vhpet *h, u64 value)
{
	h->offset = value;
	h->start = vtimer_now(h->vm);
	for (u32 i = 0; i < HPET_TIMERS; i++)
		compare_from_now(&h->timers[i]);
}

/* A route that the timer does not have is ignored; software checks (2.3.8) */
static u64 route_allowed(const struct hpet_timer *t, u64 value)
{
	u32 route = (u32)((value & HPET_T_ROUTE) >> HPET_T_ROUTE_SHIFT);

	if (timer_caps[t->id] >> HPET_T_ROUTES >> route & 1)
		return value & HPET_T_ROUTE;
	return t->conf & HPET_T_ROUTE;
}

static void conf_write(struct hpet_timer *t, u64 value)
{
	u64 keeps = HPET_T_LEVEL | HPET_T_ENABLE | HPET_T_32MODE;

	if (timer_caps[t->id] & HPET_T_PERIODIC_OK)
		keeps |= HPET_T_PERIODIC;
	t->conf = (value & keeps) | route_allowed(t, value);
	t->set = (value & HPET_T_VAL_SET) && (t->conf & HPET_T_PERIODIC);
	/* The bit of an edge-triggered timer is always 0 (2.3.6) */
	if (!(t->conf & HPET_T_LEVEL))
		t->hpet->status &= ~BIT(t->id);
	t->cmp &= timer_mask(t);
	t->period &= timer_mask(t);
	compare_from_now(t);
}

/* In periodic mode a write sets the period, and the accumulator only if that
 * was announced (2.3.9.2.2) */
static void cmp_write(struct hpet_timer *t, u64 value, u64 mask)
{
	bool periodic = t->conf & HPET_T_PERIODIC;

	if (!periodic || t->set)
		t->cmp = merge_bits(t->cmp, value, mask) & timer_mask(t);
	if (periodic)
		t->period = merge_bits(t->period, value, mask) & timer_mask(t);
	t->set = false;
	compare_from_now(t);
}

static void reg_write(struct vhpet *h, u32 reg, u64 value, u64 mask)
{
	u64 whole = merge_bits(hpet_reg(h, reg), value, mask);
	u32 n = (reg - HPET_TIMER0) / HPET_TIMER_BYTES;

	if (reg == HPET_CONFIG)
		config_write(h, whole);
	else if (reg == HPET_STATUS)
		status_write(h, value & mask);
	else if (reg == HPET_COUNTER)
		counter_write(h, whole);
	else if (reg < HPET_TIMER0 || n >= HPET_TIMERS)
		return;
	else if (reg % HPET_TIMER_BYTES == HPET_TIMER_CONF)
		conf_write(&h->timers[index_nospec(n, HPET_TIMERS)], whole);
	else if (reg % HPET_TIMER_BYTES == HPET_TIMER_CMP)
		cmp_write(&h->timers[index_nospec(n, HPET_TIMERS)], value,
			  mask);
}

/* Registers are 64 bits wide; an access may be to a part of one (2.3.1) */
static u64 mmio_read(struct vcpu *v, void *dev, u64 offset, u8 size)
{
	struct vhpet *h = dev;
	u32 at = (u32)offset % 8;
	u64 value;

	spin_lock(&h->lock);
	follow_all(h);
	value = hpet_reg(h, (u32)offset - at) >> at * 8;
	spin_unlock(&h->lock);
	return value & ones_of(size);
}

static void mmio_write(struct vcpu *v, void *dev, u64 offset, u8 size,
		       u64 value)
{
	struct vhpet *h = dev;
	u32 at = (u32)offset % 8;
	bool was, is;

	spin_lock(&h->lock);
	follow_all(h);
	was = vhpet_legacy(v->vm);
	reg_write(h, (u32)offset - at, value << at * 8,
		  ones_of(size) << at * 8);
	is = vhpet_legacy(v->vm);
	/* The PIT and the RTC let go of their lines */
	if (is && !was) {
		line_set(h->vm, PC_IRQ_TIMER, false);
		line_set(h->vm, PC_IRQ_RTC, false);
	}
	for (u32 i = 0; i < HPET_TIMERS; i++)
		line_update(&h->timers[i]);
	follow_all(h);
	spin_unlock(&h->lock);
	if (was == is)
		return;
	vpit_look(v->vm);
	vrtc_look(v->vm);
}

/* --- life --- */

static void timer_reset(struct hpet_timer *t)
{
	vtimer_cancel(&t->timer);
	t->conf = 0;
	t->set = false;
	t->cmp = ~0ull;
	t->period = 0;
	t->seen = 0;
	line_update(t);
	t->ticks = (struct vticks){ .source = LINE_SOURCE_HPET + t->id };
}

static void vhpet_reset(struct vm *vm)
{
	struct vhpet *h = vhpet_of(vm);

	spin_lock(&h->lock);
	h->config = h->status = h->offset = 0;
	for (u32 i = 0; i < HPET_TIMERS; i++)
		timer_reset(&h->timers[i]);
	spin_unlock(&h->lock);
}

static int vhpet_create(struct vm *vm)
{
	struct bus_region region = {
		.base = PC_HPET_BASE,
		.size = HPET_BYTES,
		.name = "HPET",
		.read = mmio_read,
		.write = mmio_write,
	};
	struct vhpet *h = kmem_alloc(&vm->budget, sizeof(*h));

	if (!h)
		return -ENOMEM;
	vm->devices[VDEV_vhpet] = h;
	h->vm = vm;
	vclock_init(&h->clock, HPET_HZ);
	for (u32 i = 0; i < HPET_TIMERS; i++) {
		struct hpet_timer *t = &h->timers[i];

		t->hpet = h;
		t->id = i;
		t->irq = NO_IRQ;
		vtimer_init(&t->timer, vm, hpet_fired);
	}
	lines_listen(vm, &h->listener, hpet_look);
	vhpet_reset(vm);
	region.dev = h;
	return bus_add(&vm->mmio, &region);
}

static void vhpet_destroy(struct vm *vm)
{
	kmem_free(&vm->budget, vhpet_of(vm), sizeof(struct vhpet));
}

const struct vdev vhpet_vdev = {
	.name = "HPET",
	.create = vhpet_create,
	.destroy = vhpet_destroy,
	.reset = vhpet_reset,
};
