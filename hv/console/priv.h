/* SPDX-License-Identifier: BSD-2-Clause */
/* Between console.c (who is shown) and input.c (what is typed) */
#ifndef HV_CONSOLE_PRIV_H
#define HV_CONSOLE_PRIV_H

#include "hv/console/console.h"
#include "lib/types.h"

#define CONSOLE_RING_BYTES   8192u
#define CONSOLE_REPLAY_BYTES 1024u /* bounds the time under the lock */
#define CONSOLE_LINE_BYTES   256u
#define CONSOLE_MAX_SPEAKERS (MANIFEST_MAX_GUESTS + 1)
#define CONSOLE_SWITCH_KEY   0x1du /* Ctrl-] */

/* Who takes what is typed */
struct receiver {
	console_receive_fn fn;
	void *dev; /* its */
};

struct speaker {
	char name[MANIFEST_NAME_LEN];
	u32 id;          /* in the order of Ctrl-] */
	bool privileged; /* its guest gets what is typed in mode "all" */
	struct receiver receiver; /* no fn: the log, or a guest that is gone */
	char *ring;               /* the last CONSOLE_RING_BYTES it said */
	u64 written;     /* bytes ever; the ring's position modulo its size */
	u32 partial_len; /* mode "all": the line it is saying */
	char partial[CONSOLE_LINE_BYTES];
};

/* Ctrl-]: move the focus on, with banner and last lines. No lock held. */
void console_focus_next(void);
/* Hand @byte to whoever has the focus. No lock held. */
void console_type(u8 byte);

#endif
