/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The RTC's flags and interrupt; see vrtc_priv.h. Flags are brought up to date
 * when somebody looks. If one of them interrupts, a device timer looks in time.
 * Called with the lock held, but for the timer's callback, which takes it.
 */
#include "hv/core/pc_map.h"
#include "hv/device/pc/vhpet.h"
#include "hv/device/pc/vpm.h"
#include "hv/device/pc/vrtc_calendar.h"
#include "hv/device/pc/vrtc_priv.h"
#include "hv/irq/lines.h"

#define ANY   (~0u)
#define NEVER (~0ull)

/* Periods of the divider from one periodic interrupt to the next (Register A,
 * table 5); 0: none. Rates 1 and 2 are 8 and 9 over again. */
static u64 periodic(const struct vrtc *r)
{
	u32 rate = r->reg_a & RTC_A_RATE;

	if (!rate || rtc_divider_held(r))
		return 0;
	return rate <= 2 ? 1ull << (rate + 6) : 1ull << (rate - 1);
}

static u32 alarm_field(const struct vrtc *r, u32 reg)
{
	u8 v = r->ram[reg];

	if ((v & RTC_ALARM_ANY_MASK) == RTC_ALARM_ANY)
		return ANY;
	return reg == RTC_HOUR_ALARM ? rtc_decode_hour(r, v) : rtc_decode(r, v);
}

/* Seconds from that period's second to the next alarm; 0: there is none */
static u32 alarm_in(const struct vrtc *r, u64 period)
{
	return civil_next_alarm(rtc_day_second(rtc_seconds_at(r, period)),
				alarm_field(r, RTC_HOUR_ALARM),
				alarm_field(r, RTC_MINUTE_ALARM),
				alarm_field(r, RTC_SECOND_ALARM));
}

/* What happened since the last look */
void rtc_settle(struct vrtc *r)
{
	u64 now = rtc_periods(r), rate = periodic(r);
	u64 updates = now / RTC_HZ - r->seen / RTC_HZ;
	u32 alarm;

	if (rate && now / rate != r->seen / rate)
		r->reg_c |= RTC_C_PF;
	if (updates && !rtc_halted(r)) {
		if (r->written)
			rtc_take_time(r);
		r->reg_c |= RTC_C_UF;
		alarm = alarm_in(r, r->seen);
		if (alarm && alarm <= updates) {
			r->reg_c |= RTC_C_AF;
			if (r->reg_b & RTC_B_AIE)
				vpm_rtc_alarm(r->vm);
		}
	}
	r->seen = now;
}

bool rtc_irqf(const struct vrtc *r)
{
	return r->reg_c & r->reg_b & (RTC_C_PF | RTC_C_AF | RTC_C_UF);
}

void rtc_line_update(struct vrtc *r)
{
	bool level = rtc_irqf(r) && !vhpet_legacy(r->vm);

	if (level == r->line)
		return;
	r->line = level;
	line_set(r->vm, PC_IRQ_RTC, level);
}

static u64 next_update(const struct vrtc *r, u32 seconds)
{
	return (r->seen / RTC_HZ + seconds) * RTC_HZ;
}

/* The period of the next flag that would raise the line, or the alarm's */
static u64 next_event(const struct vrtc *r)
{
	u64 rate = periodic(r), next = NEVER;
	u32 alarm = rtc_halted(r) ? 0 : alarm_in(r, r->seen);

	/* What was written may bring it sooner */
	if (r->written && !rtc_halted(r))
		alarm = 1;
	/* A flag that is set brings nothing new before C is read */
	if (!rtc_irqf(r)) {
		if ((r->reg_b & RTC_B_PIE) && rate)
			next = (r->seen / rate + 1) * rate;
		if ((r->reg_b & RTC_B_UIE) && !rtc_halted(r))
			next = MIN(next, next_update(r, 1));
	}
	/* The PM block's status does not wait for a read of C */
	if ((r->reg_b & RTC_B_AIE) && alarm)
		next = MIN(next, next_update(r, alarm));
	return next;
}

void rtc_follow(struct vrtc *r)
{
	u64 next;

	rtc_line_update(r);
	next = next_event(r);
	if (next == NEVER)
		vtimer_cancel(&r->timer);
	else
		vtimer_set(&r->timer, r->start + vclock_tsc(&r->clock, next));
}

void rtc_fired(struct vtimer *t)
{
	struct vrtc *r = container_of(t, struct vrtc, timer);

	spin_lock(&r->lock);
	rtc_settle(r);
	rtc_follow(r);
	spin_unlock(&r->lock);
}
