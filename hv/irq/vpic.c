/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The 8259 pair with its edge/level registers (Intel 8259A data sheet; ICH9
 * 13.4). The lines follow the vIOAPIC's ISA pins. The output reaches vCPU 0 as
 * ExtINT if its LINT0 lets it (PIC mode, virtual wire mode by the LAPIC). In
 * isolated guests it also reaches the vCPU that the IOAPIC's pin 0 names.
 * Called by the vIOAPIC (lines), by port exits and by the run loop. Lock: the
 * vPIC's own, a leaf; the vIOAPIC's may come before it.
 *
 * Over 400 lines: one chip, of which two make the pair.
 */
#include "hv/irq/vpic.h"

#include "arch/x86/cpu/portio.h"
#include "arch/x86/cpu/spinlock.h"
#include "hv/core/vcpu.h"
#include "hv/irq/lines.h"
#include "hv/irq/vioapic.h"
#include "include/hw/i8259.h"
#include "lib/errno.h"

struct pic {
	u8 irr, imr, isr;
	u8 lines;        /* levels on the pins */
	u8 elcr;         /* 1: level-triggered */
	u8 priority_add; /* highest-priority input */
	u8 base;         /* ICW2 */
	u8 init_step;    /* ICW expected next: 0 none, 2, 3, 4 */
	bool need_icw4, auto_eoi, rotate_on_auto_eoi;
	bool special_mask, special_fully_nested, poll, read_isr;
};

struct vpic {
	struct vm *vm;
	struct spinlock lock;
	struct pic pics[2]; /* master, slave */
	bool output;        /* INTR as last computed */
};

/* Priority of the highest bit in @mask; 8: none */
static u8 pic_priority(const struct pic *p, u8 mask)
{
	u8 n;

	for (n = 0; n < 8; n++)
		if (mask & 1u << ((n + p->priority_add) & 7))
			return n;
	return 8;
}

/* What is in service, and what a non-specific EOI ends. In special mask mode,
 * levels that are masked are left out (data sheet, OCW2 and Special Mask
 * Mode). */
static u8 in_service(const struct pic *p)
{
	return p->special_mask ? p->isr & (u8)~p->imr : p->isr;
}

/* The input to serve now, -1: none beats what is in service */
static int pic_request(const struct vpic *s, u32 which)
{
	const struct pic *p = &s->pics[which];
	u8 request = pic_priority(p, p->irr & (u8)~p->imr);
	u8 served = in_service(p);
	u8 current;

	if (request == 8)
		return -1;
	/* Fully nested across the cascade: the slave may interrupt itself */
	if (p->special_fully_nested && which == 0)
		served &= (u8) ~(1u << PIC_CASCADE);
	current = pic_priority(p, served);
	return request < current ? (request + p->priority_add) & 7 : -1;
}

static void pic_line(struct pic *p, u8 n, bool level)
{
	u8 bit = (u8)(1u << n);
	bool was = p->lines & bit;

	if (level)
		p->lines |= bit;
	else
		p->lines &= (u8)~bit;
	if (p->elcr & bit) {
		/* Level: the request is the line */
		p->irr = level ? p->irr | bit : p->irr & (u8)~bit;
	} else if (level && !was) {
		p->irr |= bit;
	} else if (!level) {
		p->irr &= (u8)~bit;
	}
}

/* Slave into master, master into INTR; true: INTR rose */
static bool pair_update(struct vpic *s)
{
	bool output;

	pic_line(&s->pics[0], PIC_CASCADE, pic_request(s, 1) >= 0);
	output = pic_request(s, 0) >= 0;
	if (output == s->output)
		return false;
	WRITE_ONCE(s->output, output);
	return output;
}

/* INTR is up: LINT0 of the boot vCPU, and where the IOAPIC's pin 0 leads */
static void notify(struct vm *vm)
{
	struct vcpu *other;

	if (!vm->vcpu_count || !vm->vcpus[0])
		return;
	vcpu_post(vm->vcpus[0], VE_IRQ);
	if (vm->privileged)
		return;
	other = vioapic_extint_target(vm);
	if (other && other != vm->vcpus[0])
		vcpu_post(other, VE_IRQ);
}

static void pair_unlock(struct vpic *s, bool rose)
{
	spin_unlock(&s->lock);
	if (rose)
		notify(s->vm);
}

void vpic_look(struct vm *vm)
{
	if (vpic_has_interrupt(vm))
		notify(vm);
}

void vpic_set_line(struct vm *vm, u32 irq, bool level)
{
	struct vpic *s = vpic_of(vm);

	if (irq >= PIC_INPUTS || irq == PIC_CASCADE)
		return;
	spin_lock(&s->lock);
	pic_line(&s->pics[irq / 8], irq & 7, level);
	pair_unlock(s, pair_update(s));
}

bool vpic_has_interrupt(struct vm *vm)
{
	return READ_ONCE(vpic_of(vm)->output);
}

bool vpic_wants(struct vm *vm, u32 irq)
{
	const struct pic *p;
	u8 bit = (u8)(1u << (irq & 7));

	if (irq >= PIC_INPUTS)
		return false;
	p = &vpic_of(vm)->pics[irq / 8];
	return !(READ_ONCE(p->imr) & READ_ONCE(p->irr) & bit);
}

bool vpic_waits(struct vm *vm, u32 irq)
{
	const struct pic *p;
	u8 bit = (u8)(1u << (irq & 7));

	if (irq >= PIC_INPUTS)
		return false;
	p = &vpic_of(vm)->pics[irq / 8];
	return (u8)~READ_ONCE(p->imr) & READ_ONCE(p->irr) & bit;
}

static void pic_take(struct pic *p, u8 n)
{
	u8 bit = (u8)(1u << n);

	if (!(p->elcr & bit))
		p->irr &= (u8)~bit;
	if (!p->auto_eoi)
		p->isr |= bit;
	else if (p->rotate_on_auto_eoi)
		p->priority_add = (n + 1) & 7;
}

/* The INTA cycles: an input that went away gives the spurious 7 */
static u8 pair_acknowledge(struct vpic *s)
{
	int n = pic_request(s, 0), m;

	if (n < 0)
		return (u8)(s->pics[0].base + PIC_SPURIOUS);
	pic_take(&s->pics[0], (u8)n);
	if (n != PIC_CASCADE)
		return (u8)(s->pics[0].base + n);
	m = pic_request(s, 1);
	if (m < 0)
		return (u8)(s->pics[1].base + PIC_SPURIOUS);
	pic_take(&s->pics[1], (u8)m);
	return (u8)(s->pics[1].base + m);
}

int vpic_acknowledge(struct vm *vm)
{
	struct vpic *s = vpic_of(vm);
	int vector = -1;

	spin_lock(&s->lock);
	if (s->output) {
		vector = pair_acknowledge(s);
		pair_unlock(s, pair_update(s));
		return vector;
	}
	spin_unlock(&s->lock);
	return vector;
}

static void write_icw1(struct pic *p, u8 value)
{
	u8 lines = p->lines, elcr = p->elcr;

	*p = (struct pic){ .lines = lines, .elcr = elcr, .init_step = 2 };
	p->irr = lines & elcr;
	p->need_icw4 = value & ICW1_IC4;
}

static void write_ocw3(struct pic *p, u8 value)
{
	if (value & OCW3_POLL)
		p->poll = true;
	if (value & OCW3_RR)
		p->read_isr = value & OCW3_RIS;
	if (value & OCW3_ESMM)
		p->special_mask = value & OCW3_SMM;
}

/* End of interrupt, specific or not, with rotation or not (data sheet, OCW2) */
static void write_ocw2(struct pic *p, u8 value)
{
	bool rotate = value & OCW2_R, specific = value & OCW2_SL;
	u8 n = value & 7;

	if (!(value & OCW2_EOI)) {
		if (specific && rotate)
			p->priority_add = (n + 1) & 7;
		else if (!specific)
			p->rotate_on_auto_eoi = rotate;
		return;
	}
	if (!specific) {
		u8 priority = pic_priority(p, in_service(p));

		if (priority == 8)
			return;
		n = (priority + p->priority_add) & 7;
	}
	p->isr &= (u8) ~(1u << n);
	if (rotate)
		p->priority_add = (n + 1) & 7;
}

static void write_data(struct pic *p, u8 value)
{
	switch (p->init_step) {
	case 2:
		p->base = value & 0xf8;
		p->init_step = 3;
		return;
	case 3: /* whatever ICW3 says, the cascade is wired */
		p->init_step = p->need_icw4 ? 4 : 0;
		return;
	case 4:
		p->special_fully_nested = value & ICW4_SFNM;
		p->auto_eoi = value & ICW4_AEOI;
		p->init_step = 0;
		return;
	default:
		p->imr = value;
	}
}

static u8 poll_read(struct vpic *s, u32 which)
{
	struct pic *p = &s->pics[which];
	int n = pic_request(s, which);

	p->poll = false;
	if (n < 0)
		return PIC_SPURIOUS;
	pic_take(p, (u8)n);
	return (u8)(PIC_POLL_INT | n);
}

static u8 pic_read(struct vpic *s, u32 which, u64 offset)
{
	struct pic *p = &s->pics[which];

	if (p->poll)
		return poll_read(s, which);
	if (offset)
		return p->imr;
	return p->read_isr ? p->isr : p->irr;
}

static void pic_write(struct pic *p, u64 offset, u8 value)
{
	if (offset)
		write_data(p, value);
	else if (value & ICW1_INIT)
		write_icw1(p, value);
	else if (value & OCW3_SELECT)
		write_ocw3(p, value);
	else
		write_ocw2(p, value);
}

static u64 port_read_at(struct vpic *s, u32 which, u64 offset, u8 size)
{
	u64 value = 0;
	bool rose;
	u8 i;

	spin_lock(&s->lock);
	for (i = 0; i < size; i++)
		value |= (u64)pic_read(s, which, offset + i) << (i * 8);
	rose = pair_update(s);
	pair_unlock(s, rose);
	return value;
}

static void port_write_at(struct vpic *s, u32 which, u64 offset, u8 size,
			  u64 value)
{
	bool rose;
	u8 i;

	spin_lock(&s->lock);
	for (i = 0; i < size; i++)
		pic_write(&s->pics[which], offset + i, (u8)(value >> i * 8));
	rose = pair_update(s);
	pair_unlock(s, rose);
	if (!s->vm->privileged)
		lines_unmasked(s->vm);
}

static u64 master_read(struct vcpu *v, void *dev, u64 offset, u8 size)
{
	return port_read_at(dev, 0, offset, size);
}

static u64 slave_read(struct vcpu *v, void *dev, u64 offset, u8 size)
{
	return port_read_at(dev, 1, offset, size);
}

static void master_write(struct vcpu *v, void *dev, u64 offset, u8 size,
			 u64 value)
{
	port_write_at(dev, 0, offset, size, value);
}

static void slave_write(struct vcpu *v, void *dev, u64 offset, u8 size,
			u64 value)
{
	port_write_at(dev, 1, offset, size, value);
}

static const u8 elcr_writable[2] = { ELCR_MASTER_MASK, ELCR_SLAVE_MASK };

static u64 elcr_read(struct vcpu *v, void *dev, u64 offset, u8 size)
{
	const struct vpic *s = dev;

	if (size == 1)
		return s->pics[offset].elcr;
	return (u64)s->pics[0].elcr | (u64)s->pics[1].elcr << 8;
}

static void elcr_write(struct vcpu *v, void *dev, u64 offset, u8 size,
		       u64 value)
{
	struct vpic *s = dev;
	u8 i;

	spin_lock(&s->lock);
	for (i = 0; i < size; i++)
		s->pics[offset + i].elcr =
			(u8)(value >> i * 8) & elcr_writable[offset + i];
	pair_unlock(s, pair_update(s));
}

/* clang-format off */
static const struct bus_region vpic_regions[] = {
	{ .base = PIC_MASTER_PORT, .size = 2, .name = "pic",
	  .read = master_read, .write = master_write },
	{ .base = PIC_SLAVE_PORT, .size = 2, .name = "pic",
	  .read = slave_read, .write = slave_write },
	{ .base = PIC_ELCR_PORT, .size = 2, .name = "elcr",
	  .read = elcr_read, .write = elcr_write },
};
/* clang-format on */

/* The privileged guest's wires are as firmware left them, so its PCI interrupts
 * are level-triggered */
static u8 reset_elcr(const struct vm *vm, u32 which)
{
	u8 value;

	if (!vm->privileged)
		return 0;
	value = (u8)port_read((u16)(PIC_ELCR_PORT + which), 1);
	return value == 0xff ? 0 : value & elcr_writable[which];
}

static void vpic_reset(struct vm *vm)
{
	struct vpic *s = vpic_of(vm);

	spin_lock(&s->lock);
	s->pics[0] = (struct pic){ .imr = 0xff, .elcr = reset_elcr(vm, 0) };
	s->pics[1] = (struct pic){ .imr = 0xff, .elcr = reset_elcr(vm, 1) };
	s->output = false;
	spin_unlock(&s->lock);
}

void vpic_as_by_bios(struct vm *vm)
{
	struct vpic *s = vpic_of(vm);

	spin_lock(&s->lock);
	s->pics[0].base = PIC_BIOS_MASTER;
	s->pics[0].imr &= (u8)~PIC_BIOS_MASTER_OPEN;
	s->pics[1].base = PIC_BIOS_SLAVE;
	s->pics[1].imr &= (u8)~PIC_BIOS_SLAVE_OPEN;
	pair_unlock(s, pair_update(s));
	lines_unmasked(vm);
}

static int vpic_create(struct vm *vm)
{
	struct vpic *s = kmem_alloc(&vm->budget, sizeof(*s));

	if (!s)
		return -ENOMEM;
	vm->devices[VDEV_vpic] = s;
	s->vm = vm;
	for (u32 i = 0; i < ARRAY_SIZE(vpic_regions); i++) {
		struct bus_region region = vpic_regions[i];
		int err;

		region.dev = s;
		err = bus_add(&vm->ports, &region);
		if (err)
			return err;
	}
	vpic_reset(vm);
	return 0;
}

static void vpic_destroy(struct vm *vm)
{
	kmem_free(&vm->budget, vpic_of(vm), sizeof(struct vpic));
}

const struct vdev vpic_vdev = {
	.name = "8259",
	.create = vpic_create,
	.destroy = vpic_destroy,
	.reset = vpic_reset,
};
