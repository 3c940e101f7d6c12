/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The ICH9 LPC bridge: routes of the PIRQs to the 8259, and the registers that
 * firmware programs on its way. The PM block (PMBASE) and the chipset's
 * registers (RCBA) cannot be moved; RCBA can be switched on and off. All
 * software for this machine puts them there. Of the chipset's registers, those
 * that route interrupt pins work.
 *
 * Called from exits, and when the VM is made or reset. Lock: see q35_priv.h.
 */
#include "hv/core/pc_map.h"
#include "hv/device/pc/q35_priv.h"
#include "hv/device/pci/pci_bus_priv.h"
#include "include/hw/pci.h"
#include "include/hw/q35.h"
#include "lib/bytes.h"
#include "lib/string.h"

#define FIRST_ROUTED 25u /* devices with a DnnIR register */

static const struct {
	u16 offset;
	u8 device;
} dirs[Q35_DIR_COUNT] = {
	{ RCBA_D31IR, 31 }, { RCBA_D29IR, 29 }, { RCBA_D28IR, 28 },
	{ RCBA_D27IR, 27 }, { RCBA_D26IR, 26 }, { RCBA_D25IR, 25 },
};

/* What the chipset's other registers read as */
static const struct {
	u16 offset;
	u8 value;
} rcba_bytes[] = {
	{ RCBA_RTC_CONF, RCBA_RTC_CONF_UPPER },
	{ RCBA_HPTC, RCBA_HPTC_ENABLED },
};

/* --- interrupt pins --- */

static void dir_follow(struct q35 *q, u32 i)
{
	for (u32 pin = 0; pin < PCI_BUS_PINS; pin++)
		pci_bus_set_pirq(q->vm, dirs[i].device, pin,
				 q->dir[i] >> pin * RCBA_DIR_SHIFT & 7);
}

/* Devices without a register: PIRQ E to H by turns */
static void fixed_pins(struct q35 *q)
{
	for (u32 pin = 0; pin < PCI_BUS_PINS; pin++) {
		for (u32 d = 0; d < FIRST_ROUTED; d++)
			pci_bus_set_pirq(q->vm, d, pin,
					 (u8)((d + pin) % 4 + 4));
		pci_bus_set_pirq(q->vm, 30, pin, (u8)(pin + 4));
	}
}

static void pirq_follow(struct pci_fn *f, u32 pirq)
{
	u32 at = pirq < 4 ? LPC_PIRQA_ROUT + pirq : LPC_PIRQE_ROUT + pirq - 4;
	u8 route = f->config[at];

	pci_bus_set_isa(f->vm, pirq,
			route & LPC_PIRQ_OFF ? PCI_BUS_NO_ISA
					     : route & LPC_PIRQ_IRQ);
}

static void lpc_written(struct pci_fn *f, u32 offset, u8 size)
{
	struct q35 *q = f->dev;

	if (offset >= LPC_PIRQE_ROUT + 4 || offset + size <= LPC_PIRQA_ROUT)
		return;
	spin_lock(&q->lock);
	for (u32 i = 0; i < PCI_BUS_PIRQS; i++)
		pirq_follow(f, i);
	spin_unlock(&q->lock);
}

/* --- the chipset's registers --- */

static bool rcba_open(const struct q35 *q)
{
	return READ_ONCE(q->lpc.config[LPC_RCBA]) & LPC_RCBA_EN;
}

static u8 rcba_byte(const struct q35 *q, u32 offset)
{
	for (u32 i = 0; i < Q35_DIR_COUNT; i++)
		if (dirs[i].offset == (offset & ~1u))
			return (u8)(q->dir[i] >> (offset & 1) * 8);
	for (u32 i = 0; i < ARRAY_SIZE(rcba_bytes); i++)
		if (rcba_bytes[i].offset == offset)
			return rcba_bytes[i].value;
	return 0;
}

static void rcba_byte_put(struct q35 *q, u32 offset, u8 value)
{
	u32 shift = (offset & 1) * 8;

	for (u32 i = 0; i < Q35_DIR_COUNT; i++) {
		if (dirs[i].offset != (offset & ~1u))
			continue;
		q->dir[i] = (u16)((q->dir[i] & ~(0xffu << shift)) |
				  ((u32)value << shift));
		q->dir[i] &= RCBA_DIR_BITS;
		dir_follow(q, i);
	}
}

static u64 rcba_read(struct vcpu *v, void *dev, u64 offset, u8 size)
{
	struct q35 *q = dev;
	u64 value = 0;

	if (!rcba_open(q))
		return ones_of(size);
	spin_lock(&q->lock);
	for (u8 i = 0; i < size; i++)
		value |= (u64)rcba_byte(q, (u32)offset + i) << i * 8;
	spin_unlock(&q->lock);
	return value;
}

static void rcba_write(struct vcpu *v, void *dev, u64 offset, u8 size,
		       u64 value)
{
	struct q35 *q = dev;

	if (!rcba_open(q))
		return;
	spin_lock(&q->lock);
	for (u8 i = 0; i < size; i++)
		rcba_byte_put(q, (u32)offset + i, (u8)(value >> i * 8));
	spin_unlock(&q->lock);
}

static int rcba_add(struct q35 *q)
{
	const struct bus_region region = {
		.base = PC_RCBA_BASE,
		.size = PC_RCBA_BYTES,
		.name = "RCBA",
		.read = rcba_read,
		.write = rcba_write,
		.dev = q,
	};

	return bus_add(&q->vm->mmio, &region);
}

/* --- config space --- */

/* offset, size, value at power on, writable bits */
/* clang-format off */
static const struct lpc_reg {
	u16 offset;
	u8 size;
	u32 value, mask;
} lpc_regs[] = {
	{ PCI_COMMAND,          2, LPC_COMMAND, PCI_COMMAND_SERR },
	{ LPC_PMBASE,           4, PC_PM_BASE | LPC_PMBASE_IO, 0 },
	{ LPC_ACPI_CNTL,        1, 0, LPC_ACPI_CNTL_BITS },
	{ LPC_GPIOBASE,         4, 1, LPC_GPIOBASE_BITS },
	{ LPC_GPIO_CNTL,        1, 0, LPC_GPIO_CNTL_BITS },
	{ LPC_SIRQ_CNTL,        1, LPC_SIRQ_CNTL_DEFAULT, LPC_SIRQ_CNTL_BITS },
	{ LPC_IO_DEC,           2, 0, LPC_IO_DEC_BITS },
	{ LPC_EN,               2, LPC_EN_COM1 | LPC_EN_KBC, LPC_EN_BITS },
	{ LPC_GEN_PMCON_1,      2, 0, LPC_GEN_PMCON_1_BITS },
	{ LPC_GEN_PMCON_2,      1, 0, LPC_GEN_PMCON_2_BITS },
	{ LPC_GEN_PMCON_3,      2, 0, LPC_GEN_PMCON_3_BITS },
	{ LPC_BIOS_CNTL,        1, 0, LPC_BIOS_CNTL_BITS },
};
/* clang-format on */

/* Without firmware the PM block and RCBA are open from the start */
static void define_lpc(struct pci_fn *f)
{
	bool open = f->vm->config->boot != BOOT_WAY_FIRMWARE;

	for (u32 i = 0; i < ARRAY_SIZE(lpc_regs); i++)
		pci_fn_define(f, lpc_regs[i].offset, lpc_regs[i].size,
			      lpc_regs[i].value, lpc_regs[i].mask);
	for (u32 i = 0; i < LPC_GEN_DEC_COUNT; i++)
		pci_fn_define(f, LPC_GEN_DEC + i * 4, 4, 0, LPC_GEN_DEC_BITS);
	for (u32 i = 0; i < 4; i++) {
		pci_fn_define(f, LPC_PIRQA_ROUT + i, 1, LPC_PIRQ_OFF,
			      LPC_PIRQ_BITS);
		pci_fn_define(f, LPC_PIRQE_ROUT + i, 1, LPC_PIRQ_OFF,
			      LPC_PIRQ_BITS);
	}
	pci_fn_define(f, LPC_RCBA, 4, PC_RCBA_BASE | (open ? LPC_RCBA_EN : 0),
		      LPC_RCBA_EN);
	if (open)
		pci_fn_define(f, LPC_ACPI_CNTL, 1, LPC_ACPI_EN,
			      LPC_ACPI_CNTL_BITS);
}

static const struct pci_fn_ops lpc_ops = {
	.config_written = lpc_written,
};

void lpc_reset(struct q35 *q)
{
	spin_lock(&q->lock);
	fixed_pins(q);
	for (u32 i = 0; i < Q35_DIR_COUNT; i++) {
		q->dir[i] = RCBA_DIR_DEFAULT;
		dir_follow(q, i);
	}
	spin_unlock(&q->lock);
	lpc_written(&q->lpc, LPC_PIRQA_ROUT, 1);
}

int lpc_create(struct q35 *q)
{
	static const struct q35_id id = { .device = LPC_DEVICE,
					  .status = LPC_STATUS,
					  .class = LPC_CLASS,
					  .revision = LPC_REVISION,
					  .type = PCI_HEADER_MULTI };
	u8 header[64];
	int err;

	q->lpc = (struct pci_fn){
		.vm = q->vm, .devfn = PC_DEVFN_LPC, .ops = &lpc_ops, .dev = q
	};
	q35_header(header, &id);
	err = pci_bus_add(&q->lpc, header);
	if (err)
		return err;
	define_lpc(&q->lpc);
	return rcba_add(q);
}
