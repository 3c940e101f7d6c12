/* SOURCES: hv/control/devices.c hv/control/doorbell.c hv/device/virtio/served.c hv/device/virtio/served_back.c hv/device/virtio/virtio_pci.c hv/device/virtio/virtio_common.c hv/device/virtio/virtio_irq.c hv/device/pci/pci_msix.c hv/device/pci/pci_bus.c hv/device/pci/pci_bus_fn.c hv/device/pci/pci_bus_bar.c hv/device/pci/pci_fn.c hv/device/pci/pci_bus_irq.c hv/core/bus.c hv/core/slots.c lib/string.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/* The control device's commands about served devices, their doorbells and
 * their event, with the real devices of one guest */
#include "hv/control/priv.h"
#include "hv/core/pc_map.h"
#include "hv/device/virtio/served.h"
#include "tests/unit/fakes/virtio_driver.h"

#define ID     0x401u
#define OK     0xfu
#define CONFIG 4u
#define ALL    ((u64)BH_CTL_ALL_QUEUES << 32)

struct vm *vms[VM_MAX];
u32 vm_count;

static struct control c;
static struct guest_config guest;
static bool known;
static enum bh_ctl_state state_is;
static u32 notes, events, event_devices, asked;

u64 vm_number(const struct vm *vm)
{
	return ID;
}

struct vm *vm_numbered(u64 id)
{
	return id == ID && known ? &fake_vm : NULL;
}

enum bh_ctl_state dynamic_state(const struct vm *vm)
{
	return state_is;
}

s32 control_error(struct control *self, struct control_call *call,
		  enum bh_ctl_error error, const char *sentence)
{
	assert_true(strlen(sentence) > 10);
	return -(s32)error;
}

void *control_next(struct control *self, struct control_call *call, u32 size)
{
	void *place = self->out + call->bytes;

	if (call->out_bytes - call->bytes < size)
		return NULL;
	call->bytes += size;
	return memset(place, 0, size);
}

void control_event(struct control *self, const struct bh_ctl_event *e)
{
	assert_int_equal(e->type, BH_CTL_EVENT_DEVICE);
	assert_int_equal(e->arg[0], ID);
	events++;
	event_devices |= 1u << e->arg[1];
}

bool control_round_on(struct control_round *r, bool ask)
{
	r->asked |= ask;
	if (!r->on && r->asked)
		*r = (struct control_round){ .on = true };
	return r->on;
}

u32 control_round_end(const struct control_round *r, u32 most)
{
	return MIN(vm_count, r->at + most);
}

bool control_round_goes_on(struct control_round *r)
{
	r->on = r->at < vm_count;
	return r->on;
}

static void notify(u32 vector)
{
	notes++;
}

static void ask_look(void)
{
	asked++;
}

static int setup(void **state)
{
	memset(&c, 0, sizeof(c));
	c.status = BH_CTL_IS_OPEN;
	virtio_board_init(PAGE_SIZE);
	virtio_devfn = PC_DEVFN_SERVED;
	guest = (struct guest_config){
		.device_count = 2,
		.devices = { { .type = 2, .queues = 2, .config_bytes = CONFIG },
			     { .type = 1, .queues = 1 } },
	};
	fake_vm.config = &guest;
	fake_vm.dynamic = (void *)&fake_vm;
	memset(vms, 0, sizeof(vms));
	vms[100] = &fake_vm;
	vm_count = 101;
	known = true;
	state_is = BH_CTL_DEFINED;
	served_on_notify(notify);
	served_on_change(ask_look);
	assert_int_equal(served_vdev.create(&fake_vm), 0);
	(void)served_any_changed();
	(void)served_changed(&fake_vm, false);
	notes = events = event_devices = asked = 0;
	return 0;
}

static int teardown(void **state)
{
	served_vdev.destroy(&fake_vm);
	fake_vm.devices[VDEV_served] = NULL;
	virtio_board_done();
	return 0;
}

static s32 run(s32 (*handler)(struct control *, struct control_call *),
	       u64 arg1, u64 arg2, u64 arg3)
{
	u32 in_bytes = c.call.in_bytes, out_bytes = c.call.out_bytes;

	memset(&c.call, 0, sizeof(c.call));
	c.call.command.arg[0] = ID;
	c.call.command.arg[1] = arg1;
	c.call.command.arg[2] = arg2;
	c.call.command.arg[3] = arg3;
	c.call.in_bytes = in_bytes;
	c.call.out_bytes = out_bytes;
	return handler(&c, &c.call);
}

static s32 offer(u64 features, u32 config_bytes)
{
	struct bh_ctl_offer *o = (void *)c.in;

	*o = (struct bh_ctl_offer){ .features = features,
				    .config_bytes = config_bytes };
	c.call.in_bytes = sizeof(*o);
	return run(control_device_offer, 0, 0, 0);
}

static s32 bind(u64 queue, u64 vector, u64 doorbell)
{
	return run(control_queue_bind, queue << 32, vector, doorbell);
}

/* Both queues of the first device are live */
static void drive(void)
{
	assert_int_equal(offer(0, CONFIG), 0);
	pci_bus_vdev.reset(&fake_vm);
	served_vdev.reset(&fake_vm);
	state_is = BH_CTL_RUNNING;
	virtio_place();
	virtio_negotiate(VIRTIO_F_VERSION_1);
	virtio_queue_set(0, 8, 0x100, 0x200, 0x300);
	virtio_queue_set(1, 8, 0x400, 0x500, 0x600);
	assert_int_equal(virtio_driver_ok(), OK);
}

static bool interrupted(void)
{
	return virtio_bar(VIRTIO_ISR, 1) & VIRTIO_ISR_QUEUE;
}

static void test_lists(void **state)
{
	const struct bh_ctl_device *d = (void *)c.out;
	const struct bh_ctl_queue *q = (void *)c.out;

	c.call.out_bytes = BH_CTL_OUT_MAX;
	assert_int_equal(run(control_devices, 0, 0, 0), 0);
	assert_int_equal(c.call.result[0], 2);
	assert_int_equal(c.call.bytes, 2 * sizeof(*d));
	assert_int_equal(d[1].type, 1);
	c.call.out_bytes = sizeof(*d);
	assert_int_equal(run(control_devices, 1, 0, 0), 0);
	assert_int_equal(c.call.bytes, sizeof(*d));
	assert_int_equal(d[0].devfn, 0x18);
	c.call.out_bytes = BH_CTL_OUT_MAX;
	assert_int_equal(run(control_devices, 2, 0, 0), 0);
	assert_int_equal(c.call.bytes, 0);
	assert_int_equal(run(control_devices, ~0ull, 0, 0), 0);
	assert_int_equal(run(control_queues, 0, 1, 0), 0);
	assert_int_equal(c.call.result[0], 2);
	assert_int_equal(c.call.bytes, sizeof(*q));
	assert_int_equal(q[0].size, 256);
	assert_int_equal(run(control_queues, 2, 0, 0), -BH_CTL_EINVAL);
	known = false;
	assert_int_equal(run(control_devices, 0, 0, 0), -BH_CTL_ENOENT);
	assert_int_equal(run(control_queues, 0, 0, 0), -BH_CTL_ENOENT);
}

static void test_offers(void **state)
{
	assert_int_equal(offer(BIT(33), CONFIG), -BH_CTL_EINVAL);
	assert_int_equal(offer(0, CONFIG + 1), -BH_CTL_EINVAL);
	assert_int_equal(offer(BIT(1), CONFIG), 0);
	state_is = BH_CTL_BUILDING;
	assert_int_equal(offer(BIT(2), CONFIG), -BH_CTL_ESTATE);
	assert_int_equal(offer(BIT(1), CONFIG), 0);
	state_is = BH_CTL_DEFINED;
	assert_int_equal(offer(BIT(2), CONFIG), 0);
	c.call.in_bytes--;
	assert_int_equal(run(control_device_offer, 0, 0, 0), -BH_CTL_EINVAL);
	c.call.in_bytes = sizeof(struct bh_ctl_offer);
	assert_int_equal(run(control_device_offer, 2, 0, 0), -BH_CTL_EINVAL);
	known = false;
	assert_int_equal(offer(BIT(2), CONFIG), -BH_CTL_ENOENT);
}

static void test_binds(void **state)
{
	assert_int_equal(bind(0, 1, 1), -BH_CTL_ESTATE);
	drive();
	assert_int_equal(bind(0, BH_CTL_VECTORS, 0), -BH_CTL_EINVAL);
	assert_int_equal(bind(0, BIT(32) + 1, 0), -BH_CTL_EINVAL);
	assert_int_equal(bind(0, 0, BH_CTL_DOORBELLS + 1), -BH_CTL_EINVAL);
	assert_int_equal(bind(2, 1, 1), -BH_CTL_EINVAL);
	assert_int_equal(bind(16, 1, 1), -BH_CTL_EINVAL);
	assert_int_equal(bind(BH_CTL_ALL_QUEUES, 1, 1), -BH_CTL_EINVAL);
	assert_int_equal(run(control_queue_bind, 2, 1, 1), -BH_CTL_EINVAL);
	assert_int_equal(run(control_queue_bind, 17, 1, 1), -BH_CTL_EINVAL);
	assert_int_equal(bind(0, BH_CTL_VECTORS - 1, BH_CTL_DOORBELLS), 0);
	assert_int_equal(bind(1, 1, BH_CTL_DOORBELLS), -BH_CTL_EEXIST);
	assert_int_equal(bind(0, 1, 1), 0); /* it has given the other up */
	assert_int_equal(bind(1, 1, BH_CTL_DOORBELLS), 0);
	known = false;
	assert_int_equal(bind(0, 1, 1), -BH_CTL_ENOENT);
}

static void test_doorbells(void **state)
{
	drive();
	assert_int_equal(bind(0, 1, BH_CTL_DOORBELLS), 0);
	control_ring(0);
	control_ring(1);
	control_ring(BH_CTL_DOORBELLS + 1);
	control_ring(~0u);
	assert_false(interrupted());
	control_ring(BH_CTL_DOORBELLS);
	assert_true(interrupted());
	/* Of a guest that is no more, and one that has its place */
	known = false;
	control_ring(BH_CTL_DOORBELLS);
	known = true;
	assert_false(interrupted());
	/* The client has gone: the doorbell is anyone's */
	served_unbind_all();
	control_ring(BH_CTL_DOORBELLS);
	assert_false(interrupted());
	assert_int_equal(bind(1, 2, BH_CTL_DOORBELLS), 0);
	control_ring(BH_CTL_DOORBELLS);
	assert_true(interrupted());
	assert_int_equal(bind(0, 1, BH_CTL_DOORBELLS), -BH_CTL_EEXIST);
}

static void test_stopped(void **state)
{
	drive();
	assert_int_equal(bind(0, 1, 7), 0);
	assert_int_equal(run(control_queue_stopped, 0, 0, 0), -BH_CTL_ESTATE);
	assert_int_equal(run(control_queue_stopped, 5ull << 32, 0, 0),
			 -BH_CTL_EINVAL);
	virtio_bar_set(VIRTIO_STATUS, 1, 0);
	control_ring(7);
	assert_false(interrupted());
	assert_int_equal(virtio_bar(VIRTIO_STATUS, 1), OK);
	assert_int_equal(run(control_queue_stopped, ALL | 2, 0, 0),
			 -BH_CTL_EINVAL);
	assert_int_equal(run(control_queue_stopped, ALL, 0, 0), 0);
	assert_int_equal(virtio_bar(VIRTIO_STATUS, 1), 0);
	known = false;
	assert_int_equal(run(control_queue_stopped, ALL, 0, 0), -BH_CTL_ENOENT);
}

static void look(void)
{
	u32 rounds = 0;

	while (control_devices_look(&c))
		assert_true(rounds++ < 20);
}

static void test_event(void **state)
{
	look();
	assert_int_equal(events, 0);
	drive();
	assert_true(asked);
	assert_true(control_devices_look(&c)); /* in pieces */
	look();
	assert_int_equal(events, 1);
	assert_int_equal(event_devices, 1);
	look();
	assert_int_equal(events, 1);
}

static void list(void)
{
	c.call.out_bytes = BH_CTL_OUT_MAX;
	assert_int_equal(run(control_devices, 0, 0, 0), 0);
}

/* A driver that resets its device all the time: an event for each list */
static void test_storm(void **state)
{
	drive();
	for (u32 i = 0; i < 3; i++) {
		for (u32 k = 0; k < 10; k++) {
			virtio_bar_set(VIRTIO_STATUS, 1, 0);
			virtio_bar_set(VIRTIO_STATUS, 1, 3);
			virtio_negotiate(VIRTIO_F_VERSION_1);
			look();
		}
		assert_int_equal(events, i + 1);
		assert_int_equal(asked, i + 1);
		if (i)
			assert_int_equal(run(control_queues, 0, 0, 0), 0);
		else
			list();
	}
}

/* A change behind the walk has another one follow */
static void test_change_meanwhile(void **state)
{
	vms[0] = &fake_vm;
	vms[100] = NULL;
	drive();
	assert_true(control_devices_look(&c));
	assert_int_equal(events, 1);
	list();
	virtio_bar_set(VIRTIO_STATUS, 1, 0);
	look();
	look();
	assert_int_equal(events, 2);
}

/* What changes while nobody has the control device is told to the next one, and
 * what the last one was told and did not look at */
static void test_closed(void **state)
{
	c.status = BH_CTL_CLOSED;
	drive();
	look();
	assert_int_equal(events, 0);
	c.status = BH_CTL_IS_OPEN;
	control_devices_again(&c);
	look();
	assert_int_equal(events, 1);
	look();
	assert_int_equal(events, 1);
	control_devices_again(&c);
	look();
	assert_int_equal(events, 2);
	list();
	control_devices_again(&c);
	look();
	assert_int_equal(events, 2);
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_lists),   TEST(test_offers),
		TEST(test_binds),   TEST(test_doorbells),
		TEST(test_stopped), TEST(test_event),
		TEST(test_storm),   TEST(test_change_meanwhile),
		TEST(test_closed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
