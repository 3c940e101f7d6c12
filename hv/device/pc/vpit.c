/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * 8254 and port 61h of an isolated guest; see vpit.h for callers and lock. The
 * counters are functions of time (vpit_channel.c). The one device timer waits
 * for the next rise of channel 0's OUT.
 */
#include "hv/device/pc/vpit.h"

#include "arch/x86/cpu/spinlock.h"
#include "hv/core/pc_map.h"
#include "hv/core/vcpu.h"
#include "hv/device/pc/vhpet.h"
#include "hv/device/pc/vpit_channel.h"
#include "hv/irq/lines.h"
#include "hv/time/vclock.h"
#include "hv/time/vticks.h"
#include "hv/time/vtimer.h"
#include "include/hw/i8254.h"
#include "lib/errno.h"

struct vpit {
	struct vm *vm;
	struct spinlock lock;
	struct pit_channel channels[PIT_CHANNELS];
	u8 port61;
	struct vclock clock;
	u64 start; /* vtimer_now() at PIT_TIME_MIN */
	struct vticks ticks;
	struct vtimer timer;
	struct line_listener listener;
};

static struct vpit *vpit_of(const struct vm *vm)
{
	return vm->devices[VDEV_vpit];
}

static u64 pit_now(const struct vpit *p)
{
	return vclock_ticks(&p->clock, vtimer_now(p->vm) - p->start) +
	       PIT_TIME_MIN;
}

static u64 to_tsc(const struct vpit *p, u64 time)
{
	return p->start + vclock_tsc(&p->clock, time - PIT_TIME_MIN);
}

/* --- channel 0's interrupt --- */

static u64 period_tsc(const struct vpit *p)
{
	return vclock_tsc(&p->clock, pit_channel_period(&p->channels[0]));
}

static void plan(struct vpit *p)
{
	u64 rise = pit_channel_next_rise(&p->channels[0]);

	if (p->ticks.asleep || (rise == PIT_TIME_NEVER && !p->ticks.kept))
		vtimer_cancel(&p->timer);
	else
		vtimer_set(&p->timer, vticks_next(&p->ticks, to_tsc(p, rise),
						  period_tsc(p)));
}

/* Send what is due on IRQ 0 by now, and wait for the next */
static void follow(struct vpit *p)
{
	struct pit_channel *c = &p->channels[0];
	u64 count;

	pit_channel_settle(c, pit_now(p));
	count = p->ticks.asleep ? 0 : c->rises;
	c->rises = 0;
	p->ticks.asleep = vhpet_legacy(p->vm);
	if (!p->ticks.asleep)
		vticks_add(&p->ticks, p->vm, PC_IRQ_TIMER, count,
			   period_tsc(p));
	plan(p);
}

static void pit_fired(struct vtimer *t)
{
	struct vpit *p = container_of(t, struct vpit, timer);

	spin_lock(&p->lock);
	follow(p);
	spin_unlock(&p->lock);
}

void vpit_look(struct vm *vm)
{
	struct vpit *p = vpit_of(vm);

	spin_lock(&p->lock);
	if (p->ticks.asleep || !p->timer.want)
		follow(p);
	spin_unlock(&p->lock);
}

/* Channel 0 was programmed: ticks kept of the old count are void. So is an
 * interrupt that waits, if OUT falls (82C54, Mode 0). */
static void reprogrammed(struct vpit *p)
{
	struct pit_channel *c = &p->channels[0];

	p->ticks.kept = 0;
	pit_channel_settle(c, pit_now(p));
	if (!vhpet_legacy(p->vm) && !pit_channel_out(c, pit_now(p)))
		line_set(p->vm, PC_IRQ_TIMER, false);
	plan(p);
}

/* --- ports --- */

static void read_back(struct vpit *p, u8 command, u64 now)
{
	for (u32 i = 0; i < PIT_CHANNELS; i++) {
		if (!(command & PIT_BACK_CHANNEL << i))
			continue;
		if (!(command & PIT_BACK_NO_COUNT))
			pit_channel_latch_count(&p->channels[i], now);
		if (!(command & PIT_BACK_NO_STATUS))
			pit_channel_latch_status(&p->channels[i], now);
	}
}

/* A write to the control port. True: channel 0 has a new mode. */
static bool control(struct vpit *p, u8 word, u64 now)
{
	u32 which = word >> PIT_SELECT_SHIFT;

	if (which == PIT_SELECT_BACK) {
		read_back(p, word, now);
		return false;
	}
	if ((word >> PIT_ACCESS_SHIFT & PIT_ACCESS_MASK) == PIT_ACCESS_LATCH) {
		pit_channel_latch_count(&p->channels[which], now);
		return false;
	}
	pit_channel_control(&p->channels[which], word, now);
	return which == 0;
}

static u64 pit_settle_all(struct vpit *p)
{
	u64 now = pit_now(p);

	for (u32 i = 0; i < PIT_CHANNELS; i++)
		pit_channel_settle(&p->channels[i], now);
	return now;
}

static u64 pit_read(struct vcpu *v, void *dev, u64 offset, u8 size)
{
	struct vpit *p = dev;
	u64 now, value = 0;

	spin_lock(&p->lock);
	now = pit_settle_all(p);
	for (u8 i = 0; i < size; i++) {
		u8 byte = 0xff; /* the control register cannot be read */

		if (offset + i < PIT_CHANNELS)
			byte = pit_channel_read(&p->channels[offset + i], now);
		value |= (u64)byte << i * 8;
	}
	spin_unlock(&p->lock);
	return value;
}

static void pit_write(struct vcpu *v, void *dev, u64 offset, u8 size, u64 value)
{
	struct vpit *p = dev;
	bool zero = offset == 0;
	bool any = zero || offset + size > PIT_CONTROL;
	u64 now;

	spin_lock(&p->lock);
	if (any)
		follow(p); /* the old count's ticks, before it changes */
	now = pit_settle_all(p);
	for (u8 i = 0; i < size; i++) {
		u8 byte = (u8)(value >> i * 8);

		if (offset + i < PIT_CHANNELS)
			pit_channel_write(&p->channels[offset + i], byte, now);
		else
			zero = control(p, byte, now) || zero;
	}
	if (zero)
		reprogrammed(p);
	spin_unlock(&p->lock);
}

/* The refresh bit toggles at the power-on rate of channel 1, whatever that is
 * set to: nothing refreshes, but software measures time by it (ICH9 13.7.1) */
static u64 port61_read(struct vcpu *v, void *dev, u64 offset, u8 size)
{
	struct vpit *p = dev;
	u64 value, now;

	spin_lock(&p->lock);
	now = pit_settle_all(p);
	value = p->port61;
	if (now / REFRESH_DIVISOR & 1)
		value |= NMI_SC_REFRESH;
	if (pit_channel_out(&p->channels[2], now))
		value |= NMI_SC_OUT2;
	spin_unlock(&p->lock);
	return value;
}

static void port61_write(struct vcpu *v, void *dev, u64 offset, u8 size,
			 u64 value)
{
	struct vpit *p = dev;
	u64 now;

	spin_lock(&p->lock);
	now = pit_settle_all(p);
	p->port61 = value & NMI_SC_KEPT;
	pit_channel_gate(&p->channels[2], value & NMI_SC_GATE2, now);
	spin_unlock(&p->lock);
}

/* --- life --- */

/* As firmware leaves it: channel 0 at 18.2 Hz, channel 1 the refresh */
static const struct {
	u8 control;
	u16 count;
	bool gate;
} power_on[PIT_CHANNELS] = {
	{ 0x36, 0, true },
	{ 0x34, REFRESH_DIVISOR, true },
	{ 0x36, 0, false },
};

static void vpit_reset(struct vm *vm)
{
	struct vpit *p = vpit_of(vm);
	u64 now;

	spin_lock(&p->lock);
	p->port61 = 0;
	p->ticks = (struct vticks){ .asleep = true, .source = LINE_SOURCE_ANY };
	now = pit_now(p);
	for (u32 i = 0; i < PIT_CHANNELS; i++) {
		struct pit_channel *c = &p->channels[i];

		*c = (struct pit_channel){ .gate = power_on[i].gate };
		pit_channel_control(c, power_on[i].control, now);
		pit_channel_write(c, (u8)power_on[i].count, now);
		pit_channel_write(c, (u8)(power_on[i].count >> 8), now);
	}
	plan(p);
	spin_unlock(&p->lock);
}

static int vpit_create(struct vm *vm)
{
	struct bus_region regions[] = {
		{ .base = PIT_PORT,
		  .size = PIT_PORTS,
		  .name = "8254",
		  .read = pit_read,
		  .write = pit_write },
		{ .base = NMI_SC_PORT,
		  .size = 1,
		  .name = "port 61h",
		  .read = port61_read,
		  .write = port61_write },
	};
	struct vpit *p = kmem_alloc(&vm->budget, sizeof(*p));
	int err = 0;

	if (!p)
		return -ENOMEM;
	vm->devices[VDEV_vpit] = p;
	p->vm = vm;
	vclock_init(&p->clock, PIT_HZ);
	p->start = vtimer_now(p->vm);
	vtimer_init(&p->timer, vm, pit_fired);
	lines_listen(vm, &p->listener, vpit_look);
	vpit_reset(vm);
	for (u32 i = 0; !err && i < ARRAY_SIZE(regions); i++) {
		regions[i].dev = p;
		err = bus_add(&vm->ports, &regions[i]);
	}
	return err;
}

static void vpit_destroy(struct vm *vm)
{
	kmem_free(&vm->budget, vpit_of(vm), sizeof(struct vpit));
}

const struct vdev vpit_vdev = {
	.name = "8254",
	.create = vpit_create,
	.destroy = vpit_destroy,
	.reset = vpit_reset,
};
