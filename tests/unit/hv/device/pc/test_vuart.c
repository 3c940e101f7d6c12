/* SOURCES: hv/device/pc/vuart.c hv/core/bus.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/* The virtual 16550A against its data sheet, and what Linux's 8250 probes */
#include "tests/unit/fakes/vdev.h"

#include "hv/console/console.h"
#include "hv/irq/vioapic.h"
#include "include/hw/uart16550.h"

static bool line;
static u32 edges;
static char said[256];
static size_t said_len;

void vioapic_set_line(struct vm *vm, u32 pin, bool level)
{
	assert_int_equal(pin, COM1_GSI);
	edges += level && !line;
	line = level;
}

static bool (*receive)(void *dev, u8 byte);
static void (*ready)(void *dev);
static void *receiver;

int console_attach(struct vm *vm, const struct console_device *device,
		   struct speaker **out)
{
	assert_ptr_equal(vm, &fake_vm);
	receive = device->receive;
	ready = device->ready;
	receiver = device->dev;
	*out = (struct speaker *)said;
	return 0;
}

void console_detach(struct speaker *sp, struct vm *vm)
{
	assert_ptr_equal(sp, said);
	receive = NULL;
}

static bool behind;

bool console_write(struct speaker *sp, const char *s, size_t len)
{
	assert_ptr_equal(sp, said);
	memcpy(said + said_len, s, len);
	said_len += len;
	return !behind;
}

static u8 in(u32 reg)
{
	return (u8)bus_read(&fake_vm.ports, &fake_vcpus[0], COM1_PORT + reg, 1);
}

static void out(u32 reg, u8 value)
{
	bus_write(&fake_vm.ports, &fake_vcpus[0], COM1_PORT + reg, 1, value);
}

static int setup(void **state)
{
	fake_vm_init(1);
	line = false;
	edges = 0;
	said_len = 0;
	behind = false;
	assert_int_equal(bus_init(&fake_vm.ports, &fake_vm.budget, 8), 0);
	return vuart_vdev.create(&fake_vm);
}

static int teardown(void **state)
{
	vuart_vdev.destroy(&fake_vm);
	assert_null(receive);
	free(fake_vm.ports.regions);
	return 0;
}

/* Linux autoconfig(): IER, scratch, loopback, FIFO type */
static void test_linux_probe(void **state)
{
	out(UART_IER, 0);
	assert_int_equal(in(UART_IER)&0x0f, 0);
	out(UART_IER, 0x0f);
	assert_int_equal(in(UART_IER)&0x0f, 0x0f);
	out(UART_IER, 0);
	out(UART_MCR, UART_MCR_LOOP | 0x0a);
	assert_int_equal(in(UART_MSR)&0xf0, 0x90);
	out(UART_MCR, 0);
	out(UART_IIR, UART_FCR_ENABLE);
	assert_int_equal(in(UART_IIR) >> 6, 3);
	out(UART_SCR, 0xa5);
	assert_int_equal(in(UART_SCR), 0xa5);
	/* Not a 16650 or later: no EFR behind LCR 0xbf */
	out(UART_LCR, 0xbf);
	assert_int_not_equal(in(UART_IIR), 0);
	out(UART_LCR, 0);
	/* Not an XScale: IER bit 6 does not stick */
	out(UART_IER, 0x40);
	assert_int_equal(in(UART_IER), 0);
}

/* Linux serial8250_do_startup(): the two THRE tests */
static void test_linux_thre_tests(void **state)
{
	u8 first, second;

	assert_true(in(UART_LSR)&UART_LSR_THRE);
	out(UART_IER, UART_IER_ETBEI);
	first = in(UART_IIR);
	out(UART_IER, 0);
	out(UART_IER, UART_IER_ETBEI);
	second = in(UART_IIR);
	out(UART_IER, 0);
	assert_int_equal(first, UART_IIR_THRE);
	assert_int_equal(second, UART_IIR_THRE);
	out(UART_IER, UART_IER_ETBEI);
	assert_true(in(UART_LSR)&UART_LSR_TEMT);
	assert_int_equal(in(UART_IIR)&UART_IIR_NONE, 0);
	assert_int_equal(in(UART_IIR),
			 UART_IIR_NONE); /* taken back by the read */
}

static void test_transmit(void **state)
{
	out(UART_MCR, UART_MCR_OUT2);
	out(UART_RBR, 'h');
	out(UART_RBR, 'i');
	assert_int_equal(said_len, 2);
	assert_memory_equal(said, "hi", 2);
	assert_false(line);
	out(UART_IER, UART_IER_ETBEI);
	assert_true(line);
	assert_int_equal(edges, 1);
	/* A driver that answers with data and no IIR read gets a new edge */
	out(UART_RBR, '!');
	assert_int_equal(edges, 2);
	assert_int_equal(in(UART_IIR), UART_IIR_THRE);
	assert_false(line);
	out(UART_RBR, '!');
	assert_true(line);
	out(UART_MCR, 0); /* OUT2 gates */
	assert_false(line);
}

/* While the terminal is behind, the transmitter is busy, and interrupts when it
 * is empty */
static void test_terminal_behind(void **state)
{
	out(UART_MCR, UART_MCR_OUT2);
	out(UART_IER, UART_IER_ETBEI);
	in(UART_IIR);
	behind = true;
	out(UART_RBR, 'a');
	assert_false(line);
	assert_int_equal(in(UART_LSR) & (UART_LSR_THRE | UART_LSR_TEMT), 0);
	assert_int_equal(in(UART_IIR), UART_IIR_NONE);
	out(UART_IER, 0);
	out(UART_IER, UART_IER_ETBEI);
	assert_false(line);
	out(UART_RBR, 'b'); /* it may be lost, but not here */
	assert_int_equal(said_len, 2);
	behind = false;
	ready(receiver);
	assert_true(line);
	assert_true(in(UART_LSR)&UART_LSR_THRE);
	assert_int_equal(in(UART_IIR), UART_IIR_THRE);
	out(UART_RBR, 'c');
	assert_true(line);
	/* A reset forgets it */
	behind = true;
	out(UART_RBR, 'd');
	vuart_vdev.reset(&fake_vm);
	assert_true(in(UART_LSR)&UART_LSR_THRE);
}

static void test_divisor_latch(void **state)
{
	out(UART_LCR, UART_LCR_DLAB | 3);
	out(UART_RBR, 0x34);
	out(UART_IER, 0x12);
	assert_int_equal(in(UART_RBR), 0x34);
	assert_int_equal(in(UART_IER), 0x12);
	out(UART_LCR, 3);
	assert_int_equal(in(UART_LCR), 3);
	assert_int_equal(in(UART_IER), 0);
	assert_int_equal(said_len, 0);
}

static void test_receive(void **state)
{
	u32 i;

	out(UART_MCR, UART_MCR_OUT2);
	out(UART_IIR, UART_FCR_ENABLE | 0x40); /* trigger at 4 */
	out(UART_IER, UART_IER_ERBFI);
	assert_true(receive(receiver, 'a'));
	assert_true(line);
	assert_int_equal(in(UART_IIR)&0x0f, UART_IIR_CTI);
	for (i = 0; i < 3; i++)
		assert_true(receive(receiver, (u8)('b' + i)));
	assert_int_equal(in(UART_IIR)&0x0f, UART_IIR_RDA);
	for (i = 0; i < 4; i++) {
		assert_true(in(UART_LSR)&UART_LSR_DR);
		assert_int_equal(in(UART_RBR), 'a' + i);
	}
	assert_false(line);
	assert_false(in(UART_LSR)&UART_LSR_DR);
	assert_int_equal(in(UART_RBR), 0);
	/* Full: refused; a reset of the FIFO empties it */
	i = 0;
	while (receive(receiver, 'x'))
		assert_true(++i < 1000);
	assert_int_equal(i, 256);
	out(UART_IIR, UART_FCR_ENABLE | UART_FCR_CLEAR_RX);
	assert_false(in(UART_LSR)&UART_LSR_DR);
	/* With no FIFO there is one byte */
	out(UART_IIR, 0);
	assert_true(receive(receiver, '1'));
	assert_false(receive(receiver, '2'));
}

static void test_loopback(void **state)
{
	out(UART_MCR, UART_MCR_LOOP);
	in(UART_MSR);
	out(UART_RBR, 'L');
	assert_int_equal(said_len, 0);
	assert_int_equal(in(UART_RBR), 'L');
	out(UART_MCR, UART_MCR_LOOP | UART_MCR_RTS);
	assert_int_equal(in(UART_MSR), UART_MSR_CTS | UART_MSR_DCTS);
	assert_int_equal(in(UART_MSR), UART_MSR_CTS);
	out(UART_MCR, UART_MCR_LOOP | UART_MCR_OUT1);
	in(UART_MSR);
	out(UART_MCR, UART_MCR_LOOP);
	assert_int_equal(in(UART_MSR), UART_MSR_TERI);
	/* Overrun without a FIFO */
	out(UART_RBR, '1');
	out(UART_RBR, '2');
	assert_true(in(UART_LSR)&UART_LSR_OE);
	assert_false(in(UART_LSR)&UART_LSR_OE);
}

static void test_modem_status_interrupt(void **state)
{
	assert_int_equal(in(UART_MSR),
			 UART_MSR_CTS | UART_MSR_DSR | UART_MSR_DCD);
	out(UART_IER, UART_IER_EDSSI);
	out(UART_MCR, UART_MCR_LOOP | UART_MCR_OUT2);
	assert_false(line); /* loopback takes OUT2 off the pin */
	out(UART_MCR, UART_MCR_OUT2);
	assert_true(line);
	assert_int_equal(in(UART_IIR), UART_IIR_MS);
	in(UART_MSR);
	assert_false(line);
}

static void test_wide_access(void **state)
{
	out(UART_SCR, 0x5a);
	assert_int_equal(
		bus_read(&fake_vm.ports, &fake_vcpus[0], COM1_PORT + 6, 2),
		0x5ab0);
	assert_int_equal(
		bus_read(&fake_vm.ports, &fake_vcpus[0], COM1_PORT + 6, 4),
		0xffffffff);
}

static void test_random_writes(void **state)
{
	u32 i;

	srand(9);
	for (i = 0; i < 100000; i++) {
		said_len = 0;
		out((u32)rand() % UART_PORTS, (u8)rand());
		in((u32)rand() % UART_PORTS);
		receive(receiver, (u8)rand());
	}
	/* No interrupt enabled, no line */
	out(UART_LCR, 0);
	out(UART_IER, 0);
	assert_false(line);
}

/* What a driver that measures the FIFO finds */
static void test_depth_in_loopback(void **state)
{
	u32 count = 0;

	out(UART_IIR, UART_FCR_ENABLE | UART_FCR_CLEAR_RX);
	out(UART_MCR, UART_MCR_LOOP);
	for (u32 i = 0; i < 100; i++)
		out(UART_RBR, (u8)i);
	assert_int_equal(in(UART_LSR)&UART_LSR_OE, UART_LSR_OE);
	for (; in(UART_LSR)&UART_LSR_DR; count++)
		assert_int_equal(in(UART_RBR), count);
	assert_int_equal(count, 16);
	out(UART_IIR, 0);
	out(UART_RBR, 'a');
	assert_int_equal(in(UART_LSR)&UART_LSR_OE, 0);
	out(UART_RBR, 'b');
	assert_int_equal(in(UART_LSR)&UART_LSR_OE, UART_LSR_OE);
	assert_int_equal(in(UART_RBR), 'b'); /* the older one is lost */
	assert_int_equal(in(UART_LSR)&UART_LSR_DR, 0);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_linux_probe),
		T(test_linux_thre_tests),
		T(test_transmit),
		T(test_terminal_behind),
		T(test_divisor_latch),
		T(test_receive),
		T(test_loopback),
		T(test_random_writes),
		T(test_depth_in_loopback),
		T(test_wide_access),
		T(test_modem_status_interrupt),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
