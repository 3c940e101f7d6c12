/* SPDX-License-Identifier: BSD-2-Clause */
/* Host ports and device memory by access size, for devices that a guest reaches
 * through a filter. Functions, so that a host test can stand in for them. */
#ifndef ARCH_X86_CPU_PORTIO_H
#define ARCH_X86_CPU_PORTIO_H

#include "lib/types.h"

/* @size 1, 2 or 4; another size reads as ones and writes nothing */
u32 port_read(u16 port, u8 size);
void port_write(u16 port, u8 size, u32 value);
/* One access of exactly @size: 1, 2, 4 or 8 */
u64 mmio_read(const volatile void *addr, u8 size);
void mmio_write(volatile void *addr, u8 size, u64 value);

#endif
