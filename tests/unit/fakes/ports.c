/* SPDX-License-Identifier: BSD-2-Clause */
/* I/O ports, see ports.h */
#include "tests/unit/fakes/ports.h"

#include <stddef.h>

u32 (*fake_port_in)(u16 port, u8 size);
void (*fake_port_out)(u16 port, u8 size, u32 value);
u16 fake_port;
u32 fake_port_value, fake_port_writes;

u32 port_read(u16 port, u8 size)
{
	return fake_port_in ? fake_port_in(port, size) : ~0u;
}

void port_write(u16 port, u8 size, u32 value)
{
	fake_port = port;
	fake_port_value = value;
	fake_port_writes++;
	if (fake_port_out)
		fake_port_out(port, size, value);
}
