/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a guest says, as text that cannot move a terminal's cursor, change its
 * modes or look like somebody else's line. A control character or a byte that
 * is no UTF-8 becomes its number, as in \x07; so do characters that are not to
 * be seen or that turn the direction of a line. Whole control sequences (colors
 * and the like) are left out; one that moves the cursor becomes a blank.
 */
#ifndef HV_CONSOLE_FILTER_H
#define HV_CONSOLE_FILTER_H

#include "lib/types.h"

/* What one byte can make: three that waited for it, and itself, as numbers */
#define FILTER_OUT_MAX 16u

enum filter_state { FILTER_TEXT, FILTER_UTF8, FILTER_ESCAPE, FILTER_CSI };

/* All zero at the start of a text */
struct filter {
	enum filter_state state;
	u8 bytes[4]; /* of the character that is coming */
	u8 have;     /* of these; or bytes of the control sequence */
	u8 need;
};

/* Takes one byte and writes the text that it completes to @out, of
 * FILTER_OUT_MAX bytes; returns the length, often 0 or 1. TAB is text; a line
 * feed is the caller's to see. */
u32 filter_byte(struct filter *f, u8 byte, char *out);

#endif
