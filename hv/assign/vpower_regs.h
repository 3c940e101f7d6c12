/* SPDX-License-Identifier: BSD-2-Clause */
/* Sleep and reset registers a guest can write */
#ifndef HV_ASSIGN_VPOWER_REGS_H
#define HV_ASSIGN_VPOWER_REGS_H

/* ACPI 6.4, 4.8.3.2.1 *PM1 Control Registers* */
#define PM1_SLP_TYP_SHIFT 10
#define PM1_SLP_TYP_MASK  7u
#define PM1_SLP_EN        (1u << 13)
#define PM1_CNT_BYTES     2

/* Reset control register (ICH9 13.7.5) */
#define CF9_PORT    0xcf9
#define CF9_RST_CPU (1u << 2)

/* Keyboard controller commands F0h-FFh pulse the output bits that are 0 in
 * the low nibble; bit 0 is the CPU's reset line */
#define KBC_COMMAND     0x64
#define KBC_PULSE_MASK  0xf1u
#define KBC_PULSE_RESET 0xf0u

/* System control port A (ICH9 13.7.3): bit 0 INIT */
#define PORT_92      0x92
#define PORT_92_INIT 0x01u

#define GAS_SPACE_IO 1

#endif
