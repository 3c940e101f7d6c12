/* SOURCES: hv/device/virtio/virtio_pci.c hv/device/virtio/virtio_common.c hv/device/virtio/virtio_irq.c hv/device/pci/pci_msix.c hv/device/pci/pci_bus.c hv/device/pci/pci_bus_fn.c hv/device/pci/pci_bus_bar.c hv/device/pci/pci_fn.c hv/device/pci/pci_bus_irq.c hv/core/bus.c hv/core/slots.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The virtio transport with a device of two queues and a configuration space:
 * what the device is told, and what the driver's writes change. Over 400 lines:
 * one device serves every case.
 */
#include "tests/unit/fakes/virtio_driver.h"

#include "hv/core/pc_map.h"
#include "hv/device/virtio/virtio_priv.h"

#define FEATURES  (BIT(3) | VIRTIO_F_RING_PACKED)
#define VERSION_1 VIRTIO_F_VERSION_1
#define ALL_OK                                                                 \
	(VIRTIO_ACKNOWLEDGE | VIRTIO_DRIVER | VIRTIO_DRIVER_OK |               \
	 VIRTIO_FEATURES_OK)
#define WINDOW 0x74u

static struct virtio device;
static struct virtio_queue queues[2];
static u8 own[10];
static u32 starts, stops, notified, resets, steps, steps_left;

static u64 own_read(struct virtio *d, u32 offset, u8 size)
{
	u64 value = 0;

	assert_in_range(offset + size, 1, sizeof(own));
	memcpy(&value, own + offset, size);
	return value;
}

static void own_write(struct virtio *d, u32 offset, u8 size, u64 value)
{
	assert_in_range(offset + size, 1, sizeof(own));
	memcpy(own + offset, &value, size);
}

static void queue_start(struct virtio *d, u32 i)
{
	assert_true(d->queues[i].enabled && d->queues[i].live);
	starts |= 1u << i;
}

static void queue_stop(struct virtio *d, u32 i)
{
	assert_true(d->queues[i].live);
	stops |= 1u << i;
}

static void on_notify(struct virtio *d, u32 i)
{
	notified |= 1u << i;
	virtio_serve(d);
}

static bool step(struct virtio *d)
{
	steps++;
	return steps_left && --steps_left;
}

static void on_reset(struct virtio *d)
{
	assert_int_equal(d->status, 0);
	resets++;
}

static const struct virtio_ops ops = {
	.config_read = own_read,
	.config_write = own_write,
	.queue_start = queue_start,
	.queue_stop = queue_stop,
	.notified = on_notify,
	.step = step,
	.reset = on_reset,
};

static int setup(void **state)
{
	virtio_board_init(PAGE_SIZE);
	memset(&device, 0, sizeof(device));
	memset(queues, 0, sizeof(queues));
	memset(own, 0x5a, sizeof(own));
	queues[0].size_max = 256;
	queues[1].size_max = 16;
	device.devfn = VIRTIO_DEVFN;
	device.id = 25;
	device.class = 0x020000;
	device.features = FEATURES;
	device.ops = &ops;
	device.config_bytes = sizeof(own);
	device.queue_count = ARRAY_SIZE(queues);
	device.queues = queues;
	assert_int_equal(virtio_create(&device, &fake_vm), 0);
	starts = stops = notified = resets = steps = steps_left = 0;
	virtio_place();
	return 0;
}

static int teardown(void **state)
{
	virtio_destroy(&device);
	virtio_board_done();
	return 0;
}

static u64 reg(u32 offset, u8 size)
{
	return virtio_bar(offset, size);
}

static void ready(u64 features)
{
	assert_true(virtio_negotiate(VERSION_1 | features) &
		    VIRTIO_FEATURES_OK);
	virtio_queue_set(0, 8, 0x100, 0x200, 0x300);
	virtio_queue_set(1, 8, 0x400, 0x500, 0x600);
	assert_int_equal(virtio_driver_ok(), ALL_OK);
	starts = 0;
}

static void test_function(void **state)
{
	u32 at = virtio_cfg(PCI_CAP_POINTER) & 0xff, types = 0;

	assert_int_equal(virtio_cfg(0), 0x10591af4);
	assert_int_equal(virtio_cfg(8), 0x02000001);
	for (; at; at = virtio_cfg(at) >> 8 & 0xff) {
		u32 head = virtio_cfg(at);

		if ((head & 0xff) == PCI_CAP_ID_MSIX) {
			types |= 1;
			assert_int_equal(head >> 16, 2);
			continue;
		}
		assert_int_equal(head & 0xff, PCI_CAP_ID_VENDOR);
		types |= 1u << (head >> 24);
		assert_int_equal(virtio_cfg(at + 4), 0);
	}
	assert_int_equal(types, 0x3f);
}

static void test_order_of_status(void **state)
{
	assert_int_equal(reg(VIRTIO_STATUS, 1), 0);
	virtio_bar_set(VIRTIO_STATUS, 1, VIRTIO_DRIVER | VIRTIO_DRIVER_OK);
	assert_int_equal(reg(VIRTIO_STATUS, 1), 0);
	assert_int_equal(virtio_negotiate(0), 3);
	assert_int_equal(virtio_negotiate(VERSION_1 | BIT(4)), 3);
	assert_int_equal(virtio_negotiate(VERSION_1 | BIT(33)), 3);
	assert_int_equal(virtio_negotiate(VERSION_1 | BIT(3)), 0xb);
	virtio_bar_set(VIRTIO_STATUS, 1, 3);
	assert_int_equal(reg(VIRTIO_STATUS, 1), 0xb);
	virtio_bar_set(VIRTIO_STATUS, 1, 0xb | VIRTIO_NEEDS_RESET | 0x30);
	assert_int_equal(reg(VIRTIO_STATUS, 1), 0xb);
	virtio_bar_set(VIRTIO_STATUS, 1, 0xb | VIRTIO_FAILED);
	virtio_bar_set(VIRTIO_STATUS, 1, 0xf | VIRTIO_FAILED);
	assert_int_equal(reg(VIRTIO_STATUS, 1), 0xb | VIRTIO_FAILED);
	resets = 0;
	virtio_bar_set(VIRTIO_STATUS, 1, 0);
	assert_int_equal(reg(VIRTIO_STATUS, 1), 0);
	assert_int_equal(resets, 1);
}

static void test_features(void **state)
{
	u64 want = FEATURES | VIRTIO_TRANSPORT_FEATURES;

	for (u32 i = 0; i < 3; i++) {
		virtio_bar_set(VIRTIO_DEVICE_SELECT, 4, i);
		assert_int_equal(reg(VIRTIO_DEVICE_FEATURE, 4),
				 i < 2 ? (u32)(want >> i * 32) : 0);
	}
	virtio_negotiate(VERSION_1 | BIT(3));
	virtio_bar_set(VIRTIO_DRIVER_SELECT, 4, 0);
	virtio_bar_set(VIRTIO_DRIVER_FEATURE, 4, 0);
	assert_int_equal(reg(VIRTIO_DRIVER_FEATURE, 4), BIT(3));
	virtio_bar_set(VIRTIO_DRIVER_SELECT, 4, 2);
	assert_int_equal(reg(VIRTIO_DRIVER_FEATURE, 4), 0);
}

static void test_queues(void **state)
{
	assert_int_equal(reg(VIRTIO_NUM_QUEUES, 2), 2);
	virtio_negotiate(VERSION_1);
	virtio_bar_set(VIRTIO_QUEUE_SELECT, 2, 1);
	assert_int_equal(reg(VIRTIO_QUEUE_SIZE, 2), 16);
	assert_int_equal(reg(VIRTIO_QUEUE_NOTIFY_OFF, 2), 1);
	virtio_bar_set(VIRTIO_QUEUE_SIZE, 2, 12);
	virtio_bar_set(VIRTIO_QUEUE_SIZE, 2, 32);
	virtio_bar_set(VIRTIO_QUEUE_SIZE, 2, 0);
	assert_int_equal(reg(VIRTIO_QUEUE_SIZE, 2), 16);
	virtio_queue_set(1, 8, 0x108, 0x200, 0x300);
	assert_int_equal(reg(VIRTIO_QUEUE_ENABLE, 2), 0);
	virtio_queue_set(1, 8, 0x100, 0x201, 0x300);
	assert_int_equal(reg(VIRTIO_QUEUE_ENABLE, 2), 0);
	virtio_queue_set(1, 8, 0x100, 0x202, 0x302);
	assert_int_equal(reg(VIRTIO_QUEUE_ENABLE, 2), 0);
	virtio_queue_set(1, 8, 0xf00000100, 0x202, 0x304);
	assert_int_equal(reg(VIRTIO_QUEUE_ENABLE, 2), 1);
	virtio_queue_set(1, 4, 0x200, 0x300, 0x400);
	assert_int_equal(queues[1].size, 8);
	assert_int_equal(queues[1].desc, 0xf00000100);
	assert_int_equal(reg(VIRTIO_QUEUE_DESC + 4, 4), 0xf);
	assert_int_equal(starts, 0);
	assert_int_equal(virtio_driver_ok(), ALL_OK);
	assert_int_equal(starts, 2);
	virtio_queue_set(0, 8, 0x100, 0x200, 0x300);
	assert_int_equal(starts, 3);
	virtio_bar_set(VIRTIO_QUEUE_SELECT, 2, 2);
	for (u32 i = VIRTIO_QUEUE_SIZE; i < VIRTIO_QUEUE_DESC; i += 2)
		assert_int_equal(reg(i, 2), 0);
}

/* A packed ring's size is any number, and its areas are aligned by 4 */
static void test_packed_queue(void **state)
{
	virtio_negotiate(VERSION_1 | VIRTIO_F_RING_PACKED);
	virtio_queue_set(1, 11, 0x100, 0x202, 0x300);
	assert_int_equal(reg(VIRTIO_QUEUE_ENABLE, 2), 0);
	virtio_queue_set(1, 11, 0x100, 0x204, 0x300);
	assert_int_equal(reg(VIRTIO_QUEUE_ENABLE, 2), 1);
	assert_int_equal(queues[1].size, 11);
}

/* A size that only a packed ring has, and a split ring then */
static void test_size_by_format(void **state)
{
	virtio_bar_set(VIRTIO_DRIVER_SELECT, 4, 1);
	virtio_bar_set(VIRTIO_DRIVER_FEATURE, 4, VIRTIO_F_RING_PACKED >> 32);
	virtio_bar_set(VIRTIO_QUEUE_SIZE, 2, 11);
	assert_int_equal(queues[0].size, 11);
	virtio_bar_set(VIRTIO_DRIVER_FEATURE, 4, VERSION_1 >> 32);
	virtio_bar_set(VIRTIO_STATUS, 1, 1);
	virtio_bar_set(VIRTIO_STATUS, 1, 3);
	virtio_bar_set(VIRTIO_STATUS, 1, 0xb);
	assert_int_equal(reg(VIRTIO_STATUS, 1), 0xb);
	virtio_bar_set(VIRTIO_QUEUE_ENABLE, 2, 1);
	assert_int_equal(reg(VIRTIO_QUEUE_ENABLE, 2), 0);
}

static void test_queue_reset(void **state)
{
	ready(0);
	virtio_bar_set(VIRTIO_QUEUE_RESET, 2, 1);
	assert_int_equal(stops, 0);
	ready(VIRTIO_F_RING_RESET);
	stops = 0;
	virtio_bar_set(VIRTIO_QUEUE_VECTOR, 2, 2);
	virtio_bar_set(VIRTIO_QUEUE_RESET, 2, 2);
	assert_int_equal(stops, 0);
	virtio_bar_set(VIRTIO_QUEUE_RESET, 2, 1);
	assert_int_equal(stops, 2);
	assert_int_equal(reg(VIRTIO_QUEUE_RESET, 2), 0);
	assert_int_equal(reg(VIRTIO_QUEUE_ENABLE, 2), 0);
	assert_int_equal(reg(VIRTIO_QUEUE_SIZE, 2), 16);
	assert_int_equal(reg(VIRTIO_QUEUE_VECTOR, 2), VIRTIO_NO_VECTOR);
	assert_int_equal(reg(VIRTIO_STATUS, 1), ALL_OK);
	virtio_queue_set(1, 4, 0x100, 0x200, 0x300);
	assert_int_equal(starts, 2);
	virtio_bar_set(VIRTIO_STATUS, 1, 0);
	assert_int_equal(stops, 3);
}

static void test_widths(void **state)
{
	assert_int_equal(reg(VIRTIO_STATUS, 2), 0xffff);
	assert_int_equal(reg(VIRTIO_NUM_QUEUES, 1), 0xff);
	assert_int_equal(reg(VIRTIO_QUEUE_DESC, 8), ~0ull);
	assert_int_equal(reg(VIRTIO_QUEUE_DESC + 2, 4), 0xffffffff);
	virtio_bar_set(VIRTIO_STATUS, 4, 1);
	virtio_bar_set(VIRTIO_DEVICE_SELECT, 2, 1);
	virtio_bar_set(VIRTIO_QUEUE_DESC, 8, ~0ull);
	assert_int_equal(device.status, 0);
	assert_int_equal(device.device_select, 0);
	assert_int_equal(queues[0].desc, 0);
	virtio_bar_set(VIRTIO_NUM_QUEUES, 2, 9);
	virtio_bar_set(VIRTIO_GENERATION, 1, 9);
	virtio_bar_set(VIRTIO_DEVICE_FEATURE, 4, 0);
	virtio_bar_set(VIRTIO_QUEUE_NOTIFY_OFF, 2, 9);
	assert_int_equal(reg(VIRTIO_NUM_QUEUES, 2), 2);
	assert_int_equal(reg(VIRTIO_GENERATION, 1), 0);
	assert_int_equal(reg(VIRTIO_QUEUE_NOTIFY_OFF, 2), 0);
	assert_int_equal(reg(0x40, 4), 0xffffffff);
}

static void test_notifications(void **state)
{
	virtio_negotiate(VERSION_1);
	virtio_queue_set(1, 8, 0x100, 0x200, 0x300);
	virtio_bar_set(VIRTIO_NOTIFY + 4, 2, 1);
	assert_int_equal(notified, 0); /* before DRIVER_OK */
	virtio_driver_ok();
	virtio_bar_set(VIRTIO_NOTIFY + 4, 4, 1);
	virtio_bar_set(VIRTIO_NOTIFY + 4, 2, 0);
	virtio_bar_set(VIRTIO_NOTIFY + 2, 2, 1);
	virtio_bar_set(VIRTIO_NOTIFY + 8, 2, 2);
	virtio_bar_set(VIRTIO_NOTIFY, 2, 0); /* not enabled */
	assert_int_equal(notified, 0);
	virtio_bar_set(VIRTIO_NOTIFY + 4, 2, 1);
	assert_int_equal(notified, 2);
	notified = 0;
	virtio_cfg_set(PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
	virtio_bar_set(VIRTIO_NOTIFY + 4, 2, 1);
	assert_int_equal(notified, 0);
	virtio_work();
	assert_int_equal(steps, 0);
	virtio_cfg_set(PCI_COMMAND, 2, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	virtio_work();
	assert_int_equal(steps, 1);
	ready(VIRTIO_F_NOTIFICATION_DATA);
	virtio_bar_set(VIRTIO_NOTIFY, 2, 0);
	assert_int_equal(notified, 0);
	virtio_bar_set(VIRTIO_NOTIFY, 4, 0x80070000);
	assert_int_equal(notified, 1);
}

/* A piece ends, and the next goes on */
static void test_work_in_pieces(void **state)
{
	ready(0);
	virtio_work();
	steps = 0;
	steps_left = 100000;
	virtio_bar_set(VIRTIO_NOTIFY, 2, 0);
	fake_vcpus[0].events = 0;
	virtio_go_on(&fake_vcpus[0]);
	assert_in_range(steps, 1, 99999);
	assert_true(fake_vcpus[0].events & VE_VIRTIO);
	virtio_work();
	assert_int_equal(steps_left, 0);
}

static void test_intx(void **state)
{
	ready(0);
	virtio_queue_interrupt(&device, 0);
	assert_true(board_line(VIRTIO_PIN));
	assert_int_equal(virtio_cfg(PCI_COMMAND) >> 16 & PCI_STATUS_INTX,
			 PCI_STATUS_INTX);
	assert_int_equal(reg(VIRTIO_ISR, 2), 0xffff);
	assert_int_equal(reg(VIRTIO_ISR, 1), VIRTIO_ISR_QUEUE);
	assert_false(board_line(VIRTIO_PIN));
	assert_int_equal(reg(VIRTIO_ISR, 1), 0);
	virtio_config_interrupt(&device);
	virtio_queue_interrupt(&device, 1);
	assert_int_equal(reg(VIRTIO_ISR, 1), 3);
	virtio_queue_interrupt(&device, 0);
	virtio_bar_set(VIRTIO_STATUS, 1, 0);
	assert_false(board_line(VIRTIO_PIN));
	assert_int_equal(virtio_messages, 0);
}

static void open_vector(u32 i)
{
	virtio_bar_set(VIRTIO_TABLE + i * 16, 4, 0xfee00000);
	virtio_bar_set(VIRTIO_TABLE + i * 16 + 8, 4, 0x40 + i);
	virtio_bar_set(VIRTIO_TABLE + i * 16 + 12, 4, 0);
}

static void test_msix(void **state)
{
	ready(0);
	virtio_queue_interrupt(&device, 0);
	assert_true(board_line(VIRTIO_PIN));
	virtio_cfg_set(0x98 + 2, 2, PCI_MSIX_ENABLE); /* the line goes down */
	assert_false(board_line(VIRTIO_PIN));
	(void)reg(VIRTIO_ISR, 1);
	for (u32 i = 0; i < 3; i++)
		open_vector(i);
	virtio_queue_interrupt(&device, 1);
	assert_int_equal(virtio_messages, 0);
	virtio_bar_set(VIRTIO_QUEUE_VECTOR, 2, 3);
	assert_int_equal(reg(VIRTIO_QUEUE_VECTOR, 2), VIRTIO_NO_VECTOR);
	virtio_bar_set(VIRTIO_QUEUE_VECTOR, 2, 2);
	virtio_bar_set(VIRTIO_CONFIG_VECTOR, 2, 1);
	virtio_queue_interrupt(&device, 1);
	assert_int_equal(virtio_message, 0x42);
	assert_int_equal(reg(VIRTIO_ISR, 1), 0);
	virtio_config_interrupt(&device);
	assert_int_equal(virtio_message, 0x41);
	assert_int_equal(virtio_messages, 2);
	assert_int_equal(reg(VIRTIO_ISR, 1), VIRTIO_ISR_CONFIG);
	virtio_bar_set(VIRTIO_TABLE + 2 * 16 + 12, 4, 1);
	virtio_queue_interrupt(&device, 1);
	assert_int_equal(reg(VIRTIO_PENDING, 8), 4);
	virtio_bar_set(VIRTIO_STATUS, 1, 0);
	assert_int_equal(reg(VIRTIO_CONFIG_VECTOR, 2), VIRTIO_NO_VECTOR);
}

static void msix_control(u32 bits)
{
	virtio_cfg_set(0x98 + 2, 2, bits);
}

static void set_vector(u32 queue, u32 vector)
{
	virtio_bar_set(VIRTIO_QUEUE_SELECT, 2, queue);
	virtio_bar_set(VIRTIO_QUEUE_VECTOR, 2, vector);
}

/* Two queues with vectors, all masked by the function */
static void ready_masked(u32 vector0, u32 vector1, u32 config)
{
	ready(VIRTIO_F_RING_RESET);
	for (u32 i = 0; i < 3; i++)
		open_vector(i);
	msix_control(PCI_MSIX_ENABLE | PCI_MSIX_MASK_ALL);
	set_vector(0, vector0);
	set_vector(1, vector1);
	virtio_bar_set(VIRTIO_CONFIG_VECTOR, 2, config);
	virtio_queue_interrupt(&device, 0);
	virtio_queue_interrupt(&device, 1);
}

/* What is pending as the driver resets the device is never sent (2.4.1) */
static void test_reset_forgets(void **state)
{
	ready_masked(1, 2, 0);
	virtio_config_interrupt(&device);
	assert_int_equal(reg(VIRTIO_PENDING, 8), 7);
	virtio_bar_set(VIRTIO_STATUS, 1, 0);
	assert_int_equal(reg(VIRTIO_PENDING, 8), 0);
	msix_control(PCI_MSIX_ENABLE);
	virtio_queue_interrupt(&device, 0); /* one that was under way */
	assert_int_equal(virtio_messages, 0);
	assert_int_equal(reg(VIRTIO_ISR, 1), 0);
}

/* Nor what a queue that is reset has told; a vector that others have, too, is
 * theirs */
static void test_queue_reset_forgets(void **state)
{
	ready_masked(1, 2, 0);
	virtio_bar_set(VIRTIO_QUEUE_RESET, 2, 1);
	assert_int_equal(reg(VIRTIO_PENDING, 8), 2);
	virtio_queue_interrupt(&device, 1);
	assert_int_equal(reg(VIRTIO_PENDING, 8), 2);
	ready_masked(1, 1, 0);
	virtio_bar_set(VIRTIO_QUEUE_RESET, 2, 1);
	assert_int_equal(reg(VIRTIO_PENDING, 8), 2);
	virtio_bar_set(VIRTIO_QUEUE_SELECT, 2, 0);
	virtio_bar_set(VIRTIO_QUEUE_RESET, 2, 1);
	assert_int_equal(reg(VIRTIO_PENDING, 8), 0);
	ready_masked(1, 2, 2);
	set_vector(1, 2);
	virtio_bar_set(VIRTIO_QUEUE_RESET, 2, 1);
	assert_int_equal(reg(VIRTIO_PENDING, 8), 6);
	msix_control(PCI_MSIX_ENABLE);
	assert_int_equal(virtio_messages, 2);
}

/* By INTA: the line goes with the last queue */
static void test_queue_reset_and_line(void **state)
{
	ready(VIRTIO_F_RING_RESET);
	virtio_queue_interrupt(&device, 1);
	virtio_bar_set(VIRTIO_QUEUE_RESET, 2, 1);
	assert_true(board_line(VIRTIO_PIN));
	virtio_bar_set(VIRTIO_QUEUE_SELECT, 2, 0);
	virtio_bar_set(VIRTIO_QUEUE_RESET, 2, 1);
	assert_false(board_line(VIRTIO_PIN));
}

/* MSI-X is turned on and off while queues are live: whatever was told, and not
 * heard of, is told by the other way */
static void test_msix_toggled(void **state)
{
	ready_masked(1, 2, 0);
	msix_control(0);
	assert_true(board_line(VIRTIO_PIN));
	msix_control(PCI_MSIX_ENABLE);
	assert_false(board_line(VIRTIO_PIN));
	assert_int_equal(virtio_messages, 2);
	assert_int_equal(reg(VIRTIO_ISR, 1), 0);
	msix_control(0);
	assert_false(board_line(VIRTIO_PIN));
	virtio_config_interrupt(&device);
	msix_control(PCI_MSIX_ENABLE);
	assert_int_equal(virtio_messages, 3);
	assert_int_equal(virtio_message, 0x40);
}

/* The same, in between: the control register has changed, and the device has
 * not followed yet */
static void test_interrupt_in_a_toggle(void **state)
{
	u8 *control = &device.fn.config[0x98 + 3];

	ready_masked(1, 2, 0);
	msix_control(PCI_MSIX_ENABLE);
	assert_int_equal(virtio_messages, 2);
	*control = 0;
	virtio_queue_interrupt(&device, 1);
	virtio_work();
	(void)virtio_irq_go_on(&device);
	assert_true(board_line(VIRTIO_PIN));
	assert_int_equal(reg(VIRTIO_ISR, 1), VIRTIO_ISR_QUEUE);
	*control = PCI_MSIX_ENABLE >> 8;
	virtio_queue_interrupt(&device, 1);
	(void)virtio_irq_go_on(&device);
	assert_false(board_line(VIRTIO_PIN));
	assert_int_equal(virtio_messages, 4);
}

/* A message is a memory write (PCI Express 5.0, 7.5.1.1.3) */
static void test_no_message_without_master(void **state)
{
	ready_masked(1, 2, 0);
	msix_control(PCI_MSIX_ENABLE | PCI_MSIX_MASK_ALL);
	virtio_cfg_set(PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
	msix_control(PCI_MSIX_ENABLE);
	assert_int_equal(virtio_messages, 0);
	virtio_cfg_set(PCI_COMMAND, 2, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	assert_int_equal(virtio_messages, 2);
}

static void test_own_configuration(void **state)
{
	u8 generation = (u8)reg(VIRTIO_GENERATION, 1);

	assert_int_equal(reg(VIRTIO_CONFIG, 4), 0x5a5a5a5a);
	assert_int_equal(reg(VIRTIO_CONFIG + 8, 2), 0x5a5a);
	assert_int_equal(reg(VIRTIO_CONFIG + 8, 4), 0xffffffff);
	assert_int_equal(reg(VIRTIO_CONFIG, 8), ~0ull);
	assert_int_equal(reg(VIRTIO_CONFIG + 1, 2), 0xffff);
	virtio_bar_set(VIRTIO_CONFIG, 1, 7);
	assert_int_equal(own[0], 0x5a); /* before FEATURES_OK */
	virtio_negotiate(VERSION_1);
	virtio_bar_set(VIRTIO_CONFIG, 1, 7);
	virtio_bar_set(VIRTIO_CONFIG + 10, 1, 7);
	assert_int_equal(own[0], 7);
	assert_int_equal(reg(VIRTIO_GENERATION, 1), generation);
	for (u32 i = 0; i < 256; i++) /* it does not come back to the same */
		virtio_config_interrupt(&device);
	assert_int_equal(reg(VIRTIO_GENERATION, 1), generation);
	(void)reg(VIRTIO_CONFIG, 1);
	assert_int_not_equal(reg(VIRTIO_GENERATION, 1), generation);
	assert_false(
		board_line(VIRTIO_PIN)); /* nobody is told before DRIVER_OK */
}

static void window(u32 offset, u32 length)
{
	virtio_cfg_set(WINDOW + 4, 1, 0);
	virtio_cfg_set(WINDOW + 8, 4, offset);
	virtio_cfg_set(WINDOW + 12, 4, length);
}

static void test_window(void **state)
{
	window(VIRTIO_NUM_QUEUES, 2);
	assert_int_equal(virtio_cfg(WINDOW + 16) & 0xffff, 2);
	window(VIRTIO_STATUS, 1);
	virtio_cfg_set(WINDOW + 16, 1, 1);
	assert_int_equal(device.status, 1);
	window(VIRTIO_STATUS, 3);
	virtio_cfg_set(WINDOW + 16, 4, 3);
	window(VIRTIO_STATUS - 1, 2);
	virtio_cfg_set(WINDOW + 16, 4, 0x300);
	window(0xfffffffc, 4);
	virtio_cfg_set(WINDOW + 16, 4, 3);
	(void)virtio_cfg(WINDOW + 16);
	window(VIRTIO_STATUS, 1);
	virtio_cfg_set(WINDOW + 4, 1, 1);
	virtio_cfg_set(WINDOW + 16, 4, 3);
	assert_int_equal(device.status, 1);
	ready(0);
	window(VIRTIO_NOTIFY, 2);
	virtio_cfg_set(WINDOW + 16, 4, 0);
	assert_int_equal(notified, 1);
}

static void test_break(void **state)
{
	ready(0);
	virtio_break(&device);
	assert_int_equal(reg(VIRTIO_STATUS, 1), ALL_OK | VIRTIO_NEEDS_RESET);
	assert_int_equal(reg(VIRTIO_ISR, 1), VIRTIO_ISR_CONFIG);
	virtio_bar_set(VIRTIO_NOTIFY, 2, 0);
	assert_int_equal(notified, 0);
	virtio_bar_set(VIRTIO_STATUS, 1, ALL_OK);
	assert_int_equal(reg(VIRTIO_STATUS, 1), ALL_OK | VIRTIO_NEEDS_RESET);
	ready(0);
	virtio_bar_set(VIRTIO_NOTIFY, 2, 0);
	assert_int_equal(notified, 1);
}

/* The guest starts anew */
static void test_guest_reset(void **state)
{
	ready(0);
	open_vector(1);
	virtio_queue_interrupt(&device, 0);
	stops = 0;
	pci_bus_vdev.reset(&fake_vm);
	assert_int_equal(stops, 3);
	assert_false(board_line(VIRTIO_PIN));
	assert_int_equal(device.status, 0);
	assert_int_equal(virtio_cfg(PCI_BAR0), 0);
	virtio_place();
	assert_int_equal(reg(VIRTIO_TABLE + 16, 8), 0);
	assert_int_equal(reg(VIRTIO_STATUS, 1), 0);
	virtio_work();
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_function),
		TEST(test_order_of_status),
		TEST(test_features),
		TEST(test_queues),
		TEST(test_packed_queue),
		TEST(test_size_by_format),
		TEST(test_queue_reset),
		TEST(test_widths),
		TEST(test_notifications),
		TEST(test_work_in_pieces),
		TEST(test_intx),
		TEST(test_msix),
		TEST(test_reset_forgets),
		TEST(test_queue_reset_forgets),
		TEST(test_queue_reset_and_line),
		TEST(test_msix_toggled),
		TEST(test_interrupt_in_a_toggle),
		TEST(test_no_message_without_master),
		TEST(test_own_configuration),
		TEST(test_window),
		TEST(test_break),
		TEST(test_guest_reset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
