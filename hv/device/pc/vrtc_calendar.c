/* SPDX-License-Identifier: BSD-2-Clause */
/* Calendar time; see vrtc_calendar.h. Years are counted from March, so that the
 * leap day is the last of its year, in cycles of 400 years. */
#include "hv/device/pc/vrtc_calendar.h"

#define DAYS_400_YEARS 146097
#define DAYS_TO_1970   719468 /* from March of the year 0 */
#define ANY            (~0u)

static u32 clamp(u32 v, u32 low, u32 high)
{
	return v < low ? low : MIN(v, high);
}

s64 civil_to_seconds(const struct civil *c)
{
	u32 month = clamp(c->month, 1, 12), day = clamp(c->day, 1, 31);
	s64 y = (s64)MIN(c->year, 9999u) - (month <= 2);
	u32 m = month <= 2 ? month + 9 : month - 3;
	s64 cycle = y < 0 ? -1 : y / 400, in_cycle = y - cycle * 400;
	s64 days = cycle * DAYS_400_YEARS + in_cycle * 365 + in_cycle / 4 -
		   in_cycle / 100 + (153 * m + 2) / 5 + day - 1 - DAYS_TO_1970;

	return days * SECONDS_A_DAY + MIN(c->hour, 23u) * 3600 +
	       MIN(c->minute, 59u) * 60 + MIN(c->second, 59u);
}

static void from_days(s64 days, struct civil *c)
{
	s64 z = days + DAYS_TO_1970;
	s64 cycle = (z >= 0 ? z : z - DAYS_400_YEARS + 1) / DAYS_400_YEARS;
	u32 in_cycle = (u32)(z - cycle * DAYS_400_YEARS);
	u32 year = (in_cycle - in_cycle / 1460 + in_cycle / 36524 -
		    in_cycle / 146096) /
		   365;
	u32 in_year = in_cycle - (365 * year + year / 4 - year / 100);
	u32 m = (5 * in_year + 2) / 153;

	c->day = in_year - (153 * m + 2) / 5 + 1;
	c->month = m < 10 ? m + 3 : m - 9;
	c->year = (u32)(cycle * 400 + year + (c->month <= 2));
}

struct civil civil_from_seconds(s64 seconds)
{
	s64 days = seconds / SECONDS_A_DAY;
	u32 rest;
	struct civil c;

	if (seconds < 0 && seconds % SECONDS_A_DAY)
		days--;
	rest = (u32)(seconds - days * SECONDS_A_DAY);
	from_days(days, &c);
	c.hour = rest / 3600;
	c.minute = rest / 60 % 60;
	c.second = rest % 60;
	return c;
}

/* The least number from @from on that suits the alarm; @limit: there is none */
static u32 next_in(u32 from, u32 alarm, u32 limit)
{
	if (alarm == ANY)
		return MIN(from, limit);
	return alarm >= from && alarm < limit ? alarm : limit;
}

/* The first alarm from second @from of a day on, or SECONDS_A_DAY */
static u32 alarm_from(u32 from, u32 hour, u32 minute, u32 second)
{
	u32 h = next_in(from / 3600, hour, 24), m, s;

	for (; h < 24; h = next_in(h + 1, hour, 24)) {
		u32 rest = from > h * 3600 ? from - h * 3600 : 0;

		m = next_in(rest / 60, minute, 60);
		for (; m < 60; m = next_in(m + 1, minute, 60)) {
			s = next_in(rest > m * 60 ? rest - m * 60 : 0, second,
				    60);
			if (s < 60)
				return h * 3600 + m * 60 + s;
		}
	}
	return SECONDS_A_DAY;
}

static bool possible(u32 alarm, u32 limit)
{
	return alarm == ANY || alarm < limit;
}

/* A field that no time has would be looked for all day long */
u32 civil_next_alarm(u32 now, u32 hour, u32 minute, u32 second)
{
	u32 at;

	if (!possible(hour, 24) || !possible(minute, 60) ||
	    !possible(second, 60))
		return 0;
	at = now + 1 < SECONDS_A_DAY ? alarm_from(now + 1, hour, minute, second)
				     : SECONDS_A_DAY;
	if (at < SECONDS_A_DAY)
		return at - now;
	at = alarm_from(0, hour, minute, second);
	return at < SECONDS_A_DAY ? at + SECONDS_A_DAY - now : 0;
}
