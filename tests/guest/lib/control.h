/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The control device without an operating system (include/bulkhead/control.h):
 * found and placed by configuration ports, one command at a time. Its IOMMU is
 * off, so addresses are physical.
 */
#ifndef TESTS_GUEST_LIB_CONTROL_H
#define TESTS_GUEST_LIB_CONTROL_H

#include "include/bulkhead/control.h"
#include "tests/guest/lib/guest.h"

#define PCI_ADDRESS 0xcf8
#define PCI_DATA    0xcfc
#define COMMAND     0x04
#define ALL_ON      7u /* I/O, memory, bus master */
#define PORTS       0xd000u
#define TABLE       0x50000000ul /* neither RAM nor a device of a small machine */

static struct bh_ctl_area area __aligned(4096);
static u8 out[4096] __aligned(4096), in[4096] __aligned(4096);
static u32 device; /* its number on bus 0 */

static inline u32 cfg_at(u32 function, u32 reg)
{
	outl(PCI_ADDRESS,
	     1u << 31 | device << 11 | function << 8 | (reg & ~3u));
	return inl(PCI_DATA);
}

static inline u32 cfg_read(u32 reg)
{
	return cfg_at(0, reg);
}

static inline void cfg_write(u32 reg, u32 value)
{
	outl(PCI_ADDRESS, 1u << 31 | device << 11 | (reg & ~3u));
	outl(PCI_DATA, value);
}

static inline void reg_write(u32 reg, u32 value)
{
	__asm__ volatile("" ::: "memory"); /* it reads the area, and writes */
	outl((u16)(PORTS + reg), value);
	__asm__ volatile("" ::: "memory");
}

static inline u32 reg_read(u32 reg)
{
	return inl((u16)(PORTS + reg));
}

/* False: there is none */
static inline bool find_device(void)
{
	for (device = 1; device < 32; device++)
		if (cfg_read(0) ==
		    (BH_CTL_PCI_DEVICE << 16 | BH_CTL_PCI_VENDOR))
			return true;
	return false;
}

static inline void place(void)
{
	cfg_write(COMMAND, 0);
	cfg_write(0x10, PORTS);
	cfg_write(0x18, (u32)TABLE);
	cfg_write(0x1c, 0);
	cfg_write(COMMAND, ALL_ON);
}

static inline void open_area(void)
{
	reg_write(BH_CTL_OPEN, 0);
	area.index.command_tail = area.index.event_head = 0;
	reg_write(BH_CTL_OPEN, (u32)((u64)&area >> 12));
}

/* Hands @c over; its tag */
static inline u32 submit(struct bh_ctl_command c)
{
	u32 n = area.index.command_tail;

	c.tag = n;
	c.in = (u64)in;
	c.out = (u64)out;
	c.out_bytes = sizeof(out);
	area.commands[n % BH_CTL_COMMANDS] = c;
	area.index.command_tail = n + 1;
	reg_write(BH_CTL_SUBMIT, 1);
	return n;
}

/* Has that command been answered? Events before its answer are passed over. */
static inline bool is_answered(u32 tag, struct bh_ctl_event *answer)
{
	const struct bh_ctl_event *e;

	__asm__ volatile("" ::: "memory"); /* the device has written, maybe */
	while (area.index.event_head != area.index.event_tail) {
		e = &area.events[area.index.event_head++ % BH_CTL_EVENTS];
		*answer = *e;
		if (e->type == BH_CTL_EVENT_ANSWER && e->tag == tag)
			return true;
	}
	return false;
}

/* What is answered at once, and that answer. BH_CTL_EBUSY: it was not. */
static inline struct bh_ctl_event command(struct bh_ctl_command c)
{
	struct bh_ctl_event e = { .type = BH_CTL_EVENT_ANSWER };

	if (!is_answered(submit(c), &e))
		e.status = -BH_CTL_EBUSY;
	return e;
}

static inline struct bh_ctl_event ask(u32 op, u64 arg0, u64 arg1)
{
	return command((struct bh_ctl_command){ .op = (u16)op,
						.arg = { arg0, arg1 } });
}

#endif
