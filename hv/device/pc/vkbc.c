/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The keyboard controller (8042) of an isolated guest and port 92h. Nobody
 * types on its keyboard (vkbd.c), and there is no mouse. It does what is needed
 * for resets, for A20, and for a driver to find it in order.
 *
 * A command's answer waits in a queue of a few bytes, each with the port it
 * comes from. Port 60h and the IRQ lines show the first of them. A20 is always
 * on: a write that would switch it off is kept and reads back, as on a chipset
 * that ignores A20M#.
 *
 * Called from exits, any core. The lock protects everything; the interrupt
 * controllers' locks come after it. vm_end() is called without it.
 */
#include "hv/core/pc_map.h"
#include "hv/core/vcpu.h"
#include "hv/device/pc/vkbc_priv.h"
#include "hv/irq/lines.h"
#include "include/hw/i8042.h"
#include "lib/errno.h"
#include "lib/string.h"

static struct vkbc *vkbc_of(const struct vm *vm)
{
	return vm->devices[VDEV_vkbc];
}

/* --- the output buffer --- */

static void lines_follow(struct vkbc *k)
{
	static const u32 irqs[2] = { PC_IRQ_KEYBOARD, PC_IRQ_MOUSE };
	static const u8 enables[2] = { KBC_CFG_KBD_IRQ, KBC_CFG_AUX_IRQ };

	for (u32 i = 0; i < 2; i++) {
		bool aux = k->queue[0].from & KBC_STAT_AUX;
		bool level =
			k->count && aux == (i == 1) && k->ram[0] & enables[i];

		if (level != k->lines[i])
			line_set(k->vm, irqs[i], level);
		k->lines[i] = level;
	}
}

void kbc_put(struct vkbc *k, u8 byte, u8 from)
{
	if (k->count == KBC_QUEUE_BYTES)
		return;
	k->queue[k->count].byte = byte;
	k->queue[k->count].from = from;
	k->count++;
}

void kbc_answer(struct vkbc *k, u8 byte)
{
	kbc_put(k, byte, 0);
}

/* Each byte makes an edge of its own on its IRQ line */
static u8 take(struct vkbc *k)
{
	if (!k->count)
		return k->last;
	k->last = k->queue[0].byte;
	k->count--;
	for (u32 i = 0; i < k->count; i++)
		k->queue[i] = k->queue[i + 1];
	if (k->count && (k->lines[0] || k->lines[1])) {
		u8 left = k->count;

		k->count = 0;
		lines_follow(k);
		k->count = left;
	}
	return k->last;
}

/* --- the controller --- */

static void output_write(struct vkbc *k, u8 value)
{
	if (!(value & KBC_OUT_RUN))
		k->reset = true;
	k->output = value;
}

static u8 output_read(const struct vkbc *k)
{
	u8 full = 0;

	if (k->count)
		full = k->queue[0].from & KBC_STAT_AUX ? KBC_OUT_AUX_FULL
						       : KBC_OUT_KBD_FULL;
	return (u8)((k->output & ~(KBC_OUT_KBD_FULL | KBC_OUT_AUX_FULL)) |
		    KBC_OUT_RUN | full);
}

static void config_bits(struct vkbc *k, u8 clear, u8 set)
{
	k->ram[0] = (u8)((k->ram[0] & ~clear) | set);
}

static void cmd_aux_off(struct vkbc *k)
{
	config_bits(k, 0, KBC_CFG_AUX_OFF);
}

static void cmd_aux_on(struct vkbc *k)
{
	config_bits(k, KBC_CFG_AUX_OFF, 0);
}

static void cmd_kbd_off(struct vkbc *k)
{
	config_bits(k, 0, KBC_CFG_KBD_OFF);
}

static void cmd_kbd_on(struct vkbc *k)
{
	config_bits(k, KBC_CFG_KBD_OFF, 0);
}

static void cmd_self_test(struct vkbc *k)
{
	config_bits(k, 0, KBC_CFG_SYS);
	k->count = 0;
	kbc_answer(k, KBC_SELF_TEST_OK);
}

static void cmd_line_test(struct vkbc *k)
{
	kbc_answer(k, KBC_LINE_TEST_OK);
}

static void cmd_read_input(struct vkbc *k)
{
	kbc_answer(k, KBC_INPUT_UNLOCKED);
}

static void cmd_read_output(struct vkbc *k)
{
	kbc_answer(k, output_read(k));
}

static void cmd_a20_off(struct vkbc *k)
{
	k->output &= (u8)~KBC_OUT_A20;
}

static void cmd_a20_on(struct vkbc *k)
{
	k->output |= KBC_OUT_A20;
}

/* clang-format off */
static const struct {
	u8 command;
	void (*run)(struct vkbc *k); /* NULL: with the byte that follows */
} commands[] = {
	{ KBC_CMD_AUX_OFF,      cmd_aux_off },
	{ KBC_CMD_AUX_ON,       cmd_aux_on },
	{ KBC_CMD_AUX_TEST,     cmd_line_test },
	{ KBC_CMD_SELF_TEST,    cmd_self_test },
	{ KBC_CMD_KBD_TEST,     cmd_line_test },
	{ KBC_CMD_KBD_OFF,      cmd_kbd_off },
	{ KBC_CMD_KBD_ON,       cmd_kbd_on },
	{ KBC_CMD_READ_INPUT,   cmd_read_input },
	{ KBC_CMD_READ_OUTPUT,  cmd_read_output },
	{ KBC_CMD_WRITE_OUTPUT, NULL },
	{ KBC_CMD_WRITE_KBD,    NULL },
	{ KBC_CMD_WRITE_AUX,    NULL },
	{ KBC_CMD_TO_AUX,       NULL },
	{ KBC_CMD_A20_OFF,      cmd_a20_off },
	{ KBC_CMD_A20_ON,       cmd_a20_on },
};
/* clang-format on */

static void command_write(struct vkbc *k, u8 value)
{
	k->command = 0;
	if (value >= KBC_CMD_PULSE) {
		k->reset |= !(value & KBC_OUT_RUN);
	} else if ((value & ~KBC_CMD_RAM_MASK) == KBC_CMD_READ_RAM) {
		kbc_answer(k, k->ram[value & KBC_CMD_RAM_MASK]);
	} else if ((value & ~KBC_CMD_RAM_MASK) == KBC_CMD_WRITE_RAM) {
		k->command = value;
	} else {
		for (u32 i = 0; i < ARRAY_SIZE(commands); i++) {
			if (commands[i].command != value)
				continue;
			if (commands[i].run)
				commands[i].run(k);
			else
				k->command = value;
		}
	}
}

/* A byte for the mouse: none is plugged in, so the controller answers with a
 * time-out */
static void data_write(struct vkbc *k, u8 value)
{
	u8 command = k->command;

	k->command = 0;
	switch (command) {
	case 0:
		kbd_write(k, value);
		break;
	case KBC_CMD_WRITE_OUTPUT:
		output_write(k, value);
		break;
	case KBC_CMD_WRITE_KBD:
		kbc_put(k, value, 0);
		break;
	case KBC_CMD_WRITE_AUX:
		kbc_put(k, value, KBC_STAT_AUX);
		break;
	case KBC_CMD_TO_AUX:
		kbc_put(k, KBD_RESEND, KBC_STAT_AUX | KBC_STAT_TIMEOUT);
		break;
	case KBC_CMD_WRITE_RAM:
		k->ram[0] = value & KBC_CFG_BITS;
		break;
	default:
		k->ram[command & KBC_CMD_RAM_MASK] = value;
		break;
	}
}

static u8 status_read(const struct vkbc *k)
{
	u8 status = KBC_STAT_UNLOCKED;

	if (k->count)
		status |= KBC_STAT_OBF | k->queue[0].from;
	if (k->ram[0] & KBC_CFG_SYS)
		status |= KBC_STAT_SYS;
	if (k->to_64)
		status |= KBC_STAT_CMD;
	return status;
}

/* --- ports --- */

static void unlock(struct vkbc *k, struct vcpu *v)
{
	bool reset = k->reset;

	lines_follow(k);
	k->reset = false;
	spin_unlock(&k->lock);
	if (reset)
		vm_end(v->vm, VM_END_RESET, "it reset itself");
}

static u64 data_port_read(struct vcpu *v, void *dev, u64 offset, u8 size)
{
	struct vkbc *k = dev;
	u64 value;

	spin_lock(&k->lock);
	value = take(k);
	unlock(k, v);
	return value;
}

static void data_port_write(struct vcpu *v, void *dev, u64 offset, u8 size,
			    u64 value)
{
	struct vkbc *k = dev;

	spin_lock(&k->lock);
	k->to_64 = false;
	data_write(k, (u8)value);
	unlock(k, v);
}

static u64 command_port_read(struct vcpu *v, void *dev, u64 offset, u8 size)
{
	struct vkbc *k = dev;
	u64 value;

	spin_lock(&k->lock);
	value = status_read(k);
	unlock(k, v);
	return value;
}

static void command_port_write(struct vcpu *v, void *dev, u64 offset, u8 size,
			       u64 value)
{
	struct vkbc *k = dev;

	spin_lock(&k->lock);
	k->to_64 = true;
	command_write(k, (u8)value);
	unlock(k, v);
}

static u64 port92_read(struct vcpu *v, void *dev, u64 offset, u8 size)
{
	struct vkbc *k = dev;

	return READ_ONCE(k->port92);
}

/* Bit 0 resets by its rising edge, and it reads as 0 */
static void port92_write(struct vcpu *v, void *dev, u64 offset, u8 size,
			 u64 value)
{
	struct vkbc *k = dev;

	WRITE_ONCE(k->port92, (u8)(value & PORT92_BITS));
	if (value & PORT92_RESET)
		vm_end(v->vm, VM_END_RESET, "it reset itself");
}

/* --- life --- */

static void vkbc_reset(struct vm *vm)
{
	struct vkbc *k = vkbc_of(vm);

	spin_lock(&k->lock);
	memset(k->ram, 0, sizeof(k->ram));
	k->ram[0] = KBC_CFG_KBD_IRQ | KBC_CFG_SYS | KBC_CFG_AUX_OFF |
		    KBC_CFG_TRANSLATE;
	k->output = KBC_OUT_IDLE | KBC_OUT_A20 | KBC_OUT_RUN;
	k->port92 = PORT92_A20;
	k->last = k->command = k->kbd = k->count = 0;
	k->scan_set = KBD_SCAN_SET;
	k->to_64 = k->reset = false;
	lines_follow(k);
	spin_unlock(&k->lock);
}

static int vkbc_create(struct vm *vm)
{
	struct vkbc *k = kmem_alloc(&vm->budget, sizeof(*k));
	const struct bus_region ports[] = {
		{ .base = KBC_DATA,
		  .size = 1,
		  .name = "keyboard data",
		  .read = data_port_read,
		  .write = data_port_write,
		  .dev = k },
		{ .base = KBC_STATUS,
		  .size = 1,
		  .name = "keyboard command",
		  .read = command_port_read,
		  .write = command_port_write,
		  .dev = k },
		{ .base = KBC_PORT_92,
		  .size = 1,
		  .name = "port 92h",
		  .read = port92_read,
		  .write = port92_write,
		  .dev = k },
	};
	int err = 0;

	if (!k)
		return -ENOMEM;
	k->vm = vm;
	vm->devices[VDEV_vkbc] = k;
	for (u32 i = 0; i < ARRAY_SIZE(ports) && !err; i++)
		err = bus_add(&vm->ports, &ports[i]);
	if (!err)
		vkbc_reset(vm);
	return err;
}

static void vkbc_destroy(struct vm *vm)
{
	kmem_free(&vm->budget, vkbc_of(vm), sizeof(struct vkbc));
}

const struct vdev vkbc_vdev = {
	.name = "keyboard",
	.create = vkbc_create,
	.destroy = vkbc_destroy,
	.reset = vkbc_reset,
};
