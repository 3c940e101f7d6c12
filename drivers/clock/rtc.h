/* SPDX-License-Identifier: BSD-2-Clause */
/* The wall clock at boot, from the CMOS RTC (MC146818A), which is taken to be
 * UTC and of this century */
#ifndef DRIVERS_CLOCK_RTC_H
#define DRIVERS_CLOCK_RTC_H

#include "lib/types.h"

/*
 * Reads the RTC, which no guest owns yet, for at most 10 ms. It waits for no
 * edge, so that the time may be a second off. Boot CPU, once, after tsc_init().
 */
void rtc_init(void);
/* Seconds since 1970 at which the hypervisor was entered; 0: no usable RTC. Any
 * core. */
u64 rtc_boot_seconds(void);

#endif
