/* SPDX-License-Identifier: BSD-2-Clause */
/* The hypervisor's UART (hv/console/console.h): none, unless a test has one */
#ifndef TESTS_UNIT_FAKES_SERIAL_H
#define TESTS_UNIT_FAKES_SERIAL_H

#include "hv/console/console.h"

extern struct console_serial fake_serial;
extern bool fake_has_serial;

#endif
