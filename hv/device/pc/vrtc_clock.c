/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The RTC's time; see vrtc_priv.h. The clock is a count of 32.768 kHz periods.
 * Seconds, the periodic rates and UIP are parts of it, so that they keep their
 * phases. Called by vrtc*.c, with the lock held.
 */
#include "hv/device/pc/vrtc_calendar.h"
#include "hv/device/pc/vrtc_priv.h"

bool rtc_divider_held(const struct vrtc *r)
{
	return (r->reg_a >> RTC_A_DIV_SHIFT & RTC_A_DIV_MASK) >=
	       RTC_A_DIV_RESET;
}

bool rtc_halted(const struct vrtc *r)
{
	return rtc_divider_held(r) || (r->reg_b & RTC_B_SET);
}

u64 rtc_periods(const struct vrtc *r)
{
	return MAX(vclock_ticks(&r->clock, vtimer_wall() - r->start), r->seen);
}

s64 rtc_seconds_at(const struct vrtc *r, u64 period)
{
	return r->seconds + (s64)(period / RTC_HZ);
}

u32 rtc_day_second(s64 seconds)
{
	s64 rest = seconds % SECONDS_A_DAY;

	return (u32)(rest < 0 ? rest + SECONDS_A_DAY : rest);
}

/* --- formats (Register B, DM and 24/12) --- */

static u8 encode(const struct vrtc *r, u32 v)
{
	return (u8)(r->reg_b & RTC_B_DM ? v : v / 10 % 10 << 4 | v % 10);
}

u32 rtc_decode(const struct vrtc *r, u8 v)
{
	return r->reg_b & RTC_B_DM ? v : (v >> 4) * 10u + (v & 0xf);
}

static u8 encode_hour(const struct vrtc *r, u32 hour)
{
	if (r->reg_b & RTC_B_24H)
		return encode(r, hour);
	return encode(r, hour % 12 ? hour % 12 : 12) |
	       (hour >= 12 ? RTC_HOUR_PM : 0);
}

u32 rtc_decode_hour(const struct vrtc *r, u8 v)
{
	u32 hour;

	if (r->reg_b & RTC_B_24H)
		return rtc_decode(r, v);
	hour = rtc_decode(r, v & (u8)~RTC_HOUR_PM);
	return hour % 12 + (v & RTC_HOUR_PM ? 12 : 0);
}

void rtc_show_time(struct vrtc *r)
{
	s64 seconds = rtc_seconds_at(r, r->seen);
	struct civil c = civil_from_seconds(seconds);
	u32 days = (u32)((seconds - rtc_day_second(seconds)) / SECONDS_A_DAY);

	if (rtc_halted(r) || r->written)
		return;
	r->ram[RTC_SECOND] = encode(r, c.second);
	r->ram[RTC_MINUTE] = encode(r, c.minute);
	r->ram[RTC_HOUR] = encode_hour(r, c.hour);
	r->ram[RTC_WEEKDAY] = encode(r, (days + r->weekday_offset) % 7 + 1);
	r->ram[RTC_DAY] = encode(r, c.day);
	r->ram[RTC_MONTH] = encode(r, c.month);
	r->ram[RTC_YEAR] = encode(r, c.year % 100);
	r->ram[RTC_CENTURY] = encode(r, c.year / 100);
}

void rtc_take_time(struct vrtc *r)
{
	struct civil c = {
		.second = rtc_decode(r, r->ram[RTC_SECOND]),
		.minute = rtc_decode(r, r->ram[RTC_MINUTE]),
		.hour = rtc_decode_hour(r, r->ram[RTC_HOUR]),
		.day = rtc_decode(r, r->ram[RTC_DAY]),
		.month = rtc_decode(r, r->ram[RTC_MONTH]),
		.year = rtc_decode(r, r->ram[RTC_YEAR]) % 100 +
			rtc_decode(r, r->ram[RTC_CENTURY]) * 100,
	};
	s64 seconds = civil_to_seconds(&c);
	u32 days = (u32)((seconds - rtc_day_second(seconds)) / SECONDS_A_DAY);

	r->written = false;
	r->seconds = seconds - (s64)(r->seen / RTC_HZ);
	r->weekday_offset =
		(rtc_decode(r, r->ram[RTC_WEEKDAY]) + 6 + 7 - days % 7) % 7;
}
