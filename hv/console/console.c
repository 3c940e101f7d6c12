/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The console mux: who speaks, and who gets what is typed. Who is shown is
 * decided in mux.c. Called by the log (any context), by vUARTs, and by the
 * UART's interrupt or poll (input.c).
 *
 * con.lock protects the speakers, the focus, the queue and the screen; no lock
 * is taken inside it. The log's lock or a vUART's may come before it, so
 * nothing here logs or enters a vUART while it holds it.
 */
#include "hv/console/console.h"

#include "arch/x86/machine/tsc.h"
#include "drivers/console/fbcon.h"
#include "drivers/console/uart.h"
#include "hv/console/priv.h"
#include "lib/errno.h"
#include "lib/log.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "mm/pmm.h"

#define LOG_BYTES  514u /* a line of the log (lib/log.c), with CR and LF */
#define MARK_PRIME 0x9e3779b97f4a7c15ull

static char log_ring[CONSOLE_LOG_BYTES];
static struct speaker log_speaker = { .name = "log",
				      .ring = log_ring,
				      .ring_bytes = sizeof(log_ring) };

struct speaker *console_apart[VM_MAX];
struct console con; /* large, and so not in the image */

void console_lock(void)
{
	if (!con.alone)
		spin_lock(&con.lock);
}

void console_unlock(void)
{
	if (!con.alone)
		spin_unlock(&con.lock);
}

/* Gives the lock back and sets going what was said under it */
static void say_and_unlock(void)
{
	bool start;

	screen_draw_soon();
	start = output_begin();
	console_unlock();
	if (start)
		output_start();
}

bool console_write(struct speaker *sp, const char *s, size_t len)
{
	bool roomy;

	console_lock();
	if (!con.alone)
		mux_speak(sp, s, len);
	roomy = mux_roomy(sp);
	say_and_unlock();
	return roomy;
}

/* A copy that ends in CR LF. Words of guests and files may stand in the line:
 * what is not printable is a '.', as in the log's ring. */
static size_t log_copy(char *to, const char *line, size_t len)
{
	while (len && (line[len - 1] == '\n' || line[len - 1] == '\r'))
		len--;
	len = MIN(len, LOG_BYTES - 2);
	for (size_t i = 0; i < len; i++)
		to[i] = line[i] >= ' ' && line[i] <= '~' ? line[i] : '.';
	to[len] = '\r';
	to[len + 1] = '\n';
	return len + 2;
}

/* An error is shown whoever has the focus; in a panic nothing else is */
static void log_sink_write(struct log_sink *self, enum log_level level,
			   const char *line, size_t len)
{
	char copy[LOG_BYTES];

	len = log_copy(copy, line, len);
	console_lock();
	mux_speak(&log_speaker, copy, len);
	if (level >= LOG_ERROR)
		mux_alert(copy, len - 2);
	say_and_unlock();
}

static struct log_sink sink = { .write = log_sink_write };

/* Behind the last one come all of them, and then the first again */
static void focus_to(u32 focus)
{
	con.chosen = true;
	mux_focus(focus % (con.count + 1), true);
	say_and_unlock();
}

void console_focus_next(void)
{
	console_lock();
	focus_to(con.focus + 1);
}

void console_scroll(bool up)
{
	console_lock();
	scroll_page(up);
	say_and_unlock();
}

void console_focus_to(u32 focus)
{
	console_lock();
	focus_to(focus);
}

struct console_device receiver_get(const struct speaker *sp)
{
	struct console_device d = { 0 };

	console_lock();
	__atomic_fetch_add(&con.receivers, 1, __ATOMIC_ACQUIRE);
	if (sp) {
		d = sp->device;
		console_unlock();
		return d;
	}
	if (!focus_is_all())
		d = con.speakers[con.focus]->device;
	for (u32 i = 1; focus_is_all() && i < con.count; i++)
		if (con.speakers[i]->device.receive &&
		    con.speakers[i]->privileged)
			d = con.speakers[i]->device;
	console_unlock();
	return d;
}

void receiver_put(void)
{
	__atomic_fetch_sub(&con.receivers, 1, __ATOMIC_RELEASE);
}

void console_type(u8 byte)
{
	struct console_device d = receiver_get(NULL);

	if (d.receive)
		d.receive(d.dev, byte);
	else if (con.on_key)
		con.on_key(byte);
	receiver_put();
}

void console_on_key(void (*fn)(u8 byte))
{
	con.on_key = fn;
}

void console_init_early(const struct boot_info *bi)
{
	con.count = 1;
	con.speakers[0] = &log_speaker;
	fbcon_init(&bi->fb);
	serial_note(bi);
	log_add_sink(&sink);
}

void console_log_screen(const struct boot_info *bi)
{
	const struct boot_framebuffer *fb = &bi->fb;

	if (fb->base)
		log_info("console", "screen of %u x %u pixels at %#llx",
			 fb->width, fb->height, fb->base);
	else
		log_info("console", "no screen that text can be drawn on");
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

/* Digits that no guest can foresee: the time, to the cycle, of two moments */
static void mark_make(void)
{
	u64 x = rdtsc() * MARK_PRIME;

	x = (x ^ x >> 32 ^ rdtsc()) * MARK_PRIME;
	bh_snprintf(con.mark, sizeof(con.mark), "%04llx", x >> 48);
}

void console_configure(const struct manifest *m)
{
	char names[CONSOLE_LINE_BYTES];
	u32 i;

	console_lock();
	for (i = 0; i < m->guest_count; i++)
		if (m->guests[i].valid && m->guests[i].autostart &&
		    con.count < CONSOLE_MAX_SPEAKERS)
			(void)speaker_add(m->guests[i].name);
	str_copy(con.wanted, m->focus, sizeof(con.wanted));
	if (m->console == CONSOLE_ALL)
		str_copy(con.wanted, "all", sizeof(con.wanted));
	if (!strcmp(con.wanted, "all"))
		con.focus = con.count;
	mux_names(names, sizeof(names));
	mark_make();
	console_unlock();
	log_info("console", "Ctrl-] switches consoles: %s", names);
}

static struct speaker *speaker_find(const char *name)
{
	for (u32 i = 1; i < con.count; i++)
		if (!strcmp(con.speakers[i]->name, name))
			return con.speakers[i];
	return NULL;
}

/* One for each id, kept for the next guest that has it */
static struct speaker *speaker_apart(const struct vm *vm)
{
	struct speaker **sp = &console_apart[vm->id];

	if (!*sp)
		*sp = kmem_alloc(&pmm_self, sizeof(**sp));
	if (!*sp)
		return NULL;
	console_lock();
	memset(*sp, 0, sizeof(**sp));
	str_copy((*sp)->name, vm->name, sizeof((*sp)->name));
	(*sp)->id = CONSOLE_APART + vm->id;
	console_unlock();
	return *sp;
}

static bool is_apart(const struct speaker *sp)
{
	return sp->id >= CONSOLE_APART;
}

/* Guests are built one at a time */
int console_attach(struct vm *vm, const struct console_device *device,
		   struct speaker **out)
{
	struct speaker *sp =
		vm->dynamic ? speaker_apart(vm) : speaker_find(vm->name);

	if (!sp)
		return vm->dynamic ? -ENOMEM : -ENOENT;
	if (!sp->ring)
		sp->ring = pmm_alloc_bytes(&vm->budget, CONSOLE_RING_BYTES);
	if (!sp->ring)
		return -ENOMEM;
	sp->ring_bytes = CONSOLE_RING_BYTES;
	console_lock();
	sp->vm = vm;
	WRITE_ONCE(vm->console, sp->id);
	sp->privileged = vm->privileged;
	sp->device = *device;
	console_unlock();
	*out = sp;
	return 0;
}

/* Of a dynamic guest's, the bytes go, too: they are charged to it */
void console_detach(struct speaker *sp, struct vm *vm)
{
	char *ring = NULL;

	console_lock();
	sp->device = (struct console_device){ 0 };
	sp->vm = NULL;
	WRITE_ONCE(vm->console, 0);
	if (is_apart(sp)) {
		ring = sp->ring;
		sp->ring = NULL;
		sp->written = 0;
	}
	console_unlock();
	pmm_free_bytes(&vm->budget, ring, CONSOLE_RING_BYTES);
	while (__atomic_load_n(&con.receivers, __ATOMIC_ACQUIRE))
		__builtin_ia32_pause();
}

void console_guest_starts(struct vm *vm)
{
	u32 id = vm->console;
	bool wanted =
		con.wanted[0] ? !strcmp(con.wanted, vm->name) : vm->privileged;

	if (vm->privileged)
		log_info("console", "the screen is now %s's", vm->name);
	if (vm->privileged)
		console_give_keys();
	console_lock();
	if (vm->privileged) {
		scroll_end();
		fbcon_release();
	}
	if (wanted && id && id < con.count && !con.chosen) {
		con.chosen = true;
		mux_focus(id, false);
	}
	say_and_unlock();
}

void console_guest_restarts(const struct vm *vm)
{
	console_lock();
	fbcon_take_back();
	console_unlock();
	log_info("console", "the screen is the hypervisor's until %s starts",
		 vm->name);
}

void console_defer_output(void)
{
	console_lock();
	con.built = true;
	output_defer(con.count);
	console_unlock();
}

void console_finish(void)
{
	con.alone = true;
	scroll_end();
	output_finish();
	/* There is room again, for the log's last words first of all */
	(void)mux_settle();
	if (con.focus && !focus_is_all())
		mux_reset_terminal();
	if (con.mid_line)
		uart_write("\r\n", 2);
	con.mid_line = false;
	con.focus = 0;
}

/* Before the UART was chosen the log is on the screen alone */
void console_panic_mode(void)
{
	fbcon_early();
	con.alone = true;
	scroll_end();
	console_serial_init(NULL);
	console_finish();
	fbcon_reclaim();
}
