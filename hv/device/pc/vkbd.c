/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The keyboard behind the controller of vkbc.c. Nobody types on it, but it
 * takes every command that a driver probes it with. Called by vkbc.c with its
 * lock held.
 */
#include "hv/device/pc/vkbc_priv.h"
#include "include/hw/i8042.h"

static void kbd_id(struct vkbc *k)
{
	kbc_answer(k, KBD_ACK);
	kbc_answer(k, KBD_ID_FIRST);
	kbc_answer(k, k->ram[0] & KBC_CFG_TRANSLATE ? KBD_ID_TRANSLATED
						    : KBD_ID_SECOND);
}

static void kbd_reset(struct vkbc *k)
{
	kbc_answer(k, KBD_ACK);
	kbc_answer(k, KBD_TEST_OK);
}

static void kbd_echo(struct vkbc *k)
{
	kbc_answer(k, KBD_ECHO);
}

static void kbd_resend(struct vkbc *k)
{
	kbc_answer(k, k->last);
}

static void kbd_ack(struct vkbc *k)
{
	kbc_answer(k, KBD_ACK);
}

/* clang-format off */
static const struct {
	u8 command;
	bool more; /* a byte follows */
	void (*run)(struct vkbc *k);
} kbd_commands[] = {
	{ KBD_CMD_LEDS,     true,  kbd_ack },
	{ KBD_CMD_ECHO,     false, kbd_echo },
	{ KBD_CMD_SCAN_SET, true,  kbd_ack },
	{ KBD_CMD_IDENTIFY, false, kbd_id },
	{ KBD_CMD_RATE,     true,  kbd_ack },
	{ KBD_CMD_ENABLE,   false, kbd_ack },
	{ KBD_CMD_DISABLE,  false, kbd_ack },
	{ KBD_CMD_DEFAULTS, false, kbd_ack },
	{ KBD_CMD_RESEND,   false, kbd_resend },
	{ KBD_CMD_RESET,    false, kbd_reset },
};
/* clang-format on */

/* The second byte of a command: only scan set 0 asks something */
static void kbd_parameter(struct vkbc *k, u8 byte)
{
	bool asks = k->kbd == KBD_CMD_SCAN_SET && !byte;

	k->kbd = 0;
	kbc_answer(k, KBD_ACK);
	if (asks)
		kbc_answer(k, k->ram[0] & KBC_CFG_TRANSLATE
				      ? KBD_SCAN_TRANSLATED
				      : KBD_SCAN_SET);
}

/* A byte to the keyboard wakes its clock (reference, *Keyboard Port*) */
void kbd_write(struct vkbc *k, u8 byte)
{
	k->ram[0] &= (u8)~KBC_CFG_KBD_OFF;
	if (k->kbd && byte < KBD_CMD_LEDS) {
		kbd_parameter(k, byte);
		return;
	}
	k->kbd = 0;
	for (u32 i = 0; i < ARRAY_SIZE(kbd_commands); i++) {
		if (kbd_commands[i].command != byte)
			continue;
		k->kbd = kbd_commands[i].more ? byte : 0;
		kbd_commands[i].run(k);
		return;
	}
	kbc_answer(k, KBD_RESEND);
}
