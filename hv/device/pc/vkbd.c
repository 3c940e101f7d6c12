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
	k->scan_set = KBD_SCAN_SET;
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

static void kbd_defaults(struct vkbc *k)
{
	k->scan_set = KBD_SCAN_SET;
	kbc_answer(k, KBD_ACK);
}

/* clang-format off */
static const struct {
	u8 command, last;
	bool more; /* a byte follows */
	void (*run)(struct vkbc *k);
} kbd_commands[] = {
	{ KBD_CMD_LEDS,      KBD_CMD_LEDS,           true,  kbd_ack },
	{ KBD_CMD_ECHO,      KBD_CMD_ECHO,           false, kbd_echo },
	{ KBD_CMD_SCAN_SET,  KBD_CMD_SCAN_SET,       true,  kbd_ack },
	{ KBD_CMD_IDENTIFY,  KBD_CMD_IDENTIFY,       false, kbd_id },
	{ KBD_CMD_RATE,      KBD_CMD_RATE,           true,  kbd_ack },
	{ KBD_CMD_ENABLE,    KBD_CMD_ENABLE,         false, kbd_ack },
	{ KBD_CMD_DISABLE,   KBD_CMD_DEFAULTS,       false, kbd_defaults },
	{ KBD_CMD_ALL_KEYS,  KBD_CMD_ALL_KEYS_LAST,  false, kbd_ack },
	{ KBD_CMD_SOME_KEYS, KBD_CMD_SOME_KEYS_LAST, true,  kbd_ack },
	{ KBD_CMD_RESEND,    KBD_CMD_RESEND,         false, kbd_resend },
	{ KBD_CMD_RESET,     KBD_CMD_RESET,          false, kbd_reset },
};
/* clang-format on */

/* A scan set to use from now on, or 0, which asks for it */
static void scan_set(struct vkbc *k, u8 set)
{
	static const u8 translated[] = KBD_SCAN_TRANSLATED;

	if (set > ARRAY_SIZE(translated)) {
		kbc_answer(k, KBD_RESEND);
		return;
	}
	kbc_answer(k, KBD_ACK);
	if (set)
		k->scan_set = set;
	else
		kbc_answer(k, k->ram[0] & KBC_CFG_TRANSLATE
				      ? translated[k->scan_set - 1]
				      : k->scan_set);
}

/* The second byte of a command. A list of keys ends by the next command. */
static void kbd_parameter(struct vkbc *k, u8 byte)
{
	u8 command = k->kbd;

	if (command < KBD_CMD_SOME_KEYS)
		k->kbd = 0;
	if (command == KBD_CMD_SCAN_SET)
		scan_set(k, byte);
	else
		kbc_answer(k, KBD_ACK);
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
		if (byte < kbd_commands[i].command ||
		    byte > kbd_commands[i].last)
			continue;
		k->kbd = kbd_commands[i].more ? byte : 0;
		kbd_commands[i].run(k);
		return;
	}
	kbc_answer(k, KBD_RESEND);
}
