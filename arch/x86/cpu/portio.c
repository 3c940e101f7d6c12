/* SPDX-License-Identifier: BSD-2-Clause */
/* See portio.h. Called by drivers and by the devices of guests that reach real
 * ones. No state, no lock. */
#include "arch/x86/cpu/portio.h"

#include "arch/x86/cpu/asm.h"

u32 port_read(u16 port, u8 size)
{
	switch (size) {
	case 1:
		return inb(port);
	case 2:
		return inw(port);
	case 4:
		return inl(port);
	default:
		return ~0u;
	}
}

void port_write(u16 port, u8 size, u32 value)
{
	switch (size) {
	case 1:
		outb(port, (u8)value);
		break;
	case 2:
		outw(port, (u16)value);
		break;
	case 4:
		outl(port, value);
		break;
	default:
		break;
	}
}

u64 mmio_read(const volatile void *addr, u8 size)
{
	switch (size) {
	case 1:
		return *(const volatile u8 *)addr;
	case 2:
		return *(const volatile u16 *)addr;
	case 4:
		return *(const volatile u32 *)addr;
	case 8:
		return *(const volatile u64 *)addr;
	default:
		return ~0ull;
	}
}

void mmio_write(volatile void *addr, u8 size, u64 value)
{
	switch (size) {
	case 1:
		*(volatile u8 *)addr = (u8)value;
		break;
	case 2:
		*(volatile u16 *)addr = (u16)value;
		break;
	case 4:
		*(volatile u32 *)addr = (u32)value;
		break;
	case 8:
		*(volatile u64 *)addr = value;
		break;
	default:
		break;
	}
}
