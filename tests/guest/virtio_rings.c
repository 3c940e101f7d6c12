/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The rings of a virtio device, by the entropy device: what a bad split ring
 * ends in, and packed rings, good and bad. The driver here keeps to the
 * specification, but for the checks that say otherwise. Over 400 lines: a bad
 * ring is a function of its own.
 */
#include "tests/guest/lib/virtio.h"

/* --- bad rings --- */

/* Each leaves a ring with one buffer at descriptor 0 that breaks a rule */
static void readable(void)
{
	ring_put(0, (u64)data, 32, 0, 0);
}

static void empty(void)
{
	ring_put(0, (u64)data, 0, WRITE, 0);
}

static void outside(void)
{
	ring_put(0, 0x40000000, 32, WRITE, 0);
}

static void end_outside(void)
{
	ring_put(0, 0xfffff0, 32, WRITE, 0);
}

static void wraps(void)
{
	ring_put(0, ~15ull, 32, WRITE, 0);
}

static void loop(void)
{
	ring_put(0, (u64)data, 4, WRITE | NEXT, 1);
	ring_put(1, (u64)data, 4, WRITE | NEXT, 0);
}

static void next_outside(void)
{
	ring_put(0, (u64)data, 4, WRITE | NEXT, 8);
}

static void read_after_write(void)
{
	ring_put(0, (u64)data, 4, WRITE | NEXT, 1);
	ring_put(1, (u64)data, 4, 0, 0);
}

static void indirect_and_next(void)
{
	side[0] = (struct desc){ (u64)data, 8, WRITE, 0 };
	ring_put(0, (u64)side, 16, INDIRECT | NEXT, 1);
	ring_put(1, (u64)data, 4, WRITE, 0);
}

static void nested(void)
{
	side[0] = (struct desc){ (u64)&side[1], 16, INDIRECT, 0 };
	side[1] = (struct desc){ (u64)data, 8, WRITE, 0 };
	ring_put(0, (u64)side, 16, INDIRECT, 0);
}

static void odd_table(void)
{
	side[0] = (struct desc){ (u64)data, 8, WRITE, 0 };
	ring_put(0, (u64)side, 24, INDIRECT, 0);
}

static void table_outside(void)
{
	ring_put(0, 0x40000000, 16, INDIRECT, 0);
}

static void long_table(void)
{
	for (u32 i = 0; i < 9; i++)
		side[i] = (struct desc){ (u64)data + i, 1,
					 i < 8 ? WRITE | NEXT : WRITE,
					 (u16)(i + 1) };
	ring_put(0, (u64)side, 9 * 16, INDIRECT, 0);
}

static void head_outside(void)
{
	avail.ring[(avail.idx - 1) % 8] = 8;
}

static void idx_jumps(void)
{
	avail.idx = (u16)(avail.idx + 9);
}

static const struct bad {
	const char *name, *manual;
	void (*make)(void);
	u64 features;
} bad_rings[] = {
	{ "virtio.bad_readable", "virtio 1.2 5.4.6.1", readable, F_INDIRECT },
	{ "virtio.bad_empty", "virtio 1.2 5.4.6.1", empty, F_INDIRECT },
	{ "virtio.bad_address", "virtio 1.2 2.7.5", outside, F_INDIRECT },
	{ "virtio.bad_end", "virtio 1.2 2.7.5", end_outside, F_INDIRECT },
	{ "virtio.bad_wrap", "virtio 1.2 2.7.5", wraps, F_INDIRECT },
	{ "virtio.bad_loop", "virtio 1.2 2.7.5.2", loop, F_INDIRECT },
	{ "virtio.bad_next", "virtio 1.2 2.7.5", next_outside, F_INDIRECT },
	{ "virtio.bad_order", "virtio 1.2 2.7.4.2", read_after_write,
	  F_INDIRECT },
	{ "virtio.bad_indirect_next", "virtio 1.2 2.7.5.3.1", indirect_and_next,
	  F_INDIRECT },
	{ "virtio.bad_nested", "virtio 1.2 2.7.5.3.1", nested, F_INDIRECT },
	{ "virtio.bad_table_size", "virtio 1.2 2.7.5.3", odd_table,
	  F_INDIRECT },
	{ "virtio.bad_table", "virtio 1.2 2.7.5.3", table_outside, F_INDIRECT },
	{ "virtio.bad_chain_length", "virtio 1.2 2.7.5.3.1", long_table,
	  F_INDIRECT },
	{ "virtio.bad_indirect", "virtio 1.2 2.7.5.3.1", nested, 0 },
	{ "virtio.bad_head", "virtio 1.2 2.7.6", head_outside, F_INDIRECT },
	{ "virtio.bad_idx", "virtio 1.2 2.7.6.1", idx_jumps, F_INDIRECT },
};

static void bad_ring(const struct bad *b)
{
	bring_up(F_VERSION_1 | b->features, 8);
	section(b->manual);
	ring_put(0, (u64)data, 32, WRITE, 0);
	ring_offer(0);
	b->make();
	notify();
	check(!wait_used(1) && rd8(STATUS) == (0xf | NEEDS_RESET), b->name,
	      "status %x, used %u", rd8(STATUS), ring_used());
}

static void bad_rings_end(void)
{
	for (u32 i = 0; i < sizeof(bad_rings) / sizeof(bad_rings[0]); i++)
		bad_ring(&bad_rings[i]);
	section("virtio 1.2 2.1.2");
	check(*(volatile u8 *)isr_at == 2, "virtio.bad_ring_notifies", "");
	ring_put(0, (u64)data, 32, WRITE, 0);
	ring_offer(0);
	notify();
	check(!wait_used(1), "virtio.broken_rests", "");
	wr8(STATUS, 0xf);
	check(rd8(STATUS) == (0xf | NEEDS_RESET), "virtio.stays_broken", "%x",
	      rd8(STATUS));
	bring_up(F_VERSION_1, 8);
	ring_put(0, (u64)data, 32, WRITE, 0);
	check(request(0) == 32, "virtio.whole_after_reset", "");
	section("virtio 1.2 2.7");
	device_reset();
	negotiate(F_VERSION_1);
	queue_setup(8);
	wr32(QUEUE_DRIVER, 0x40000000);
	wr16(QUEUE_ENABLE, 1);
	wr8(STATUS, rd8(STATUS) | DRIVER_OK);
	check(rd8(STATUS) == (0xf | NEEDS_RESET), "virtio.ring_outside", "%x",
	      rd8(STATUS));
}

/* --- packed rings (2.8) --- */

static struct packed_desc packed_side[8] __aligned(16);

static void packed_buffers(void)
{
	static const struct desc one = { (u64)data, 64, WRITE, 0 };
	static const struct desc table_of_two = { (u64)packed_side, 32,
						  INDIRECT, 0 };
	const struct desc list[] = {
		{ (u64)data, 16, WRITE | NEXT, 0 },
		{ (u64)data + 32, 16, WRITE | NEXT, 0 },
		{ (u64)data + 64, 16, WRITE, 0 },
	};
	u32 bad = 0, len;

	packed_bring_up(F_INDIRECT, 5);
	section("virtio 1.2 2.8.10.1");
	check(rd16(QUEUE_ENABLE) == 1 && rd16(QUEUE_SIZE) == 5,
	      "virtio.packed_any_size", "%u", rd16(QUEUE_SIZE));
	section("virtio 1.2 2.8.22");
	clear_data();
	len = packed_request(&one, 1, 77);
	check(len == 64 && filled(data, 64) && !data[64], "virtio.packed", "%u",
	      len);
	check(packed_desc(0)->flags & WRITE, "virtio.packed_written", "%x",
	      packed_desc(0)->flags);
	section("virtio 1.2 2.8.6");
	clear_data();
	len = packed_request(list, 3, 0xabcd);
	check(len == 48 && filled(data + 32, 16) && !data[16] &&
		      filled(data + 64, 16),
	      "virtio.packed_list", "%u", len);
	section("virtio 1.2 2.8.1");
	for (u16 i = 0; i < 100; i++)
		bad += packed_request(i % 2 ? list : &one, i % 2 ? 3 : 1, i) !=
		       (i % 2 ? 48 : 64);
	check(!bad, "virtio.packed_goes_round", "%u failed", bad);
	section("virtio 1.2 2.8.10");
	check(!used.idx, "virtio.packed_asks_to_be_notified", "%x", used.idx);
	section("virtio 1.2 2.8.7");
	packed_side[0] = (struct packed_desc){ (u64)data, 8, 9,
					       WRITE | INDIRECT | NEXT };
	packed_side[1] = (struct packed_desc){ (u64)data + 8, 8, 9, WRITE };
	len = packed_request(&table_of_two, 1, 3);
	check(len == 16, "virtio.packed_indirect", "%u", len);
}

static void packed_events(void)
{
	static const struct desc one = { (u64)data, 16, WRITE, 0 };
	u64 before;

	packed_bring_up(F_EVENT_IDX, 4);
	ioapic_set(PIN, IOAPIC_LEVEL | 0x2000 | V_INTX);
	section("virtio 1.2 2.8.10");
	before = irq_count[V_INTX];
	check(packed_request(&one, 1, 1) == 16 && came(V_INTX) == before + 1,
	      "virtio.packed_interrupt", "%llu", irq_count[V_INTX] - before);
	avail.idx = 1; /* the flags: none */
	check(packed_request(&one, 1, 2) == 16 && came(V_INTX) == before + 1,
	      "virtio.packed_no_interrupt", "%llu", irq_count[V_INTX] - before);
	avail.flags = 0; /* the descriptor: 0 of the ring's next turn */
	avail.idx = 2;
	check(packed_request(&one, 1, 3) == 16 &&
		      packed_request(&one, 1, 4) == 16 &&
		      came(V_INTX) == before + 1,
	      "virtio.packed_event_not_yet", "%llu",
	      irq_count[V_INTX] - before);
	check(packed_request(&one, 1, 5) == 16 && came(V_INTX) == before + 2,
	      "virtio.packed_event", "%llu", irq_count[V_INTX] - before);
	check(packed_request(&one, 1, 6) == 16 && came(V_INTX) == before + 2,
	      "virtio.packed_event_once", "%llu", irq_count[V_INTX] - before);
	ioapic_set(PIN, IOAPIC_MASKED);
}

static void packed_queue_reset(void)
{
	static const struct desc one = { (u64)data, 16, WRITE, 0 };

	packed_bring_up(F_RING_RESET, 3);
	section("virtio 1.2 2.6.1.1");
	for (u16 i = 0; i < 4; i++) /* in the second turn, then */
		(void)packed_request(&one, 1, i);
	wr16(QUEUE_RESET, 1);
	packed_setup(3);
	check(packed_request(&one, 1, 8) == 16, "virtio.packed_queue_reset",
	      "%x", rd8(STATUS));
}

/* Each is a list that breaks a rule */
static const struct bad_list {
	const char *name, *manual;
	u64 features;
	u32 count;
	struct desc list[4];
} bad_lists[] = {
	{ "virtio.packed_bad_readable",
	  "virtio 1.2 5.4.6.1",
	  0,
	  1,
	  { { (u64)data, 16, 0, 0 } } },
	{ "virtio.packed_bad_address",
	  "virtio 1.2 2.8.5",
	  0,
	  1,
	  { { 0x40000000, 16, WRITE, 0 } } },
	{ "virtio.packed_bad_order",
	  "virtio 1.2 2.8.17",
	  0,
	  2,
	  { { (u64)data, 4, WRITE | NEXT, 0 }, { (u64)data, 4, 0, 0 } } },
	{ "virtio.packed_bad_length",
	  "virtio 1.2 2.8.17",
	  0,
	  4,
	  { { (u64)data, 4, WRITE | NEXT, 0 },
	    { (u64)data, 4, WRITE | NEXT, 0 },
	    { (u64)data, 4, WRITE | NEXT, 0 },
	    { (u64)data, 4, WRITE | NEXT, 0 } } },
	{ "virtio.packed_bad_indirect",
	  "virtio 1.2 2.8.19",
	  0,
	  1,
	  { { (u64)packed_side, 16, INDIRECT, 0 } } },
	{ "virtio.packed_bad_mix",
	  "virtio 1.2 2.8.19",
	  F_INDIRECT,
	  2,
	  { { (u64)data, 4, WRITE | NEXT, 0 },
	    { (u64)packed_side, 16, INDIRECT, 0 } } },
	{ "virtio.packed_bad_next",
	  "virtio 1.2 2.8.19",
	  F_INDIRECT,
	  2,
	  { { (u64)packed_side, 16, INDIRECT | NEXT, 0 },
	    { (u64)data, 4, WRITE, 0 } } },
	{ "virtio.packed_bad_table_size",
	  "virtio 1.2 2.8.7",
	  F_INDIRECT,
	  1,
	  { { (u64)packed_side, 24, INDIRECT, 0 } } },
	{ "virtio.packed_bad_table",
	  "virtio 1.2 2.8.7",
	  F_INDIRECT,
	  1,
	  { { 0x40000000, 16, INDIRECT, 0 } } },
	{ "virtio.packed_bad_table_length",
	  "virtio 1.2 2.8.19",
	  F_INDIRECT,
	  1,
	  { { (u64)packed_side, 5 * 16, INDIRECT, 0 } } },
};

static void packed_bad_lists(void)
{
	for (u32 i = 0; i < sizeof(bad_lists) / sizeof(bad_lists[0]); i++) {
		const struct bad_list *b = &bad_lists[i];

		packed_bring_up(b->features, 4);
		for (u32 n = 0; n < 5; n++)
			((struct packed_desc *)side)[n] =
				(struct packed_desc){ (u64)data, 4, 0, WRITE };
		section(b->manual);
		packed_offer(b->list, b->count, 1);
		notify();
		check(!packed_used(0, true) &&
			      rd8(STATUS) == (0xf | NEEDS_RESET),
		      b->name, "status %x", rd8(STATUS));
	}
}

void guest_main(void)
{
	apic_enable();
	irq_off();
	find_structures();
	if (!cap_of[1])
		return;
	place_bar();
	irq_handler[V_INTX] = on_intx;
	bad_rings_end();
	packed_buffers();
	packed_queue_reset();
	packed_bad_lists();
	packed_events();
}
