/* SPDX-License-Identifier: BSD-2-Clause */
/* 16550A registers and bits (National PC16550D data sheet, 8) */
#ifndef HV_DEVICE_PC_VUART_REGS_H
#define HV_DEVICE_PC_VUART_REGS_H

#define UART_DATA  0 /* RBR, THR; DLL with DLAB */
#define UART_IER   1 /* DLM with DLAB */
#define UART_IIR   2 /* FCR on write */
#define UART_LCR   3
#define UART_MCR   4
#define UART_LSR   5
#define UART_MSR   6
#define UART_SCR   7
#define UART_PORTS 8

#define IER_RDA   0x01u
#define IER_THRE  0x02u
#define IER_RLS   0x04u
#define IER_MS    0x08u
#define IER_VALID 0x0fu

#define IIR_NONE 0x01u
#define IIR_MS   0x00u
#define IIR_THRE 0x02u
#define IIR_RDA  0x04u
#define IIR_RLS  0x06u
#define IIR_CTI  0x0cu /* character timeout */
#define IIR_FIFO 0xc0u

#define FCR_ENABLE        0x01u
#define FCR_CLEAR_RX      0x02u
#define FCR_CLEAR_TX      0x04u
#define FCR_TRIGGER_SHIFT 6

#define LCR_DLAB 0x80u

#define MCR_DTR   0x01u
#define MCR_RTS   0x02u
#define MCR_OUT1  0x04u
#define MCR_OUT2  0x08u /* gates the interrupt on a PC */
#define MCR_LOOP  0x10u
#define MCR_VALID 0x1fu

#define LSR_DR   0x01u
#define LSR_OE   0x02u
#define LSR_THRE 0x20u
#define LSR_TEMT 0x40u

#define MSR_DCTS 0x01u
#define MSR_DDSR 0x02u
#define MSR_TERI 0x04u
#define MSR_DDCD 0x08u
#define MSR_CTS  0x10u
#define MSR_DSR  0x20u
#define MSR_RI   0x40u
#define MSR_DCD  0x80u

#endif
