/* SOURCES: drivers/console/uart.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/* The physical UART, against a fake with a FIFO, an empty bus, and UARTs that
 * get stuck or die; in ports and in memory, set up by firmware or not. Over 400
 * lines: the fake serves every case. */
#include "arch/x86/cpu/features.h"
#include "drivers/console/uart.h"
#include "include/hw/uart16550.h"
#include "lib/errno.h"
#include "tests/unit/fakes/ioremap.h"
#include "tests/unit/fakes/ports.h"
#include "tests/unit/test.h"

#define MEMORY 0xfe030000ull

static u8 regs[UART_PORTS];
static u8 divisor[2];
static u16 base;
static u8 page[PAGE_SIZE];
static u8 stride, width; /* in memory */
static u32 writes;
static bool there, stuck, no_fifo, no_scratch, no_loop;
static u8 iir_source; /* THRE: until it is read */
static u32 fifo, reads;
static char out[256];
static u32 out_len;
static int rx = -1;

static u8 modem_status(void)
{
	u8 mcr = regs[UART_MCR];

	if (!(mcr & UART_MCR_LOOP) || no_loop)
		return 0xb0;
	return (u8)((mcr & UART_MCR_RTS ? UART_MSR_CTS : 0) |
		    (mcr & UART_MCR_DTR ? UART_MSR_DSR : 0) |
		    (mcr & UART_MCR_OUT1 ? UART_MSR_RI : 0) |
		    (mcr & UART_MCR_OUT2 ? UART_MSR_DCD : 0));
}

static u32 reg_in(u16 reg)
{
	reads++;
	if (!there)
		return 0xff;
	if (reg <= UART_DLM && regs[UART_LCR] & UART_LCR_DLAB)
		return divisor[reg];
	if (reg == UART_MSR)
		return modem_status();
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

static void reg_out(u16 reg, u32 value)
{
	writes++;
	if (!there)
		return;
	if (reg <= UART_DLM && regs[UART_LCR] & UART_LCR_DLAB) {
		divisor[reg] = (u8)value;
		return;
	}
	if (reg == UART_SCR && no_scratch)
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

static u32 device_in(u16 port, u8 size)
{
	assert_int_equal(size, 1);
	assert_in_range(port, base, base + UART_PORTS - 1);
	return reg_in((u16)(port - base));
}

static void device_out(u16 port, u8 size, u32 value)
{
	assert_int_equal(size, 1);
	assert_in_range(port, base, base + UART_PORTS - 1);
	reg_out((u16)(port - base), value);
}

/* In memory: which register, or one that is none */
static u16 reg_at(const volatile void *addr, u8 size)
{
	size_t offset = (size_t)((const volatile u8 *)addr - page);

	assert_in_range(offset + size, 1, sizeof(page));
	if (offset % stride || size != width || offset / stride >= UART_PORTS)
		return UART_PORTS;
	return (u16)(offset / stride);
}

u64 mmio_read(const volatile void *addr, u8 size)
{
	u16 reg = reg_at(addr, size);

	return reg < UART_PORTS ? reg_in(reg) : 0;
}

void mmio_write(volatile void *addr, u8 size, u64 value)
{
	u16 reg = reg_at(addr, size);

	if (reg < UART_PORTS)
		reg_out(reg, (u32)value);
}

static int open_at_port(u16 port, u32 baud)
{
	const struct uart_place at = { .space = UART_IN_PORTS,
				       .base = port,
				       .baud = baud };

	return uart_open(&at);
}

static bool open_com1(void)
{
	return !open_at_port(COM1_PORT, 0);
}

static int fresh(void **state)
{
	fake_port_in = device_in;
	fake_port_out = device_out;
	fake_ioremap_reset();
	fake_ioremap_add(MEMORY, page, sizeof(page));
	cpu_features.phys_bits = 40;
	base = COM1_PORT;
	stride = width = 1;
	memset(divisor, 0, sizeof(divisor));
	no_scratch = no_loop = false;
	writes = 0;
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

	assert_true(open_com1());
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
	assert_true(open_com1());
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
	assert_true(open_com1());
	uart_write("four", 4);
	assert_memory_equal(out, "four", 4);
	while (!uart_room())
		;
	assert_int_equal(uart_room(), 1);
}

static void test_read(void **state)
{
	assert_true(open_com1());
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
	assert_false(open_com1());
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
	/* Nothing was written where nothing answers */
	assert_int_equal(writes, 0);
}

/* What the firmware set up stays: rate, parity, but for the break and DLAB */
static void test_as_found(void **state)
{
	divisor[0] = 12;
	regs[UART_LCR] = UART_LCR_8N1 | 0x18 | UART_LCR_BREAK | UART_LCR_DLAB;
	assert_true(open_com1());
	assert_int_equal(divisor[0], 12);
	assert_int_equal(regs[UART_LCR], UART_LCR_8N1 | 0x18);
	/* Words of 7 bits, or no rate at all: nobody did */
	regs[UART_LCR] = 2;
	assert_true(open_com1());
	assert_int_equal(divisor[0], UART_DIVISOR_115200);
	assert_int_equal(regs[UART_LCR], UART_LCR_8N1);
	divisor[0] = divisor[1] = 0;
	assert_true(open_com1());
	assert_int_equal(divisor[0], UART_DIVISOR_115200);
}

static void test_baud(void **state)
{
	struct uart_place at = { .space = UART_IN_PORTS, .base = COM2_PORT };

	base = COM2_PORT;
	divisor[0] = 1;
	regs[UART_LCR] = UART_LCR_8N1;
	assert_int_equal(open_at_port(COM2_PORT, 300), 0);
	assert_int_equal(divisor[0] | divisor[1] << 8, 384);
	/* No divisor of this clock makes it */
	assert_int_equal(open_at_port(COM2_PORT, 921600), -EINVAL);
	assert_int_equal(open_at_port(COM2_PORT, 100000), -EINVAL);
	assert_int_equal(open_at_port(COM2_PORT, 1), -EINVAL);
	assert_false(uart_present());
	at.clock_hz = 48000000;
	at.baud = 115200;
	assert_int_equal(uart_open(&at), 0);
	assert_int_equal(divisor[0], 26);
	/* Told by a table, for one that has none */
	at.baud = 0;
	at.baud_if_unset = 9600;
	at.clock_hz = 0;
	assert_int_equal(uart_open(&at), 0);
	assert_int_equal(divisor[0], 26);
	divisor[0] = 0;
	assert_int_equal(uart_open(&at), 0);
	assert_int_equal(divisor[0], 12);
	/* A rate that makes no sense is none */
	divisor[0] = 0;
	at.baud_if_unset = ~0u;
	at.clock_hz = 1;
	assert_int_equal(uart_open(&at), 0);
	assert_int_equal(divisor[0], 1);
}

/* Each way that registers lie in memory */
static void test_memory(void **state)
{
	static const u8 ways[][2] = { { 1, 1 }, { 4, 1 }, { 2, 2 }, { 4, 4 } };

	for (u32 i = 0; i < ARRAY_SIZE(ways); i++) {
		struct uart_place at = {
			.space = UART_IN_MEMORY,
			.base = MEMORY,
			.stride = ways[i][0],
			.width = ways[i][1],
		};

		stride = at.stride;
		width = at.width;
		out_len = 0;
		assert_int_equal(uart_open(&at), 0);
		assert_int_equal(fake_ioremap_bytes, 8 * stride);
		uart_write("hello", 5);
		assert_memory_equal(out, "hello", 5);
		/* The wrong way is no UART, and its mapping ends */
		at.stride = at.width = stride == 4 && width == 4 ? 1 : 4;
		assert_int_equal(uart_open(&at), -ENODEV);
		assert_false(uart_present());
		assert_int_equal(fake_ioremaps, i + 1);
	}
}

static void test_impossible(void **state)
{
	static const struct uart_place places[] = {
		{ UART_IN_PORTS, .base = 0xfff9 },
		{ UART_IN_PORTS, .base = 0x103f8 },
		{ UART_IN_PORTS, .base = ~0ull },
		{ UART_IN_MEMORY, .base = MEMORY, .stride = 0, .width = 0 },
		{ UART_IN_MEMORY, .base = MEMORY, .stride = 1, .width = 4 },
		{ UART_IN_MEMORY, .base = MEMORY, .stride = 8, .width = 8 },
		{ UART_IN_MEMORY, .base = MEMORY + 1, .stride = 4, .width = 4 },
		{ UART_IN_MEMORY, .base = ~0ull, .stride = 1, .width = 1 },
		{ UART_IN_MEMORY, .base = BIT(40) - 7, .stride = 1,
		  .width = 1 },
	};
	const struct uart_place unmapped = { UART_IN_MEMORY, .base = MIB(1),
					     .stride = 1, .width = 1 };

	reads = 0;
	for (u32 i = 0; i < ARRAY_SIZE(places); i++)
		assert_int_equal(uart_open(&places[i]), -EINVAL);
	assert_int_equal(uart_open(&unmapped), -ENOMEM);
	assert_int_equal(writes + reads, 0);
}

/* Either proof is enough; a port that answers something is no UART */
static void test_proofs(void **state)
{
	no_scratch = true;
	assert_true(open_com1());
	no_scratch = false;
	no_loop = true;
	assert_true(open_com1());
	no_scratch = true;
	assert_false(open_com1());
	assert_false(uart_present());
}

/* Nobody waits a second time, until it goes on */
static void test_stuck(void **state)
{
	assert_true(open_com1());
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
	assert_true(open_com1());
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
		cmocka_unit_test_setup(test_as_found, fresh),
		cmocka_unit_test_setup(test_baud, fresh),
		cmocka_unit_test_setup(test_memory, fresh),
		cmocka_unit_test_setup(test_impossible, fresh),
		cmocka_unit_test_setup(test_proofs, fresh),
		cmocka_unit_test_setup(test_stuck, fresh),
		cmocka_unit_test_setup(test_dies, fresh),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
