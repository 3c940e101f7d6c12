/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Keys of a PC's own keyboard, by its controller (8042) or what the firmware
 * has in its place, once no guest owns it any more. One core; no lock.
 */
#ifndef DRIVERS_CONSOLE_KEYBOARD_H
#define DRIVERS_CONSOLE_KEYBOARD_H

#include "lib/types.h"

/* Drops what waits there from before */
void keyboard_drain(void);
/* Was a key pressed since the last call? Which one, it does not tell. */
bool keyboard_pressed(void);

#endif
