/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * See replay.h. No state but the caller's. Control functions are those of
 * ECMA-48 and of xterm (*XTerm Control Sequences*). Only whole sequences of the
 * lists below are written, so that no text can grow together with another to
 * a sequence.
 */
#include "lib/replay.h"

#include "lib/string.h"

#define ESC       0x1b
#define DEL       0x7fu
#define CAN       0x18
#define SUB       0x1a
#define C1_FIRST  0x80
#define C1_LAST   0x9f
#define C1_DCS    0x90
#define C1_SOS    0x98
#define C1_CSI    0x9b
#define C1_OSC    0x9d
#define C1_PM     0x9e
#define C1_APC    0x9f
#define C1_TO_ESC 0x40 /* ESC and the byte less this is the same control */

/* Final bytes behind CSI with parameters alone, and behind CSI ?: 40h to 7Fh,
 * as bits. A text may consist of nothing else: each is looked up at once. */
#define FINAL(c)      BIT((c) % 64u)
#define FINALS(c, to) (FINAL(to) * 2 - FINAL(c))
#define CSI_PLAIN                                                              \
	(FINALS('@', 'M') | FINAL('P') | FINAL('S') | FINAL('T') |             \
	 FINAL('X') | FINAL('Z') | FINALS('`', 'a') | FINALS('d', 'g') |       \
	 FINAL('m') | FINALS('r', 's') | FINAL('u'))
#define CSI_PRIVATE (FINALS('J', 'K') | FINAL('h') | FINAL('l'))
/* Of two characters; and those with one of @ESCAPE_SETS between (character
 * sets), or with # (lines of double height, the test pattern) */
#define ESCAPE_PLAIN "78=>DEHMc"
#define ESCAPE_SETS  "()*+-./"
#define ESCAPE_LINES "34568"

/* Private modes that make a terminal type something are mouse and focus
 * reports and the like: they are not among these */
#define MODE_MOUSE_X10 9u
#define MODE_LAST      99u
#define MODE_SCREEN    1047u /* to 1049: the alternate screen */
#define MODE_SCREEN_3  1049u
#define MODE_PASTE     2004u

static bool is_one_of(char c, const char *set)
{
	for (; *set; set++)
		if (*set == c)
			return true;
	return false;
}

static bool is_final_of(char c, u64 set)
{
	return set & FINAL((u8)c);
}

static bool mode_is_quiet(u32 mode)
{
	return (mode <= MODE_LAST && mode != MODE_MOUSE_X10) ||
	       (mode >= MODE_SCREEN && mode <= MODE_SCREEN_3) ||
	       mode == MODE_PASTE;
}

/* Of the parameters from @at to the final byte, "25;1049" */
static bool modes_are_quiet(const struct replay *r, u32 at)
{
	u32 mode = 0;

	for (; at < r->have; at++) {
		u8 digit = (u8)(r->sequence[at] - '0');

		if (digit <= 9) {
			mode = MIN(mode * 10 + digit, 100000u);
			continue;
		}
		if (!mode_is_quiet(mode))
			return false;
		mode = 0;
	}
	return true;
}

/* Digits and separators from @at to the final byte, and nothing else */
static bool is_plain(const struct replay *r, u32 at)
{
	for (; at + 1u < r->have; at++)
		if (r->sequence[at] < '0' || r->sequence[at] > ';')
			return false;
	return true;
}

static bool csi_is_kept(const struct replay *r)
{
	const char *s = r->sequence;
	char final = s[r->have - 1], before = s[r->have - 2];

	if (s[2] == '?')
		return is_final_of(final, CSI_PRIVATE) && is_plain(r, 3) &&
		       modes_are_quiet(r, 3);
	if (is_plain(r, 2))
		return is_final_of(final, CSI_PLAIN);
	/* DECSTR, and DECSCUSR: the cursor's form */
	return (r->have == 4 && before == '!' && final == 'p') ||
	       (r->have <= 5 && before == ' ' && final == 'q');
}

static bool escape_is_kept(const struct replay *r)
{
	const char *s = r->sequence;

	if (r->have == 2)
		return is_one_of(s[1], ESCAPE_PLAIN);
	return r->have == 3 && (is_one_of(s[1], ESCAPE_SETS) ||
				(s[1] == '#' && is_one_of(s[2], ESCAPE_LINES)));
}

static void begin(struct replay *r, enum replay_state state)
{
	r->state = state;
	r->follow = 0;
	r->have = 1;
	r->sequence[0] = ESC;
}

static void add(struct replay *r, u8 byte)
{
	if (r->have < REPLAY_OUT_MAX)
		r->sequence[r->have] = (char)byte;
	if (r->have <= REPLAY_OUT_MAX)
		r->have++;
}

/* Behind the last byte of a sequence */
static u32 finish(struct replay *r, bool kept, char *out)
{
	r->state = REPLAY_TEXT;
	if (!kept || r->have > REPLAY_OUT_MAX)
		return 0;
	memcpy(out, r->sequence, r->have);
	return r->have;
}

static bool begins_string(u8 byte)
{
	return byte == C1_DCS || byte == C1_SOS || byte == C1_OSC ||
	       byte == C1_PM || byte == C1_APC;
}

/* A control of the second set, or ESC and its letter */
static void take_c1(struct replay *r, u8 byte)
{
	if (byte != C1_CSI && !begins_string(byte)) {
		r->state = REPLAY_TEXT;
		return;
	}
	begin(r, byte == C1_CSI ? REPLAY_CSI : REPLAY_STRING);
	add(r, (u8)(byte - C1_TO_ESC));
}

static bool is_quiet_control(u8 byte)
{
	/* BS, HT, LF, VT, FF, CR, SO, SI; no BEL, for nothing rings now */
	return byte >= '\b' && byte <= 0x0f;
}

static u32 take_high(struct replay *r, u8 byte, char *out)
{
	if (byte < 0xc0 && r->follow) {
		r->follow--;
	} else if (byte <= C1_LAST) {
		take_c1(r, byte);
		return 0;
	} else if (byte == 0xc2) {
		r->follow = 0;
		r->state = REPLAY_C2;
		return 0;
	} else {
		r->follow = byte >= 0xf0 ? 3 : byte >= 0xe0 ? 2 : byte >= 0xc0;
	}
	*out = (char)byte;
	return 1;
}

static u32 take_text(struct replay *r, u8 byte, char *out)
{
	if (byte >= C1_FIRST)
		return take_high(r, byte, out);
	r->follow = 0;
	if (byte == ESC)
		begin(r, REPLAY_ESCAPE);
	else if ((byte >= ' ' && byte < DEL) || is_quiet_control(byte)) {
		*out = (char)byte;
		return 1;
	}
	return 0;
}

static u32 take_c2(struct replay *r, u8 byte, char *out)
{
	r->state = REPLAY_TEXT;
	if (byte >= C1_FIRST && byte <= C1_LAST) {
		take_c1(r, byte);
		return 0;
	}
	*out = (char)0xc2;
	r->follow = 1;
	return 1 + take_text(r, byte, out + 1);
}

/* True: @byte is no part of the sequence, which goes on, or has ended */
static bool take_control(struct replay *r, u8 byte)
{
	if (byte == ESC)
		begin(r, REPLAY_ESCAPE);
	else if (byte == CAN || byte == SUB || byte >= C1_FIRST)
		r->state = REPLAY_TEXT;
	return byte < ' ' || byte >= DEL;
}

static u32 take_escape(struct replay *r, u8 byte, char *out)
{
	if (take_control(r, byte))
		return 0;
	if (r->have == 1 && byte >= '@' && byte <= '_' &&
	    (byte == '[' || begins_string((u8)(byte + C1_TO_ESC)))) {
		take_c1(r, (u8)(byte + C1_TO_ESC));
		return 0;
	}
	add(r, byte);
	/* Bytes 20h to 2Fh go before the last one (ECMA-48 13.1) */
	return byte < '0' ? 0 : finish(r, escape_is_kept(r), out);
}

static u32 take_csi(struct replay *r, u8 byte, char *out)
{
	if (take_control(r, byte))
		return 0;
	add(r, byte);
	if (byte < '@')
		return 0;
	return finish(r, r->have <= REPLAY_OUT_MAX && csi_is_kept(r), out);
}

/* Up to ESC \ or what ends it besides; a line's end, too: who forgets one does
 * not lose all that follows */
static u32 take_string(struct replay *r, u8 byte, char *out)
{
	if (byte == ESC)
		begin(r, REPLAY_ESCAPE);
	else if (byte == '\a' || byte == '\n' || byte == CAN || byte == SUB)
		r->state = REPLAY_TEXT;
	return 0;
}

u32 replay_byte(struct replay *r, u8 byte, char *out)
{
	static u32 (*const takers[])(struct replay *, u8, char *) = {
		[REPLAY_TEXT] = take_text,     [REPLAY_C2] = take_c2,
		[REPLAY_ESCAPE] = take_escape, [REPLAY_CSI] = take_csi,
		[REPLAY_STRING] = take_string,
	};

	return takers[r->state](r, byte, out);
}

u32 replay_end(struct replay *r, char *out)
{
	u32 have = r->state == REPLAY_TEXT ? 0 : r->have;

	if (r->state == REPLAY_C2) {
		r->sequence[0] = (char)0xc2;
		have = 1;
	}
	have = MIN(have, REPLAY_OUT_MAX);
	memcpy(out, r->sequence, have);
	*r = (struct replay){ 0 };
	return have;
}
