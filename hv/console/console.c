/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The console mux: who is shown on the UART and the framebuffer, and who gets
 * what is typed. Speaker 0 is the hypervisor's log, the others are guests;
 * past the last one comes "all". Called by the log (any context), by vUARTs,
 * and by the UART's interrupt or poll (input.c).
 *
 * con.lock protects the speakers, the focus and the hardware; no lock is taken
 * inside it. The log's lock or a vUART's may come before it, so nothing here
 * logs or enters a vUART while it holds it.
 *
 * The framebuffer shows the log and a panic at once. What guests say is drawn
 * at most ten times a second, when a line ends. A timer of the core that said
 * it draws the rest. It comes soon for a part of a line, as somebody types,
 * else later: a screenful costs a million instructions.
 */
#include "hv/console/console.h"

#include "arch/x86/machine/timer.h"
#include "arch/x86/machine/tsc.h"
#include "drivers/console/fbcon.h"
#include "drivers/console/uart.h"
#include "hv/console/priv.h"
#include "lib/errno.h"
#include "lib/log.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "mm/pmm.h"

#define DRAW_NS      100000000u
#define DRAW_LATE_NS 1000000000u

static char log_ring[CONSOLE_RING_BYTES];
static struct speaker log_speaker = { .name = "log", .ring = log_ring };

static struct {
	struct spinlock lock;
	u32 count;     /* speakers in use */
	u32 focus;     /* index, or count for "all" */
	bool mid_line; /* the last byte shown did not end a line */
	bool panic;    /* no locks, log only */
	u32 receivers; /* cores that call a receiver, atomic */
	bool draw_due; /* draw_timer is armed, or its core waits for the lock */
	bool draw_lines;  /* a line has ended since the last draw */
	u64 drawn, stale; /* TSC: the last draw; the first text since, or 0 */
	struct timer draw_timer;
	char wanted[MANIFEST_NAME_LEN]; /* focus the manifest asks for */
	void (*on_key)(u8 byte);        /* console_on_key(); NULL: dropped */
	struct speaker *speakers[CONSOLE_MAX_SPEAKERS];
} con = { .count = 1, .speakers = { &log_speaker } };

static bool focus_is_all(void)
{
	return con.focus == con.count;
}

static void show(const char *s, size_t len)
{
	if (!len)
		return;
	uart_write(s, len);
	fbcon_write(s, len);
	con.mid_line = s[len - 1] != '\n';
}

static void draw(void)
{
	con.drawn = rdtsc();
	con.stale = 0;
	con.draw_lines = false;
	fbcon_draw();
}

static u64 draw_deadline(void)
{
	return con.stale + ns_to_tsc(con.draw_lines ? DRAW_LATE_NS : DRAW_NS);
}

static void draw_tick(struct timer *t)
{
	spin_lock(&con.lock);
	con.draw_due = con.stale && rdtsc() < draw_deadline();
	if (con.draw_due)
		timer_arm(t, draw_deadline());
	else if (con.stale)
		draw();
	spin_unlock(&con.lock);
}

static void draw_soon(void)
{
	u64 now = rdtsc();

	if (!fbcon_stale())
		return;
	if (!con.mid_line && now - con.drawn >= ns_to_tsc(DRAW_NS)) {
		draw();
		return;
	}
	con.draw_lines |= !con.mid_line;
	if (!con.stale)
		con.stale = now;
	if (con.draw_due)
		return;
	con.draw_due = true;
	con.draw_timer.fn = draw_tick;
	timer_arm(&con.draw_timer, draw_deadline());
}

static void show_text(const char *s)
{
	show(s, strlen(s));
}

static void show_fresh_line(void)
{
	if (con.mid_line)
		show_text("\r\n");
}

static void ring_put(struct speaker *sp, const char *s, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		sp->ring[(sp->written + i) % CONSOLE_RING_BYTES] = s[i];
	sp->written += len;
}

/* Mode "all": show a whole line behind its speaker's name */
static void show_named_line(struct speaker *sp)
{
	show_fresh_line();
	show_text("[");
	show_text(sp->name);
	show_text("] ");
	show(sp->partial, sp->partial_len);
	show_text("\r\n");
	sp->partial_len = 0;
}

/* Mode "all": gather a guest's bytes to lines, cut if too long, without CR */
static void gather(struct speaker *sp, const char *s, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++) {
		if (s[i] == '\r')
			continue;
		if (s[i] == '\n' || sp->partial_len == CONSOLE_LINE_BYTES)
			show_named_line(sp);
		if (s[i] != '\n')
			sp->partial[sp->partial_len++] = s[i];
	}
}

static void speak(struct speaker *sp, const char *s, size_t len)
{
	ring_put(sp, s, len);
	if (focus_is_all())
		gather(sp, s, len);
	else if (con.focus == sp->id)
		show(s, len);
}

void console_write(struct speaker *sp, const char *s, size_t len)
{
	spin_lock(&con.lock);
	if (!con.panic)
		speak(sp, s, len);
	draw_soon();
	spin_unlock(&con.lock);
}

static void log_line(const char *line, size_t len, bool always)
{
	speak(&log_speaker, line, len);
	speak(&log_speaker, "\r\n", 2);
	if (!always || con.focus == 0 || focus_is_all())
		return;
	/* An error is shown whoever has the focus */
	show_fresh_line();
	show(line, len);
	show_text("\r\n");
}

static void log_sink_write(struct log_sink *self, enum log_level level,
			   const char *line, size_t len)
{
	while (len && (line[len - 1] == '\n' || line[len - 1] == '\r'))
		len--;
	if (con.panic) {
		show(line, len);
		show_text("\r\n");
		fbcon_draw();
		return;
	}
	spin_lock(&con.lock);
	log_line(line, len, level >= LOG_ERROR);
	draw();
	spin_unlock(&con.lock);
}

static struct log_sink sink = { .write = log_sink_write };

/* "log, linux, box, all" */
static void speaker_names(char *buf, size_t size)
{
	size_t at = 0;
	u32 i;

	for (i = 0; i < con.count && at < size; i++)
		at += (size_t)bh_snprintf(buf + at, size - at, "%s, ",
					  con.speakers[i]->name);
	if (at < size)
		bh_snprintf(buf + at, size - at, "all");
}

static void show_banner(void)
{
	char names[CONSOLE_LINE_BYTES];

	speaker_names(names, sizeof(names));
	show_fresh_line();
	show_text("--- console: ");
	show_text(focus_is_all() ? "all" : con.speakers[con.focus]->name);
	show_text(" --- Ctrl-] switches: ");
	show_text(names);
	show_text(" ---\r\n");
}

/* Show the last lines of the ring: whole lines, unless it has none */
static void replay(const struct speaker *sp)
{
	u64 from, at, floor = 0;

	if (sp->written > CONSOLE_REPLAY_BYTES)
		floor = sp->written - CONSOLE_REPLAY_BYTES;
	from = floor;
	for (at = floor; floor && at < sp->written; at++)
		if (sp->ring[at % CONSOLE_RING_BYTES] == '\n') {
			from = at + 1;
			break;
		}
	for (at = from; at < sp->written; at++)
		show(&sp->ring[at % CONSOLE_RING_BYTES], 1);
}

static void focus_set(u32 focus, bool with_replay)
{
	u32 i;

	for (i = 0; i < con.count; i++)
		con.speakers[i]->partial_len = 0;
	con.focus = focus;
	show_banner();
	if (with_replay && !focus_is_all())
		replay(con.speakers[focus]);
}

void console_focus_next(void)
{
	spin_lock(&con.lock);
	focus_set((con.focus + 1) % (con.count + 1), true);
	draw();
	spin_unlock(&con.lock);
}

/* Who gets what is typed. Counts the caller among the receivers, so that
 * console_detach() waits for it. */
static struct receiver receiver_get(void)
{
	struct receiver r = { .fn = NULL };

	spin_lock(&con.lock);
	__atomic_fetch_add(&con.receivers, 1, __ATOMIC_ACQUIRE);
	if (!focus_is_all())
		r = con.speakers[con.focus]->receiver;
	for (u32 i = 1; focus_is_all() && i < con.count; i++)
		if (con.speakers[i]->receiver.fn && con.speakers[i]->privileged)
			r = con.speakers[i]->receiver;
	spin_unlock(&con.lock);
	return r;
}

void console_type(u8 byte)
{
	struct receiver r = receiver_get();

	if (r.fn)
		r.fn(r.dev, byte);
	else if (con.on_key)
		con.on_key(byte);
	__atomic_fetch_sub(&con.receivers, 1, __ATOMIC_RELEASE);
}

void console_on_key(void (*fn)(u8 byte))
{
	con.on_key = fn;
}

void console_init_early(const struct boot_info *bi)
{
	uart_init();
	fbcon_init(&bi->fb);
	log_add_sink(&sink);
}

/* Add a speaker. It gets its ring when its guest is built. */
static bool speaker_add(const char *name)
{
	struct speaker *sp = kmem_alloc(&pmm_self, sizeof(*sp));

	if (!sp)
		return false;
	str_copy(sp->name, name, sizeof(sp->name));
	sp->id = con.count++;
	con.speakers[sp->id] = sp;
	return true;
}

void console_configure(const struct manifest *m)
{
	char names[CONSOLE_LINE_BYTES];
	u32 i;

	spin_lock(&con.lock);
	for (i = 0; i < m->guest_count; i++)
		if (m->guests[i].valid && m->guests[i].autostart &&
		    con.count < CONSOLE_MAX_SPEAKERS)
			(void)speaker_add(m->guests[i].name);
	str_copy(con.wanted, m->focus, sizeof(con.wanted));
	if (m->console == CONSOLE_ALL)
		str_copy(con.wanted, "all", sizeof(con.wanted));
	if (!strcmp(con.wanted, "all"))
		con.focus = con.count;
	speaker_names(names, sizeof(names));
	spin_unlock(&con.lock);
	log_info("console", "Ctrl-] switches consoles: %s", names);
}

static struct speaker *speaker_find(const char *name)
{
	for (u32 i = 1; i < con.count; i++)
		if (!strcmp(con.speakers[i]->name, name))
			return con.speakers[i];
	return NULL;
}

/* Guests are built one at a time */
int console_attach(struct vm *vm, console_receive_fn receive, void *dev,
		   struct speaker **out)
{
	struct speaker *sp = speaker_find(vm->name);

	if (!sp)
		return -ENOENT;
	if (!sp->ring)
		sp->ring = pmm_alloc_bytes(&vm->budget, CONSOLE_RING_BYTES);
	if (!sp->ring)
		return -ENOMEM;
	spin_lock(&con.lock);
	sp->privileged = vm->privileged;
	sp->receiver = (struct receiver){ receive, dev };
	spin_unlock(&con.lock);
	*out = sp;
	return 0;
}

void console_detach(struct speaker *sp)
{
	spin_lock(&con.lock);
	sp->receiver.fn = NULL;
	spin_unlock(&con.lock);
	while (__atomic_load_n(&con.receivers, __ATOMIC_ACQUIRE))
		__builtin_ia32_pause();
}

void console_guest_starts(struct vm *vm)
{
	const struct speaker *sp = speaker_find(vm->name);
	bool wanted =
		con.wanted[0] ? !strcmp(con.wanted, vm->name) : vm->privileged;

	if (vm->privileged) {
		log_info("console", "the screen is now %s's", vm->name);
		fbcon_release();
	}
	spin_lock(&con.lock);
	if (wanted && sp && con.focus != sp->id)
		focus_set(sp->id, false);
	draw_soon();
	spin_unlock(&con.lock);
}

void console_panic_mode(void)
{
	con.panic = true;
	fbcon_reclaim();
}
