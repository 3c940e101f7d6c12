/* SPDX-License-Identifier: BSD-2-Clause */
/* Has a key been pressed; see keyboard.h. No lock. */
#include "drivers/console/keyboard.h"

#include "arch/x86/cpu/portio.h"
#include "include/hw/i8042.h"

/* At a time: a controller that always has one is broken */
#define BYTES_MAX 16
#define NOTHING   0xffu /* there is no controller */
#define RELEASED  0x80u /* scan set 1, as the controller translates */

/* The next byte of the keyboard's, not of the mouse's; -1: there is none */
static int get(void)
{
	u8 status = (u8)port_read(KBC_STATUS, 1), byte;

	if (status == NOTHING || !(status & KBC_STAT_OBF))
		return -1;
	byte = (u8)port_read(KBC_DATA, 1);
	return status & KBC_STAT_AUX ? RELEASED : byte;
}

void keyboard_drain(void)
{
	for (u32 i = 0; i < BYTES_MAX && get() >= 0; i++)
		;
}

bool keyboard_pressed(void)
{
	for (u32 i = 0; i < BYTES_MAX; i++) {
		int byte = get();

		if (byte < 0)
			return false;
		if (byte < (int)RELEASED)
			return true;
	}
	return false;
}
