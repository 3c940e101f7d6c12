/* SOURCES: hv/device/virtio/vring.c hv/device/virtio/vring_packed.c hv/core/slots.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/* Split rings from the device's side: buffers that are whole, and each way in
 * which a driver may break one */
#include "hv/device/virtio/vring.h"

#include "lib/errno.h"
#include "tests/unit/fakes/guest_ram.h"

#define SIZE   8u
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

static void start(u64 features)
{
	fake_vm_init(1);
	fake_ram_init(RAM, 0);
	memset(&device, 0, sizeof(device));
	queue = (struct virtio_queue){ .size_max = SIZE,
				       .size = SIZE,
				       .desc = DESC,
				       .driver = DRIVER,
				       .device = DEVICE };
	device.vm = &fake_vm;
	device.queues = &queue;
	device.accepted = features;
	vring_start(&r, &device, 0);
}

static int setup(void **state)
{
	start(VIRTIO_F_INDIRECT_DESC);
	return 0;
}

static u16 *half_at(u64 gpa)
{
	return (u16 *)(void *)fake_ram_at(gpa, 2);
}

static void put_desc(u64 table, u32 i, struct virtq_desc d)
{
	memcpy(fake_ram_at(table + i * sizeof(d), sizeof(d)), &d, sizeof(d));
}

static void offer(u16 head)
{
	u16 *idx = half_at(DRIVER + 2);

	*half_at(DRIVER + 4 + *idx % SIZE * 2) = head;
	++*idx;
}

/* One at descriptor 0 and on, of so many bytes each */
static void chain(u32 count, u32 bytes, u16 flags)
{
	for (u32 i = 0; i < count; i++)
		put_desc(DESC, i,
			 (struct virtq_desc){ DATA + i * bytes, bytes,
					      (u16)(i + 1 < count
							    ? flags | VIRTQ_NEXT
							    : flags),
					      (u16)(i + 1) });
	offer(0);
}

static void test_nothing(void **state)
{
	assert_int_equal(vring_take(&r, &b), 0);
	assert_int_equal(*half_at(DEVICE + 4 + SIZE * 8), 0);
}

static void test_chain(void **state)
{
	const u8 bytes[] = { 1, 2, 3, 4, 5 };

	put_desc(DESC, 5, (struct virtq_desc){ DATA, 3, VIRTQ_NEXT, 2 });
	put_desc(DESC, 2,
		 (struct virtq_desc){ DATA + 16, 4, VIRTQ_WRITE | VIRTQ_NEXT,
				      7 });
	put_desc(DESC, 7, (struct virtq_desc){ DATA + 32, 4, VIRTQ_WRITE, 0 });
	offer(5);
	assert_int_equal(vring_take(&r, &b), 1);
	assert_int_equal(b.id, 5);
	assert_int_equal(b.count, 3);
	assert_int_equal(b.readable, 3);
	assert_int_equal(b.writable, 8);
	assert_int_equal(vring_fill(&r, &b, bytes, sizeof(bytes)), 0);
	assert_memory_equal(fake_ram_at(DATA + 16, 4), bytes, 4);
	assert_int_equal(*fake_ram_at(DATA + 32, 1), 5);
	assert_int_equal(*fake_ram_at(DATA + 33, 1), 0);
	assert_int_equal(*fake_ram_at(DATA, 1), 0);
	assert_int_equal(vring_put(&r, &b, 5), 1);
	assert_int_equal(*half_at(DEVICE + 2), 1);
	assert_int_equal(*fake_ram_u32(DEVICE + 4), 5);
	assert_int_equal(*fake_ram_u32(DEVICE + 8), 5);
	assert_int_equal(vring_take(&r, &b), 0);
}

static void test_whole_queue(void **state)
{
	chain(SIZE, 16, VIRTQ_WRITE);
	assert_int_equal(vring_take(&r, &b), 1);
	assert_int_equal(b.count, SIZE);
	assert_int_equal(vring_put(&r, &b, 0), 1);
}

/* Past 2^16 buffers, the indexes wrap */
static void test_wraps(void **state)
{
	put_desc(DESC, 3, (struct virtq_desc){ DATA, 4, VIRTQ_WRITE, 0 });
	for (u32 i = 0; i < 0x10010; i++) {
		offer(3);
		assert_int_equal(vring_take(&r, &b), 1);
		assert_int_equal(vring_put(&r, &b, 4), 1);
	}
	assert_int_equal(*half_at(DEVICE + 2), 0x10);
	assert_int_equal(vring_take(&r, &b), 0);
}

static void test_empty_segments(void **state)
{
	chain(3, 0, VIRTQ_WRITE);
	assert_int_equal(vring_take(&r, &b), 1);
	assert_int_equal(b.count, 0);
	assert_int_equal(b.writable, 0);
}

static void test_indirect(void **state)
{
	put_desc(TABLE, 0,
		 (struct virtq_desc){ DATA, 4, VIRTQ_WRITE | VIRTQ_NEXT, 2 });
	put_desc(TABLE, 2, (struct virtq_desc){ DATA + 4, 4, VIRTQ_WRITE, 9 });
	put_desc(DESC, 1,
		 (struct virtq_desc){ TABLE, 48, VIRTQ_INDIRECT | VIRTQ_WRITE,
				      0 });
	offer(1);
	assert_int_equal(vring_take(&r, &b), 1);
	assert_int_equal(b.id, 1);
	assert_int_equal(b.count, 2);
	assert_int_equal(b.writable, 8);
	put_desc(DESC, 0, (struct virtq_desc){ DATA + 8, 4, VIRTQ_NEXT, 1 });
	offer(0);
	assert_int_equal(vring_take(&r, &b), 1);
	assert_int_equal(b.count, 3);
	assert_int_equal(b.readable, 4);
}

/* A chain with a table, of so many segments each */
static int take_mixed(u32 before, u32 in_table)
{
	setup(NULL);
	for (u32 i = 0; i < in_table; i++)
		put_desc(TABLE, i,
			 (struct virtq_desc){ DATA, 4,
					      i + 1 < in_table ? VIRTQ_NEXT : 0,
					      (u16)(i + 1) });
	for (u32 i = 0; i < before; i++)
		put_desc(DESC, i,
			 (struct virtq_desc){ DATA, 4, VIRTQ_NEXT,
					      (u16)(i + 1) });
	put_desc(
		DESC, before,
		(struct virtq_desc){ TABLE, in_table * 16, VIRTQ_INDIRECT, 0 });
	offer(0);
	return vring_take(&r, &b);
}

/* 2.7.5.3.1: as long as the queue, and no longer; the descriptor that names the
 * table is no part of the buffer */
static void test_longest_indirect(void **state)
{
	for (u32 i = 0; i < SIZE; i++) {
		assert_int_equal(take_mixed(i, SIZE - i), 1);
		assert_int_equal(b.count, SIZE);
		assert_int_equal(take_mixed(i, SIZE - i + 1), -EINVAL);
	}
	assert_int_equal(take_mixed(SIZE - 1, 0), -EINVAL);
}

static void take_bad(void)
{
	offer(0);
	assert_int_equal(vring_take(&r, &b), -EINVAL);
}

static void bad_desc(u64 addr, u32 len, u16 flags, u16 next)
{
	setup(NULL);
	put_desc(DESC, 0, (struct virtq_desc){ addr, len, flags, next });
	put_desc(DESC, 1, (struct virtq_desc){ DATA, 4, 0, 0 });
	take_bad();
}

static void test_bad_descriptors(void **state)
{
	bad_desc(RAM, 1, VIRTQ_WRITE, 0);
	bad_desc(RAM - 4, 5, VIRTQ_WRITE, 0);
	bad_desc(~3ull, 8, VIRTQ_WRITE, 0);
	bad_desc(DATA, ~0u, 0, 0);
	bad_desc(DATA, 4, VIRTQ_NEXT, 0); /* itself */
	bad_desc(DATA, 4, VIRTQ_NEXT, SIZE);
	bad_desc(DATA, 4, VIRTQ_NEXT, 0xffff);
	bad_desc(DATA, 4, VIRTQ_WRITE | VIRTQ_NEXT, 1); /* then to read */
	bad_desc(TABLE, 8, VIRTQ_INDIRECT, 0);
	bad_desc(TABLE, 0, VIRTQ_INDIRECT, 0);
	bad_desc(TABLE, 16, VIRTQ_INDIRECT | VIRTQ_NEXT, 1);
	bad_desc(RAM, 16, VIRTQ_INDIRECT, 0);
	bad_desc(RAM - 8, 16, VIRTQ_INDIRECT, 0);
	bad_desc(~15ull, 16, VIRTQ_INDIRECT, 0);
}

static void bad_table(u16 flags, u16 next, u32 count)
{
	setup(NULL);
	for (u32 i = 0; i < count; i++)
		put_desc(TABLE, i, (struct virtq_desc){ DATA, 4, flags, next });
	put_desc(DESC, 0,
		 (struct virtq_desc){ TABLE, count * 16, VIRTQ_INDIRECT, 0 });
	take_bad();
}

static void test_bad_tables(void **state)
{
	bad_table(VIRTQ_INDIRECT, 0, 1);
	bad_table(VIRTQ_NEXT, 0, 1);
	bad_table(VIRTQ_NEXT, 1, 1);
	bad_table(VIRTQ_NEXT, 1, 2);
	setup(NULL); /* the chain is longer than the queue */
	for (u32 i = 0; i <= SIZE; i++)
		put_desc(TABLE, i,
			 (struct virtq_desc){ DATA, 4,
					      i < SIZE ? VIRTQ_NEXT : 0,
					      (u16)(i + 1) });
	put_desc(DESC, 0,
		 (struct virtq_desc){ TABLE, (SIZE + 1) * 16, VIRTQ_INDIRECT,
				      0 });
	take_bad();
	start(0); /* nobody has negotiated tables */
	put_desc(TABLE, 0, (struct virtq_desc){ DATA, 4, 0, 0 });
	put_desc(DESC, 0, (struct virtq_desc){ TABLE, 16, VIRTQ_INDIRECT, 0 });
	take_bad();
}

static void test_bad_rings(void **state)
{
	*half_at(DRIVER + 2) = SIZE + 1;
	assert_int_equal(vring_take(&r, &b), -EINVAL);
	setup(NULL);
	offer(SIZE);
	assert_int_equal(vring_take(&r, &b), -EINVAL);
	setup(NULL);
	r.driver = RAM;
	assert_int_equal(vring_take(&r, &b), -EINVAL);
	setup(NULL);
	r.desc = RAM;
	chain(1, 4, VIRTQ_WRITE);
	assert_int_equal(vring_take(&r, &b), -EINVAL);
	setup(NULL);
	chain(1, 4, VIRTQ_WRITE);
	assert_int_equal(vring_take(&r, &b), 1);
	r.device = RAM;
	assert_int_equal(vring_put(&r, &b, 4), -EINVAL);
	setup(NULL); /* memory that is there in part */
	chain(1, RAM - DATA, VIRTQ_WRITE);
	fake_vm.slots[1] =
		(struct vm_slot){ .gpa = 0x2800, .hpa = 0x2800, .size = 0x800 };
	fake_vm.slots[0].size = 0x2000;
	fake_vm.slot_count = 2;
	assert_int_equal(vring_take(&r, &b), 1);
	assert_int_equal(vring_fill(&r, &b, fake_ram, RAM - DATA), -EINVAL);
}

/* ROM is not written */
static void test_rom(void **state)
{
	chain(1, 4, VIRTQ_WRITE);
	fake_vm.slots[0].rom = true;
	assert_int_equal(vring_take(&r, &b), -EINVAL);
}

static void test_no_interrupt(void **state)
{
	*half_at(DRIVER) = VIRTQ_NO_INTERRUPT;
	chain(1, 4, VIRTQ_WRITE);
	assert_int_equal(vring_take(&r, &b), 1);
	assert_int_equal(vring_put(&r, &b, 4), 0);
}

static void no_write(u64 gpa, u64 len)
{
	fail_msg("a write at %llx", (unsigned long long)gpa);
}

static void offer_once(u64 gpa, u64 len)
{
	fake_ram_writes = NULL;
	assert_int_equal(gpa, DEVICE);
	assert_int_equal(*half_at(DEVICE), VIRTQ_NO_NOTIFY);
	offer(0);
}

static int use(void)
{
	offer(0);
	assert_int_equal(vring_take(&r, &b), 1);
	return vring_put(&r, &b, 4);
}

static void test_event_index(void **state)
{
	start(VIRTIO_F_EVENT_IDX);
	*half_at(DRIVER) = VIRTQ_NO_INTERRUPT; /* says nothing now */
	put_desc(DESC, 0, (struct virtq_desc){ DATA, 4, VIRTQ_WRITE, 0 });
	*half_at(DRIVER + 4 + SIZE * 2) = 2;
	assert_int_equal(use(), 0);
	assert_int_equal(use(), 0);
	assert_int_equal(use(), 1);
	assert_int_equal(use(), 0);
	assert_int_equal(vring_take(&r, &b), 0);
	assert_int_equal(*half_at(DEVICE + 4 + SIZE * 8), 4);
	r.device = RAM - 4 - SIZE * 8; /* all but the event is RAM */
	assert_int_equal(use(), 0);
	assert_int_equal(vring_take(&r, &b), -EINVAL);
}

/* While a buffer is there, the driver need not notify; once there is none, it
 * is asked to, and asked but once */
static void test_notifications(void **state)
{
	put_desc(DESC, 0, (struct virtq_desc){ DATA, 4, VIRTQ_WRITE, 0 });
	*half_at(DEVICE) = VIRTQ_NO_NOTIFY;
	assert_int_equal(vring_take(&r, &b), 0);
	assert_int_equal(*half_at(DEVICE), 0);
	for (u32 i = 0; i < 3; i++) {
		assert_int_equal(use(), 1);
		assert_int_equal(*half_at(DEVICE), VIRTQ_NO_NOTIFY);
	}
	assert_int_equal(vring_take(&r, &b), 0);
	assert_int_equal(*half_at(DEVICE), 0);
	fake_ram_writes = no_write;
	assert_int_equal(vring_take(&r, &b), 0);
}

/* A buffer that comes as the device looks for the last time, and the driver is
 * still to be quiet, is taken */
static void test_last_look(void **state)
{
	put_desc(DESC, 0, (struct virtq_desc){ DATA, 4, VIRTQ_WRITE, 0 });
	assert_int_equal(use(), 1);
	fake_ram_writes = offer_once;
	assert_int_equal(vring_take(&r, &b), 1);
	assert_int_equal(*half_at(DEVICE), VIRTQ_NO_NOTIFY);
	assert_int_equal(vring_put(&r, &b, 4), 1);
	assert_int_equal(vring_take(&r, &b), 0);
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup(fn, setup)
	const struct CMUnitTest tests[] = {
		TEST(test_nothing),
		TEST(test_chain),
		TEST(test_whole_queue),
		TEST(test_wraps),
		TEST(test_longest_indirect),
		TEST(test_empty_segments),
		TEST(test_indirect),
		TEST(test_bad_descriptors),
		TEST(test_bad_tables),
		TEST(test_bad_rings),
		TEST(test_rom),
		TEST(test_no_interrupt),
		TEST(test_event_index),
		TEST(test_notifications),
		TEST(test_last_look),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
