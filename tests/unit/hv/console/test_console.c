/* SOURCES: hv/console/console.c hv/console/input.c lib/string.c lib/printf.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/* The console mux: focus, whole lines, the switch key */
#include "tests/unit/fakes/vdev.h"

#include "arch/x86/machine/irq.h"
#include "drivers/acpi/acpi.h"
#include "drivers/console/fbcon.h"
#include "drivers/console/uart.h"
#include "hv/console/console.h"
#include "hv/console/priv.h"
#include "hv/irq/route.h"

static char shown[65536];
static size_t shown_len;
static const char *typed = "";
static char received[2][64];
static struct log_sink *sink;
static bool screen_released;
static struct vm vm_a, vm_b;
static struct speaker *speaker_a, *speaker_b;

bool uart_init(void)
{
	return true;
}

void uart_write(const char *s, size_t len)
{
	assert_true(shown_len + len < sizeof(shown));
	memcpy(shown + shown_len, s, len);
	shown_len += len;
	shown[shown_len] = 0;
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
static char screen[65536];

void fbcon_write(const char *s, size_t len)
{
	assert_true(written + len < sizeof(screen));
	memcpy(screen + written, s, len);
	written += len;
}

static size_t drawn;

bool fbcon_stale(void)
{
	return drawn < written;
}

void fbcon_draw(void)
{
	drawn = written;
}

void fbcon_release(void)
{
	screen_released = true;
}

void fbcon_reclaim(void)
{
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
	char *to = dev;

	to[strlen(to)] = (char)byte;
	return true;
}

/* console_input_init() is the machine's */
u32 acpi_isa_gsi(u8 isa_irq)
{
	return isa_irq;
}

void irq_route_reserve(u32 gsi)
{
}

int irq_alloc(irq_handler_t fn, void *arg)
{
	return -ENOSPC;
}

static struct timer *armed;
static u64 armed_ticks; /* from then on */

void timer_arm(struct timer *t, u64 deadline)
{
	assert_null(armed);
	armed = t;
	armed_ticks = deadline - rdtsc();
}

/* One tick a millisecond: all that has a time is due */
static void time_flies(bool flies)
{
	tsc_khz = flies ? 1 : 1000000000;
}

static void timer_fires(void)
{
	struct timer *t = armed;

	assert_non_null(t);
	armed = NULL;
	time_flies(true);
	t->fn(t);
	time_flies(false);
}

static void say(struct speaker *sp, const char *s)
{
	console_write(sp, s, strlen(s));
}

static void log_say(enum log_level level, const char *s)
{
	sink->write(sink, level, s, strlen(s));
}

static void clear(void)
{
	shown_len = 0;
	shown[0] = 0;
}

static void type(const char *s)
{
	typed = s;
	console_poll();
	assert_int_equal(*typed, 0);
}

/* One machine's life, in order: the module has one console */
static void test_life(void **state)
{
	static struct boot_info bi;
	static struct manifest m;
	static struct vm stranger = { .name = "stranger" };
	struct speaker *again;
	u32 i;

	time_flies(false);
	console_init_early(&bi);
	console_on_key(on_key);
	log_say(LOG_INFO, "first line\n");
	assert_string_equal(shown, "first line\r\n");
	assert_false(fbcon_stale());
	strcpy(m.guests[0].name, "linux");
	strcpy(m.guests[1].name, "box");
	m.guests[0].valid = m.guests[1].valid = true;
	m.guests[0].autostart = m.guests[1].autostart = true;
	m.guest_count = 2;
	console_configure(&m);
	strcpy(vm_a.name, "linux");
	vm_a.privileged = true;
	strcpy(vm_b.name, "box");
	assert_int_equal(
		console_attach(&vm_a, receive, received[0], &speaker_a), 0);
	assert_int_equal(
		console_attach(&vm_b, receive, received[1], &speaker_b), 0);
	assert_string_equal(speaker_a->name, "linux");
	assert_string_equal(speaker_b->name, "box");
	assert_int_equal(console_attach(&stranger, receive, NULL, &again),
			 -ENOENT);

	/* The log has the focus: guests are kept in their rings */
	clear();
	say(speaker_b, "early\r\n");
	assert_string_equal(shown, "");
	type("x");
	assert_string_equal(received[0], "");
	assert_string_equal(commands, "x");

	console_guest_starts(&vm_b);
	assert_string_equal(shown, "");
	console_guest_starts(&vm_a);
	assert_true(screen_released);
	assert_non_null(strstr(shown, "--- console: linux --- Ctrl-] switches: "
				      "log, linux, box, all ---"));
	clear();
	timer_fires();
	say(speaker_a, "login:");
	assert_true(fbcon_stale());
	assert_true(armed_ticks <= ns_to_tsc(100000000));
	say(speaker_a, " "); /* one timer for both */
	say(speaker_b, "other\r\n");
	timer_fires();
	assert_false(fbcon_stale());
	assert_null(armed);
	log_say(LOG_INFO, "quiet");
	assert_null(armed);
	assert_string_equal(shown, "login: ");
	log_say(LOG_ERROR, "box crashed");
	assert_false(fbcon_stale());
	assert_string_equal(shown, "login: \r\nbox crashed\r\n");
	type("ab");
	assert_string_equal(received[0], "ab");

	/* Lines: the first is drawn at once, those right after it later */
	time_flies(true);
	say(speaker_a, "one\r\n");
	assert_false(fbcon_stale());
	time_flies(false);
	say(speaker_a, "two\r\n");
	assert_true(fbcon_stale());
	assert_true(armed_ticks > ns_to_tsc(900000000));
	time_flies(true);
	say(speaker_a, "three\r\n");
	assert_false(fbcon_stale());
	timer_fires(); /* nothing is left for it */
	assert_null(armed);

	/* Ctrl-]: box, with its last lines */
	clear();
	type("\x1d");
	assert_non_null(strstr(shown, "--- console: box ---"));
	assert_non_null(strstr(shown, "early\r\nother\r\n"));
	type("z");
	assert_string_equal(received[1], "z");

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
	assert_non_null(strstr(shown, "--- console: log ---"));
	assert_non_null(strstr(shown, "box crashed\r\nthree\r\n"));

	/* A long history is cut to whole lines */
	for (i = 0; i < 2000; i++)
		say(speaker_a, i % 50 ? "." : "\r\n");
	clear();
	type("\x1d");
	assert_true(shown_len < 1024 + 100);
	assert_non_null(strstr(shown, "---\r\n....."));

	/* Gone and back: one speaker */
	console_detach(speaker_b);
	assert_int_equal(console_attach(&vm_b, receive, received[1], &again),
			 0);
	assert_ptr_equal(again, speaker_b);
	console_detach(again);
	assert_string_equal(commands, "x"); /* the rest had a receiver */
	type("\x1d");
	type("q");
	assert_string_equal(received[1], "z");
	assert_string_equal(commands, "xq");

	console_panic_mode();
	assert_false(screen_released);
	clear();
	say(speaker_a, "nothing\n");
	log_say(LOG_ERROR, "panic");
	assert_false(fbcon_stale());
	assert_string_equal(shown, "panic\r\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_life),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
