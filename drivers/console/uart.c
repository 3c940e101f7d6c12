/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The console's 16550, see uart.h. Called by hv/console, and by drivers/power
 * to flush it. uart_write() polls, with a bound: a UART that has no room after
 * one long wait is not waited for until it has, and one that is gone is given
 * up for good. So a missing cable or a hung bridge never hangs the machine. No
 * lock: the console mux serializes output, and one core takes input.
 */
#include "drivers/console/uart.h"

#include "arch/x86/cpu/features.h"
#include "arch/x86/cpu/portio.h"
#include "include/hw/uart16550.h"
#include "lib/errno.h"
#include "mm/hostmap.h"
#include "mm/pt.h"

#define SCRATCH_A 0x5a
#define SCRATCH_B 0xa5
#define NO_DEVICE 0xff /* what an empty bus reads as */
#define PORT_MAX  0xffffu

/* What is looped back, and what comes: RTS is CTS, OUT2 is DCD (16550D 8.8) */
#define LOOP_OUT (UART_MCR_LOOP | UART_MCR_RTS | UART_MCR_OUT2)
#define LOOP_IN  (UART_MSR_CTS | UART_MSR_DCD)

/* Reads of the line status register before the UART counts as stuck: a port
 * read takes about 1 us on hardware and 16 bytes leave in 1.4 ms */
#define TX_POLLS_MAX 200000u

#define DIVISOR_MAX    0xffffu
#define RATE_ERROR_MAX 3u /* percent that a receiver can follow */

static struct uart_place at;
static u8 *registers; /* NULL: ports */
static bool present;
static bool stuck;     /* the last wait was in vain */
static u32 fifo_bytes; /* what an empty transmitter takes */
static u32 tx_room;    /* bytes that it takes unasked */
static u8 ier;         /* what its interrupt enable register has */

static u8 uart_in(u16 reg)
{
	if (registers)
		return (u8)mmio_read(registers + reg * at.stride, at.width);
	return (u8)port_read((u16)(at.base + reg), 1);
}

static void uart_out(u16 reg, u8 value)
{
	if (registers)
		mmio_write(registers + reg * at.stride, at.width, value);
	else
		port_write((u16)(at.base + reg), 1, value);
}

/* Does the scratch register keep two values? A 16450's clones may have none. */
static bool scratch_works(void)
{
	u8 old = uart_in(UART_SCR);
	bool works;

	uart_out(UART_SCR, SCRATCH_A);
	works = uart_in(UART_SCR) == SCRATCH_A;
	uart_out(UART_SCR, SCRATCH_B);
	works = works && uart_in(UART_SCR) == SCRATCH_B;
	uart_out(UART_SCR, old);
	return works;
}

/* Do the modem's lines follow the loop? A service processor's may not. */
static bool loop_works(void)
{
	u8 old = uart_in(UART_MCR);
	bool works;

	uart_out(UART_MCR, LOOP_OUT);
	works = (uart_in(UART_MSR) & UART_MSR_INPUTS) == LOOP_IN;
	uart_out(UART_MCR, UART_MCR_LOOP);
	works = works && !(uart_in(UART_MSR) & UART_MSR_INPUTS);
	uart_out(UART_MCR, old);
	return works;
}

/* A look first: nothing is written where nothing answers */
static bool uart_detect(void)
{
	if (uart_in(UART_LSR) == NO_DEVICE)
		return false;
	return scratch_works() || loop_works();
}

static u32 clock_hz(void)
{
	return at.clock_hz ? at.clock_hz : UART_CLOCK_HZ;
}

/* The divisor for @baud; 0: this clock does not make it */
static u16 divisor_of(u32 baud)
{
	u64 bit = (u64)baud * UART_CYCLES_PER_BIT, clock = clock_hz();
	u64 divisor = bit ? (clock + bit / 2) / bit : 0, made = bit * divisor;
	u64 error = made > clock ? made - clock : clock - made;

	if (!divisor || divisor > DIVISOR_MAX ||
	    error * 100 > clock * RATE_ERROR_MAX)
		return 0;
	return (u16)divisor;
}

static u16 divisor_read(u8 lcr)
{
	u16 divisor;

	uart_out(UART_LCR, lcr | UART_LCR_DLAB);
	divisor = (u16)(uart_in(UART_DLL) | uart_in(UART_DLM) << 8);
	uart_out(UART_LCR, lcr);
	return divisor;
}

static void divisor_write(u16 divisor)
{
	uart_out(UART_LCR, UART_LCR_DLAB | UART_LCR_8N1);
	uart_out(UART_DLL, (u8)divisor);
	uart_out(UART_DLM, (u8)(divisor >> 8));
	uart_out(UART_LCR, UART_LCR_8N1);
}

/* The rate it was given, if it was given one with words of 8 bits */
static void speed_init(void)
{
	u8 lcr = uart_in(UART_LCR);
	u16 wanted = divisor_of(at.baud);
	bool set_up;

	lcr &= (u8) ~(UART_LCR_DLAB | UART_LCR_BREAK);
	set_up = divisor_read(lcr) && (lcr & UART_LCR_WORD) == UART_LCR_8N1;
	if (!wanted && set_up)
		return;
	if (!wanted)
		wanted = divisor_of(at.baud_if_unset);
	divisor_write(wanted ? wanted : UART_DIVISOR_115200);
}

/* Could a UART be at @p, by what is known of addresses? */
static bool place_is_possible(const struct uart_place *p)
{
	u64 bytes = (u64)UART_PORTS * p->stride;

	if (p->space == UART_IN_PORTS)
		return p->base <= PORT_MAX + 1 - UART_PORTS;
	return (p->width == 1 || p->width == 2 || p->width == 4) &&
	       (p->stride == 1 || p->stride == 2 || p->stride == 4) &&
	       p->width <= p->stride && p->base % p->width == 0 &&
	       p->base < cpu_phys_end() && bytes <= cpu_phys_end() - p->base;
}

static void uart_start(void)
{
	ier = 0;
	stuck = false;
	speed_init();
	uart_out(UART_IER, 0);
	/* Not cleared: the loader's last bytes may still be in it */
	uart_out(UART_FCR, UART_FCR_ENABLE);
	uart_out(UART_MCR, UART_MCR_DTR | UART_MCR_RTS);
	/* An 8250 or a 16450 has no FIFO, a 16550 one that does not work */
	fifo_bytes = (uart_in(UART_IIR) & UART_IIR_FIFO) == UART_IIR_FIFO
			     ? UART_FIFO_BYTES
			     : 1;
	tx_room = 0;
}

int uart_open(const struct uart_place *place)
{
	u64 bytes = (u64)UART_PORTS * place->stride;

	present = false;
	registers = NULL;
	at = *place;
	if (!place_is_possible(place) || (place->baud && !divisor_of(at.baud)))
		return -EINVAL;
	if (place->space == UART_IN_MEMORY) {
		registers =
			ioremap(HPA(place->base), bytes, PT_R | PT_W | PT_UC);
		if (!registers)
			return -ENOMEM;
	}
	present = uart_detect();
	if (present)
		uart_start();
	else if (registers)
		iounmap(registers, bytes);
	registers = present ? registers : NULL;
	return present ? 0 : -ENODEV;
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
