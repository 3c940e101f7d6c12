/* SOURCES: hv/console/output.c hv/console/queue.c lib/string.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/* The way to the UART: direct, by interrupt, by timer; a UART that hangs */
#include "drivers/console/uart.h"
#include "hv/console/priv.h"
#include "tests/unit/fakes/timer.h"
#include "tests/unit/fakes/tsc.h"
#include "tests/unit/test.h"

static char line[1 << 17]; /* what the UART has sent */
static u32 line_len, fifo, polls, sends;
static bool there, busy, tx_on, interrupts;
static bool locked;
static u32 settled;

bool uart_present(void)
{
	return there;
}

void uart_give_up(void)
{
	there = false;
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
	assert_false(locked);
	return there && !busy ? UART_FIFO_BYTES - fifo : 0;
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

	tsc_khz = 1000000000; /* nothing is ever late */
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

/* It takes nothing for a second: nobody waits for it any more */
static void test_hangs(void **state)
{
	busy = true;
	fifo = 0;
	say(1, "never seen");
	tsc_khz = 1; /* from now on a second is a thousand cycles */
	for (u32 i = 0; i < 1000000 && there; i++) {
		interrupts = false;
		if (fake_timer)
			fake_timer_fire();
	}
	assert_false(there);
	assert_true(output_roomy(1));
	assert_true(say(1, "to nowhere"));
	assert_int_equal(line_len, 0);
	assert_false(tx_on);
	assert_null(fake_timer);
	tsc_khz = 1000000000;
}

/* The end: all that waits is written, and what follows at once */
static void test_finish(void **state)
{
	there = true;
	busy = false;
	tsc_khz = 1000000000;
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
		cmocka_unit_test(test_life),
		cmocka_unit_test(test_hangs),
		cmocka_unit_test(test_finish),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
