/* SPDX-License-Identifier: BSD-2-Clause */
/* The hypervisor's UART, see serial.h */
#include "tests/unit/fakes/serial.h"

struct console_serial fake_serial;
bool fake_has_serial;

const struct console_serial *console_serial(void)
{
	return fake_has_serial ? &fake_serial : NULL;
}

bool console_serial_is_kept(void)
{
	return fake_has_serial && fake_serial.at.base != COM1_PORT;
}
