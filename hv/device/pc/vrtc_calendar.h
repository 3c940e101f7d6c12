/* SPDX-License-Identifier: BSD-2-Clause */
/* Calendar time as the MC146818A shows it, in the proleptic Gregorian calendar.
 * Called by the RTC's files. Pure: no state, no locks. */
#ifndef HV_DEVICE_PC_VRTC_CALENDAR_H
#define HV_DEVICE_PC_VRTC_CALENDAR_H

#include "lib/types.h"

#define SECONDS_A_DAY 86400u

struct civil {
	u32 year;       /* 0 to 9999 */
	u32 month, day; /* from 1 */
	u32 hour, minute, second;
};

/* Seconds since 1970, negative before it, to civil time and back. Fields out of
 * range are taken as the nearest value in it. */
struct civil civil_from_seconds(s64 seconds);
s64 civil_to_seconds(const struct civil *c);

/*
 * Seconds, 1 to 86400, from @now (a second of the day) to the next time of day
 * at which every field has its alarm's value; ~0u: any value. 0: never.
 */
u32 civil_next_alarm(u32 now, u32 hour, u32 minute, u32 second);

#endif
