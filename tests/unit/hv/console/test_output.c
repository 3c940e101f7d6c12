/* SOURCES: hv/console/queue.c lib/string.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The way to the UART: direct, by interrupt, by timer; a UART that gets stuck
 * and goes on, one that is gone. The clock is the test's, so the source is
 * included here, unedited, behind a fake rdtsc().
 */
#include "tests/unit/fakes/core_tsc.h"

#include "hv/console/output.c"
#include "tests/unit/fakes/timer.h"
#include "tests/unit/fakes/tsc.h"
#include "tests/unit/test.h"

#define MS 1000000ull /* ticks */

struct console con;
static char line[1 << 17]; /* what the UART has sent */
static u32 line_len, fifo, polls, sends;
static bool there, busy, tx_on, interrupts;
static bool locked;
static u32 settled;
static u64 pause; /* the core does not run for so long, at its next look */

bool uart_present(void)
{
	return there;
}

static void wire(const char *s, size_t len)
{
	assert_true(line_len + len < sizeof(line));
	memcpy(line + line_len, s, len);
	line_len += (u32)len;
}

void uart_write(const char *s, size_t len)
{
	polls++;
	wire(s, len);
}

u32 uart_room(void)
{
	u32 room = there && !busy ? UART_FIFO_BYTES - fifo : 0;

	assert_false(locked);
	fake_now += pause;
	pause = 0;
	return room;
}

void uart_send(const char *s, u32 len)
{
	assert_false(locked);
	assert_true(fifo + len <= UART_FIFO_BYTES);
	sends += len != 0;
	fifo += len;
	wire(s, len);
}

/* Where the transmitter is empty, turning it on interrupts at once */
void uart_tx_irq(bool on)
{
	assert_false(locked);
	interrupts |= on && !tx_on && !fifo;
	tx_on = on;
}

void uart_irq_again(void)
{
}

void console_lock(void)
{
	assert_false(locked);
	locked = true;
}

void console_unlock(void)
{
	assert_true(locked);
	locked = false;
}

void console_drained(void)
{
	assert_false(locked);
	settled++;
}

static bool say(u32 id, const char *s)
{
	bool start, taken;

	console_lock();
	taken = output_put(id, s, (u32)strlen(s));
	start = output_begin();
	console_unlock();
	if (start)
		output_start();
	return taken;
}

/* The FIFO is on the wire: if the interrupt is on, it comes */
static void fifo_empties(void)
{
	interrupts |= tx_on && fifo;
	fifo = 0;
	if (!interrupts)
		return;
	interrupts = false;
	output_interrupt();
}

static void expect(const char *s)
{
	assert_int_equal(line_len, strlen(s));
	assert_memory_equal(line, s, line_len);
	line_len = 0;
}

/* One machine's life, in order: the module has one queue */
static void test_life(void **state)
{
	char flood[129];
	u32 all = 0;

	there = true;
	assert_true(output_is_direct());
	say(0, "boot ");
	assert_int_equal(polls, 1);
	assert_null(fake_timer);
	expect("boot ");

	/* By timer, as long as there is no interrupt */
	console_lock();
	output_defer(3);
	console_unlock();
	say(0, "0123456789abcdefghij");
	assert_int_equal(line_len, 0);
	assert_int_equal(sends, 0);
	fake_timer_fire();
	expect("0123456789abcdef");
	assert_non_null(fake_timer);
	fake_timer_fire(); /* no room yet */
	expect("");
	fifo_empties();
	fake_timer_fire();
	expect("ghij");
	assert_null(fake_timer);
	fifo_empties();

	/* By interrupt: the one who speaks writes no byte to the UART */
	output_has_irq();
	say(1, "from one. ");
	say(2, "from two, and more.");
	expect("");
	assert_true(interrupts);
	fifo_empties();
	expect("from one. from t");
	assert_true(tx_on);
	fifo_empties();
	expect("wo, and more.");
	assert_false(tx_on);
	fifo_empties();
	assert_true(settled);
	fake_timer_fire(); /* nothing is left for it */
	assert_null(fake_timer);
	expect("");

	/* It stays while somebody waits to be settled */
	say(1, "x");
	fifo_empties();
	con.unsettled = true;
	settled = 0;
	fake_timer_fire();
	fake_timer_fire();
	assert_int_equal(settled, 2);
	con.unsettled = false;
	fake_timer_fire();
	assert_null(fake_timer);
	expect("x");
	fifo_empties();

	/* An interrupt that is lost is made up for */
	say(1, "x");
	interrupts = false;
	fake_timer_fire();
	expect("x");
	fifo_empties();
	if (fake_timer)
		fake_timer_fire();
	assert_null(fake_timer);

	/* A flood: its share, and not the others' */
	memset(flood, 'f', sizeof(flood) - 1);
	flood[sizeof(flood) - 1] = 0;
	while (say(1, flood))
		all += (u32)strlen(flood);
	assert_true(all > 3000 && all <= 4096);
	assert_false(output_roomy(1));
	assert_true(output_roomy(2));
	assert_true(say(2, "hello"));
	for (u32 i = 0; i < 4096 / UART_FIFO_BYTES + 1; i++)
		fifo_empties();
	assert_int_equal(line_len, all + 5);
	assert_memory_equal(line + all, "hello", 5);
	line_len = 0;
	assert_true(output_roomy(1));
	while (fake_timer)
		fake_timer_fire();
}

static void pass_ms(u64 ms)
{
	u64 end = fake_now + ms * MS;

	while (fake_timer && fake_timer->deadline <= end) {
		fake_now = MAX(fake_now, fake_timer->deadline);
		fake_timer_fire();
	}
	fake_now = end;
}

/* It takes nothing for a second: nobody waits for it any more */
static void get_stuck(void)
{
	busy = true;
	say(1, "never seen");
	interrupts = false;
	pass_ms(900);
	assert_int_equal(queue.used[1], 10 + QUEUE_PIECE_COST);
	pass_ms(200);
	for (u32 i = 0; i < 1000; i++)
		assert_true(say(1, "to nowhere"));
	assert_true(output_roomy(1));
	pass_ms(100000);
	expect("");
}

/* Until it goes on, as the timer or the interrupt tells */
static void test_stuck(void **state)
{
	for (u32 i = 0; i < 2; i++) {
		get_stuck();
		busy = false;
		if (i)
			output_interrupt();
		pass_ms(40);
		assert_null(fake_timer);
		assert_false(tx_on);
		say(1, "back");
		pass_ms(40);
		expect("back");
		fifo_empties();
	}
}

/* A full FIFO, and a look at it from a core whose TSC lags behind that of the
 * core which filled it; or from one that was paused just then */
static void test_clocks(void **state)
{
	fifo = 0;
	say(1, "0123456789abcdef and more");
	fifo_empties();
	expect("0123456789abcdef");
	fake_this_cpu = &fake_pcpus[1];
	fake_tsc_ahead[1] = -100;
	output_interrupt();
	assert_false(stuck);
	pause = 2000 * MS;
	output_interrupt();
	assert_false(stuck);
	fifo_empties();
	expect(" and more");
	fifo_empties();
	pass_ms(40);
	assert_null(fake_timer);
	fake_this_cpu = &fake_pcpus[0];
}

/* It is gone for good */
static void test_gone(void **state)
{
	say(1, "never seen");
	there = false;
	pass_ms(40);
	assert_true(output_roomy(1));
	assert_true(say(1, "to nowhere"));
	assert_int_equal(line_len, 0);
	assert_false(tx_on);
	assert_null(fake_timer);
}

/* The end: all that waits is written, and what follows at once */
static void test_finish(void **state)
{
	there = true;
	interrupts = false;
	say(1, "last words of a guest, ");
	say(0, "and ours");
	line_len = 0;
	output_finish();
	assert_true(output_is_direct());
	expect("last words of a guest, and ours");
	say(0, ".");
	expect(".");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_life),   cmocka_unit_test(test_stuck),
		cmocka_unit_test(test_clocks), cmocka_unit_test(test_gone),
		cmocka_unit_test(test_finish),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
