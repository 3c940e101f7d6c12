/* SPDX-License-Identifier: BSD-2-Clause */
/* A TSC of a rate that the test sets: one tick a nanosecond at first */
#ifndef TESTS_UNIT_FAKES_TSC_H
#define TESTS_UNIT_FAKES_TSC_H

#include "arch/x86/machine/tsc.h"

extern u64 fake_delayed_us; /* what udelay() was asked for, in all */

/* The change of the rate; since_tsc 0: there was none */
extern struct tsc_change fake_tsc_change;

#endif
