/* SPDX-License-Identifier: BSD-2-Clause */
/* The physical 16550 at COM1; the console mux (hv/console/console.h) owns it */
#ifndef DRIVERS_CONSOLE_UART_H
#define DRIVERS_CONSOLE_UART_H

#include "lib/types.h"

bool uart_init(void); /* 115200 8N1, FIFO on; false: no UART there */
/* The bytes as they are: who prints lines adds the \r. Polls; gives up on a
 * dead UART */
void uart_write(const char *s, size_t len);
/* Wait until the last byte is on the wire, or the UART is found dead */
void uart_flush(void);
int uart_getc(void);       /* -1: nothing */
void uart_rx_irq(bool on); /* raise IRQ 4 on received data */

#endif
