/* SPDX-License-Identifier: BSD-2-Clause */
/* The PC's keyboard controller (8042) with a keyboard and no mouse (PS/2,
 * *Keyboard and Auxiliary Device Controller*), and port 92h (ICH9, 13.7.3) */
#ifndef HW_I8042_H
#define HW_I8042_H

/* clang-format off */
#define KBC_DATA		0x60
#define KBC_STATUS		0x64	/* read */
#define KBC_COMMAND		0x64	/* write */
#define KBC_PORT_92		0x92

/* Status */
#define KBC_STAT_OBF		0x01	/* a byte waits at 60h */
#define KBC_STAT_IBF		0x02	/* a byte was written, not yet taken */
#define KBC_STAT_SYS		0x04	/* self test passed */
#define KBC_STAT_CMD		0x08	/* the last write was to 64h */
#define KBC_STAT_UNLOCKED	0x10
#define KBC_STAT_AUX		0x20	/* the byte is the mouse port's */
#define KBC_STAT_TIMEOUT	0x40	/* the device did not answer */

/* Configuration byte */
#define KBC_CFG_KBD_IRQ		0x01
#define KBC_CFG_AUX_IRQ		0x02
#define KBC_CFG_SYS		0x04
#define KBC_CFG_KBD_OFF		0x10
#define KBC_CFG_AUX_OFF		0x20
#define KBC_CFG_TRANSLATE	0x40
#define KBC_CFG_BITS		0x7f

/* Output port */
#define KBC_OUT_RUN		0x01	/* 0: the CPU is held in reset */
#define KBC_OUT_A20		0x02
#define KBC_OUT_KBD_FULL	0x10
#define KBC_OUT_AUX_FULL	0x20
#define KBC_OUT_IDLE		0xcc	/* clock and data lines, high */

/* Commands at 64h */
#define KBC_CMD_READ_RAM	0x20	/* to 3Fh */
#define KBC_CMD_WRITE_RAM	0x60	/* to 7Fh */
#define KBC_CMD_RAM_MASK	0x1f
#define KBC_CMD_AUX_OFF		0xa7
#define KBC_CMD_AUX_ON		0xa8
#define KBC_CMD_AUX_TEST	0xa9
#define KBC_CMD_SELF_TEST	0xaa
#define KBC_CMD_KBD_TEST	0xab
#define KBC_CMD_KBD_OFF		0xad
#define KBC_CMD_KBD_ON		0xae
#define KBC_CMD_READ_INPUT	0xc0
#define KBC_CMD_READ_OUTPUT	0xd0
#define KBC_CMD_WRITE_OUTPUT	0xd1
#define KBC_CMD_WRITE_KBD	0xd2
#define KBC_CMD_WRITE_AUX	0xd3
#define KBC_CMD_TO_AUX		0xd4
#define KBC_CMD_A20_OFF		0xdd
#define KBC_CMD_A20_ON		0xdf
#define KBC_CMD_PULSE		0xf0	/* to FFh: low bits 0 are pulsed low */
#define KBC_CMD_PULSE_RESET	0xfe	/* KBC_OUT_RUN alone */

#define KBC_SELF_TEST_OK	0x55
#define KBC_LINE_TEST_OK	0x00
#define KBC_INPUT_UNLOCKED	0x80

/* The keyboard (PS/2, *Keyboards (101- and 102-Key)*) */
#define KBD_ACK			0xfa
#define KBD_RESEND		0xfe
#define KBD_ECHO		0xee
#define KBD_TEST_OK		0xaa
#define KBD_ID_FIRST		0xab
#define KBD_ID_SECOND		0x83
#define KBD_ID_TRANSLATED	0x41	/* 83h through the translation */
#define KBD_SCAN_SET		2	/* after a reset, of 1 to 3 */
/* 1 to 3 through the translation */
#define KBD_SCAN_TRANSLATED	{ 0x43, 0x41, 0x3f }

#define KBD_CMD_LEDS		0xed
#define KBD_CMD_ECHO		0xee
#define KBD_CMD_SCAN_SET	0xf0
#define KBD_CMD_IDENTIFY	0xf2
#define KBD_CMD_RATE		0xf3
#define KBD_CMD_ENABLE		0xf4
#define KBD_CMD_DISABLE		0xf5
#define KBD_CMD_DEFAULTS	0xf6
#define KBD_CMD_ALL_KEYS	0xf7	/* to FAh: how all keys of set 3 repeat */
#define KBD_CMD_ALL_KEYS_LAST	0xfa
#define KBD_CMD_SOME_KEYS	0xfb	/* to FDh: those whose codes follow */
#define KBD_CMD_SOME_KEYS_LAST	0xfd
#define KBD_CMD_RESEND		0xfe
#define KBD_CMD_RESET		0xff

/* Port 92h */
#define PORT92_RESET		0x01	/* INIT_NOW */
#define PORT92_A20		0x02
#define PORT92_BITS		0xfe
/* clang-format on */

#endif
