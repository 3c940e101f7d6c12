/* SPDX-License-Identifier: BSD-2-Clause */
/* 16550A registers (16550D, 8.0 *Registers*): offsets from the base port and
 * bits; for the driver and for the virtual UART */
#ifndef HW_UART16550_H
#define HW_UART16550_H

/* clang-format off */
/* Those of a PC: the ports, and the ISA interrupts of the first two */
#define COM1_PORT		0x3f8u
#define COM1_GSI		4u
#define COM2_PORT		0x2f8u
#define COM2_IRQ		3u
#define COM3_PORT		0x3e8u
#define COM4_PORT		0x2e8u

#define UART_RBR		0u	/* read, DLAB 0 */
#define UART_THR		0u	/* write, DLAB 0 */
#define UART_DLL		0u	/* DLAB 1 */
#define UART_IER		1u	/* DLAB 0 */
#define UART_DLM		1u	/* DLAB 1 */
#define UART_IIR		2u	/* read */
#define UART_FCR		2u	/* write */
#define UART_LCR		3u
#define UART_MCR		4u
#define UART_LSR		5u
#define UART_MSR		6u
#define UART_SCR		7u
#define UART_PORTS		8u

#define UART_FIFO_BYTES		16u
#define UART_DIVISOR_115200	1u
#define UART_CLOCK_HZ		1843200u	/* of a PC's; 16 cycles a bit */
#define UART_CYCLES_PER_BIT	16u

/* 8.7 *Interrupt Enable Register* */
#define UART_IER_ERBFI		0x01u	/* received data */
#define UART_IER_ETBEI		0x02u	/* transmitter empty */
#define UART_IER_ELSI		0x04u	/* line status */
#define UART_IER_EDSSI		0x08u	/* modem status */
#define UART_IER_VALID		0x0fu

/* 8.6 *Interrupt Identification Register*, table IV */
#define UART_IIR_NONE		0x01u
#define UART_IIR_MS		0x00u	/* modem status */
#define UART_IIR_THRE		0x02u	/* transmitter empty */
#define UART_IIR_RDA		0x04u	/* received data */
#define UART_IIR_RLS		0x06u	/* line status */
#define UART_IIR_CTI		0x0cu	/* received data waits for long */
#define UART_IIR_SOURCE		0x0fu	/* UART_IIR_NONE or what follows it */
#define UART_IIR_FIFO		0xc0u	/* UART_FCR_ENABLE */

/* 8.5 *FIFO Control Register* */
#define UART_FCR_ENABLE		0x01u
#define UART_FCR_CLEAR_RX	0x02u
#define UART_FCR_CLEAR_TX	0x04u
#define UART_FCR_TRIGGER	0xc0u	/* bytes for an interrupt: 1, 4, 8, 14 */
#define UART_FCR_TRIGGER_SHIFT	6

/* 8.1 *Line Control Register* */
#define UART_LCR_8N1		0x03u
#define UART_LCR_WORD		0x03u	/* bits of a word: 5, 6, 7, 8 */
#define UART_LCR_BREAK		0x40u
#define UART_LCR_DLAB		0x80u

/* 8.8 *Modem Control Register* */
#define UART_MCR_DTR		0x01u
#define UART_MCR_RTS		0x02u
#define UART_MCR_OUT1		0x04u
#define UART_MCR_OUT2		0x08u	/* on a PC: gate of the interrupt line */
#define UART_MCR_LOOP		0x10u
#define UART_MCR_VALID		0x1fu

/* 8.4 *Line Status Register* */
#define UART_LSR_DR		0x01u	/* data ready */
#define UART_LSR_OE		0x02u	/* overrun */
#define UART_LSR_THRE		0x20u	/* transmitter FIFO empty */
#define UART_LSR_TEMT		0x40u	/* and the shift register */

/* 8.9 *Modem Status Register*: 3:0 changes, 7:4 inputs */
#define UART_MSR_DCTS		0x01u
#define UART_MSR_DDSR		0x02u
#define UART_MSR_TERI		0x04u
#define UART_MSR_DDCD		0x08u
#define UART_MSR_DELTAS		0x0fu
#define UART_MSR_CTS		0x10u
#define UART_MSR_DSR		0x20u
#define UART_MSR_RI		0x40u
#define UART_MSR_DCD		0x80u
#define UART_MSR_INPUTS		0xf0u
/* clang-format on */

#endif
