/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Ports and device memory of the host by access size, for drivers and for
 * devices that a guest reaches through a filter. Functions, so that a host test
 * can stand in for them. Any core, any context; who owns the device serializes.
 */
#ifndef ARCH_X86_CPU_PORTIO_H
#define ARCH_X86_CPU_PORTIO_H

#include "lib/types.h"

/* One access to @port of @size bytes: 1, 2 or 4, and the rest of the result is
 * 0. Another size reads as ones and writes nothing. */
u32 port_read(u16 port, u8 size);
void port_write(u16 port, u8 size, u32 value);
/* One access at @addr of exactly @size bytes: 1, 2, 4 or 8, and the rest of the
 * result is 0. Another size reads as ones and writes nothing. */
u64 mmio_read(const volatile void *addr, u8 size);
void mmio_write(volatile void *addr, u8 size, u64 value);

#endif
