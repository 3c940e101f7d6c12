/* SOURCES: hv/device/virtio/served.c hv/device/virtio/served_back.c hv/device/virtio/virtio_pci.c hv/device/virtio/virtio_common.c hv/device/virtio/virtio_irq.c hv/device/pci/pci_msix.c hv/device/pci/pci_bus.c hv/device/pci/pci_bus_fn.c hv/device/pci/pci_bus_bar.c hv/device/pci/pci_fn.c hv/device/pci/pci_bus_irq.c hv/core/bus.c hv/core/slots.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/* A device that is served elsewhere: what a back-end hears of its driver, what
 * the driver does of the back-end, and the end of either. Over 400 lines: each
 * moment at which one of them may go. */
#include "hv/device/virtio/served.h"

#include "hv/core/pc_map.h"
#include "lib/errno.h"
#include "tests/unit/fakes/virtio_driver.h"

#define V1        VIRTIO_F_VERSION_1
#define FEATURES  (BIT(5) | VIRTIO_F_RING_PACKED)
#define OK        0xfu
#define CONFIG    12u
#define ALL       BH_CTL_ALL_QUEUES
#define VECTOR    5u
#define BELL      9u
#define VM_ENTRY  1u /* of the guest's MSI-X table */
#define VM_VECTOR 0x41u

struct vm *vms[VM_MAX];
u32 vm_count;

static struct guest_config config;
static u32 notes, last_note, changes;

static void notify(u32 vector)
{
	notes++;
	last_note = vector;
}

static void change(void)
{
	changes++;
}

static int setup(void **state)
{
	virtio_board_init(PAGE_SIZE);
	virtio_devfn = PC_DEVFN_SERVED;
	config = (struct guest_config){
		.device_count = 2,
		.devices = { { .type = 2, .queues = 2, .config_bytes = CONFIG },
			     { .type = 1, .queues = 1 } },
	};
	fake_vm.config = &config;
	vms[0] = &fake_vm;
	vm_count = 1;
	served_on_notify(notify);
	served_on_change(change);
	assert_int_equal(served_vdev.create(&fake_vm), 0);
	notes = last_note = changes = 0;
	return 0;
}

static int teardown(void **state)
{
	served_vdev.destroy(&fake_vm);
	fake_vm.devices[VDEV_served] = NULL;
	virtio_board_done();
	return 0;
}

static int offer(u64 features, u8 first, bool may_differ)
{
	struct bh_ctl_offer o = { .features = features,
				  .config_bytes = CONFIG };

	memset(o.config, 0xee, sizeof(o.config));
	o.config[0] = first;
	return served_offer(&fake_vm, 0, &o, may_differ);
}

/* As the guest's start does */
static void start(void)
{
	pci_bus_vdev.reset(&fake_vm);
	served_vdev.reset(&fake_vm);
}

static u8 status(void)
{
	return (u8)virtio_bar(VIRTIO_STATUS, 1);
}

static void drive(void)
{
	assert_int_equal(virtio_negotiate(V1), 0xb);
	virtio_queue_set(0, 8, 0x100, 0x200, 0x300);
	virtio_queue_set(1, 16, 0x400, 0x500, 0x600);
	assert_int_equal(virtio_driver_ok(), OK);
}

/* Both queues live */
static void runs(void)
{
	assert_int_equal(offer(FEATURES, 1, true), 0);
	start();
	virtio_place();
	drive();
	changes = 0;
	(void)served_changed(&fake_vm, false);
}

static void kick(u32 i)
{
	virtio_bar_set(VIRTIO_NOTIFY + i * 4, 2, i);
}

static u32 flags(void)
{
	struct bh_ctl_device d;

	assert_int_equal(served_device(&fake_vm, 0, &d), 0);
	return d.flags;
}

static struct bh_ctl_queue queue(u32 i)
{
	struct bh_ctl_queue q;

	assert_int_equal(served_queue(&fake_vm, 0, i, &q), 0);
	return q;
}

static int bind(u32 i)
{
	return served_bind(&fake_vm, 0, i, VECTOR + i, BELL + i);
}

static void ring(u32 i)
{
	served_ring(&fake_vm, 0, i, BELL + i);
}

/* Interrupts by INTA; true: one has come since */
static bool interrupted(void)
{
	return virtio_bar(VIRTIO_ISR, 1) & VIRTIO_ISR_QUEUE;
}

static void test_none(void **state)
{
	const struct guest_config none = { .device_count = 0 };
	struct served *own = fake_vm.devices[VDEV_served];

	fake_vm.devices[VDEV_served] = NULL;
	fake_vm.config = &none;
	assert_int_equal(served_vdev.create(&fake_vm), 0);
	assert_null(fake_vm.devices[VDEV_served]);
	assert_int_equal(served_count(&fake_vm), 0);
	assert_int_equal(bind(0), -ENOENT);
	assert_int_equal(served_changed(&fake_vm, false), 0);
	assert_true(served_is_over(&fake_vm));
	served_end(&fake_vm);
	ring(0);
	fake_vm.devices[VDEV_served] = own;
}

static void test_described(void **state)
{
	struct bh_ctl_device d;
	struct bh_ctl_queue q;

	assert_int_equal(served_count(&fake_vm), 2);
	assert_int_equal(served_device(&fake_vm, 0, &d), 0);
	assert_int_equal(d.type, 2);
	assert_int_equal(d.devfn, 0x10);
	assert_int_equal(d.queues, 2);
	assert_int_equal(d.config_bytes, CONFIG);
	assert_int_equal(d.flags, 0);
	assert_int_equal(d.features, V1);
	assert_int_equal(served_device(&fake_vm, 1, &d), 0);
	assert_int_equal(d.devfn, 0x18);
	assert_int_equal(served_device(&fake_vm, 2, &d), -ENOENT);
	assert_int_equal(served_queue(&fake_vm, 1, 1, &q), -ENOENT);
	assert_int_equal(served_queue(&fake_vm, 0, ALL, &q), -ENOENT);
	assert_int_equal(served_queue(&fake_vm, ~0ull, 0, &q), -ENOENT);
}

/* What was not offered is not there; the other one is */
static void test_absent(void **state)
{
	start();
	assert_int_equal(virtio_cfg(0), ~0u);
	virtio_place();
	assert_int_equal(virtio_bar(VIRTIO_STATUS, 1), 0xff);
	assert_int_equal(offer(FEATURES, 1, true), 0);
	assert_int_equal(virtio_cfg(0), ~0u); /* at the next start */
	start();
	assert_int_equal(virtio_cfg(0), 0x10421af4);
	assert_int_equal(virtio_cfg(8), 0x01800001);
	virtio_devfn += 8;
	assert_int_equal(virtio_cfg(0), ~0u);
}

static void test_offers(void **state)
{
	struct bh_ctl_offer bad = { .config_bytes = CONFIG, .reserved = 1 };

	assert_int_equal(served_offer(&fake_vm, 0, &bad, true), -EINVAL);
	bad = (struct bh_ctl_offer){ .config_bytes = CONFIG - 1 };
	assert_int_equal(served_offer(&fake_vm, 0, &bad, true), -EINVAL);
	assert_int_equal(served_offer(&fake_vm, 2, &bad, true), -ENOENT);
	for (u32 i = 0; i < 64; i++) {
		bool is = i < 24 || i >= 50 || i == 28 || i == 29 || i == 32 ||
			  i == 34 || i == 35;

		assert_int_equal(offer(BIT(i), 1, true), is ? 0 : -EPERM);
	}
	assert_int_equal(flags(), BH_CTL_DEVICE_OFFERED);
}

/* Later it is the features that were offered, and the driver hears of another
 * configuration alone */
static void test_offers_again(void **state)
{
	struct bh_ctl_device d;

	assert_int_equal(offer(FEATURES, 1, false), -EBUSY);
	assert_int_equal(offer(BIT(0), 1, true), 0);
	runs();
	assert_int_equal(served_device(&fake_vm, 0, &d), 0);
	assert_int_equal(d.features, FEATURES | V1);
	assert_int_equal(d.accepted, V1);
	assert_int_equal(offer(BIT(0), 2, false), -EBUSY);
	assert_int_equal(virtio_bar(VIRTIO_CONFIG, 1), 1);
	assert_int_equal(offer(FEATURES, 1, false), 0);
	assert_int_equal(virtio_bar(VIRTIO_ISR, 1), 0);
	assert_int_equal(offer(FEATURES | V1, 3, false), 0);
	assert_int_equal(virtio_bar(VIRTIO_ISR, 1), VIRTIO_ISR_CONFIG);
	assert_int_equal(virtio_bar(VIRTIO_CONFIG, 1), 3);
	assert_int_equal(virtio_bar(VIRTIO_CONFIG + 8, 4), 0xeeeeeeee);
	assert_int_equal(virtio_bar(VIRTIO_GENERATION, 1), 1);
}

/* No notification data, no reset of one queue */
static void test_features(void **state)
{
	assert_int_equal(offer(FEATURES, 1, true), 0);
	start();
	virtio_place();
	assert_int_equal(virtio_negotiate(V1 | VIRTIO_F_RING_RESET), 3);
	assert_int_equal(virtio_negotiate(V1 | VIRTIO_F_NOTIFICATION_DATA), 3);
	assert_int_equal(virtio_negotiate(V1 | VIRTIO_F_EVENT_IDX), 3);
	assert_int_equal(virtio_negotiate(V1 | FEATURES), 0xb);
}

static void test_told(void **state)
{
	runs();
	assert_false(served_any_changed() && served_any_changed());
	assert_int_equal(flags(), BH_CTL_DEVICE_OFFERED | BH_CTL_DEVICE_READY);
	assert_int_equal(queue(0).flags, BH_CTL_QUEUE_LIVE);
	assert_int_equal(queue(1).size, 16);
	assert_int_equal(queue(1).desc, 0x400);
	assert_int_equal(queue(1).driver, 0x500);
	assert_int_equal(queue(1).device, 0x600);
	virtio_bar_set(VIRTIO_STATUS, 1, 0);
	assert_true(changes);
	assert_true(served_any_changed());
	assert_int_equal(served_changed(&fake_vm, false), 1);
	assert_int_equal(served_changed(&fake_vm, false), 0);
	assert_int_equal(flags(), BH_CTL_DEVICE_OFFERED);
	assert_int_equal(queue(0).flags, 0);
}

/* Once, until it has been looked at; and again to whoever comes next */
static void test_told_once(void **state)
{
	runs();
	assert_true(served_any_changed());
	virtio_bar_set(VIRTIO_STATUS, 1, 0);
	drive();
	assert_int_equal(changes, 0);
	assert_false(served_any_changed());
	assert_int_equal(served_changed(&fake_vm, false), 0);
	assert_int_equal(served_changed(&fake_vm, true), 1);
	(void)flags();
	assert_int_equal(served_changed(&fake_vm, true), 0);
	virtio_bar_set(VIRTIO_STATUS, 1, 0);
	drive();
	assert_int_equal(changes, 1);
	/* It has been looked at and changes again before it is told of */
	(void)flags();
	virtio_bar_set(VIRTIO_STATUS, 1, 0);
	assert_int_equal(changes, 1);
	assert_int_equal(served_changed(&fake_vm, false), 1);
	assert_int_equal(served_changed(&fake_vm, false), 0);
}

/* What the driver writes and nobody sees is not told */
static void test_no_change(void **state)
{
	runs();
	(void)flags();
	for (u32 i = 0; i < 3; i++)
		virtio_bar_set(VIRTIO_STATUS, 1, OK);
	assert_int_equal(changes, 0);
	virtio_bar_set(VIRTIO_STATUS, 1, 0);
	assert_int_equal(changes, 1);
	(void)served_changed(&fake_vm, false);
	(void)flags();
	virtio_bar_set(VIRTIO_STATUS, 1, 0);
	virtio_bar_set(VIRTIO_STATUS, 1, 1);
	virtio_bar_set(VIRTIO_STATUS, 1, 3);
	virtio_bar_set(VIRTIO_STATUS, 1, 0);
	assert_int_equal(changes, 1);
}

static void test_notifications(void **state)
{
	runs();
	kick(0);
	assert_int_equal(notes, 0);
	assert_int_equal(bind(1), 0);
	assert_int_equal(notes, 0);
	assert_int_equal(bind(0), 0); /* what came before comes now, once */
	assert_int_equal(notes, 1);
	assert_int_equal(last_note, VECTOR);
	kick(1);
	assert_int_equal(notes, 2);
	assert_int_equal(last_note, VECTOR + 1);
	assert_int_equal(queue(1).vector, VECTOR + 1);
	assert_int_equal(queue(1).doorbell, BELL + 1);
	/* Neither a vector nor a doorbell: it is remembered once more */
	assert_int_equal(served_bind(&fake_vm, 0, 1, 0, 0), 0);
	kick(1);
	ring(1);
	assert_false(interrupted());
	assert_int_equal(notes, 2);
	assert_int_equal(bind(1), 0);
	assert_int_equal(notes, 3);
}

static void test_doorbells(void **state)
{
	runs();
	ring(0);
	assert_false(interrupted());
	assert_int_equal(bind(0), 0);
	served_ring(&fake_vm, 0, 0, BELL + 1);
	served_ring(&fake_vm, 0, 1, BELL);
	served_ring(&fake_vm, 1, 0, BELL);
	served_ring(&fake_vm, 9, 0, BELL);
	served_ring(&fake_vm, 0, 99, BELL);
	assert_false(interrupted());
	ring(0);
	assert_true(interrupted());
	assert_true(served_has(&fake_vm, 0, 0, BELL));
	assert_false(served_has(&fake_vm, 0, 1, BELL));
	assert_false(served_has(&fake_vm, 0, 1, 0));
}

static void test_doorbell_by_message(void **state)
{
	runs();
	virtio_bar_set(VIRTIO_TABLE + VM_ENTRY * 16, 4, 0xfee00000);
	virtio_bar_set(VIRTIO_TABLE + VM_ENTRY * 16 + 8, 4, VM_VECTOR);
	virtio_bar_set(VIRTIO_TABLE + VM_ENTRY * 16 + 12, 4, 0);
	virtio_cfg_set(0x98 + 2, 2, PCI_MSIX_ENABLE);
	virtio_bar_set(VIRTIO_QUEUE_SELECT, 2, 0);
	virtio_bar_set(VIRTIO_QUEUE_VECTOR, 2, VM_ENTRY);
	assert_int_equal(bind(0), 0);
	ring(0);
	assert_int_equal(virtio_messages, 1);
	assert_int_equal(virtio_message, VM_VECTOR);
}

/* Until its queues have stopped, the device is as it was */
static void test_reset_while_live(void **state)
{
	runs();
	assert_int_equal(bind(0), 0);
	assert_int_equal(bind(1), 0);
	virtio_bar_set(VIRTIO_STATUS, 1, 0);
	assert_int_equal(status(), OK);
	assert_int_equal(flags(), BH_CTL_DEVICE_OFFERED | BH_CTL_DEVICE_STOPS);
	assert_int_equal(queue(0).flags, BH_CTL_QUEUE_STOPS);
	virtio_bar_set(VIRTIO_STATUS, 1, 0);
	virtio_bar_set(VIRTIO_STATUS, 1, 1);
	virtio_bar_set(VIRTIO_QUEUE_SELECT, 2, 0);
	virtio_bar_set(VIRTIO_QUEUE_VECTOR, 2, 1);
	assert_int_equal(status(), OK);
	assert_int_equal(virtio_bar(VIRTIO_QUEUE_SELECT, 2), 1);
	assert_int_equal(virtio_bar(VIRTIO_QUEUE_VECTOR, 2), VIRTIO_NO_VECTOR);
	ring(0);
	assert_false(interrupted());
	kick(0);
	assert_int_equal(notes, 0);
	assert_int_equal(bind(0), -EBUSY);
	assert_int_equal(served_stopped(&fake_vm, 0, 2), -ENOENT);
	assert_int_equal(served_stopped(&fake_vm, 2, ALL), -ENOENT);
	assert_int_equal(served_stopped(&fake_vm, 0, 1), 0);
	assert_int_equal(served_stopped(&fake_vm, 0, 1), -EBUSY);
	assert_int_equal(status(), OK);
	assert_int_equal(served_stopped(&fake_vm, 0, 0), 0);
	assert_int_equal(status(), 0);
	assert_int_equal(flags(), BH_CTL_DEVICE_OFFERED);
	/* And once more; what was notified meanwhile is not this life's */
	drive();
	assert_int_equal(bind(0), 0);
	assert_int_equal(notes, 0);
	ring(1); /* of the life before */
	assert_false(interrupted());
	virtio_bar_set(VIRTIO_STATUS, 1, 0);
	assert_int_equal(served_stopped(&fake_vm, 0, ALL), 0);
	assert_int_equal(status(), 0);
	assert_int_equal(served_stopped(&fake_vm, 0, ALL), 0);
}

/* No back-end has had the queues: there is nobody to wait for */
static void test_reset_before_bind(void **state)
{
	runs();
	kick(0);
	virtio_bar_set(VIRTIO_STATUS, 1, 0);
	assert_int_equal(status(), 0);
	assert_int_equal(bind(0), -EBUSY);
	drive();
	assert_int_equal(bind(0), 0);
	assert_int_equal(notes, 0);
}

static void test_closed(void **state)
{
	runs();
	assert_int_equal(bind(0), 0);
	served_unbind_all();
	assert_int_equal(queue(0).vector, 0);
	assert_int_equal(queue(0).flags, BH_CTL_QUEUE_LIVE);
	assert_false(served_has(&fake_vm, 0, 0, BELL));
	ring(0);
	assert_false(interrupted());
	kick(0);
	assert_int_equal(notes, 0);
	assert_int_equal(bind(0), 0);
	assert_int_equal(notes, 1);
	/* What the one before was told may have got lost with it */
	served_unbind_all();
	assert_int_equal(bind(0), 0);
	assert_int_equal(notes, 2);
	/* Its back-end may live on */
	served_unbind_all();
	virtio_bar_set(VIRTIO_STATUS, 1, 0);
	assert_int_equal(status(), OK);
	assert_int_equal(served_stopped(&fake_vm, 0, 0), 0);
	assert_int_equal(status(), 0);
}

/* The privileged guest starts again */
static void test_leaves(void **state)
{
	runs();
	assert_int_equal(bind(0), 0);
	served_leave();
	assert_int_equal(queue(0).flags, BH_CTL_QUEUE_LIVE);
	assert_int_equal(queue(0).vector, 0);
	virtio_bar_set(VIRTIO_STATUS, 1, 0);
	assert_int_equal(status(), 0); /* nobody has it */
	drive();
	assert_int_equal(bind(0), 0);
	virtio_bar_set(VIRTIO_STATUS, 1, 0);
	assert_int_equal(status(), OK);
	served_leave();
	assert_int_equal(status(), 0);
}

/* The guest ends while a queue is live, or while its reset is under way */
static void test_guest_ends(void **state)
{
	runs();
	assert_int_equal(bind(0), 0);
	served_end(&fake_vm);
	assert_false(served_is_over(&fake_vm));
	assert_int_equal(queue(0).flags, BH_CTL_QUEUE_STOPS);
	assert_int_equal(queue(1).flags, 0);
	ring(0);
	assert_false(interrupted());
	assert_int_equal(served_stopped(&fake_vm, 0, 0), 0);
	assert_true(served_is_over(&fake_vm));
	start();
	virtio_place();
	drive();
	assert_int_equal(bind(0), 0);
	virtio_bar_set(VIRTIO_STATUS, 1, 0);
	served_end(&fake_vm);
	assert_false(served_is_over(&fake_vm));
	served_leave();
	assert_true(served_is_over(&fake_vm));
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_none),
		TEST(test_described),
		TEST(test_absent),
		TEST(test_offers),
		TEST(test_offers_again),
		TEST(test_features),
		TEST(test_told),
		TEST(test_told_once),
		TEST(test_no_change),
		TEST(test_notifications),
		TEST(test_doorbells),
		TEST(test_doorbell_by_message),
		TEST(test_reset_while_live),
		TEST(test_reset_before_bind),
		TEST(test_closed),
		TEST(test_leaves),
		TEST(test_guest_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
