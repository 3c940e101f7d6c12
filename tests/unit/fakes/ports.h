/* SPDX-License-Identifier: BSD-2-Clause */
/* The host's I/O ports (arch/x86/cpu/portio.h). Nothing is behind them, so that
 * they read as ones, unless the test puts a device there. */
#ifndef TESTS_UNIT_FAKES_PORTS_H
#define TESTS_UNIT_FAKES_PORTS_H

#include "arch/x86/cpu/portio.h"

/* The device; NULL: none */
extern u32 (*fake_port_in)(u16 port, u8 size);
extern void (*fake_port_out)(u16 port, u8 size, u32 value);
/* The last write, and the number of writes */
extern u16 fake_port;
extern u32 fake_port_value, fake_port_writes;

#endif
