/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * For how long a core is kept: a *stretch* is the time from an exit, or from
 * another moment at which interrupts were let through, to the next entry or
 * moment of that sort. In between the core sees neither its timer nor its
 * queue. No stretch should be longer than STRETCH_MAX_US.
 *
 * Measured if the manifest says measure = yes, and while histograms are metered
 * (hv/core/meter.h). Then the run loop has a form that reads the TSC around
 * each entry; otherwise nothing on an exit's way is different. Each core writes
 * its own figures: no lock.
 */
#ifndef HV_CORE_STRETCH_H
#define HV_CORE_STRETCH_H

#include "lib/types.h"

#define STRETCH_MAX_US    100u
#define STRETCH_MAX_TICKS 100000u /* instructions, where a tick is one */

/* Measure for good, whatever stretch_switch() says. Once all cores are up. */
void stretch_measure(void);
/* Measure what begins from now on, or no longer. The figures stay. One caller
 * at a time. */
void stretch_switch(bool on);
bool stretch_is_measured(void);
/* Core @id's longest stretch in ticks, and how many were too long; 0 unless it
 * was measured. Any core. */
u64 stretch_longest(u32 id);
u64 stretch_too_long(u32 id);
/* In ticks; a stretch of more is too long */
u64 stretch_limit(void);
/* Log each core's longest stretch, how many were too long, and what the core
 * did in the longest. Nothing, unless it is measured. Any core. */
void stretch_report(void);

/* This core takes the interrupts that wait: irq_poll(), as such a moment */
void stretch_look(void);
/* Before and after a moment at which this core lets interrupts through. The
 * interrupts that come then are stretches of their own. Interrupts are off. */
void stretch_pause(void);
void stretch_go_on(void);
/* Its part of irq_begins_hook. Interrupts are off. */
void stretch_interrupt(void);
/* Before an entry, in the place of stretch_pause(), where the next stretch
 * begins with pcpu.exit_since */
void stretch_entered(void);

#endif
