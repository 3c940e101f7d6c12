/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A driver of the virtio entropy device, by virtio 1.2: its function at 01.0,
 * or where DEVFN says, its registers, and one ring, split or packed. Over 400
 * lines: registers, rings and interrupts are one driver.
 */
#ifndef TESTS_GUEST_LIB_VIRTIO_H
#define TESTS_GUEST_LIB_VIRTIO_H

#include "tests/guest/lib/board.h"

#ifndef DEVFN
#define DEVFN 0x08u
#endif
#define BAR 0xc0000000u

/* 4.1.4.3 */
#define DEVICE_SELECT    0x00
#define DEVICE_FEATURE   0x04
#define DRIVER_SELECT    0x08
#define DRIVER_FEATURE   0x0c
#define CONFIG_VECTOR    0x10
#define NUM_QUEUES       0x12
#define STATUS           0x14
#define GENERATION       0x15
#define QUEUE_SELECT     0x16
#define QUEUE_SIZE       0x18
#define QUEUE_VECTOR     0x1a
#define QUEUE_ENABLE     0x1c
#define QUEUE_NOTIFY_OFF 0x1e
#define QUEUE_DESC       0x20
#define QUEUE_DRIVER     0x28
#define QUEUE_DEVICE     0x30
#define QUEUE_RESET      0x3a

/* 2.1 */
#define ACKNOWLEDGE 1
#define DRIVER      2
#define DRIVER_OK   4
#define FEATURES_OK 8
#define NEEDS_RESET 0x40
#define FAILED      0x80

/* 6 */
#define F_INDIRECT          BIT(28)
#define F_EVENT_IDX         BIT(29)
#define F_VERSION_1         BIT(32)
#define F_PACKED            BIT(34)
#define F_NOTIFICATION_DATA BIT(38)
#define F_RING_RESET        BIT(40)

/* 2.7.5 */
#define NEXT     1
#define WRITE    2
#define INDIRECT 4

struct desc {
	u64 addr;
	u32 len;
	u16 flags, next;
};

static struct desc table[64] __aligned(16);
/* For tables of descriptors */
static struct desc side[64] __aligned(16) __attribute__((unused));
static volatile struct {
	u16 flags, idx, ring[65]; /* its event is where the ring ends */
} avail __aligned(4);
static volatile struct {
	u16 flags, idx;
	struct {
		u32 id, len;
	} ring[65];
} used __aligned(4);
static u32 ring_size;
static u8 data[1024];

/* --- the function --- */

static u32 cap_of[6], msix_cap; /* by type; 0: there is none */
static u64 common, isr_at, notify_at, msix_table, msix_pba;
static u32 multiplier;

static inline void cfg_select(u32 reg)
{
	outl(0xcf8, 0x80000000 | DEVFN << 8 | (reg & 0xfc));
}

static inline u32 cfg32(u32 reg)
{
	cfg_select(reg);
	return inl(0xcfc);
}

static inline u8 cfg8(u32 reg)
{
	cfg_select(reg);
	return inb((u16)(0xcfc + (reg & 3)));
}

static inline void cfg_out32(u32 reg, u32 value)
{
	cfg_select(reg);
	outl(0xcfc, value);
}

static inline void cfg_out8(u32 reg, u8 value)
{
	cfg_select(reg);
	outb((u16)(0xcfc + (reg & 3)), value);
}

/* All are in BAR 0 here */
static inline void find_structures(void)
{
	u32 left = 16;

	for (u32 at = cfg8(0x34); at && left; at = cfg8(at + 1), left--) {
		if (cfg8(at) == 0x11)
			msix_cap = at;
		else if (cfg8(at) == 9 && cfg8(at + 3) < 6)
			cap_of[cfg8(at + 3)] = at;
	}
	multiplier = cfg32(cap_of[2] + 16);
}

static inline void place_bar(void)
{
	cfg_out32(0x10, BAR);
	cfg_out32(4, 6);
	common = BAR + cfg32(cap_of[1] + 8);
	notify_at = BAR + cfg32(cap_of[2] + 8);
	isr_at = BAR + cfg32(cap_of[3] + 8);
	msix_table = BAR + (cfg32(msix_cap + 4) & ~7u);
	msix_pba = BAR + (cfg32(msix_cap + 8) & ~7u);
}

static inline u8 rd8(u32 reg)
{
	return *(volatile u8 *)(common + reg);
}

static inline u16 rd16(u32 reg)
{
	return *(volatile u16 *)(common + reg);
}

static inline u32 rd32(u32 reg)
{
	return *(volatile u32 *)(common + reg);
}

static inline void wr8(u32 reg, u8 value)
{
	*(volatile u8 *)(common + reg) = value;
}

static inline void wr16(u32 reg, u16 value)
{
	*(volatile u16 *)(common + reg) = value;
}

static inline void wr32(u32 reg, u32 value)
{
	*(volatile u32 *)(common + reg) = value;
}

static inline void wr64(u32 reg, u64 value)
{
	*(volatile u64 *)(common + reg) = value;
}

/* --- negotiation --- */

static inline void device_reset(void)
{
	wr8(STATUS, 0);
	while (rd8(STATUS))
		cpu_relax();
}

static inline u64 features_offered(void)
{
	u64 low;

	wr32(DEVICE_SELECT, 0);
	low = rd32(DEVICE_FEATURE);
	wr32(DEVICE_SELECT, 1);
	return low | (u64)rd32(DEVICE_FEATURE) << 32;
}

static inline void features_write(u64 features)
{
	wr32(DRIVER_SELECT, 0);
	wr32(DRIVER_FEATURE, (u32)features);
	wr32(DRIVER_SELECT, 1);
	wr32(DRIVER_FEATURE, (u32)(features >> 32));
}

/* Up to FEATURES_OK; true: the device agrees */
static inline bool negotiate(u64 features)
{
	wr8(STATUS, ACKNOWLEDGE);
	wr8(STATUS, ACKNOWLEDGE | DRIVER);
	features_write(features);
	wr8(STATUS, ACKNOWLEDGE | DRIVER | FEATURES_OK);
	return rd8(STATUS) & FEATURES_OK;
}

static inline void zero(volatile void *p, u32 bytes)
{
	for (u32 i = 0; i < bytes; i++)
		((volatile u8 *)p)[i] = 0;
}

static inline void address(u32 reg, volatile void *p)
{
	wr32(reg, (u32)(u64)p);
	wr32(reg + 4, (u32)((u64)p >> 32));
}

/* All but its enabling */
static inline void queue_setup(u32 size)
{
	ring_size = size;
	zero(table, sizeof(table));
	zero(&avail, sizeof(avail));
	zero(&used, sizeof(used));
	wr16(QUEUE_SELECT, 0);
	wr16(QUEUE_SIZE, (u16)size);
	address(QUEUE_DESC, table);
	address(QUEUE_DRIVER, &avail);
	address(QUEUE_DEVICE, &used);
}

static inline void bring_up(u64 features, u32 size)
{
	device_reset();
	negotiate(features);
	queue_setup(size);
	wr16(QUEUE_ENABLE, 1);
	wr8(STATUS, rd8(STATUS) | DRIVER_OK);
}

/* --- the ring --- */

static inline void ring_put(u32 i, u64 addr, u32 len, u16 flags, u16 next)
{
	table[i] = (struct desc){ addr, len, flags, next };
}

static inline void ring_offer(u16 head)
{
	avail.ring[avail.idx % ring_size] = head;
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	avail.idx++;
}

static inline void notify(void)
{
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	*(volatile u16 *)notify_at = 0;
}

static inline u32 ring_used(void)
{
	return used.idx;
}

/* Until so many are used, or it is in vain */
static inline bool wait_used(u32 count)
{
	for (u32 i = 0; i < 1000 && used.idx != (u16)count; i++)
		cpu_relax();
	return used.idx == (u16)count;
}

/* What the device has written of the one buffer at @head; 0: it was not used */
static inline u32 request(u16 head)
{
	u16 before = used.idx;

	ring_offer(head);
	notify();
	if (!wait_used(before + 1u) || used.ring[before % ring_size].id != head)
		return 0;
	return used.ring[before % ring_size].len;
}

static inline volatile u16 *used_event(void)
{
	return &avail.ring[ring_size];
}

static inline volatile u16 *avail_event(void)
{
	return (volatile u16 *)&used.ring[ring_size];
}

/* --- the packed ring (2.8), with avail and used for the driver's
 * and the device's event suppression --- */

#define AVAIL_BIT 0x80u
#define USED_BIT  0x8000u

struct packed_desc {
	u64 addr;
	u32 len;
	u16 id, flags;
};

static volatile struct packed_desc packed_ring[64] __aligned(16);
static u32 packed_at;
static bool packed_wrap;

static inline volatile struct packed_desc *packed_desc(u32 i)
{
	return &packed_ring[i % ring_size];
}

/* All, with its enabling */
static inline void packed_setup(u32 size)
{
	queue_setup(size);
	zero(packed_ring, sizeof(packed_ring));
	address(QUEUE_DESC, packed_ring);
	wr16(QUEUE_ENABLE, 1);
	packed_at = 0;
	packed_wrap = true;
}

static inline void packed_bring_up(u64 features, u32 size)
{
	device_reset();
	negotiate(features | F_VERSION_1 | F_PACKED);
	packed_setup(size);
	wr8(STATUS, rd8(STATUS) | DRIVER_OK);
}

/* A list of @count descriptors with @id in the last; the first one's flags come
 * last (2.8.21.1) */
static inline void packed_offer(const struct desc *list, u32 count, u16 id)
{
	volatile struct packed_desc *first = packed_desc(packed_at);
	u16 first_flags = 0;

	for (u32 i = 0; i < count; i++) {
		volatile struct packed_desc *d = packed_desc(packed_at);
		u16 flags = (u16)(list[i].flags |
				  (packed_wrap ? AVAIL_BIT : USED_BIT));

		d->addr = list[i].addr;
		d->len = list[i].len;
		d->id = i + 1 == count ? id : 0x5555;
		if (i)
			d->flags = flags;
		else
			first_flags = flags;
		if (++packed_at == ring_size) {
			packed_at = 0;
			packed_wrap = !packed_wrap;
		}
	}
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	first->flags = first_flags;
}

/* Is the descriptor at @at used, in the turn that @wrap says? */
static inline bool packed_used(u32 at, bool wrap)
{
	u16 both = wrap ? AVAIL_BIT | USED_BIT : 0;

	for (u32 i = 0; i < 1000; i++)
		if ((packed_desc(at)->flags & (AVAIL_BIT | USED_BIT)) == both)
			return true;
	return false;
}

/* What was written of the list; 0: it was not used */
static inline u32 packed_request(const struct desc *list, u32 count, u16 id)
{
	u32 at = packed_at;
	bool wrap = packed_wrap;

	packed_offer(list, count, id);
	notify();
	if (!packed_used(at, wrap) || packed_desc(at)->id != id)
		return 0;
	return packed_desc(at)->len;
}

static inline void clear_data(void)
{
	zero(data, sizeof(data));
}

static inline bool same(const u8 *a, const u8 *b, u32 n)
{
	for (u32 i = 0; i < n; i++)
		if (a[i] != b[i])
			return false;
	return true;
}

/* --- what came of it --- */

#define PIN    21 /* device 1, INTA: PIRQ F */
#define V_INTX 0x61

static inline bool filled(const u8 *bytes, u32 n)
{
	u32 zero = 0;

	for (u32 i = 0; i < n; i++)
		zero += !bytes[i];
	return zero <= n / 16 + 2;
}

static volatile u8 isr_seen;

static inline void on_intx(struct trap_frame *f)
{
	isr_seen |= *(volatile u8 *)isr_at;
	wrmsr(X2APIC_EOI, 0);
}

static inline u64 came(u8 vector)
{
	irq_window();
	return irq_count[vector];
}

#endif
