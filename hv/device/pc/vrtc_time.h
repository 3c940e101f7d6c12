/* SPDX-License-Identifier: BSD-2-Clause */
/* Calendar time as the MC146818 shows it; the proleptic Gregorian calendar. No
 * state. */
#ifndef HV_DEVICE_PC_VRTC_TIME_H
#define HV_DEVICE_PC_VRTC_TIME_H

#include "lib/types.h"

#define SECONDS_A_DAY 86400u

struct civil {
	u32 year;       /* 0 to 9999 */
	u32 month, day; /* from 1 */
	u32 hour, minute, second;
};

/* Seconds since 1970 to civil time and back; before 1970 they are negative.
 * Fields out of range are brought into it. */
struct civil civil_from_seconds(s64 seconds);
s64 civil_to_seconds(const struct civil *c);

/*
 * The next time of day, 1 to 86400 seconds from @now (a second of the day), at
 * which every field is its alarm's or has no alarm (~0u). 0: never.
 */
u32 civil_next_alarm(u32 now, u32 hour, u32 minute, u32 second);

#endif
