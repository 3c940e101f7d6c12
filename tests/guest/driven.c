/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The guest whose virtio block device served.c serves: it reads sectors by a
 * driver like any other's, resets the device while its queue is live, and is
 * destroyed while it is live again. What it finds served.c checks.
 */
#define DEVFN 0x10u
#include "tests/guest/lib/driven.h"
#include "tests/guest/lib/virtio.h"

#define VECTOR  0x62
#define LAPIC   0xfee00000u
#define MSIX_ON 0x80

static volatile struct driven *const found = (void *)(u64)DRIVEN_AT;

static struct {
	u32 type, reserved;
	u64 sector;
} header __aligned(16);
static volatile u8 status_byte;

static void look(void)
{
	found->id = cfg32(0);
	found->class = cfg32(8);
	outl(0xcf8, 0x80000000 | (DEVFN + 8) << 8);
	found->absent = inl(0xcfc);
}

/* Two halves (4.1.3.1) */
static u64 capacity(void)
{
	const volatile u32 *config =
		(volatile u32 *)(u64)(BAR + cfg32(cap_of[4] + 8));

	return config[0] | (u64)config[1] << 32;
}

static void messages_on(void)
{
	volatile u32 *entry = (volatile u32 *)(msix_table + 16);

	irq_handler[VECTOR] = irq_ack;
	entry[0] = LAPIC;
	entry[1] = 0;
	entry[2] = VECTOR;
	entry[3] = 0;
	cfg_out8(msix_cap + 3, MSIX_ON);
}

static void ready(void)
{
	device_reset();
	found->features = features_offered();
	negotiate(F_VERSION_1);
	queue_setup(8);
	wr16(QUEUE_VECTOR, 1);
	wr16(QUEUE_ENABLE, 1);
	wr8(STATUS, rd8(STATUS) | DRIVER_OK);
}

static void send(u64 sector)
{
	header.type = 0;
	header.sector = sector;
	status_byte = 0xff;
	clear_data();
	ring_put(0, (u64)&header, sizeof(header), NEXT, 1);
	ring_put(1, (u64)data, 512, NEXT | WRITE, 2);
	ring_put(2, (u64)&status_byte, 1, WRITE, 0);
	ring_offer(0);
	notify();
}

/* By its interrupt; the data are all that sector's */
static bool finish(u64 sector, u64 interrupts)
{
	while (irq_count[VECTOR] == interrupts)
		irq_window();
	found->interrupts++;
	for (u32 i = 0; i < 512; i++)
		if (((volatile u8 *)data)[i] != driven_byte(sector))
			return false;
	return !status_byte;
}

static bool request_sector(u64 sector)
{
	u64 before = irq_count[VECTOR];

	send(sector);
	return finish(sector, before);
}

/* Until it is over, the device is as it was, whatever is written */
static void reset_while_live(void)
{
	found->size_before = rd16(QUEUE_SIZE);
	wr8(STATUS, 0);
	found->status = rd8(STATUS);
	wr16(QUEUE_SIZE, 2);
	wr8(STATUS, ACKNOWLEDGE);
	found->size = rd16(QUEUE_SIZE);
	found->step = DRIVEN_RESETS;
	while (rd8(STATUS))
		found->polls++;
	found->over = 1;
}

void guest_main(void)
{
	u64 before;

	apic_enable();
	look();
	find_structures();
	place_bar();
	found->capacity = capacity();
	messages_on();
	ready();
	found->step = DRIVEN_READY;
	for (u64 i = 0; i < DRIVEN_REQUESTS; i++)
		found->good += request_sector(DRIVEN_SECTOR + i);
	reset_while_live();
	ready();
	before = irq_count[VECTOR];
	send(DRIVEN_SECTOR);
	found->step = DRIVEN_REQUEST;
	found->good += finish(DRIVEN_SECTOR, before);
	found->step = DRIVEN_DONE;
	for (;;)
		cpu_relax();
}
