/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a speaker said before, shown again when it gets the focus, or at the
 * UART as that is chosen. Called by mux.c and others under the console's lock,
 * so that all of it is bounded: some 85,000 instructions at most.
 */
#include "drivers/console/fbcon.h"
#include "hv/console/priv.h"
#include "lib/replay.h"

const char *history_bytes(const struct speaker *sp, u64 *at, u64 *len)
{
	u64 oldest = sp->written - MIN(sp->written, (u64)sp->ring_bytes);
	u64 place;

	*at = MIN(MAX(*at, oldest), sp->written);
	place = sp->ring_bytes ? *at % sp->ring_bytes : 0;
	*len = MIN(*len, MIN(sp->written - *at, sp->ring_bytes - place));
	return sp->ring + place;
}

/* Where the last @bytes begin: with a whole line, unless there is none */
static u64 last_lines(const struct speaker *sp, u64 bytes)
{
	u64 from = sp->written - MIN(sp->written, bytes);
	u64 at = from, len = ~0ull;
	const char *piece = history_bytes(sp, &at, &len);

	for (; from && len; piece = history_bytes(sp, &at, &len)) {
		for (u64 i = 0; i < len; i++)
			if (piece[i] == '\n')
				return at + i + 1;
		at += len;
		len = ~0ull;
	}
	return from;
}

/* The log's bytes from @at on, by @put */
static void each_piece(const struct speaker *sp, u64 at,
		       void (*put)(const char *s, u64 len))
{
	u64 len = ~0ull;
	const char *piece = history_bytes(sp, &at, &len);

	for (; len; piece = history_bytes(sp, &at, &len)) {
		put(piece, len);
		at += len;
		len = ~0ull;
	}
}

static void put_on_uart(const char *s, u64 len)
{
	output_put(0, s, (u32)len);
}

static void put_on_screen(const char *s, u64 len)
{
	fbcon_write(s, len);
}

/* The log's lines are text. As many as there is room for: what was shown before
 * may still be on its way. The screen gets a page. */
static void replay_log(const struct speaker *sp)
{
	u64 bytes = CONSOLE_LOG_REPLAY_BYTES;

	while (bytes > CONSOLE_REPLAY_BYTES && !output_fits(0, (u32)bytes))
		bytes /= 2;
	each_piece(sp, last_lines(sp, bytes), put_on_uart);
	each_piece(sp, scroll_last_page(), put_on_screen);
	con.mid_line = false;
}

/* A guest's, without what a terminal would answer */
static void replay(const struct speaker *sp)
{
	char text[CONSOLE_LINE_BYTES + REPLAY_OUT_MAX];
	struct replay filter = { 0 };
	u64 at = last_lines(sp, CONSOLE_REPLAY_BYTES), len = ~0ull;
	const char *piece = history_bytes(sp, &at, &len);
	u32 n = 0;

	for (; len; piece = history_bytes(sp, &at, &len)) {
		for (u64 i = 0; i < len; i++) {
			n += replay_byte(&filter, (u8)piece[i], text + n);
			if (n < CONSOLE_LINE_BYTES)
				continue;
			mux_show(0, text, n);
			n = 0;
		}
		at += len;
		len = ~0ull;
	}
	mux_show(0, text, n);
	mux_show(0, text, replay_end(&filter, text));
}

void history_replay_log(void)
{
	each_piece(con.speakers[0], 0, put_on_uart);
}

void history_show(const struct speaker *sp)
{
	if (sp->id)
		replay(sp);
	else
		replay_log(sp);
}
