/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Keys of a PC's own keyboard, by its controller (8042) or what the firmware
 * has in its place for a USB keyboard, while no guest owns it. The caller
 * serializes; any core.
 */
#ifndef DRIVERS_CONSOLE_KEYBOARD_H
#define DRIVERS_CONSOLE_KEYBOARD_H

#include "lib/types.h"

/* What a key gives: a character below 80h, or one of these */
enum keyboard_key {
	KEY_NONE = -1,
	KEY_PAGE_UP = 0x100,
	KEY_PAGE_DOWN,
	KEY_OTHER, /* a key that is none of ours, and no shift */
};

/* What arrives, byte by byte. All zero at first: set 1, which controllers
 * translate to. */
struct keyboard {
	bool set_2;       /* nobody translates */
	bool extended;    /* behind E0h */
	bool released;    /* behind F0h of set 2 */
	u8 skip;          /* bytes of the pause key that are still to come */
	u8 shifts, ctrls; /* bits: left and right are down */
	bool caps;
};
/* Takes one byte; KEY_NONE: it completes none */
int keyboard_take(struct keyboard *k, u8 byte);

/* Drops what waits there from before, and asks the controller whether it
 * translates. Some ms at most; nothing where there is no controller. */
void keyboard_start(void);
/* The next key that was pressed, or KEY_NONE. Reads a few bytes at most. US
 * layout: at this time nobody has said which. */
int keyboard_get(void);

#endif
