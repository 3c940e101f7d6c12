/* SPDX-License-Identifier: BSD-2-Clause */
/* 16550A registers (PC16550D data sheet, 8 *Registers*): offsets from the base
 * port and bits; for the driver and for the virtual UART */
#ifndef HW_UART16550_H
#define HW_UART16550_H

/* clang-format off */
#define UART_RBR	0	/* read, DLAB 0 */
#define UART_THR	0	/* write, DLAB 0 */
#define UART_DLL	0	/* DLAB 1 */
#define UART_IER	1	/* DLAB 0 */
#define UART_DLM	1	/* DLAB 1 */
#define UART_IIR	2	/* read */
#define UART_FCR	2	/* write */
#define UART_LCR	3
#define UART_MCR	4
#define UART_LSR	5
#define UART_MSR	6
#define UART_SCR	7
#define UART_PORTS	8

#define UART_IER_RDI	0x01	/* received data */
#define UART_IER_THRI	0x02	/* transmitter empty */
#define UART_IER_RLSI	0x04	/* line status */
#define UART_IER_MSI	0x08	/* modem status */

#define UART_FCR_ENABLE	0x01
#define UART_FCR_CLEAR_RX 0x02
#define UART_FCR_CLEAR_TX 0x04
#define UART_FCR_TRIGGER_1 0x00	/* receive interrupt at one byte */
#define UART_FCR_TRIGGER_8 0x80

#define UART_LCR_8N1	0x03
#define UART_LCR_DLAB	0x80

#define UART_MCR_DTR	0x01
#define UART_MCR_RTS	0x02
#define UART_MCR_OUT1	0x04
#define UART_MCR_OUT2	0x08	/* on a PC: gate of the interrupt line */
#define UART_MCR_LOOP	0x10

#define UART_LSR_DR	0x01	/* data ready */
#define UART_LSR_OE	0x02
#define UART_LSR_THRE	0x20	/* transmitter FIFO empty */
#define UART_LSR_TEMT	0x40

#define UART_FIFO_BYTES	16
/* clang-format on */

#endif
