/* SPDX-License-Identifier: BSD-2-Clause */
/* A counter of the 82C54; see vpit_channel.h. Section names are those of the
 * data sheet's *Mode Definitions* and *Operation Common to All Modes*. */
#include "hv/device/pc/vpit_channel.h"

#include "include/hw/i8254.h"

enum {
	MODE_TERMINAL,
	MODE_ONE_SHOT,
	MODE_RATE,
	MODE_SQUARE,
	MODE_SOFT_STROBE,
	MODE_HARD_STROBE
};

/* How a mode treats its gate, and where OUT rises */
static const struct {
	bool gate_triggers; /* a rising gate starts the count */
	bool periodic;
	bool strobe; /* OUT is low for one period at the end */
} modes[] = {
	[MODE_TERMINAL] = { false, false, false },
	[MODE_ONE_SHOT] = { true, false, false },
	[MODE_RATE] = { false, true, true },
	[MODE_SQUARE] = { false, true, false },
	[MODE_SOFT_STROBE] = { false, false, true },
	[MODE_HARD_STROBE] = { true, false, true },
};

static u32 modulus(const struct pit_channel *c)
{
	return c->bcd ? 10000 : 65536;
}

static bool paused(const struct pit_channel *c)
{
	return !c->gate && !modes[c->mode].gate_triggers;
}

/* Periods counted; 0 until the clock that loads the count */
static u64 elapsed(const struct pit_channel *c, u64 now)
{
	if (paused(c))
		return c->frozen;
	return now > c->base ? now - c->base : 0;
}

/* The high part of a square wave is the longer one (Mode 3) */
static u32 high_part(u32 count)
{
	return (count + 1) / 2;
}

/* A new count is used from the end of the cycle on, in a square wave from the
 * end of the half cycle (Modes 2, 3) */
static void use_next(struct pit_channel *c, u64 now)
{
	u64 gone = elapsed(c, now), half = high_part(c->count);

	if (c->mode == MODE_SQUARE && c->frozen < half && gone >= half) {
		c->base += half - high_part(c->next);
	} else if (gone >= c->count) {
		c->base += c->count;
		c->rises++;
	} else {
		return;
	}
	c->count = c->next;
	c->has_next = false;
}

static void settle_periodic(struct pit_channel *c, u64 now)
{
	u64 cycles;

	if (paused(c))
		return;
	if (c->has_next)
		use_next(c, now);
	if (c->has_next)
		return;
	cycles = elapsed(c, now) / c->count;
	c->base += cycles * c->count;
	c->rises += cycles;
}

void pit_channel_settle(struct pit_channel *c, u64 now)
{
	if (!c->started)
		return;
	if (modes[c->mode].periodic) {
		settle_periodic(c, now);
	} else if (!c->expired &&
		   elapsed(c, now) >= c->count + modes[c->mode].strobe) {
		c->expired = true;
		c->rises++;
	}
}

bool pit_channel_out(const struct pit_channel *c, u64 now)
{
	u64 gone = elapsed(c, now);

	if (!c->started)
		return c->mode != MODE_TERMINAL;
	switch (c->mode) {
	case MODE_TERMINAL:
		return gone >= c->count;
	case MODE_ONE_SHOT:
		return now < c->base || gone >= c->count;
	case MODE_RATE:
		return !c->gate || gone + 1 != c->count;
	case MODE_SQUARE:
		return !c->gate || gone < high_part(c->count);
	default:
		return gone != c->count;
	}
}

u32 pit_channel_period(const struct pit_channel *c)
{
	bool runs = c->started && modes[c->mode].periodic && c->gate;

	return runs ? c->count : 0;
}

u64 pit_channel_next_rise(const struct pit_channel *c)
{
	if (!c->started || c->expired || paused(c))
		return PIT_TIME_NEVER;
	if (c->mode == MODE_SQUARE && c->has_next)
		return c->base + high_part(c->count) + c->next / 2;
	return c->base + c->count +
	       (!modes[c->mode].periodic && modes[c->mode].strobe);
}

/* --- the count --- */

static u32 from_bcd(u32 v)
{
	u32 n = (v >> 12) * 1000 + (v >> 8 & 15) * 100 + (v >> 4 & 15) * 10 +
		(v & 15);

	return MIN(n, 9999u); /* digits past 9 are not defined */
}

static u16 to_bcd(u32 n)
{
	return (u16)(n / 1000 % 10 << 12 | n / 100 % 10 << 8 |
		     n / 10 % 10 << 4 | n % 10);
}

/* What the counting element holds. A square wave counts down by two, from an
 * even number, twice a cycle. */
static u32 element(const struct pit_channel *c, u64 now)
{
	u32 half = high_part(c->count), m = modulus(c);
	u64 gone;

	if (!c->started)
		return c->count;
	gone = elapsed(c, now);
	if (c->mode == MODE_SQUARE)
		return (c->count & ~1u) -
		       2 * (u32)(gone < half ? gone : gone - half);
	return (c->count + m - (u32)(gone % m)) % m;
}

static u16 value(const struct pit_channel *c, u64 now)
{
	u32 n = element(c, now);

	return c->bcd ? to_bcd(n) : (u16)n;
}

static void start(struct pit_channel *c, u64 now)
{
	c->started = true;
	c->expired = false;
	c->base = now + 1;
	c->frozen = 0;
}

static void load(struct pit_channel *c, u32 written, u64 now)
{
	u32 n = c->bcd ? from_bcd(written) : written;

	if (!n)
		n = modulus(c);
	c->half = false;
	if (modes[c->mode].gate_triggers ||
	    (modes[c->mode].periodic && c->started)) {
		/* In Mode 3, the half in which it was written matters */
		c->frozen = elapsed(c, now);
		c->next = n;
		c->has_next = true;
		c->loaded = true;
		return;
	}
	c->count = n;
	c->loaded = true;
	start(c, now);
}

void pit_channel_control(struct pit_channel *c, u8 control, u64 now)
{
	u8 mode = control >> PIT_MODE_SHIFT & PIT_MODE_MASK;
	bool was = pit_channel_out(c, now), gate = c->gate;
	u64 rises = c->rises;

	/* Modes 6 and 7 are 2 and 3: their top bit does not count */
	if (mode > MODE_HARD_STROBE)
		mode &= 3;
	*c = (struct pit_channel){
		.mode = mode,
		.access = control >> PIT_ACCESS_SHIFT & PIT_ACCESS_MASK,
		.bcd = control & PIT_BCD,
		.gate = gate,
		.rises = rises,
		.count = 65536,
	};
	c->count = modulus(c);
	c->rises += !was && pit_channel_out(c, now);
}

void pit_channel_write(struct pit_channel *c, u8 v, u64 now)
{
	switch (c->access) {
	case PIT_ACCESS_LOW:
		load(c, v, now);
		return;
	case PIT_ACCESS_HIGH:
		load(c, (u32)v << 8, now);
		return;
	default:
		break;
	}
	if (c->half) {
		load(c, c->low | (u32)v << 8, now);
		return;
	}
	c->low = v;
	c->half = true;
	/* The first byte stops the count and takes OUT down (Mode 0) */
	if (c->mode == MODE_TERMINAL)
		c->started = false;
}

void pit_channel_gate(struct pit_channel *c, bool gate, u64 now)
{
	if (gate == c->gate)
		return;
	if (!gate)
		c->frozen = elapsed(c, now);
	c->gate = gate;
	if (!gate || !c->loaded)
		return;
	if (!modes[c->mode].gate_triggers && !modes[c->mode].periodic) {
		c->base = now - c->frozen; /* the count goes on */
		return;
	}
	if (c->has_next)
		c->count = c->next;
	c->has_next = false;
	start(c, now);
}

/* --- reading --- */

void pit_channel_latch_count(struct pit_channel *c, u64 now)
{
	if (c->count_latched)
		return;
	c->count_latched = true;
	c->latch = value(c, now);
}

/* The status bit "null count": a written count is not in the element yet */
static bool null_count(const struct pit_channel *c, u64 now)
{
	return !c->started || c->has_next || (now < c->base && !paused(c));
}

void pit_channel_latch_status(struct pit_channel *c, u64 now)
{
	if (c->status_latched)
		return;
	c->status_latched = true;
	c->status =
		(u8)((u32)c->access << PIT_ACCESS_SHIFT |
		     (u32)c->mode << PIT_MODE_SHIFT | (c->bcd ? PIT_BCD : 0));
	if (pit_channel_out(c, now))
		c->status |= PIT_STATUS_OUT;
	if (null_count(c, now))
		c->status |= PIT_STATUS_NULL;
}

u8 pit_channel_read(struct pit_channel *c, u64 now)
{
	u16 v = c->count_latched ? c->latch : value(c, now);
	bool high = c->access == PIT_ACCESS_HIGH || c->read_high;

	if (c->status_latched) {
		c->status_latched = false;
		return c->status;
	}
	if (c->access == PIT_ACCESS_BOTH)
		c->read_high = !c->read_high;
	if (!c->read_high)
		c->count_latched = false;
	return (u8)(high ? v >> 8 : v);
}
