/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * When the framebuffer is drawn: ten times a second at most, however much is
 * said, and a little at a time. Where output is direct the log is drawn at
 * once. Else a timer of the core that spoke draws until the screen shows all.
 *
 * Lock: the console's, also around each step of the drawing.
 */
#include "arch/x86/machine/timer.h"
#include "arch/x86/machine/tsc.h"
#include "drivers/console/fbcon.h"
#include "hv/console/priv.h"
#include "hv/core/piece.h"

#define DRAW_NS 100000000u /* from one beginning to the next */
#define SOON_NS 10000000u  /* after the first text: more may follow it */
#define STEP_NS 1000000u

static bool due;  /* the timer is armed, or its core waits for the lock */
static u64 began; /* TSC */
static struct timer timer;

static void screen_tick(struct timer *t)
{
	console_lock();
	due = fbcon_draw(piece_begin().end);
	if (due)
		timer_arm(t, rdtsc() + ns_to_tsc(STEP_NS));
	console_unlock();
}

/* All of it, now */
static void screen_draw(void)
{
	while (fbcon_draw(~0ull))
		;
}

void screen_draw_soon(void)
{
	if (!fbcon_stale())
		return;
	if (output_is_direct()) {
		screen_draw();
		return;
	}
	if (due)
		return;
	due = true;
	began = MAX(rdtsc() + ns_to_tsc(SOON_NS), began + ns_to_tsc(DRAW_NS));
	timer.fn = screen_tick;
	timer_arm(&timer, began);
}
