/* SOURCES: hv/device/virtio/entropy.c hv/device/virtio/vring.c hv/device/virtio/vring_packed.c hv/device/virtio/virtio_pci.c hv/device/virtio/virtio_common.c hv/device/virtio/virtio_irq.c lib/drbg.c lib/chacha20.c hv/device/pci/pci_msix.c hv/device/pci/pci_bus.c hv/device/pci/pci_bus_fn.c hv/device/pci/pci_bus_bar.c hv/device/pci/pci_fn.c hv/device/pci/pci_bus_irq.c hv/core/bus.c hv/core/slots.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/* The entropy device: what it fills, how often it asks the CPU, and a CPU whose
 * numbers fail */
#include "tests/unit/fakes/virtio_driver.h"

#include "arch/x86/cpu/random.h"
#include "hv/core/piece.h"
#include "tests/unit/fakes/guest_ram.h"

#define DESC   0x100u
#define DRIVER 0x400u
#define DEVICE 0x500u
#define DATA   0x1000u
#define RAM    0x2000u
#define OK     0xfu

/* Behind the longest table */
#define LONG_DRIVER 0x800u
#define LONG_DEVICE 0xa00u

static u32 asked, gives; /* of the CPU; it gives so many numbers */
static u32 dry;          /* and has nothing so many times before each */
static u32 dry_left;
static u64 takes; /* ticks */
static bool stuck;

bool cpu_random_seed(u64 *value, u32 tries)
{
	u64 end = rdtsc() + takes;

	assert_in_range(tries, 1, 2);
	asked++;
	while (rdtsc() < end)
		;
	if (!gives || dry_left) {
		dry_left -= !!dry_left;
		return false;
	}
	gives--;
	dry_left = dry;
	*value = stuck ? 7 : 0x1234567890abcdefull * asked;
	return true;
}

static int setup(void **state)
{
	virtio_board_init(RAM);
	asked = 0;
	gives = ~0u;
	stuck = false;
	dry = dry_left = 0;
	takes = 0;
	tsc_khz = 1000000;
	return 0;
}

static int teardown(void **state)
{
	if (fake_vm.devices[VDEV_entropy])
		entropy_vdev.destroy(&fake_vm);
	virtio_board_done();
	return 0;
}

/* As hv/vm/create.c does, in steps */
static int create(u32 *steps)
{
	int err;

	for (*steps = 1;; ++*steps) {
		err = entropy_vdev.create(&fake_vm);
		if (err != VM_GOES_ON)
			return err;
	}
}

static void make(void)
{
	u32 steps;

	assert_int_equal(create(&steps), 0);
	virtio_place();
	virtio_negotiate(VIRTIO_F_VERSION_1);
	virtio_queue_set(0, 8, DESC, DRIVER, DEVICE);
	assert_int_equal(virtio_driver_ok(), OK);
	virtio_work();
}

static u16 *half_at(u64 gpa)
{
	return (u16 *)(void *)fake_ram_at(gpa, 2);
}

/* One buffer at descriptor 0; how much of it was written */
static u32 request(u32 bytes, u16 flags)
{
	struct virtq_desc d = { DATA, bytes, flags, 0 };
	u16 *idx = half_at(DRIVER + 2), before = *half_at(DEVICE + 2);

	memcpy(fake_ram_at(DESC, sizeof(d)), &d, sizeof(d));
	*half_at(DRIVER + 4 + *idx % 8 * 2) = 0;
	++*idx;
	virtio_bar_set(VIRTIO_NOTIFY, 2, 0);
	virtio_work();
	if (*half_at(DEVICE + 2) == before)
		return 0;
	return *fake_ram_u32(DEVICE + 8 + before % 8 * 8);
}

static void test_off(void **state)
{
	struct guest_config none = { 0 };

	fake_vm.config = &none;
	assert_int_equal(entropy_vdev.create(&fake_vm), 0);
	assert_null(fake_vm.devices[VDEV_entropy]);
	assert_int_equal(asked, 0);
}

static void test_fills(void **state)
{
	u8 first[64];

	make();
	assert_int_equal(virtio_cfg(0), 0x10441af4);
	assert_int_equal(request(64, VIRTQ_WRITE), 64);
	memcpy(first, fake_ram_at(DATA, 64), sizeof(first));
	assert_true(fake_ram_at(DATA, 65)[64] == 0);
	assert_int_equal(request(64, VIRTQ_WRITE), 64);
	assert_memory_not_equal(first, fake_ram_at(DATA, 64), sizeof(first));
	assert_int_equal(request(1, VIRTQ_WRITE), 1);
	assert_in_range(request(0x1000, VIRTQ_WRITE), 1, 0xfff);
	assert_true(board_line(VIRTIO_PIN));
}

static void no_write(u64 gpa, u64 len)
{
	fail_msg("%llu bytes at %llx", (unsigned long long)len,
		 (unsigned long long)gpa);
}

/* A queue may go live before the function is bus master: nothing of the guest's
 * memory is written until then */
static void test_no_write_without_master(void **state)
{
	static const u64 formats[] = { 0, VIRTIO_F_RING_PACKED };
	u32 command = PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER, steps;

	assert_int_equal(create(&steps), 0);
	virtio_place();
	for (u32 i = 0; i < ARRAY_SIZE(formats); i++) {
		virtio_cfg_set(PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
		fake_ram_writes = no_write;
		virtio_negotiate(VIRTIO_F_VERSION_1 | formats[i]);
		memset(fake_ram, 0x11, RAM);
		*half_at(DRIVER + 2) = 0;
		virtio_queue_set(0, 8, DESC, DRIVER, DEVICE);
		virtio_driver_ok();
		virtio_bar_set(VIRTIO_NOTIFY, 2, 0);
		virtio_work();
		fake_ram_writes = NULL;
		virtio_cfg_set(PCI_COMMAND, 2, command);
		virtio_work();
		assert_int_equal(virtio_bar(VIRTIO_STATUS, 1), OK);
	}
	assert_int_equal(*half_at(DEVICE + VIRTQ_EVENT_FLAGS),
			 VIRTQ_EVENT_ENABLE);
}

static u32 offers_left, notifications;

/* A driver that notifies where the device's flag says so (2.7.13.3) */
static void offer(void)
{
	u16 *idx = half_at(DRIVER + 2);

	*half_at(DRIVER + 4 + *idx % 8 * 2) = 0;
	++*idx;
	if (*half_at(DEVICE) & VIRTQ_NO_NOTIFY)
		return;
	notifications++;
	virtio_bar_set(VIRTIO_NOTIFY, 2, 0);
}

/* On another vCPU, as the device fills a buffer, there comes the next one */
static void offer_more(u64 gpa, u64 len)
{
	if (gpa == DATA && offers_left) {
		offers_left--;
		offer();
	}
}

static void test_notified_once(void **state)
{
	struct virtq_desc d = { DATA, 16, VIRTQ_WRITE, 0 };

	make();
	memcpy(fake_ram_at(DESC, sizeof(d)), &d, sizeof(d));
	notifications = 0;
	for (u32 i = 1; i <= 3; i++) {
		offers_left = 99;
		fake_ram_writes = offer_more;
		offer();
		virtio_work();
		assert_int_equal(*half_at(DEVICE + 2), i * 100);
		assert_int_equal(notifications, i);
	}
}

/* The longest buffer is done within a piece, with nothing of it in a cache */
static void test_longest_step(void **state)
{
	const u32 access_ns = 300;
	u32 size;

	make();
	virtio_negotiate(VIRTIO_F_VERSION_1);
	size = (u32)virtio_bar(VIRTIO_QUEUE_SIZE, 2);
	virtio_queue_set(0, (u16)size, DESC, LONG_DRIVER, LONG_DEVICE);
	virtio_driver_ok();
	virtio_work();
	for (u32 i = 0; i < size; i++) {
		struct virtq_desc d = { DATA + i, 1,
					(u16)(VIRTQ_WRITE |
					      (i + 1 < size ? VIRTQ_NEXT : 0)),
					(u16)(i + 1) };

		memcpy(fake_ram_at(DESC + i * sizeof(d), sizeof(d)), &d,
		       sizeof(d));
	}
	*half_at(LONG_DRIVER + 2) = 1;
	fake_ram_accesses = 0;
	virtio_bar_set(VIRTIO_NOTIFY, 2, 0);
	virtio_work();
	assert_in_range(fake_ram_accesses, size, PIECE_US * 1000 / access_ns);
	assert_int_equal(*fake_ram_u32(LONG_DEVICE + 8), size);
}

static void breaks(u32 bytes, u16 flags)
{
	assert_int_equal(request(bytes, flags), 0);
	assert_int_equal(virtio_bar(VIRTIO_STATUS, 1), OK | VIRTIO_NEEDS_RESET);
	virtio_negotiate(VIRTIO_F_VERSION_1);
	memset(fake_ram, 0, RAM);
	virtio_queue_set(0, 8, DESC, DRIVER, DEVICE);
	virtio_driver_ok();
	assert_int_equal(request(32, VIRTQ_WRITE), 32);
}

static void test_bad_buffers(void **state)
{
	make();
	breaks(32, 0);
	breaks(0, VIRTQ_WRITE);
	breaks(RAM, VIRTQ_WRITE);
}

/* Four words at first, then four a second at most, whatever is asked for */
static void test_reseeds(void **state)
{
	make();
	assert_int_equal(asked, 4);
	tsc_khz = 1000000000; /* 250 ms are not over soon */
	for (u32 i = 0; i < 100; i++)
		assert_int_equal(request(1, VIRTQ_WRITE), 1);
	assert_int_equal(asked, 5);
}

static void test_source_fails(void **state)
{
	u32 steps;

	gives = 3;
	assert_int_equal(create(&steps), -EIO);
	assert_int_equal(asked, 3 + 100);
	assert_non_null(strstr(fake_log_last, "entropy = yes"));
}

static void test_source_is_stuck(void **state)
{
	u32 steps;

	stuck = true;
	assert_int_equal(create(&steps), -EIO);
	assert_int_equal(asked, 2);
}

/* One that mostly has nothing is asked in pieces, until there is a seed */
static void test_source_is_slow(void **state)
{
	u32 steps;

	dry = dry_left = 99;
	tsc_khz = 1000; /* a piece is of the fewest ticks, */
	takes = PIECE_TICKS_MIN / 4;
	assert_int_equal(create(&steps), 0);
	assert_int_equal(asked, 400);
	assert_in_range(steps, 400 / 5, 400);
}

/* It goes on by what it has, and does not ask more often for that */
static void test_source_dries_up(void **state)
{
	gives = 4;
	make();
	tsc_khz = 1000000000;
	for (u32 i = 0; i < 10; i++)
		assert_int_equal(request(32, VIRTQ_WRITE), 32);
	assert_int_equal(asked, 5);
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_off),
		TEST(test_fills),
		TEST(test_longest_step),
		TEST(test_notified_once),
		TEST(test_no_write_without_master),
		TEST(test_bad_buffers),
		TEST(test_reseeds),
		TEST(test_source_fails),
		TEST(test_source_is_stuck),
		TEST(test_source_is_slow),
		TEST(test_source_dries_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
