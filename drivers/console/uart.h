/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The physical 16550 that is the console (16550D), at I/O ports or in memory.
 * The console mux (hv/console) chooses it, owns it and serializes output; one
 * core takes input. Any context. No lock; each does nothing where uart_open()
 * found no UART or it is given up.
 */
#ifndef DRIVERS_CONSOLE_UART_H
#define DRIVERS_CONSOLE_UART_H

#include "include/hw/uart16550.h"
#include "lib/types.h"

/* Why it interrupts (16550D 8.6 *Interrupt Identification Register*) */
enum uart_cause {
	UART_CAUSE_NONE,
	UART_CAUSE_RX, /* received data, or an error in it */
	UART_CAUSE_TX, /* the transmitter is empty; this look takes it back */
};

enum uart_space { UART_IN_PORTS, UART_IN_MEMORY };

/* Where a UART may be, and how fast it is to be */
struct uart_place {
	enum uart_space space;
	u64 base;  /* a port, or a physical address */
	u8 stride; /* in memory: bytes from a register to the next: 1, 2, 4 */
	u8 width;  /* in memory: bytes of an access: 1, 2, 4 */
	u32 clock_hz;      /* that the divisor divides; 0: a PC's */
	u32 baud;          /* 0: as it is found */
	u32 baud_if_unset; /* where nobody has set it up; 0: 115200 */
};

/*
 * Takes the UART at @place, if one answers there, with FIFO and with interrupts
 * off. Rate and parity stay as they are, unless @place has a rate, or the UART
 * was not set up for words of 8 bits: then 8N1. Registers in memory are mapped
 * for good where a UART answers. Boot CPU; one in use before is left as it is.
 * -EINVAL: no UART can be there, or not at that rate; -ENODEV: none answers;
 * -ENOMEM: no room to map it. Then there is none.
 */
int __must_check uart_open(const struct uart_place *place);
/* Is there one that answers? */
bool uart_present(void);
/* Writes @len bytes as they are: who prints lines adds the CR. Polls for room,
 * up to 0.2 s. What finds none is lost, and until there is room again nobody
 * waits for it. */
void uart_write(const char *s, size_t len);
/* How many bytes uart_send() may have now, at most UART_FIFO_BYTES. One read of
 * the line status: no wait. A UART that is gone is given up. */
u32 uart_room(void);
/* Writes the @len bytes at @s, at most uart_room(), without a look */
void uart_send(const char *s, u32 len);
/* Waits until the last byte is on the wire, or the UART is given up */
void uart_flush(void);
/* A byte that came in; -1: none */
int uart_getc(void);
/* Turns the interrupt on received data on or off, and the gate of its line */
void uart_rx_irq(bool on);
/* Turns the interrupt on an empty transmitter on or off. Where it is empty,
 * turning it on interrupts at once (16550D 8.7). */
void uart_tx_irq(bool on);
/* The most urgent cause of the interrupt */
enum uart_cause uart_irq_cause(void);
/* Lets the line fall and rise again where a cause is left: an edge-triggered
 * pin sees it once more */
void uart_irq_again(void);

#endif
