/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A board for one timer device: time that passes when told, device timers
 * (hv/time/vtimer.h) that fire on the way, lines (hv/irq/lines.h) that are
 * counted. On fake_vm, with two vCPUs; the test links hv/core/bus.c.
 */
#ifndef TESTS_UNIT_FAKES_BOARD_H
#define TESTS_UNIT_FAKES_BOARD_H

#include "hv/core/bus.h"
#include "tests/unit/fakes/vdev.h"

#define BOARD_LINES 24

extern u64 board_now; /* TSC */
/* How often device timers fired, and each line rose */
extern u64 board_fires;
extern u32 board_edges[BOARD_LINES];
extern bool board_masked;             /* every line, everywhere */
extern bool board_busy;               /* the guest takes no interrupt */
extern bool board_waits[BOARD_LINES]; /* sent and not taken */

/* fake_vm anew, with empty buses, at a TSC rate that divides nothing evenly */
void board_init(void);
/* Gives the buses' memory back */
void board_done(void);

bool board_line(u32 irq);
/* The guest has unmasked something */
void board_unmasked(void);

/* TSC at which the next device timer fires; 0: none is set */
u64 board_next(void);
/* Let time pass. Timers that come due fire in order; a device that wants them
 * more often than a core can bear fails the test. */
void board_pass_ns(u64 ns);
void board_pass_us(u64 us);

static inline void out(u16 port, u8 size, u32 value)
{
	bus_write(&fake_vm.ports, &fake_vcpus[0], port, size, value);
}

static inline u32 in(u16 port, u8 size)
{
	return (u32)bus_read(&fake_vm.ports, &fake_vcpus[0], port, size);
}

#endif
