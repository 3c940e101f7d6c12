/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The virtio transport by its entropy device, without an operating system: what
 * configuration space says, each register, the rules of status and features,
 * buffers in split rings, and interrupts of both kinds. Bad rings and packed
 * ones are virtio_rings.c's. Over 400 lines: one driver serves every check.
 */
#include "tests/guest/lib/virtio.h"

#define EVERY                                                                  \
	(F_INDIRECT | F_EVENT_IDX | F_PACKED | F_NOTIFICATION_DATA |           \
	 F_RING_RESET)
#define V_QUEUE  0x62
#define V_CONFIG 0x63

/* --- configuration space (4.1.2, 4.1.4) --- */

static void function(void)
{
	section("virtio 1.2 4.1.2");
	check(cfg32(0) == 0x10441af4, "virtio.id", "%x", cfg32(0));
	check((cfg32(8) & 0xff) >= 1, "virtio.revision", "%x", cfg32(8));
	check(cfg8(0x3d) == 1, "virtio.inta", "%x", cfg8(0x3d));
	section("virtio 1.2 4.1.4");
	find_structures();
	check(cap_of[1] && cap_of[2] && cap_of[3] && cap_of[5],
	      "virtio.capabilities", "%x %x %x %x", cap_of[1], cap_of[2],
	      cap_of[3], cap_of[5]);
	check(msix_cap, "virtio.msix_capability", "");
	section("virtio 1.2 4.1.4.6");
	check(!cap_of[4], "virtio.no_own_configuration", "%x", cap_of[4]);
	cfg_out32(0x10, ~0u);
	check(cfg32(0x10) == 0xffffc000, "virtio.bar", "%x", cfg32(0x10));
	section("virtio 1.2 4.1.4.3");
	check(cfg32(cap_of[1] + 12) >= 0x3c && !(cfg32(cap_of[1] + 8) & 3),
	      "virtio.common_capability", "%x at %x", cfg32(cap_of[1] + 12),
	      cfg32(cap_of[1] + 8));
	section("virtio 1.2 4.1.4.4");
	check(multiplier && !(multiplier & 3) && !(cfg32(cap_of[2] + 8) & 3) &&
		      cfg32(cap_of[2] + 12) >= 4,
	      "virtio.notify_capability", "multiplier %x", multiplier);
	place_bar();
	check(rd8(STATUS) == 0, "virtio.status_starts_0", "%x", rd8(STATUS));
}

/* 4.1.4.9: the same registers through configuration space */
static void window(void)
{
	u32 cap = cap_of[5];

	section("virtio 1.2 4.1.4.9");
	cfg_out8(cap + 4, 0);
	cfg_out32(cap + 8, (u32)(common - BAR) + NUM_QUEUES);
	cfg_out32(cap + 12, 2);
	check((cfg32(cap + 16) & 0xffff) == 1, "virtio.window_reads", "%x",
	      cfg32(cap + 16));
	cfg_out32(cap + 8, (u32)(common - BAR) + STATUS);
	cfg_out32(cap + 12, 1);
	cfg_out32(cap + 16, 1);
	check(rd8(STATUS) == 1, "virtio.window_writes", "%x", rd8(STATUS));
	cfg_out32(cap + 12, 3);
	cfg_out32(cap + 16, 3);
	check(rd8(STATUS) == 1, "virtio.window_length", "%x", rd8(STATUS));
	cfg_out32(cap + 12, 4);
	cfg_out32(cap + 8, (u32)(common - BAR) + STATUS + 1);
	cfg_out32(cap + 16, 3);
	check(rd8(STATUS) == 1, "virtio.window_aligned", "%x", rd8(STATUS));
	cfg_out8(cap + 4, 1);
	cfg_out32(cap + 12, 1);
	cfg_out32(cap + 8, (u32)(common - BAR) + STATUS);
	cfg_out32(cap + 16, 3);
	check(rd8(STATUS) == 1, "virtio.window_bar", "%x", rd8(STATUS));
	device_reset();
}

/* --- registers (4.1.4.3) --- */

static void widths(void)
{
	section("virtio 1.2 4.1.3.1");
	wr8(STATUS, 1);
	wr16(STATUS, 3);
	wr32(STATUS, 3);
	check(rd8(STATUS) == 1, "virtio.width_of_status", "%x", rd8(STATUS));
	wr8(QUEUE_SIZE, 4);
	wr32(QUEUE_SIZE, 4);
	check(rd16(QUEUE_SIZE) == 16, "virtio.width_of_size", "%u",
	      rd16(QUEUE_SIZE));
	wr32(QUEUE_DESC, 0x11110);
	wr32(QUEUE_DESC + 4, 0x22222);
	wr16(QUEUE_DESC, 0x3333);
	wr64(QUEUE_DESC, ~0ull);
	check(rd32(QUEUE_DESC) == 0x11110 && rd32(QUEUE_DESC + 4) == 0x22222,
	      "virtio.halves_of_address", "%x %x", rd32(QUEUE_DESC),
	      rd32(QUEUE_DESC + 4));
	device_reset();
}

static void queue_registers(void)
{
	section("virtio 1.2 4.1.4.3");
	check(rd16(NUM_QUEUES) == 1, "virtio.num_queues", "%u",
	      rd16(NUM_QUEUES));
	wr16(NUM_QUEUES, 7);
	check(rd16(NUM_QUEUES) == 1, "virtio.num_queues_read_only", "%u",
	      rd16(NUM_QUEUES));
	wr16(QUEUE_SIZE, 12);
	wr16(QUEUE_SIZE, 0);
	wr16(QUEUE_SIZE, 32);
	check(rd16(QUEUE_SIZE) == 16, "virtio.bad_size", "%u",
	      rd16(QUEUE_SIZE));
	wr16(QUEUE_SIZE, 8);
	check(rd16(QUEUE_SIZE) == 8, "virtio.size", "%u", rd16(QUEUE_SIZE));
	check(rd16(QUEUE_NOTIFY_OFF) == 0, "virtio.notify_off", "%u",
	      rd16(QUEUE_NOTIFY_OFF));
	wr16(QUEUE_SELECT, 1);
	check(rd16(QUEUE_SIZE) == 0, "virtio.absent_queue", "%u",
	      rd16(QUEUE_SIZE));
	wr16(QUEUE_SIZE, 8);
	wr16(QUEUE_ENABLE, 1);
	check(rd16(QUEUE_SIZE) == 0 && rd16(QUEUE_ENABLE) == 0,
	      "virtio.absent_queue_stays", "%u", rd16(QUEUE_SIZE));
	wr16(QUEUE_SELECT, 0);
	wr16(QUEUE_ENABLE, 1);
	check(!rd16(QUEUE_ENABLE), "virtio.enable_before_features", "");
	section("virtio 1.2 4.1.5.1.2");
	check(rd16(CONFIG_VECTOR) == 0xffff && rd16(QUEUE_VECTOR) == 0xffff,
	      "virtio.no_vector", "%x %x", rd16(CONFIG_VECTOR),
	      rd16(QUEUE_VECTOR));
	wr16(CONFIG_VECTOR, 1);
	wr16(QUEUE_VECTOR, 0);
	check(rd16(CONFIG_VECTOR) == 1 && rd16(QUEUE_VECTOR) == 0,
	      "virtio.vectors", "%x %x", rd16(CONFIG_VECTOR),
	      rd16(QUEUE_VECTOR));
	wr16(CONFIG_VECTOR, 2);
	wr16(QUEUE_VECTOR, 0xfffe);
	check(rd16(CONFIG_VECTOR) == 0xffff && rd16(QUEUE_VECTOR) == 0xffff,
	      "virtio.vector_refused", "%x %x", rd16(CONFIG_VECTOR),
	      rd16(QUEUE_VECTOR));
	device_reset();
	section("virtio 1.2 2.4");
	check(rd16(QUEUE_SIZE) == 16, "virtio.reset_size", "%u",
	      rd16(QUEUE_SIZE));
}

static void enabling(void)
{
	device_reset();
	negotiate(F_VERSION_1);
	section("virtio 1.2 4.1.4.3.2");
	wr32(QUEUE_DESC, 8);
	wr16(QUEUE_ENABLE, 1);
	check(!rd16(QUEUE_ENABLE), "virtio.desc_aligned", "");
	queue_setup(8);
	wr32(QUEUE_DRIVER, rd32(QUEUE_DRIVER) | 1);
	wr16(QUEUE_ENABLE, 1);
	check(!rd16(QUEUE_ENABLE), "virtio.driver_aligned", "");
	queue_setup(8);
	wr32(QUEUE_DEVICE, rd32(QUEUE_DEVICE) | 2);
	wr16(QUEUE_ENABLE, 1);
	check(!rd16(QUEUE_ENABLE), "virtio.device_aligned", "");
	queue_setup(8);
	wr16(QUEUE_ENABLE, 1);
	check(rd16(QUEUE_ENABLE) == 1, "virtio.enabled", "");
	wr16(QUEUE_ENABLE, 0);
	check(rd16(QUEUE_ENABLE) == 1, "virtio.stays_enabled", "");
	wr16(QUEUE_SIZE, 4);
	wr32(QUEUE_DESC, 0);
	check(rd16(QUEUE_SIZE) == 8 && rd32(QUEUE_DESC),
	      "virtio.enabled_is_fixed", "%u", rd16(QUEUE_SIZE));
	section("virtio 1.2 2.6.1");
	wr16(QUEUE_RESET, 1);
	check(rd16(QUEUE_ENABLE) == 1, "virtio.queue_reset_not_negotiated", "");
	device_reset();
	check(!rd16(QUEUE_ENABLE) && !rd32(QUEUE_DESC), "virtio.reset_queue",
	      "");
}

/* --- features and status (2.1, 2.2, 3.1.1) --- */

static void features(void)
{
	u64 offered;

	device_reset();
	offered = features_offered();
	section("virtio 1.2 6");
	check(offered & F_VERSION_1, "virtio.version_1", "%llx", offered);
	check((offered & EVERY) == EVERY, "virtio.features", "%llx", offered);
	check(!(offered & BIT(33)), "virtio.no_access_platform", "%llx",
	      offered);
	wr32(DEVICE_SELECT, 2);
	check(!rd32(DEVICE_FEATURE), "virtio.feature_select_2", "%x",
	      rd32(DEVICE_FEATURE));
	section("virtio 1.2 2.2.2");
	check(!negotiate(0), "virtio.needs_version_1", "%x", rd8(STATUS));
	device_reset();
	check(!negotiate(F_VERSION_1 | BIT(33)), "virtio.not_offered", "%x",
	      rd8(STATUS));
	device_reset();
	check(negotiate(F_VERSION_1), "virtio.features_ok", "%x", rd8(STATUS));
	section("virtio 1.2 3.1.1");
	features_write(F_VERSION_1 | F_INDIRECT);
	wr32(DRIVER_SELECT, 0);
	check(rd32(DRIVER_FEATURE) == 0, "virtio.features_final", "%x",
	      rd32(DRIVER_FEATURE));
	device_reset();
}

static void status(void)
{
	section("virtio 1.2 3.1.1");
	wr8(STATUS, DRIVER);
	check(rd8(STATUS) == 0, "virtio.acknowledge_first", "%x", rd8(STATUS));
	wr8(STATUS, ACKNOWLEDGE);
	wr8(STATUS, ACKNOWLEDGE | DRIVER);
	check(rd8(STATUS) == 3, "virtio.driver", "%x", rd8(STATUS));
	wr8(STATUS, ACKNOWLEDGE | DRIVER | DRIVER_OK);
	check(rd8(STATUS) == 3, "virtio.driver_ok_late", "%x", rd8(STATUS));
	section("virtio 1.2 2.1.1");
	wr8(STATUS, ACKNOWLEDGE);
	check(rd8(STATUS) == 3, "virtio.no_bit_is_cleared", "%x", rd8(STATUS));
	section("virtio 1.2 2.1");
	wr8(STATUS, ACKNOWLEDGE | DRIVER | NEEDS_RESET | 0x30);
	check(rd8(STATUS) == 3, "virtio.bits_of_the_device", "%x", rd8(STATUS));
	wr8(STATUS, ACKNOWLEDGE | DRIVER | FAILED);
	check(rd8(STATUS) == 0x83, "virtio.failed", "%x", rd8(STATUS));
	section("virtio 1.2 4.1.4.3.1");
	wr8(STATUS, 0);
	check(rd8(STATUS) == 0, "virtio.reset", "%x", rd8(STATUS));
}

/* --- buffers (2.7, 5.4.6) --- */

static void one_buffer(void)
{
	u32 len;

	bring_up(F_VERSION_1, 8);
	section("virtio 1.2 5.4.6");
	clear_data();
	ring_put(0, (u64)data, 64, WRITE, 0);
	len = request(0);
	check(len == 64 && filled(data, 64) && !data[64], "virtio.random",
	      "%u bytes", len);
	ring_put(0, (u64)data + 64, 64, WRITE, 0);
	len = request(0);
	check(len == 64 && !same(data, data + 64, 64), "virtio.random_again",
	      "%u bytes", len);
	section("virtio 1.2 5.4.6.1");
	ring_put(0, (u64)data, 1, WRITE, 0);
	check(request(0) == 1, "virtio.one_byte", "");
	ring_put(0, (u64)data, sizeof(data), WRITE, 0);
	len = request(0);
	check(len && len <= sizeof(data), "virtio.less_than_asked", "%u", len);
}

static void chains(void)
{
	u32 len;

	bring_up(F_VERSION_1 | F_INDIRECT, 8);
	section("virtio 1.2 2.7.5");
	clear_data();
	ring_put(3, (u64)data, 16, WRITE | NEXT, 1);
	ring_put(1, (u64)data + 32, 16, WRITE | NEXT, 7);
	ring_put(7, (u64)data + 64, 16, WRITE, 0);
	len = request(3);
	check(len == 48 && filled(data, 16) && !data[16] &&
		      filled(data + 32, 16) && filled(data + 64, 16),
	      "virtio.chain", "%u", len);
	section("virtio 1.2 2.7.5.3");
	clear_data();
	side[0] = (struct desc){ (u64)data, 8, WRITE | NEXT, 2 };
	side[2] = (struct desc){ (u64)data + 8, 8, WRITE, 0 };
	ring_put(2, (u64)side, 48, INDIRECT | WRITE, 0);
	len = request(2);
	check(len == 16 && filled(data, 16) && !data[16], "virtio.indirect",
	      "%u", len);
	clear_data();
	ring_put(0, (u64)data + 64, 8, WRITE | NEXT, 1);
	ring_put(1, (u64)side, 48, INDIRECT, 0);
	len = request(0);
	check(len == 24 && filled(data, 16) && filled(data + 64, 8),
	      "virtio.chain_then_indirect", "%u", len);
	section("virtio 1.2 2.7.5.3.1");
	for (u32 i = 0; i < 8; i++)
		side[i] = (struct desc){ (u64)data + i * 8, 8,
					 i < 7 ? WRITE | NEXT : WRITE,
					 (u16)(i + 1) };
	ring_put(0, (u64)side, 8 * 16, INDIRECT, 0);
	check(request(0) == 64, "virtio.longest_table", "%x", rd8(STATUS));
}

/* The indexes pass 2^16, and the ring many times its size */
static void many(void)
{
	u32 bad = 0, before;

	bring_up(F_VERSION_1, 4);
	section("virtio 1.2 2.7.13.2");
	ring_put(2, (u64)data, 32, WRITE, 0);
	for (u32 i = 0; i < 200; i++)
		bad += request(2) != 32;
	check(!bad, "virtio.ring_goes_round", "%u failed", bad);
	section("virtio 1.2 2.7.10");
	check(!used.flags, "virtio.asks_to_be_notified", "%x", used.flags);
	for (u32 i = 0; i < 3; i++)
		ring_put(i, (u64)data + i * 32, 32, WRITE, 0);
	for (u16 i = 0; i < 3; i++)
		ring_offer(i);
	before = ring_used();
	notify();
	check(wait_used(before + 3), "virtio.batch", "%u", ring_used());
}

static void not_ready(void)
{
	section("virtio 1.2 2.1.2");
	device_reset();
	negotiate(F_VERSION_1);
	queue_setup(8);
	wr16(QUEUE_ENABLE, 1);
	ring_put(0, (u64)data, 32, WRITE, 0);
	ring_offer(0);
	notify();
	check(!wait_used(1), "virtio.not_before_driver_ok", "");
	wr8(STATUS, rd8(STATUS) | DRIVER_OK);
	check(wait_used(1), "virtio.at_driver_ok", "");
	section("PCI 3.0 6.2.2");
	bring_up(F_VERSION_1, 8);
	cfg_out32(4, 2);
	ring_put(0, (u64)data, 32, WRITE, 0);
	ring_offer(0);
	notify();
	check(!wait_used(1), "virtio.not_without_bus_master", "");
	cfg_out32(4, 6);
	check(wait_used(1), "virtio.with_bus_master", "");
}

static void notifications(void)
{
	bring_up(F_VERSION_1, 8);
	section("virtio 1.2 4.1.5.2");
	ring_put(0, (u64)data, 32, WRITE, 0);
	ring_offer(0);
	*(volatile u32 *)notify_at = 0;
	*(volatile u16 *)notify_at = 1;
	check(!wait_used(1), "virtio.bad_notification", "");
	*(volatile u16 *)notify_at = 0;
	check(wait_used(1), "virtio.notification", "");
	bring_up(F_VERSION_1 | F_NOTIFICATION_DATA, 8);
	ring_put(0, (u64)data, 32, WRITE, 0);
	ring_offer(0);
	*(volatile u16 *)notify_at = 0;
	check(!wait_used(1), "virtio.narrow_notification", "");
	*(volatile u32 *)notify_at = 1u << 16;
	check(wait_used(1), "virtio.notification_data", "");
}

static void queue_reset(void)
{
	bring_up(F_VERSION_1 | F_RING_RESET, 8);
	section("virtio 1.2 2.6.1.1");
	ring_put(0, (u64)data, 32, WRITE, 0);
	check(request(0) == 32, "virtio.before_queue_reset", "");
	wr16(QUEUE_RESET, 0);
	check(rd16(QUEUE_ENABLE) == 1, "virtio.queue_reset_by_1", "");
	wr16(QUEUE_RESET, 1);
	check(!rd16(QUEUE_RESET) && !rd16(QUEUE_ENABLE), "virtio.queue_reset",
	      "%x %x", rd16(QUEUE_RESET), rd16(QUEUE_ENABLE));
	check(rd16(QUEUE_SIZE) == 16 && rd8(STATUS) == 0xf,
	      "virtio.queue_reset_alone", "%u %x", rd16(QUEUE_SIZE),
	      rd8(STATUS));
	ring_offer(0);
	notify();
	check(!wait_used(2), "virtio.reset_queue_rests", "");
	section("virtio 1.2 2.6.1.2");
	queue_setup(4);
	wr16(QUEUE_ENABLE, 1);
	ring_put(0, (u64)data, 32, WRITE, 0);
	check(request(0) == 32, "virtio.queue_enabled_again", "");
}

/* --- interrupts (4.1.4.5, 4.1.5.3, 2.7.7) --- */

static void intx(void)
{
	u64 before;

	bring_up(F_VERSION_1, 8);
	irq_handler[V_INTX] = on_intx;
	ioapic_set(PIN, IOAPIC_LEVEL | 0x2000 | V_INTX);
	section("virtio 1.2 4.1.4.5.1");
	ring_put(0, (u64)data, 32, WRITE, 0);
	before = irq_count[V_INTX];
	check(request(0) == 32, "virtio.intx_buffer", "");
	check(cfg32(4) & 0x80000, "virtio.interrupt_status", "%x", cfg32(4));
	check(came(V_INTX) == before + 1 && isr_seen == 1, "virtio.intx",
	      "%llu more, isr %x", irq_count[V_INTX] - before, isr_seen);
	check(!(cfg32(4) & 0x80000) && !*(volatile u8 *)isr_at,
	      "virtio.isr_cleared", "%x", cfg32(4));
	section("virtio 1.2 2.7.7.2");
	avail.flags = 1;
	check(request(0) == 32 && came(V_INTX) == before + 1,
	      "virtio.no_interrupt", "%llu", irq_count[V_INTX] - before);
	avail.flags = 0;
	check(request(0) == 32 && came(V_INTX) == before + 2,
	      "virtio.interrupt_again", "%llu", irq_count[V_INTX] - before);
	section("PCI 3.0 6.2.2");
	cfg_out32(4, 0x406);
	check(request(0) == 32 && came(V_INTX) == before + 2, "virtio.intx_off",
	      "%llu", irq_count[V_INTX] - before);
	cfg_out32(4, 6);
	check(came(V_INTX) == before + 3, "virtio.intx_on", "%llu",
	      irq_count[V_INTX] - before);
	ioapic_set(PIN, IOAPIC_MASKED);
}

static void event_index(void)
{
	u64 before;

	bring_up(F_VERSION_1 | F_EVENT_IDX, 8);
	ioapic_set(PIN, IOAPIC_LEVEL | 0x2000 | V_INTX);
	section("virtio 1.2 2.7.7.2");
	before = irq_count[V_INTX];
	avail.flags = 1;
	*used_event() = 2;
	ring_put(0, (u64)data, 32, WRITE, 0);
	check(request(0) == 32 && request(0) == 32 && came(V_INTX) == before,
	      "virtio.event_not_yet", "%llu", irq_count[V_INTX] - before);
	check(request(0) == 32 && came(V_INTX) == before + 1, "virtio.event",
	      "%llu", irq_count[V_INTX] - before);
	check(request(0) == 32 && came(V_INTX) == before + 1,
	      "virtio.event_once", "%llu", irq_count[V_INTX] - before);
	section("virtio 1.2 2.7.10");
	check(*avail_event() == 4, "virtio.avail_event", "%u", *avail_event());
	ioapic_set(PIN, IOAPIC_MASKED);
}

static void msix_vector(u32 i, u8 vector, bool masked)
{
	volatile u32 *entry = (volatile u32 *)(msix_table + i * 16ul);

	entry[0] = 0xfee00000;
	entry[1] = 0;
	entry[2] = vector;
	entry[3] = masked;
}

static void msix(void)
{
	u64 before;

	bring_up(F_VERSION_1, 8);
	irq_handler[V_QUEUE] = irq_ack;
	irq_handler[V_CONFIG] = irq_ack;
	msix_vector(0, V_CONFIG, false);
	msix_vector(1, V_QUEUE, false);
	cfg_out32(msix_cap, 0x80000000);
	wr16(CONFIG_VECTOR, 0);
	wr16(QUEUE_VECTOR, 1);
	section("virtio 1.2 4.1.5.3");
	before = irq_count[V_QUEUE];
	ring_put(0, (u64)data, 32, WRITE, 0);
	check(request(0) == 32 && came(V_QUEUE) == before + 1, "virtio.msix",
	      "%llu", irq_count[V_QUEUE] - before);
	check(!*(volatile u8 *)isr_at && !(cfg32(4) & 0x80000),
	      "virtio.msix_no_isr", "%x", cfg32(4));
	section("PCI 3.0 6.8.3.4");
	msix_vector(1, V_QUEUE, true);
	check(request(0) == 32 && came(V_QUEUE) == before + 1,
	      "virtio.msix_masked", "%llu", irq_count[V_QUEUE] - before);
	check(*(volatile u32 *)(msix_pba) == 2, "virtio.msix_pending", "%x",
	      *(volatile u32 *)(msix_pba));
	msix_vector(1, V_QUEUE, false);
	check(came(V_QUEUE) == before + 2, "virtio.msix_unmasked", "%llu",
	      irq_count[V_QUEUE] - before);
	section("virtio 1.2 4.1.5.3.1");
	wr16(QUEUE_VECTOR, 0xffff);
	check(request(0) == 32 && came(V_QUEUE) == before + 2,
	      "virtio.msix_no_vector", "%llu", irq_count[V_QUEUE] - before);
	section("virtio 1.2 4.1.5.4");
	before = irq_count[V_CONFIG];
	ring_offer(8); /* there is none */
	notify();
	check(came(V_CONFIG) == before + 1 && *(volatile u8 *)isr_at == 2,
	      "virtio.msix_config", "%llu", irq_count[V_CONFIG] - before);
	device_reset();
	cfg_out32(msix_cap, 0);
}

/* A buffer is used while its vector is masked: its message is pending */
static bool held_back(void)
{
	bring_up(F_VERSION_1 | F_RING_RESET, 8);
	msix_vector(1, V_QUEUE, true);
	wr16(QUEUE_VECTOR, 1);
	ring_put(0, (u64)data, 32, WRITE, 0);
	return request(0) == 32 && *(volatile u32 *)msix_pba == 2;
}

static void msix_held_back(void)
{
	u64 before = irq_count[V_QUEUE];

	cfg_out32(msix_cap, 0x80000000);
	section("PCI Express 5.0 7.5.1.1.3");
	check(held_back(), "virtio.msix_waits", "");
	cfg_out32(4, 2);
	msix_vector(1, V_QUEUE, false);
	check(came(V_QUEUE) == before, "virtio.msix_needs_bus_master", "%llu",
	      irq_count[V_QUEUE] - before);
	cfg_out32(4, 6);
	check(came(V_QUEUE) == before + 1, "virtio.msix_by_bus_master", "%llu",
	      irq_count[V_QUEUE] - before);
	section("virtio 1.2 2.6.1.1");
	check(held_back(), "virtio.msix_waits_again", "");
	wr16(QUEUE_RESET, 1);
	msix_vector(1, V_QUEUE, false);
	check(came(V_QUEUE) == before + 1, "virtio.queue_reset_forgets", "%llu",
	      irq_count[V_QUEUE] - before);
	section("virtio 1.2 2.4.1");
	check(held_back(), "virtio.msix_waits_once_more", "");
	device_reset();
	msix_vector(1, V_QUEUE, false);
	check(came(V_QUEUE) == before + 1, "virtio.reset_forgets", "%llu",
	      irq_count[V_QUEUE] - before);
	cfg_out32(msix_cap, 0);
}

void guest_main(void)
{
	apic_enable();
	irq_off();
	function();
	if (!common)
		return;
	window();
	widths();
	queue_registers();
	enabling();
	features();
	status();
	one_buffer();
	chains();
	many();
	not_ready();
	notifications();
	queue_reset();
	intx();
	event_index();
	msix();
	msix_held_back();
}
