/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The physical 16550 at COM1 (16550D). The console mux (hv/console) owns it and
 * serializes output; one core takes input. Any context. No lock; each does
 * nothing where uart_init() found no UART or it is given up.
 */
#ifndef DRIVERS_CONSOLE_UART_H
#define DRIVERS_CONSOLE_UART_H

#include "lib/types.h"

/* Finds it and sets it to 115200 8N1 with FIFO, interrupts off; false: there is
 * none. Boot CPU, once. */
bool uart_init(void);
/* Writes @len bytes as they are: who prints lines adds the CR. Polls for room,
 * up to 0.2 s; a UART that has none by then is dead and given up. */
void uart_write(const char *s, size_t len);
/* Waits until the last byte is on the wire, or the UART is given up */
void uart_flush(void);
/* A byte that came in; -1: none */
int uart_getc(void);
/* Turns the interrupt on received data (IRQ 4) on or off. Boot CPU. */
void uart_rx_irq(bool on);

#endif
