/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a terminal was sent once, as it may be sent again. A terminal types its
 * answer to a question; to one of a replayed text nobody waits for that, and a
 * shell would take it for a command. So of control functions only those are
 * kept that are known to draw, move or set and never to answer: reports (ESC [
 * 6 n), identities (ESC Z, ESC [ c), modes (ESC [ ? 1 $ p), strings (OSC, DCS,
 * APC) and ENQ are left out. Used by the console mux and by tools/bh-console.c.
 */
#ifndef LIB_REPLAY_H
#define LIB_REPLAY_H

#include "lib/types.h"

/* What one byte can complete, and the longest sequence that is kept */
#define REPLAY_OUT_MAX 64u

enum replay_state {
	REPLAY_TEXT,
	REPLAY_C2, /* a byte that may begin a C1 control in UTF-8 */
	REPLAY_ESCAPE,
	REPLAY_CSI,
	REPLAY_STRING, /* of OSC, DCS, APC, PM or SOS */
};

/* All zero at the start of a text */
struct replay {
	enum replay_state state;
	u8 follow; /* bytes of a UTF-8 character that are still to come */
	u8 have;   /* bytes of @sequence; more than it has: too long, dropped */
	char sequence[REPLAY_OUT_MAX];
};

/* Takes one byte and writes what it completes to @out, of REPLAY_OUT_MAX bytes;
 * returns the length, often 0 or 1 */
u32 replay_byte(struct replay *r, u8 byte, char *out);
/* The text ends here and goes on by itself: writes what of a sequence has come
 * to @out, so that its rest is no text. Returns the length. */
u32 replay_end(struct replay *r, char *out);

#endif
