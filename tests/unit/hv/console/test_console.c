/* SOURCES: hv/console/console.c hv/console/mux.c hv/console/history.c hv/console/input.c hv/console/screen.c hv/console/output.c hv/console/queue.c hv/console/filter.c hv/console/remote.c hv/console/scroll.c lib/replay.c lib/string.c lib/printf.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/* The console mux: focus, whole lines, the switch key, floods, forgeries. Over
 * 400 lines: one console's life, on a fake UART, screen and guests. */
#include "tests/unit/fakes/vdev.h"

#include "arch/x86/machine/irq.h"
#include "drivers/acpi/acpi.h"
#include "drivers/console/fbcon.h"
#include "drivers/console/keyboard.h"
#include "drivers/console/uart.h"
#include "drivers/irq/ioapic.h"
#include "hv/console/console.h"
#include "hv/console/priv.h"
#include "hv/console/queue.h"
#include "hv/irq/route.h"
#include "tests/unit/fakes/pool.h"
#include "tests/unit/fakes/ratelimit.h"

static char shown[131072];
static size_t shown_len;
static const char *typed = "";
static char received[2][64];
static u32 readies[2];
static struct log_sink *sink;
static bool screen_released;
static struct vm vm_a, vm_b;
static struct speaker *speaker_a, *speaker_b;

/* Which one it is has a test of its own (test_serial.c) */
static const struct console_serial port = { .gsi = COM1_GSI };
static bool opened;

const struct console_serial *console_serial(void)
{
	return &port;
}

void serial_note(const struct boot_info *bi)
{
}

void console_serial_init(const struct manifest *m)
{
	if (opened)
		return;
	opened = true;
	history_replay_log();
}

bool uart_present(void)
{
	return opened;
}

void uart_flush(void)
{
}

void uart_write(const char *s, size_t len)
{
	assert_true(shown_len + len < sizeof(shown));
	memcpy(shown + shown_len, s, len);
	shown_len += len;
	shown[shown_len] = 0;
}

static bool tx_on, slow;

u32 uart_room(void)
{
	return UART_FIFO_BYTES;
}

void uart_send(const char *s, u32 len)
{
	uart_write(s, len);
}

void uart_tx_irq(bool on)
{
	tx_on = on;
}

static struct irq *uart_irq;
static bool irq_arrives = true;
static u32 irq_polls;

enum uart_cause uart_irq_cause(void)
{
	return UART_CAUSE_NONE;
}

void irq_poll(void)
{
	irq_polls++;
	if (irq_arrives && tx_on)
		uart_irq->fn(uart_irq);
}

void uart_irq_again(void)
{
}

static void uart_runs(void)
{
	while (tx_on && !slow)
		output_interrupt();
}

int uart_getc(void)
{
	return *typed ? (u8)*typed++ : -1;
}

void uart_rx_irq(bool on)
{
}

void fbcon_init(const struct boot_framebuffer *fb)
{
}

static size_t written; /* to the screen's text */
static char screen[524288];

void fbcon_write(const char *s, size_t len)
{
	assert_true(written + len < sizeof(screen));
	memcpy(screen + written, s, len);
	written += len;
}

#define COLUMNS 10u
#define ROWS    6u
static bool has_screen;

bool fbcon_size(u32 *columns, u32 *rows)
{
	*columns = COLUMNS;
	*rows = ROWS;
	return has_screen;
}

static size_t drawn;

void fbcon_clear(void)
{
	written = drawn = 0;
	memset(screen, 0, sizeof(screen));
}

/* What is pressed at the PC's keyboard */
static const int *pressed;
static u32 keyboard_looks;

void keyboard_start(void)
{
}

int keyboard_get(void)
{
	keyboard_looks++;
	return pressed && *pressed != KEY_NONE ? *pressed++ : KEY_NONE;
}

bool fbcon_stale(void)
{
	return drawn < written;
}

bool fbcon_draw(u64 until)
{
	drawn = written;
	return false;
}

void fbcon_early(void)
{
}
void fbcon_release(void)
{
	screen_released = true;
}

/* Another core may write to it or draw it */
void fbcon_reclaim(void)
{
	assert_true(con.alone || con.lock.next != con.lock.owner);
	screen_released = false;
}

void fbcon_take_back(void)
{
	assert_int_not_equal(con.lock.next, con.lock.owner);
	screen_released = false;
}

void log_add_sink(struct log_sink *s)
{
	sink = s;
}

/* What was typed at nobody's console but the hypervisor's */
static char commands[8];

static void on_key(u8 byte)
{
	commands[strlen(commands)] = (char)byte;
}

static bool receive(void *dev, u8 byte)
{
	char *to = received[(u32 *)dev - readies];

	to[strlen(to)] = (char)byte;
	return true;
}

static void ready(void *dev)
{
	++*(u32 *)dev;
}

static const struct console_device devices[2] = {
	{ &readies[0], receive, ready },
	{ &readies[1], receive, ready },
};

/* console_input_init() is the machine's */
u32 acpi_isa_gsi(u8 isa_irq)
{
	return isa_irq;
}

void irq_route_reserve(u32 gsi)
{
}

int irq_alloc(struct irq *irq)
{
	uart_irq = irq;
	return VEC_DEVICE_FIRST;
}

u32 ioapic_gsi_count(void)
{
	return 24;
}

int ioapic_route(u32 gsi, u8 vector, u32 apic_id, bool level, bool active_low)
{
	return 0;
}

static bool masked;

void ioapic_unmask(u32 gsi)
{
	assert_int_equal(gsi, COM1_GSI);
	masked = false;
}

void ioapic_mask(u32 gsi)
{
	assert_int_equal(gsi, COM1_GSI);
	masked = true;
}

static struct timer *armed[2]; /* the UART's and the screen's */
static struct timer *keyboard; /* the PC's keyboard's: the first of all */

void timer_arm(struct timer *t, u64 deadline)
{
	u32 i = armed[0] ? 1 : 0;

	if (!keyboard || keyboard == t) {
		keyboard = t;
		return;
	}
	assert_null(armed[i]);
	t->deadline = deadline;
	armed[i] = t;
}

/* One tick a millisecond: all that has a time is due */
static void time_flies(bool flies)
{
	tsc_khz = flies ? 1 : 1000000000;
}

static void timers_fire(void)
{
	struct timer *t[2] = { armed[0], armed[1] };

	armed[0] = armed[1] = NULL;
	for (u32 i = 0; i < 2; i++)
		if (t[i])
			t[i]->fn(t[i]);
}

struct pcpu *pcpus[MAX_CPUS];
static u32 kicks;

void pcpu_kick(struct pcpu *cpu, u32 pending_bits)
{
	assert_ptr_equal(cpu, pcpus[0]);
	assert_int_equal(pending_bits, PCPU_KEY);
	kicks++;
}

static bool say(struct speaker *sp, const char *s)
{
	bool roomy = console_write(sp, s, strlen(s));

	uart_runs();
	return roomy;
}

static void log_say(enum log_level level, const char *s)
{
	sink->write(sink, level, s, strlen(s));
	uart_runs();
}

static void clear(void)
{
	shown_len = 0;
	shown[0] = 0;
}

static void type(const char *s)
{
	typed = s;
	do
		console_poll();
	while (*typed);
	uart_runs();
	assert_int_equal(*typed, 0);
}

/* What is shown when only printable characters count */
static bool showed(const char *s)
{
	return strstr(shown, s);
}

/* The line that a table names may be dead: then the UART is polled */
static void start_input(void)
{
	time_flies(true);
	irq_arrives = false;
	console_input_init();
	assert_true(masked && irq_polls && !tx_on);
	assert_non_null(armed[0]);
	typed = "";
	timers_fire(); /* it looks, and will again */
	assert_non_null(armed[0]);
	armed[0] = NULL;
	time_flies(false);
	irq_arrives = true;
	console_input_init();
	assert_false(masked || tx_on);
	assert_null(armed[0]);
}

static void start(void)
{
	static struct boot_info bi;
	static struct guest_config guests[2];
	static struct manifest m = { .guests = guests, .guest_room = 2 };

	console_init_early(&bi);
	console_on_key(on_key);
	log_say(LOG_INFO, "first line\n");
	assert_false(fbcon_stale());
	assert_string_equal(screen, "first line\r\n");
	/* What was said before there is a UART is shown once there is */
	assert_string_equal(shown, "");
	console_serial_init(&m);
	assert_string_equal(shown, "first line\r\n");
	assert_string_equal(screen, "first line\r\n");
	strcpy(m.guests[0].name, "linux");
	strcpy(m.guests[1].name, "box");
	m.guests[0].valid = m.guests[1].valid = true;
	m.guests[0].autostart = m.guests[1].autostart = true;
	m.guest_count = 2;
	console_configure(&m);
	strcpy(vm_a.name, "linux");
	vm_a.privileged = true;
	strcpy(vm_b.name, "box");
	assert_int_equal(console_attach(&vm_a, &devices[0], &speaker_a), 0);
	assert_int_equal(console_attach(&vm_b, &devices[1], &speaker_b), 0);
	assert_string_equal(speaker_a->name, "linux");
	assert_string_equal(speaker_b->name, "box");
	start_input();
	console_defer_output();
}

/* One machine's life, in order: the module has one console */
static void test_life(void **state)
{
	static struct vm stranger = { .name = "stranger" };
	struct speaker *again;
	u32 i;

	time_flies(false);
	start();
	assert_int_equal(console_attach(&stranger, &devices[0], &again),
			 -ENOENT);

	/* The log has the focus: guests are kept in their rings */
	clear();
	say(speaker_b, "early\r\n");
	assert_string_equal(shown, "");
	type("x");
	assert_string_equal(received[0], "");
	assert_string_equal(commands, "x");

	/* The PC's keyboard is ours until the privileged guest starts */
	pressed = (const int[]){ 'p', CONSOLE_SWITCH_KEY, KEY_OTHER, KEY_NONE };
	keyboard->fn(keyboard);
	uart_runs();
	assert_string_equal(commands, "xp");
	assert_int_equal(con.focus, 1);
	pressed = (const int[]){ 'q', CONSOLE_SWITCH_KEY, CONSOLE_SWITCH_KEY,
				 CONSOLE_SWITCH_KEY, KEY_NONE };
	/* A switch is much work: the core has a look at its timer behind it */
	keyboard->fn(keyboard);
	assert_int_equal(*pressed, CONSOLE_SWITCH_KEY);
	assert_int_equal(con.focus, 2);
	while (*pressed != KEY_NONE)
		keyboard->fn(keyboard);
	uart_runs();
	assert_string_equal(received[0], "q");
	assert_int_equal(con.focus, 0);
	con.chosen = false;
	memset(received, 0, sizeof(received));
	strcpy(commands, "x");
	while (armed[0])
		timers_fire();
	clear();

	console_guest_starts(&vm_b);
	uart_runs();
	assert_string_equal(shown, "");
	console_guest_starts(&vm_a);
	uart_runs();
	assert_true(screen_released);
	pressed = (const int[]){ 'x', KEY_NONE };
	keyboard_looks = 0;
	console_keys();
	keyboard->fn(keyboard);
	assert_int_equal(keyboard_looks, 0);
	assert_true(showed("--- console: linux --- Ctrl-] switches: "
			   "log, linux, box, all ---"));
	timers_fire();
	clear();
	say(speaker_a, "login:");
	assert_true(fbcon_stale()); /* drawn later, by one timer */
	say(speaker_a, " ");
	say(speaker_b, "other\r\n");
	timers_fire();
	assert_false(fbcon_stale());
	assert_null(armed[0]);
	log_say(LOG_INFO, "quiet");
	assert_string_equal(shown, "login: ");
	timers_fire();

	/* An error shows on any console, behind the mark */
	log_say(LOG_ERROR, "box crashed");
	assert_true(showed("login: "));
	assert_true(showed("\r\nbox crashed "));
	assert_true(showed(con.mark));
	assert_int_equal(strlen(con.mark), CONSOLE_MARK_LEN);
	type("ab");
	assert_string_equal(received[0], "ab");

	/* Ctrl-]: box, with its last lines */
	clear();
	type("\x1d");
	assert_true(showed("--- console: box ---"));
	assert_true(showed(con.mark));
	assert_true(showed("early\r\nother\r\n"));
	type("z");
	assert_string_equal(received[1], "z");

	/* A guest that starts again does not take it back */
	clear();
	console_guest_restarts(&vm_a);
	assert_false(screen_released);
	console_guest_starts(&vm_a);
	uart_runs();
	assert_string_equal(shown, "");
	type("y");
	assert_string_equal(received[1], "zy");

	/* All: whole lines only, behind names; typing goes to linux */
	type("\x1d");
	clear();
	say(speaker_a, "one ");
	say(speaker_b, "two\r\n");
	log_say(LOG_INFO, "three");
	say(speaker_a, "four\r\n");
	assert_string_equal(shown, "[box] two\r\n[log] three\r\n"
				   "[linux] one four\r\n");
	type("c");
	assert_string_equal(received[0], "abc");
	clear();
	for (i = 0; i < 300; i++)
		say(speaker_b, "x");
	assert_int_equal(shown_len, 6 + 256 + 2);

	/* Round to the log, which has all its lines */
	clear();
	type("\x1d");
	assert_true(showed("--- console: log ---"));
	assert_true(showed("box crashed\r\nthree\r\n"));

	/* A long history is cut to whole lines */
	for (i = 0; i < 2000; i++)
		say(speaker_a, i % 50 ? "." : "\r\n");
	clear();
	type("\x1d");
	assert_true(shown_len < 1024 + 200);
	assert_non_null(strstr(strstr(shown, "---") + 3, "\r\n....."));

	/* Gone and back: one speaker */
	console_detach(speaker_b, &vm_b);
	assert_int_equal(console_attach(&vm_b, &devices[1], &again), 0);
	assert_ptr_equal(again, speaker_b);
	console_detach(again, &vm_b);
	assert_string_equal(commands, "x"); /* the rest had a receiver */
	type("\x1d");
	type("q");
	assert_string_equal(received[1], "zy");
	assert_string_equal(commands, "xq");
	assert_int_equal(console_attach(&vm_b, &devices[1], &again), 0);
}

/* From box, in mode "all": what it says cannot pass for another's line, and the
 * terminal gets no control but ours */
static void test_forgery(void **state)
{
	type("\x1d");
	clear();
	say(speaker_b, "\x1b[2J\x1b[H\x1b]0;t\x07\x9b"
		       "1A\b\b\b[log] x\r"
		       "[log] forged\xc2\x85[linux] y\v\f\xff\n");
	say(speaker_b, "\x1b[31");
	say(speaker_b, "m\xe2\x82\n\xac.\n");
	assert_string_equal(shown,
			    "[box]  0;t\\x07\\x9b1A\\x08\\x08\\x08[log] x[log] "
			    "forged\\xc2\\x85[linux] y\\x0b\\x0c\\xff\r\n"
			    "[box] \r\n[box] \\xac.\r\n");
	/* A line that grows as it is filtered is cut like any other */
	clear();
	for (u32 i = 0; i < 200; i++)
		say(speaker_b, "\x01");
	assert_int_equal(shown_len, 3 * (6 + 256 + 2));
	say(speaker_b, "\n");
	/* In the log, too, whoever put it there */
	clear();
	log_say(LOG_INFO, "name \x1b[2J\n[log] z");
	assert_string_equal(shown, "[log] name .[2J.[log] z\r\n");
}

static u32 count_of(const char *what)
{
	u32 n = 0;

	for (const char *at = shown; (at = strstr(at, what)); at++)
		n++;
	return n;
}

/* A UART that is behind: a polite guest waits and loses nothing, another loses
 * what is too much, and is told so; the log and a neighbour do not notice */
static void test_flood(void **state)
{
	u32 lines = 0, lost;

	slow = true;
	clear();
	while (say(speaker_a, "polite\n"))
		lines++;
	lines++;
	for (u32 i = 0; i < 10000; i++)
		say(speaker_b, "flood\n");
	log_say(LOG_INFO, "all is well");
	assert_int_equal(shown_len, 0);
	assert_int_equal(readies[0], 0);
	slow = false;
	uart_runs();
	assert_int_equal(count_of("[linux] polite\r\n"), lines);
	assert_int_equal(count_of("[log] all is well\r\n"), 1);
	assert_int_equal(readies[0], 1);
	assert_int_equal(count_of("bytes are lost"), 1);
	assert_int_equal(
		sscanf(strstr(shown, "[box] ("), "[box] (%u bytes", &lost), 1);
	/* A line is counted as it would have been shown */
	assert_int_equal(count_of("[box] flood\r\n") + lost / 13, 10000);
	clear();
	say(speaker_b, "calm\n");
	assert_string_equal(shown, "[box] calm\r\n");

	/* The same in focus, byte by byte */
	type("\x1d\x1d\x1d");
	assert_int_equal(con.focus, 2);
	clear();
	slow = true;
	for (u32 i = 0; i < 10000; i++)
		say(speaker_b, "x");
	assert_false(say(speaker_b, "x"));
	slow = false;
	uart_runs();
	assert_int_equal(
		sscanf(strchr(shown, '('), "(%u bytes are lost)", &lost), 1);
	assert_int_equal(count_of("x") + lost, 10001);
	/* As a line of ours, whatever the guest has begun */
	assert_non_null(strstr(strchr(shown, '('), con.mark));
	assert_true(showed("\x18\x0f\x1b[0m\r\n("));
	assert_int_equal(readies[1], 2);

	/* A device that waits is not left behind by a switch */
	slow = true;
	while (say(speaker_b, "x"))
		;
	type("\x1d");
	slow = false;
	uart_runs();
	assert_int_equal(readies[1], 3);
	while (armed[0])
		timers_fire();
}

/* A switch asks the terminal nothing that the guest once asked */
static void test_replay(void **state)
{
	say(speaker_b, "\x1b[31mred\x1b[6n\x1b[c\x1b]11;?\x07 end\x1b[");
	while (con.focus != 2)
		type("\x1d");
	clear();
	type("\x1d\x1d\x1d\x1d");
	assert_int_equal(con.focus, 2);
	assert_true(showed("\x1b[31mred end\x1b["));
	assert_false(showed("[6n") || showed("[c") || showed("]11"));
	/* Of the log there is more than its share of the queue holds now */
	slow = true;
	for (u32 i = 0; i < 400; i++)
		log_say(LOG_INFO, "a line of the log that is not that short");
	clear();
	has_screen = true;
	written = 0;
	typed = "\x1d\x1d";
	console_poll();
	assert_int_equal(con.focus, con.count);
	console_poll();
	assert_int_equal(con.focus, 0);
	/* The screen gets what it has room for */
	screen[written] = 0;
	assert_non_null(strstr(screen, "that short\r\n"));
	assert_true(written < 512);
	has_screen = false;
	slow = false;
	uart_runs();
	assert_true(showed("--- console: log ---"));
	assert_true(shown_len > 12000 && shown_len < 40000);
	assert_false(con.speakers[0]->lost);
	while (armed[0])
		timers_fire();
}

/* Of a guest that has ended, the list says why */
static void test_ended(void **state)
{
	vm_b.end_reason = "it powered off";
	vm_b.state = VM_RUNNING;
	vm_b.end = VM_END_POWER_OFF; /* its RAM is being scrubbed */
	clear();
	type("\x1d");
	assert_true(showed("log, linux, box (ended: it powered off), all"));
	vm_b.end = VM_END_RESET;
	clear();
	type("\x1d");
	assert_true(showed("log, linux, box, all"));
	while (armed[0])
		timers_fire();
}

static const char *read_all(u64 id, u64 *at)
{
	static char text[CONSOLE_LOG_BYTES + 1];
	u32 n = 0, len;

	while ((len = console_read(id, at, text + n, 7))) {
		assert_true(len <= 7);
		n += len;
		*at += len;
	}
	text[n] = 0;
	return text;
}

static u32 spoken_calls;

static void on_spoken(void)
{
	spoken_calls++;
}

/* A reader at the end is told once; one that is behind, or none, is not */
static void test_follow(void **state)
{
	static char text[CONSOLE_RING_BYTES + 1];
	u64 at = ~0ull, end, id;
	u32 len;

	console_on_spoken(on_spoken);
	assert_true(console_of(&vm_b, &id));
	assert_int_equal(id, 2);
	assert_false(console_of(NULL, &id));
	/* The guest has the number itself: no speaker is looked at for it */
	assert_true(console_of(&(struct vm){ .console = 7777 }, &id));
	assert_int_equal(id, 7777);
	say(speaker_b, "before\n");
	assert_int_equal(spoken_calls, 0);
	assert_int_equal(console_follow(2, &at, text, 100, &end), 0);
	assert_int_equal(at, end);
	say(speaker_b, "one\n");
	say(speaker_b, "two\n");
	assert_int_equal(spoken_calls, 1);
	assert_true(console_any_spoken());
	assert_false(console_any_spoken());
	assert_false(console_spoken(1));
	assert_true(console_spoken(2));
	assert_false(console_spoken(2));
	/* It does not reach the end */
	assert_int_equal(console_follow(2, &at, text, 4, &end), 4);
	assert_memory_equal(text, "one\n", 4);
	assert_int_equal(end, at + 8);
	say(speaker_b, "three\n");
	assert_int_equal(spoken_calls, 1);
	/* All of the ring in one, around its end */
	for (u32 i = 0; i < 2 * CONSOLE_RING_BYTES; i++)
		say(speaker_b, i % 64 ? "+" : "\n");
	say(speaker_b, "last");
	at = 0;
	len = console_follow(2, &at, text, sizeof(text), &end);
	assert_int_equal(len, CONSOLE_RING_BYTES);
	assert_int_equal(at + len, end);
	assert_memory_equal(text + len - 4, "last", 4);
	say(speaker_b, "!");
	assert_int_equal(spoken_calls, 2);
	assert_int_equal(console_follow(9, &at, text, 4, &end), 0);
	assert_false(console_spoken(9));
	con.on_spoken = NULL;
}

static void test_remote(void **state)
{
	struct console_about about;
	u64 at = ~0ull, end;
	char byte;
	u32 focus;

	assert_int_equal(console_count(&focus), 3);
	assert_int_equal(focus, con.focus);
	assert_true(console_about(0, &about));
	assert_string_equal(about.name, "log");
	assert_true(about.is_log && !about.privileged && !about.ended);
	assert_true(console_about(1, &about));
	assert_true(about.privileged && !about.is_log);
	assert_true(console_about(2, &about));
	assert_string_equal(about.name, "box");
	vm_b.state = VM_STOPPED;
	assert_true(console_about(2, &about));
	assert_string_equal(about.ended, "it powered off");
	vm_b.state = VM_RUNNING;
	assert_false(console_about(3, &about));
	assert_false(console_about(~0ull, &about));

	/* From the end on, and all there is, in pieces and around the ring */
	assert_int_equal(console_read(2, &at, &byte, 1), 0);
	end = at;
	assert_int_equal(end, speaker_b->written);
	say(speaker_b, "news\n");
	assert_string_equal(read_all(2, &at), "news\n");
	assert_int_equal(at, end + 5);
	for (u32 i = 0; i < 2 * CONSOLE_RING_BYTES; i++)
		say(speaker_b, i % 64 ? "+" : "\n");
	at = 0;
	assert_int_equal(console_read(2, &at, &byte, 0), 0);
	assert_int_equal(at, speaker_b->written - CONSOLE_RING_BYTES);
	assert_int_equal(strlen(read_all(2, &at)), CONSOLE_RING_BYTES);
	at = 0;
	assert_non_null(strstr(read_all(0, &at), "all is well\r\n"));
	assert_int_equal(console_read(3, &at, &byte, 1), 0);

	/* Whoever has the focus */
	memset(received, 0, sizeof(received));
	memset(commands, 0, sizeof(commands));
	assert_true(console_type_at(2, 'b'));
	assert_true(console_type_at(1, 'a'));
	assert_true(console_type_at(1, CONSOLE_SWITCH_KEY));
	assert_string_equal(received[0], "a\x1d");
	assert_string_equal(received[1], "b");
	assert_false(console_type_at(3, 'c'));
	fake_ratelimit_left = 2;
	assert_true(console_type_at(0, 's'));
	assert_string_equal(commands, ""); /* the boot core takes it */
	assert_int_equal(kicks, 1);
	assert_false(console_type_at(0, 'v'));
	console_take_key();
	console_take_key();
	assert_string_equal(commands, "s");
	assert_int_equal(con.receivers, 0);
	assert_true(console_focus(2));
	assert_int_equal(con.focus, 2);
	assert_false(console_type_at(0, 's'));
	assert_false(console_focus(1)); /* too often */
	assert_string_equal(commands, "s");
	fake_ratelimit_left = 2;
	assert_false(console_focus(4));
	assert_false(console_focus(~0ull));
	assert_true(console_focus(3));
	assert_true(focus_is_all());
	memset(received, 0, sizeof(received));
	strcpy(received[0], "abc");
	uart_runs();
	while (armed[0])
		timers_fire();
}

static void page(bool up, const char *text)
{
	console_scroll(up);
	assert_string_equal(screen, text);
}

/* Ten columns and six rows, four of them for the log */
static void test_scroll(void **state)
{
	struct speaker *log = con.speakers[0];
	const u64 written_before = log->written;
	char kept[1024];

	/* No screen, no page */
	console_scroll(true);
	assert_int_equal(con.scrolled, 0);
	has_screen = true;
	log->written = con.lines = 0;
	for (u32 i = 0; i < 9; i++) {
		char line[32];

		snprintf(line, sizeof(line), "line %u\n", i);
		log_say(LOG_INFO, i == 6 ? "six goes over rows\n" : line);
	}
	page(true, "line 2\r\nline 3\r\nline 4\r\nline 5\r\n"
		   "--- the log, 4 lines back --- PgUp, PgDn ---");
	/* What is said goes to the UART alone */
	clear();
	log_say(LOG_INFO, "new\n");
	assert_true(strlen(shown));
	assert_int_equal(screen[written - 1], '-');
	page(true, "line 0\r\nline 1\r\nline 2\r\nline 3\r\n"
		   "--- the log, 7 lines back --- PgUp, PgDn ---");
	page(true, "line 0\r\nline 1\r\nline 2\r\nline 3\r\n"
		   "--- the log, 7 lines back --- PgUp, PgDn ---");
	page(false, "line 4\r\nline 5\r\nsix goes o\r\nver rows\r\n"
		    "--- the log, 3 lines back --- PgUp, PgDn ---");
	/* Nobody looks through all that was said since: where lines begin is
	 * known */
	memcpy(kept, log->ring, sizeof(kept));
	memset(log->ring + con.starts[7], '\n', log->written - con.starts[7]);
	page(true, "line 0\r\nline 1\r\nline 2\r\nline 3\r\n"
		   "--- the log, 7 lines back --- PgUp, PgDn ---");
	page(false, "line 4\r\nline 5\r\nsix goes o\r\nver rows\r\n"
		    "--- the log, 3 lines back --- PgUp, PgDn ---");
	memcpy(log->ring, kept, sizeof(kept));
	page(false, "ver rows\r\nline 7\r\nline 8\r\nnew\r\n");
	assert_int_equal(con.scrolled, 0);
	/* Each switch ends it */
	console_scroll(true);
	assert_true(con.scrolled);
	type("\x1d");
	assert_int_equal(con.scrolled, 0);
	has_screen = false;
	log->written = MAX(written_before, log->written);
	while (!focus_is_all())
		type("\x1d");
	fbcon_clear();
	while (armed[0])
		timers_fire();
}

/* No guest runs any more: keys and screen are ours */
static void test_take_over(void **state)
{
	memset(commands, 0, sizeof(commands));
	screen_released = true;
	console_take_over(on_key);
	assert_false(screen_released);
	type("k");
	assert_string_equal(commands, "k");
	pressed = (const int[]){ 'l', KEY_PAGE_UP, KEY_PAGE_DOWN, KEY_NONE };
	console_keys();
	assert_string_equal(commands, "kl");
	assert_string_equal(received[0], "abc");
	screen_released = true;
}

static void test_panic(void **state)
{
	slow = true;
	clear();
	say(speaker_b, "last\n");
	/* The log has just said more than the queue takes */
	for (u32 i = 0; i < QUEUE_BYTES && !con.speakers[0]->lost; i++)
		log_say(LOG_INFO, "too much");
	assert_int_equal(shown_len, 0);
	console_panic_mode();
	assert_int_equal(strncmp(shown, "[box] last\r\n[log] too", 21), 0);
	assert_true(showed("[log] too much\r\n[log] (16 bytes are lost)\r\n"));
	assert_false(screen_released);
	clear();
	say(speaker_a, "nothing\n");
	log_say(LOG_ERROR, "panic");
	assert_false(fbcon_stale());
	assert_string_equal(shown, "panic\r\n");
}

/* A dynamic guest's is not the terminal's, and comes back with its index */
static void test_apart(void **state)
{
	static struct vm dynamic = { .id = 9, .name = "web" };
	struct console_about about;
	u32 count, focus, live = fake_pool_live;
	struct speaker *sp, *again;
	char buf[16];
	u64 at = 0;

	dynamic.dynamic = (struct dynamic *)&dynamic;
	count = console_count(&focus);
	assert_int_equal(console_attach(&dynamic, &devices[1], &sp), 0);
	assert_int_equal(console_count(&focus), count);
	assert_true(console_of(&dynamic, &at));
	assert_int_equal(at, CONSOLE_APART + 9);
	at = 0;
	clear();
	say(sp, "hello");
	assert_string_equal(shown, "");
	assert_true(console_about(CONSOLE_APART + 9, &about));
	assert_string_equal(about.name, "web");
	assert_int_equal(console_read(CONSOLE_APART + 9, &at, buf, 16), 5);
	assert_memory_equal(buf, "hello", 5);
	assert_false(console_about(CONSOLE_APART + 8, &about));
	assert_false(console_about(CONSOLE_APART + VM_MAX, &about));
	console_detach(sp, &dynamic);
	assert_false(console_of(&dynamic, &at));
	at = 0;
	assert_int_equal(console_read(CONSOLE_APART + 9, &at, buf, 16), 0);
	assert_int_equal(fake_pool_live, live + 1); /* for the next one */
	assert_int_equal(console_attach(&dynamic, &devices[1], &again), 0);
	assert_ptr_equal(again, sp);
	at = 0;
	assert_int_equal(console_read(CONSOLE_APART + 9, &at, buf, 16), 0);
	console_detach(again, &dynamic);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_life),   cmocka_unit_test(test_forgery),
		cmocka_unit_test(test_flood),  cmocka_unit_test(test_replay),
		cmocka_unit_test(test_ended),  cmocka_unit_test(test_remote),
		cmocka_unit_test(test_apart),  cmocka_unit_test(test_follow),
		cmocka_unit_test(test_scroll), cmocka_unit_test(test_take_over),
		cmocka_unit_test(test_panic),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
