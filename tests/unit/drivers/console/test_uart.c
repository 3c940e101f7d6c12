/* SOURCES: drivers/console/uart.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/* The physical UART, against a fake with a FIFO, an empty bus, and UARTs that
 * get stuck or die */
#include "drivers/console/uart.h"
#include "include/hw/uart16550.h"
#include "tests/unit/fakes/ports.h"
#include "tests/unit/test.h"

static u8 regs[UART_PORTS];
static bool there, stuck, no_fifo;
static u8 iir_source; /* THRE: until it is read */
static u32 fifo, reads;
static char out[256];
static u32 out_len;
static int rx = -1;

static u32 device_in(u16 port, u8 size)
{
	u16 reg = (u16)(port - COM1_PORT);

	assert_int_equal(size, 1);
	assert_true(reg < UART_PORTS);
	reads++;
	if (!there)
		return 0xff;
	if (reg == UART_IIR) {
		u8 iir = iir_source;

		if (iir == UART_IIR_THRE)
			iir_source = UART_IIR_NONE;
		return iir | (no_fifo ? 0u : UART_IIR_FIFO);
	}
	if (reg == UART_RBR) {
		u8 byte = (u8)rx;

		rx = -1;
		return byte;
	}
	if (reg != UART_LSR)
		return regs[reg];
	if (!stuck && reads % 3 == 0)
		fifo = 0;
	return (fifo ? 0 : UART_LSR_THRE | UART_LSR_TEMT) |
	       (rx >= 0 ? UART_LSR_DR : 0u);
}

static void device_out(u16 port, u8 size, u32 value)
{
	u16 reg = (u16)(port - COM1_PORT);

	assert_int_equal(size, 1);
	assert_true(reg < UART_PORTS);
	if (!there)
		return;
	if (reg == UART_THR && !(regs[UART_LCR] & UART_LCR_DLAB)) {
		assert_true(fifo < (no_fifo ? 1 : UART_FIFO_BYTES));
		fifo++;
		out[out_len++] = (char)value;
		return;
	}
	if (reg == UART_IER && value & ~regs[reg] & UART_IER_ETBEI && !fifo)
		iir_source = UART_IIR_THRE;
	regs[reg] = (u8)value;
}

static int fresh(void **state)
{
	fake_port_in = device_in;
	fake_port_out = device_out;
	memset(regs, 0, sizeof(regs));
	memset(out, 0, sizeof(out));
	there = true;
	stuck = no_fifo = false;
	iir_source = UART_IIR_NONE;
	fifo = out_len = 0;
	rx = -1;
	return 0;
}

static void test_write(void **state)
{
	static const char text[] = "forty bytes are more than one FIFO takes\n";

	assert_true(uart_init());
	assert_int_equal(regs[UART_LCR], UART_LCR_8N1);
	uart_write(text, sizeof(text) - 1);
	uart_write("x", 1);
	/* As they are: no carriage return is added */
	assert_int_equal(out_len, sizeof(text));
	assert_memory_equal(out, text, sizeof(text) - 1);
	uart_flush();
	assert_int_equal(fifo, 0);
}

/* What the console's interrupt does: never a wait, a FIFO's worth at a time */
static void test_send(void **state)
{
	assert_true(uart_init());
	assert_true(uart_present());
	while (!uart_room())
		;
	assert_int_equal(uart_room(), UART_FIFO_BYTES);
	uart_tx_irq(true);
	assert_int_equal(uart_irq_cause(), UART_CAUSE_TX);
	assert_int_equal(uart_irq_cause(), UART_CAUSE_NONE);
	reads = 0;
	uart_send("0123456789", 10);
	assert_int_equal(reads, 0);
	assert_int_equal(uart_room(), 6); /* the FIFO is not empty yet */
	assert_int_equal(reads, 1);
	uart_send("abcdef", 6);
	assert_int_equal(out_len, 16);
	uart_rx_irq(true);
	assert_int_equal(regs[UART_IER], UART_IER_ERBFI | UART_IER_ETBEI);
	iir_source = UART_IIR_CTI;
	assert_int_equal(uart_irq_cause(), UART_CAUSE_RX);
	uart_tx_irq(false);
	assert_int_equal(regs[UART_IER], UART_IER_ERBFI);
	uart_irq_again();
	assert_int_equal(regs[UART_IER], UART_IER_ERBFI);
}

/* A 16450: a byte at a time */
static void test_no_fifo(void **state)
{
	no_fifo = true;
	assert_true(uart_init());
	uart_write("four", 4);
	assert_memory_equal(out, "four", 4);
	while (!uart_room())
		;
	assert_int_equal(uart_room(), 1);
}

static void test_read(void **state)
{
	assert_true(uart_init());
	assert_int_equal(uart_getc(), -1);
	rx = 'k';
	assert_int_equal(uart_getc(), 'k');
	assert_int_equal(uart_getc(), -1);
	uart_rx_irq(true);
	assert_int_equal(regs[UART_IER], UART_IER_ERBFI);
	assert_true(regs[UART_MCR] & UART_MCR_OUT2);
	uart_rx_irq(false);
	assert_int_equal(regs[UART_IER], 0);
}

static void test_absent(void **state)
{
	there = false;
	assert_false(uart_init());
	reads = 0;
	uart_write("lost", 4);
	assert_int_equal(uart_getc(), -1);
	uart_rx_irq(true);
	uart_tx_irq(true);
	uart_send("lost", 4);
	uart_irq_again();
	assert_int_equal(uart_room(), 0);
	assert_int_equal(uart_irq_cause(), UART_CAUSE_NONE);
	assert_false(uart_present());
	assert_int_equal(reads, 0);
}

/* Nobody waits a second time, until it goes on */
static void test_stuck(void **state)
{
	assert_true(uart_init());
	uart_write("a", 1);
	stuck = true;
	uart_write("0123456789abcdef0123456789", 26);
	for (u32 i = 0; i < 2; i++) {
		reads = out_len = 0;
		uart_write("not waited for", 14);
		uart_flush();
		assert_true(uart_present());
		assert_int_equal(reads, 2);
		assert_int_equal(out_len, 0);
		stuck = false;
		fifo = 0;
		uart_write("back again, and all of it", 25);
		assert_int_equal(out_len, 25);
		stuck = true;
		uart_write("0123456789abcdef", 16);
		assert_true(reads > 1000);
	}
}

static void test_dies(void **state)
{
	assert_true(uart_init());
	uart_write("a", 1);
	there = false;
	uart_write("0123456789abcdef0123456789", 26);
	reads = 0;
	uart_write("never again waited for", 22);
	assert_int_equal(reads, 0);
	assert_false(uart_present());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_write, fresh),
		cmocka_unit_test_setup(test_send, fresh),
		cmocka_unit_test_setup(test_no_fifo, fresh),
		cmocka_unit_test_setup(test_read, fresh),
		cmocka_unit_test_setup(test_absent, fresh),
		cmocka_unit_test_setup(test_stuck, fresh),
		cmocka_unit_test_setup(test_dies, fresh),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
