/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Each core looks once a second whether the next one still leaves the
 * hypervisor: into a guest, into a halt, or round the run loop. One that does
 * not is reported, with the guest and the exit that it is at, and is asked by
 * an NMI where it is. Nothing else is done about it.
 */
#ifndef HV_RUN_WATCHDOG_H
#define HV_RUN_WATCHDOG_H

/* From now on this core watches the next one, and is watched itself; with one
 * core alone, nothing. Each core once, before vcpu_loop(); all are numbered. */
void watchdog_start(void);

#endif
