/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The 16550 at COM1, see uart.h. Called by hv/console, and by drivers/power to
 * flush it. uart_write() polls, with a bound: a UART that has no room after one
 * long wait is not waited for until it has, and one that is gone is given up
 * for good. So a missing cable or a hung bridge never hangs the machine. No
 * lock: the console mux serializes output, and one core takes input.
 */
#include "drivers/console/uart.h"

#include "arch/x86/cpu/portio.h"
#include "include/hw/uart16550.h"

#define SCRATCH_A 0x5a
#define SCRATCH_B 0xa5
#define NO_DEVICE 0xff /* what an empty bus reads as */

/* Reads of the line status register before the UART counts as stuck: a port
 * read takes about 1 us on hardware and 16 bytes leave in 1.4 ms */
#define TX_POLLS_MAX 200000u

static bool present;
static bool stuck;     /* the last wait was in vain */
static u32 fifo_bytes; /* what an empty transmitter takes */
static u32 tx_room;    /* bytes that it takes unasked */
static u8 ier;         /* what its interrupt enable register has */

static u8 uart_in(u16 reg)
{
	return (u8)port_read((u16)(COM1_PORT + reg), 1);
}

static void uart_out(u16 reg, u8 value)
{
	port_write((u16)(COM1_PORT + reg), 1, value);
}

/* Its scratch register keeps two values, and its status does not float */
static bool uart_detect(void)
{
	uart_out(UART_SCR, SCRATCH_A);
	if (uart_in(UART_SCR) != SCRATCH_A)
		return false;
	uart_out(UART_SCR, SCRATCH_B);
	if (uart_in(UART_SCR) != SCRATCH_B)
		return false;
	return uart_in(UART_LSR) != NO_DEVICE;
}

bool uart_init(void)
{
	present = uart_detect();
	if (!present)
		return false;
	ier = 0;
	stuck = false;
	uart_out(UART_IER, 0);
	uart_out(UART_LCR, UART_LCR_DLAB | UART_LCR_8N1);
	uart_out(UART_DLL, UART_DIVISOR_115200);
	uart_out(UART_DLM, 0);
	uart_out(UART_LCR, UART_LCR_8N1);
	/* Not cleared: the loader's last bytes may still be in it */
	uart_out(UART_FCR, UART_FCR_ENABLE);
	uart_out(UART_MCR, UART_MCR_DTR | UART_MCR_RTS);
	/* An 8250 or a 16450 has no FIFO, a 16550 one that does not work */
	fifo_bytes = (uart_in(UART_IIR) & UART_IIR_FIFO) == UART_IIR_FIFO
			     ? UART_FIFO_BYTES
			     : 1;
	tx_room = 0;
	return true;
}

bool uart_present(void)
{
	return READ_ONCE(present);
}

static void give_up(void)
{
	WRITE_ONCE(present, false);
}

/* Wait for @bit of the line status; one look if the last wait was in vain.
 * False: it is not set, or the UART is gone and given up. */
static bool uart_wait(u8 bit)
{
	u32 polls = stuck ? 1 : TX_POLLS_MAX;

	stuck = false;
	for (u32 i = 0; i < polls; i++) {
		u8 lsr = uart_in(UART_LSR);

		if (lsr == NO_DEVICE) {
			give_up();
			return false;
		}
		if (lsr & bit)
			return true;
		__builtin_ia32_pause();
	}
	stuck = true;
	return false;
}

static bool uart_putc(char c)
{
	if (!tx_room) {
		if (!uart_wait(UART_LSR_THRE))
			return false;
		tx_room = fifo_bytes;
	}
	tx_room--;
	uart_out(UART_THR, (u8)c);
	return true;
}

void uart_write(const char *s, size_t len)
{
	if (!present)
		return;
	for (size_t i = 0; i < len; i++)
		if (!uart_putc(s[i]))
			return;
}

u32 uart_room(void)
{
	u8 lsr;

	if (!present)
		return 0;
	lsr = uart_in(UART_LSR);
	if (lsr == NO_DEVICE) {
		give_up();
		return 0;
	}
	if (lsr & UART_LSR_THRE)
		tx_room = fifo_bytes;
	return tx_room;
}

void uart_send(const char *s, u32 len)
{
	if (!present)
		return;
	tx_room -= MIN(tx_room, len);
	for (u32 i = 0; i < len; i++)
		uart_out(UART_THR, (u8)s[i]);
}

void uart_flush(void)
{
	if (present)
		(void)uart_wait(UART_LSR_TEMT);
}

int uart_getc(void)
{
	u8 lsr;

	if (!present)
		return -1;
	lsr = uart_in(UART_LSR);
	if (lsr == NO_DEVICE || !(lsr & UART_LSR_DR))
		return -1;
	return uart_in(UART_RBR);
}

static void irq_set(u8 source, bool on)
{
	if (!present)
		return;
	ier = on ? ier | source : (u8)(ier & ~source);
	uart_out(UART_IER, ier);
}

void uart_rx_irq(bool on)
{
	if (!present)
		return;
	uart_out(UART_MCR, on ? UART_MCR_DTR | UART_MCR_RTS | UART_MCR_OUT2
			      : UART_MCR_DTR | UART_MCR_RTS);
	irq_set(UART_IER_ERBFI, on);
}

void uart_tx_irq(bool on)
{
	irq_set(UART_IER_ETBEI, on);
}

enum uart_cause uart_irq_cause(void)
{
	u8 iir;

	if (!present)
		return UART_CAUSE_NONE;
	iir = uart_in(UART_IIR) & UART_IIR_SOURCE;
	if (iir & UART_IIR_NONE)
		return UART_CAUSE_NONE;
	return iir == UART_IIR_THRE ? UART_CAUSE_TX : UART_CAUSE_RX;
}

void uart_irq_again(void)
{
	if (!present)
		return;
	uart_out(UART_IER, 0);
	uart_out(UART_IER, ier);
}
