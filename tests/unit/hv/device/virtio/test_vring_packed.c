/* SOURCES: hv/device/virtio/vring.c hv/device/virtio/vring_packed.c hv/core/slots.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/* Packed rings from the device's side: turns of the ring, lists and tables,
 * events, and each way in which a driver may break one */
#include "hv/device/virtio/vring.h"

#include "lib/errno.h"
#include "tests/unit/fakes/guest_ram.h"

#define SIZE   5u
#define DESC   0x100u
#define DRIVER 0x400u
#define DEVICE 0x500u
#define TABLE  0x800u
#define DATA   0x1000u
#define RAM    0x3000u

static struct vring r;
static struct vring_buffer b;
static struct virtio device;
static struct virtio_queue queue;
static u32 at; /* the driver's position, */
static bool wrap;

static void start(u64 features)
{
	fake_vm_init(1);
	fake_ram_init(RAM, 0);
	memset(&device, 0, sizeof(device));
	queue = (struct virtio_queue){ .size_max = 64,
				       .size = SIZE,
				       .desc = DESC,
				       .driver = DRIVER,
				       .device = DEVICE };
	device.vm = &fake_vm;
	device.queues = &queue;
	device.accepted = features | VIRTIO_F_RING_PACKED;
	at = 0;
	wrap = true;
	*fake_ram_at(DEVICE + VIRTQ_EVENT_FLAGS, 1) = VIRTQ_EVENT_DISABLE;
	vring_start(&r, &device, 0);
	assert_int_equal(*fake_ram_at(DEVICE + VIRTQ_EVENT_FLAGS, 1),
			 VIRTQ_EVENT_DISABLE); /* nothing is written yet */
}

static int setup(void **state)
{
	start(VIRTIO_F_INDIRECT_DESC);
	return 0;
}

static struct virtq_packed_desc *desc(u32 i)
{
	return (void *)fake_ram_at(DESC + i * sizeof(struct virtq_packed_desc),
				   sizeof(struct virtq_packed_desc));
}

static void put(u64 addr, u32 len, u16 flags, u16 id)
{
	*desc(at) = (struct virtq_packed_desc){
		addr, len, id, (u16)(flags | (wrap ? VIRTQ_AVAIL : VIRTQ_USED))
	};
	if (++at == SIZE) {
		at = 0;
		wrap = !wrap;
	}
}

static void put_table(u32 i, u64 addr, u32 len, u16 flags)
{
	struct virtq_packed_desc d = { addr, len, 0, flags };

	memcpy(fake_ram_at(TABLE + i * sizeof(d), sizeof(d)), &d, sizeof(d));
}

static void put_event(u16 flags, u16 off, bool turn)
{
	u16 event[2] = { (u16)(off | (turn ? VIRTQ_EVENT_WRAP : 0)), flags };

	memcpy(fake_ram_at(DRIVER, sizeof(event)), event, sizeof(event));
}

/* A descriptor of a ring never written is available in no turn */
static void test_nothing(void **state)
{
	assert_int_equal(vring_take(&r, &b), 0);
	assert_int_equal(*fake_ram_at(DEVICE + VIRTQ_EVENT_FLAGS, 1),
			 VIRTQ_EVENT_ENABLE);
	desc(0)->flags = VIRTQ_AVAIL | VIRTQ_USED;
	assert_int_equal(vring_take(&r, &b), 0);
	desc(0)->flags = VIRTQ_USED;
	assert_int_equal(vring_take(&r, &b), 0);
}

static void test_list(void **state)
{
	put(DATA, 3, VIRTQ_NEXT, 1);
	put(DATA + 16, 4, VIRTQ_WRITE | VIRTQ_NEXT, 2);
	put(DATA + 32, 4, VIRTQ_WRITE, 0xbeef);
	assert_int_equal(vring_take(&r, &b), 1);
	assert_int_equal(b.id, 0xbeef);
	assert_int_equal(b.taken, 3);
	assert_int_equal(b.count, 3);
	assert_int_equal(b.readable, 3);
	assert_int_equal(b.writable, 8);
	assert_int_equal(vring_put(&r, &b, 6), 1);
	assert_int_equal(desc(0)->id, 0xbeef);
	assert_int_equal(desc(0)->len, 6);
	assert_int_equal(desc(0)->addr, DATA);
	assert_int_equal(desc(0)->flags,
			 VIRTQ_AVAIL | VIRTQ_USED | VIRTQ_WRITE);
	assert_int_equal(vring_take(&r, &b), 0);
	put(DATA, 4, 0, 4);
	assert_int_equal(vring_take(&r, &b), 1);
	assert_int_equal(vring_put(&r, &b, 0), 1);
	assert_int_equal(desc(3)->flags, VIRTQ_AVAIL | VIRTQ_USED);
}

/* Lists cross the ring's end, and both wrap counters follow */
static void test_turns(void **state)
{
	for (u16 i = 0; i < 100; i++) {
		u32 first = at;
		bool turn = wrap;

		put(DATA, 4, VIRTQ_WRITE | VIRTQ_NEXT, 0);
		put(DATA, 4, VIRTQ_WRITE, i);
		assert_int_equal(vring_take(&r, &b), 1);
		assert_int_equal(b.id, i);
		assert_int_equal(vring_put(&r, &b, 8), 1);
		assert_int_equal(desc(first)->flags,
				 VIRTQ_WRITE |
					 (turn ? VIRTQ_AVAIL | VIRTQ_USED : 0));
		assert_int_equal(vring_take(&r, &b), 0);
	}
}

static void test_whole_ring(void **state)
{
	for (u32 i = 0; i < SIZE; i++)
		put(DATA, 4, (u16)(i + 1 < SIZE ? VIRTQ_NEXT : 0), 9);
	assert_int_equal(vring_take(&r, &b), 1);
	assert_int_equal(b.count, SIZE);
	assert_int_equal(vring_put(&r, &b, 0), 1);
	assert_int_equal(r.avail, 0);
	assert_false(r.wrap);
}

/* Of a table's flags one counts, whatever else is there */
static void test_table(void **state)
{
	put_table(0, DATA, 4, VIRTQ_NEXT | VIRTQ_INDIRECT);
	put_table(1, DATA, 8, VIRTQ_WRITE | VIRTQ_AVAIL);
	put(TABLE, 32, VIRTQ_INDIRECT | VIRTQ_WRITE, 7);
	assert_int_equal(vring_take(&r, &b), 1);
	assert_int_equal(b.id, 7);
	assert_int_equal(b.taken, 1);
	assert_int_equal(b.readable, 4);
	assert_int_equal(b.writable, 8);
}

/* As long as the queue, and no longer */
static void test_longest_table(void **state)
{
	for (u32 i = 0; i <= SIZE; i++)
		put_table(i, DATA, 4, 0);
	put(TABLE, SIZE * 16, VIRTQ_INDIRECT, 1);
	assert_int_equal(vring_take(&r, &b), 1);
	assert_int_equal(b.count, SIZE);
	setup(NULL);
	for (u32 i = 0; i <= SIZE; i++)
		put_table(i, DATA, 4, 0);
	put(TABLE, (SIZE + 1) * 16, VIRTQ_INDIRECT, 1);
	assert_int_equal(vring_take(&r, &b), -EINVAL);
}

static void bad(u64 addr, u32 len, u16 flags)
{
	setup(NULL);
	put(addr, len, flags, 0);
	put(DATA, 4, 0, 0);
	assert_int_equal(vring_take(&r, &b), -EINVAL);
}

static void test_bad(void **state)
{
	bad(RAM, 4, 0);
	bad(~3ull, 8, 0);
	bad(DATA, 4, VIRTQ_WRITE | VIRTQ_NEXT); /* then to read */
	bad(TABLE, 0, VIRTQ_INDIRECT);
	bad(TABLE, 20, VIRTQ_INDIRECT);
	bad(TABLE, (SIZE + 1) * 16, VIRTQ_INDIRECT);
	bad(RAM, 16, VIRTQ_INDIRECT);
	bad(TABLE, 16, VIRTQ_INDIRECT | VIRTQ_NEXT);
	setup(NULL); /* no end */
	for (u32 i = 0; i < SIZE; i++)
		put(DATA, 4, VIRTQ_NEXT, 0);
	assert_int_equal(vring_take(&r, &b), -EINVAL);
	setup(NULL); /* a table in a list */
	put(DATA, 4, VIRTQ_NEXT, 0);
	put(TABLE, 16, VIRTQ_INDIRECT, 0);
	assert_int_equal(vring_take(&r, &b), -EINVAL);
	start(0);
	put(TABLE, 16, VIRTQ_INDIRECT, 0);
	assert_int_equal(vring_take(&r, &b), -EINVAL);
	setup(NULL);
	r.desc = RAM;
	assert_int_equal(vring_take(&r, &b), -EINVAL);
	setup(NULL);
	put(DATA, 4, 0, 0);
	assert_int_equal(vring_take(&r, &b), 1);
	r.driver = RAM;
	assert_int_equal(vring_put(&r, &b, 0), -EINVAL);
	queue.device = RAM;
	vring_start(&r, &device, 0);
	assert_int_equal(vring_take(&r, &b), -EINVAL);
}

static int use(u32 count)
{
	for (u32 i = 1; i <= count; i++)
		put(DATA, 4, (u16)(i < count ? VIRTQ_NEXT : 0), 0);
	assert_int_equal(vring_take(&r, &b), 1);
	return vring_put(&r, &b, 0);
}

static void test_events(void **state)
{
	start(VIRTIO_F_EVENT_IDX);
	put_event(VIRTQ_EVENT_DISABLE, 0, true);
	assert_int_equal(use(1), 0);
	put_event(3, 0, true); /* reserved */
	assert_int_equal(use(1), 1);
	put_event(VIRTQ_EVENT_DESC, 4, true);
	assert_int_equal(use(1), 0);
	assert_int_equal(use(1), 0);
	assert_int_equal(use(1), 1); /* descriptor 4, and the turn's end */
	assert_int_equal(use(1), 0);
	put_event(VIRTQ_EVENT_DESC, 1, false);
	assert_int_equal(use(3), 1);
	put_event(VIRTQ_EVENT_DESC, 1, true);
	assert_int_equal(use(1), 0);
	assert_int_equal(use(1), 0);
	assert_int_equal(use(1), 1);
	/* Without the feature it is no event */
	start(0);
	put_event(VIRTQ_EVENT_DESC, 4, true);
	assert_int_equal(use(1), 1);
}

static u16 device_flags(void)
{
	return *(u16 *)(void *)fake_ram_at(DEVICE + VIRTQ_EVENT_FLAGS, 2);
}

static void offer_once(u64 gpa, u64 len)
{
	fake_ram_writes = NULL;
	assert_int_equal(gpa, DEVICE + VIRTQ_EVENT_FLAGS);
	assert_int_equal(device_flags(), VIRTQ_EVENT_DISABLE);
	put(DATA, 4, 0, 3);
}

/* While a buffer is there, the driver need not notify; once there is none, it
 * is asked to; and one that comes meanwhile is taken. With EVENT_IDX, too. */
static void notifications(u64 features)
{
	start(features);
	assert_int_equal(vring_take(&r, &b), 0);
	assert_int_equal(device_flags(), VIRTQ_EVENT_ENABLE);
	for (u32 i = 0; i < 3; i++) {
		(void)use(1);
		assert_int_equal(device_flags(), VIRTQ_EVENT_DISABLE);
	}
	fake_ram_writes = offer_once;
	assert_int_equal(vring_take(&r, &b), 1);
	assert_int_equal(b.id, 3);
	assert_int_equal(device_flags(), VIRTQ_EVENT_DISABLE);
	assert_in_range(vring_put(&r, &b, 0), 0, 1);
	assert_int_equal(vring_take(&r, &b), 0);
	assert_int_equal(device_flags(), VIRTQ_EVENT_ENABLE);
}

static void test_notifications(void **state)
{
	notifications(0);
	notifications(VIRTIO_F_EVENT_IDX);
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup(fn, setup)
	const struct CMUnitTest tests[] = {
		TEST(test_nothing),       TEST(test_list),
		TEST(test_turns),         TEST(test_whole_ring),
		TEST(test_table),         TEST(test_longest_table),
		TEST(test_bad),           TEST(test_events),
		TEST(test_notifications),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
