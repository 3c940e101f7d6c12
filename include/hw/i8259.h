/* SPDX-License-Identifier: BSD-2-Clause */
/* The 8259A pair of a PC (8259A, *Initialization Command Words*, *Operation
 * Command Words*), and the ICH's ELCR (ICH9, 13.4.9) */
#ifndef HW_I8259_H
#define HW_I8259_H

#define PIC_MASTER_PORT 0x20
#define PIC_SLAVE_PORT  0xa0
#define PIC_ELCR_PORT   0x4d0
#define PIC_DATA        1 /* port after either: IMR, ICW2 to ICW4 */
#define PIC_INPUTS      16u
#define PIC_CASCADE     2 /* master input the slave hangs on */
#define PIC_SPURIOUS    7
#define PIC_POLL_INT    0x80
/* Of a BIOS: IRQ 0 to 7, IRQ 8 to 15 */
#define PIC_BIOS_MASTER 0x08
#define PIC_BIOS_SLAVE  0x70
/* What it serves itself: clock, keyboard, and the slave; the RTC */
#define PIC_BIOS_MASTER_OPEN 0x07u
#define PIC_BIOS_SLAVE_OPEN  0x01u

#define ICW1_INIT 0x10u
#define ICW1_IC4  0x01u /* an ICW4 follows */
#define ICW4_8086 0x01u
#define ICW4_AEOI 0x02u
#define ICW4_SFNM 0x10u

#define OCW2_R   0x80u
#define OCW2_SL  0x40u
#define OCW2_EOI 0x20u

#define OCW3_SELECT 0x08u
#define OCW3_RIS    0x01u
#define OCW3_RR     0x02u
#define OCW3_POLL   0x04u
#define OCW3_SMM    0x20u
#define OCW3_ESMM   0x40u

/* Inputs 0, 1, 2, 8 and 13 are edge-triggered for good */
#define ELCR_MASTER_MASK 0xf8u
#define ELCR_SLAVE_MASK  0xdeu

#endif
