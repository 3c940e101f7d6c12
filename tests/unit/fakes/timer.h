/* SPDX-License-Identifier: BSD-2-Clause */
/* timer_arm() for one timer at a time, which fires when the test says so */
#ifndef TESTS_UNIT_FAKES_TIMER_H
#define TESTS_UNIT_FAKES_TIMER_H

#include "arch/x86/machine/timer.h"

extern struct timer *fake_timer; /* the armed one, or NULL */
extern u32 fake_timer_arms;      /* calls of timer_arm() */

/* Disarm the armed timer and call its function; there must be one */
void fake_timer_fire(void);

#endif
