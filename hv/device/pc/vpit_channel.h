/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One counter of an 82C54, as a function of time: nothing runs between two
 * looks at it. Called by vpit.c under its lock. @now is the time in clock
 * periods (1.193182 MHz), which never goes back and begins at PIT_TIME_MIN.
 */
#ifndef HV_DEVICE_PC_VPIT_CHANNEL_H
#define HV_DEVICE_PC_VPIT_CHANNEL_H

#include "lib/types.h"

#define PIT_TIME_MIN   0x20000ull /* more than a cycle can reach back */
#define PIT_TIME_NEVER (~0ull)

struct pit_channel {
	u8 mode, access;
	bool bcd, gate;
	bool loaded;   /* counts, or waits for its trigger: modes 1, 5 */
	bool started;  /* base is true */
	bool half;     /* the low of two bytes was written */
	bool expired;  /* modes 0, 1, 4, 5: the end was reached and counted */
	bool has_next; /* a new count waits for the end of the cycle */
	u32 count, next;
	u64 base;   /* when the count was loaded */
	u64 frozen; /* periods since then, while the gate is low */
	u64 rises;  /* of OUT, since the caller last took them */

	u8 low; /* of a count, until its high byte comes */
	bool read_high;
	bool count_latched, status_latched;
	u16 latch;
	u8 status;
};

/* The channel was programmed by control word @control, whose channel bits do
 * not matter. A latch command is pit_channel_latch_count() instead. */
void pit_channel_control(struct pit_channel *c, u8 control, u64 now);
/* A byte written to, or read from, the channel's port */
void pit_channel_write(struct pit_channel *c, u8 value, u64 now);
u8 pit_channel_read(struct pit_channel *c, u64 now);
/* The next reads give the count or the status as it is @now */
void pit_channel_latch_count(struct pit_channel *c, u64 now);
void pit_channel_latch_status(struct pit_channel *c, u64 now);
/* Set the level of the GATE pin */
void pit_channel_gate(struct pit_channel *c, bool gate, u64 now);
/* Come to @now, adding the rises of OUT on the way to c->rises. The functions
 * below need a channel settled at this time. */
void pit_channel_settle(struct pit_channel *c, u64 now);
/* The level of the OUT pin */
bool pit_channel_out(const struct pit_channel *c, u64 now);
/* The time at which OUT rises next, or PIT_TIME_NEVER */
u64 pit_channel_next_rise(const struct pit_channel *c);
/* Clock periods from one rise to the next; 0: there is no next one */
u32 pit_channel_period(const struct pit_channel *c);

#endif
