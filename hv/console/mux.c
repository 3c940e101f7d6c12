/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who is shown. Speaker 0 is the hypervisor's log, the others are guests; past
 * the last one comes "all". Called by console.c, under the console's lock.
 *
 * A guest in focus has the terminal to itself, control sequences and all. So it
 * can paint anything, a banner of the hypervisor's too. But it cannot know the
 * mark: a few digits of this boot that stand behind each line which the
 * hypervisor shows among a guest's, and which no guest can read. In mode "all",
 * and in the log, a guest's bytes are text and nothing else.
 */
#include "drivers/console/fbcon.h"
#include "hv/console/priv.h"
#include "lib/printf.h"
#include "lib/string.h"

/* CAN ends a sequence that is not whole. Then DECSTR, autowrap, the main
 * screen, no mouse reports, no bracketed paste. */
#define TERMINAL_RESET                                                         \
	"\x18\x1b[!p\x1b[?7h\x1b[?1047l\x1b[?1000l\x1b[?1002l\x1b[?1003l"      \
	"\x1b[?2004l"
/* Plain characters of the usual set */
#define TERMINAL_PLAIN "\x18\x0f\x1b[0m"
#define NOTICE_BYTES   80u
/* With interrupts off: so often is the lock taken, for so many looks at a
 * speaker and so many losses to tell */
#define SETTLE_MAX    8u
#define SETTLE_LOOKS  64u
#define SETTLE_LOSSES 4u

bool mux_show(u32 id, const char *s, size_t len)
{
	if (!len)
		return true;
	if (!con.scrolled)
		fbcon_write(s, len);
	if (!output_put(id, s, (u32)len))
		return false;
	con.mid_line = s[len - 1] != '\n';
	return true;
}

/* The hypervisor's own words */
static void show_text(const char *s)
{
	mux_show(0, s, strlen(s));
}

/* Not on the screen, which a guest may be given */
static void show_on_uart(const char *s)
{
	output_put(0, s, (u32)strlen(s));
}

static void show_fresh_line(void)
{
	if (con.mid_line)
		show_text("\r\n");
}

/* Ends a line of the hypervisor's among a guest's */
static void show_mark(void)
{
	show_on_uart(con.mark[0] ? " " : "");
	show_on_uart(con.mark);
	show_text("\r\n");
}

/* A line of the hypervisor's among a guest's, which may have left the terminal
 * in the middle of a control sequence */
static void show_notice(const char *line, size_t len)
{
	show_on_uart(TERMINAL_PLAIN);
	show_fresh_line();
	mux_show(0, line, len);
	show_mark();
}

void mux_reset_terminal(void)
{
	show_on_uart(TERMINAL_RESET);
}

static bool is_shown(const struct speaker *sp)
{
	return focus_is_all() || con.focus == sp->id;
}

static void unsettle(void)
{
	con.unsettled = con.unsettled_again = true;
}

static void lose(struct speaker *sp, size_t len)
{
	sp->lost += len;
	unsettle();
}

/* As long as it has lost something, a speaker loses the rest, too: until half
 * of its share is free and the loss can be told */
static void show_or_lose(struct speaker *sp, const char *s, size_t len)
{
	if (sp->lost || !mux_show(sp->id, s, len))
		lose(sp, len);
}

static void ring_put(struct speaker *sp, const char *s, size_t len)
{
	while (len) {
		u64 at = sp->written % sp->ring_bytes;
		size_t n = MIN(len, sp->ring_bytes - at);

		memcpy(sp->ring + at, s, n);
		sp->written += n;
		s += n;
		len -= n;
	}
}

static u32 append(char *to, u32 at, const char *s, u32 len)
{
	memcpy(to + at, s, len);
	return at + len;
}

/* "[NAME] TEXT", a line of its own */
static void show_named(struct speaker *sp, const char *text, u32 len)
{
	char line[CONSOLE_LINE_BYTES + FILTER_OUT_MAX + MANIFEST_NAME_LEN + 8];
	u32 n = 0;

	n = append(line, n, "[", 1);
	n = append(line, n, sp->name, (u32)strlen(sp->name));
	n = append(line, n, "] ", 2);
	n = append(line, n, text, len);
	n = append(line, n, "\r\n", 2);
	show_fresh_line();
	show_or_lose(sp, line, n);
}

/* Mode "all": gather what a guest says to lines, cut if too long, without CR,
 * and show each behind its name */
static void gather(struct speaker *sp, const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (s[i] == '\r')
			continue;
		if (s[i] == '\n' || sp->partial_len >= CONSOLE_LINE_BYTES) {
			show_named(sp, sp->partial, sp->partial_len);
			sp->partial_len = 0;
		}
		if (s[i] == '\n')
			sp->filter = (struct filter){ 0 };
		else
			sp->partial_len +=
				filter_byte(&sp->filter, (u8)s[i],
					    sp->partial + sp->partial_len);
	}
}

/* Mode "all": a line of the log, which is text already */
static void show_log_line(struct speaker *sp, const char *s, size_t len)
{
	for (len -= MIN(len, 2u); len > CONSOLE_LINE_BYTES;
	     len -= CONSOLE_LINE_BYTES, s += CONSOLE_LINE_BYTES)
		show_named(sp, s, CONSOLE_LINE_BYTES);
	show_named(sp, s, (u32)len);
}

void mux_speak(struct speaker *sp, const char *s, size_t len)
{
	if (sp->id == 0)
		scroll_note(sp);
	ring_put(sp, s, len);
	if (sp->followed)
		mux_spoken(sp);
	if (sp->id >= CONSOLE_APART)
		return;
	if (focus_is_all() && sp->id == 0)
		show_log_line(sp, s, len);
	else if (focus_is_all())
		gather(sp, s, len);
	else if (con.focus == sp->id)
		show_or_lose(sp, s, len);
}

bool mux_roomy(struct speaker *sp)
{
	if (sp->id >= CONSOLE_APART)
		return true;
	if (!is_shown(sp) || output_roomy(sp->id))
		return true;
	sp->waits = true;
	unsettle();
	return false;
}

static void show_loss(struct speaker *sp)
{
	char text[NOTICE_BYTES];
	u64 lost = sp->lost;
	u32 len;

	sp->lost = 0;
	len = (u32)bh_snprintf(text, sizeof(text), "(%llu bytes are lost)",
			       lost);
	if (focus_is_all())
		show_named(sp, text, len);
	else
		show_notice(text, len);
}

/* Does its device wait, and may go on? */
static bool settle(struct speaker *sp)
{
	if (is_shown(sp) && !output_roomy(sp->id)) {
		if (sp->lost || sp->waits)
			unsettle();
		return false;
	}
	if (sp->lost && is_shown(sp))
		show_loss(sp);
	sp->lost = 0;
	return sp->waits;
}

/* A round ends at the last of them; it is all settled if nobody was, or came to
 * be, unsettled in it */
struct speaker *mux_settle(void)
{
	u32 end = MIN(con.count, con.settling + SETTLE_LOOKS), losses = 0;

	if (!con.settling)
		con.unsettled_again = false;
	while (con.settling < end && losses < SETTLE_LOSSES) {
		struct speaker *sp = con.speakers[con.settling++];

		losses += sp->lost != 0;
		if (settle(sp))
			return sp;
	}
	if (con.settling == con.count) {
		con.settling = 0;
		con.unsettled = con.unsettled_again;
	}
	return NULL;
}

/* Settles some, and calls one device that waits. False: it has looked at all,
 * and there is none. No lock held. */
static bool settle_some(void)
{
	struct console_device device = { 0 };
	struct speaker *ready;
	bool start, part;

	console_lock();
	part = con.settling;
	ready = con.alone ? NULL : mux_settle();
	part |= con.settling != 0;
	if (ready) {
		ready->waits = false;
		device = ready->device;
		__atomic_fetch_add(&con.receivers, 1, __ATOMIC_ACQUIRE);
	}
	start = output_begin();
	console_unlock();
	if (start)
		output_start();
	if (!ready)
		return part && !con.alone;
	if (device.ready)
		device.ready(device.dev);
	__atomic_fetch_sub(&con.receivers, 1, __ATOMIC_RELEASE);
	return true;
}

void console_drained(void)
{
	for (u32 i = 0; i < SETTLE_MAX; i++)
		if (!READ_ONCE(con.unsettled) || !settle_some())
			return;
}

const char *mux_ended(const struct speaker *sp)
{
	enum vm_end how;

	if (!con.built || !sp->id)
		return NULL;
	if (!sp->vm)
		return "it does not start";
	/* A guest that resets starts again, unless the machine ends */
	how = READ_ONCE(sp->vm->end);
	if (READ_ONCE(sp->vm->state) != VM_STOPPED &&
	    (how == VM_END_NONE || how == VM_END_RESET ||
	     how == VM_END_FAILURE))
		return NULL;
	return READ_ONCE(sp->vm->end_reason);
}

void mux_names(char *buf, size_t size)
{
	size_t at = 0;

	for (u32 i = 0; i < con.count && at < size; i++) {
		const char *why = mux_ended(con.speakers[i]);

		at += (size_t)bh_snprintf(buf + at, size - at, "%s%s%s%s, ",
					  con.speakers[i]->name,
					  why ? " (ended: " : "",
					  why ? why : "", why ? ")" : "");
	}
	if (at < size)
		bh_snprintf(buf + at, size - at, "all");
}

void mux_alert(const char *line, size_t len)
{
	if (con.focus && !focus_is_all())
		show_notice(line, len);
}

static void show_banner(void)
{
	char names[CONSOLE_LINE_BYTES];

	mux_names(names, sizeof(names));
	mux_reset_terminal();
	show_fresh_line();
	show_text("--- console: ");
	show_text(focus_is_all() ? "all" : con.speakers[con.focus]->name);
	show_text(" --- Ctrl-] switches: ");
	show_text(names);
	show_text(" ---");
	show_mark();
}

void mux_focus(u32 focus, bool with_replay)
{
	for (u32 i = 0; i < con.count; i++) {
		con.speakers[i]->partial_len = 0;
		con.speakers[i]->filter = (struct filter){ 0 };
		con.speakers[i]->lost = 0;
		if (con.speakers[i]->waits)
			unsettle();
	}
	con.focus = focus;
	scroll_end();
	show_banner();
	if (with_replay && !focus_is_all())
		history_show(con.speakers[focus]);
}
