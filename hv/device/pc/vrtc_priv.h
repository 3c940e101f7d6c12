/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Between the files of the RTC: vrtc.c (registers and ports), vrtc_clock.c (the
 * time), vrtc_irq.c (flags and the interrupt) and vrtc_cmos.c (what the RAM
 * holds at power on). Section names are those of the MC146818A's data sheet.
 *
 * Everything here is called with the lock held, on any core. A period is one of
 * the divider's 32.768 kHz, counted from vrtc.start.
 */
#ifndef HV_DEVICE_PC_VRTC_PRIV_H
#define HV_DEVICE_PC_VRTC_PRIV_H

#include "arch/x86/cpu/spinlock.h"
#include "hv/core/vcpu.h"
#include "hv/time/vclock.h"
#include "hv/time/vtimer.h"
#include "include/hw/mc146818.h"

struct vrtc {
	struct vm *vm;
	struct spinlock lock;
	u8 index, upper_index;
	u8 ram[CMOS_BYTES], upper[CMOS_BYTES];
	u8 reg_a, reg_b, reg_c;
	bool line;
	bool written; /* the time registers hold what the next update takes */

	struct vclock clock;
	u64 start;   /* vtimer_wall() at period 0 of the divider */
	s64 seconds; /* since 1970, at that period */
	u64 seen;    /* periods that flags were made for */
	u32 weekday_offset;
	struct vtimer timer;
};

/* vrtc_clock.c */

/* True while the divider is in reset (Register A, DV) */
bool rtc_divider_held(const struct vrtc *r);
/* True while the time registers stand still: that, or SET (Register B) */
bool rtc_halted(const struct vrtc *r);
/* Periods until now; not before the last look, which a core may have made whose
 * TSC is a little ahead */
u64 rtc_periods(const struct vrtc *r);
/* Seconds since 1970 at @period, and the second of the day that they are */
s64 rtc_seconds_at(const struct vrtc *r, u64 period);
u32 rtc_day_second(s64 seconds);
/* A number and an hour of a register (Register B, DM and 24/12) */
u32 rtc_decode(const struct vrtc *r, u8 v);
u32 rtc_decode_hour(const struct vrtc *r, u8 v);
/* Bring the time registers in the RAM up to the clock, at the last look. They
 * stay as they are where they stand still or were written since. */
void rtc_show_time(struct vrtc *r);
/* Set the clock from them: they name the second of the last look */
void rtc_take_time(struct vrtc *r);

/* vrtc_irq.c */

/* Bring register C up to date with what happened since the last look */
void rtc_settle(struct vrtc *r);
/* IRQF of register C */
bool rtc_irqf(const struct vrtc *r);
/* Set the line as register C and the HPET have it */
void rtc_line_update(struct vrtc *r);
/* Set the line, and the timer for the next flag that somebody waits for */
void rtc_follow(struct vrtc *r);
/* That timer's callback; takes the lock */
void rtc_fired(struct vtimer *t);

/* vrtc_cmos.c */

/* Fill in what firmware for this machine reads in the RAM at power on */
void rtc_cmos_fill(struct vrtc *r);

#endif
