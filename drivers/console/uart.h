/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The physical 16550 at COM1 (16550D). The console mux (hv/console) owns it and
 * serializes output; one core takes input. Any context. No lock; each does
 * nothing where uart_init() found no UART or it is given up.
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

/* Finds it and sets it to 115200 8N1 with FIFO, interrupts off; false: there is
 * none. Boot CPU, once. */
bool uart_init(void);
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
/* Turns the interrupt (IRQ 4) on received data on or off */
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
