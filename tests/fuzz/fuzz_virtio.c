/* SOURCES: hv/device/virtio/entropy.c hv/device/virtio/vring.c hv/device/virtio/vring_packed.c hv/device/virtio/virtio_pci.c hv/device/virtio/virtio_common.c hv/device/virtio/virtio_irq.c lib/drbg.c lib/chacha20.c hv/device/pci/pci_msix.c hv/device/pci/pci_bus.c hv/device/pci/pci_bus_fn.c hv/device/pci/pci_bus_bar.c hv/device/pci/pci_fn.c hv/device/pci/pci_bus_irq.c hv/core/bus.c hv/core/slots.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * libFuzzer target for the virtio transport and the rings that the hypervisor
 * serves: a stream of accesses to configuration space and the BAR, of writes to
 * the guest's memory, of whole set-ups in either format, and of resets, with
 * the entropy device behind it. No access leaves the guest's RAM (ASan sees
 * one), a notification leads to bounded work, nothing is written before
 * DRIVER_OK, without bus mastering or after the device wants a reset, and at
 * the end all memory is given back.
 */
#include "tests/unit/fakes/virtio_driver.h"

#include "arch/x86/cpu/random.h"
#include "lib/bytes.h"
#include "tests/unit/fakes/guest_ram.h"

#define STEPS_MAX  300
#define RAM_BYTES  0x4000u
#define PIECES_MAX 100000u
#define DESC       0x1000u
#define DRIVER     0x2000u
#define DEVICE     0x3000u

enum what { CONFIG, REGISTER, TABLE, MEMORY, DESCRIPTOR, OFFER, SET_UP, RESET };

struct step {
	u8 what, size;
	u16 at;
	u32 low, high;
} __packed;

static u64 seeds;

bool cpu_random_seed(u64 *value, u32 tries)
{
	*value = seeds += 0x9e3779b97f4a7c15ull;
	return true;
}

static bool may_write(void)
{
	const struct virtio *d = fake_vm.virtio;

	return d && d->status & VIRTIO_DRIVER_OK &&
	       d->fn.config[PCI_COMMAND] & PCI_COMMAND_MASTER &&
	       !(d->status & (VIRTIO_NEEDS_RESET | VIRTIO_FAILED)) &&
	       d->queues[0].live;
}

static void on_write(u64 gpa, u64 len)
{
	if (!may_write())
		abort();
}

static void work(void)
{
	u32 pieces = 0;

	while (fake_vcpus[0].events & VE_VIRTIO) {
		fake_vcpus[0].events &= ~(u32)VE_VIRTIO;
		virtio_go_on(&fake_vcpus[0]);
		if (++pieces > PIECES_MAX)
			abort();
	}
}

static void access_config(const struct step *s, u8 size)
{
	u32 reg = ALIGN_DOWN(s->at % 0xb0u, size);

	if (s->what & 0x80)
		(void)virtio_cfg(reg);
	else
		virtio_cfg_set(reg, MIN(size, 4), s->low);
}

static void access_bar(const struct step *s, u64 at, u8 size)
{
	u64 value = (s->low | (u64)s->high << 32) & ones_of(size);

	at = ALIGN_DOWN(at, size);
	if (s->what & 0x80)
		(void)virtio_bar(at, size);
	else
		virtio_bar_set(at, size, value);
}

/* In either format: a descriptor with addresses and lengths near the RAM's */
static void put_descriptor(const struct step *s)
{
	struct virtq_desc d = {
		.addr = s->low & 1 ? s->low | (u64)s->high << 32
				   : s->low % (RAM_BYTES + 64),
		.len = s->high % 300,
		.flags = (u16)(s->size & 7),
		.next = (u16)(s->high >> 16),
	};

	if (s->what & 0x80) { /* packed: the flags come last */
		d.flags = (u16)(s->high >> 16);
		d.next = (u16)((s->size & 7) |
			       (s->what & 0x40 ? VIRTQ_AVAIL : VIRTQ_USED));
	}
	memcpy(fake_ram + DESC + s->at % 64u * sizeof(d), &d, sizeof(d));
}

static void offer(const struct step *s)
{
	u16 *driver = (u16 *)(void *)(fake_ram + DRIVER);

	driver[2 + driver[1] % 64] = (u16)(s->low % 66);
	driver[1] = (u16)(driver[1] + 1 + (s->high == 7 ? s->at : 0));
	virtio_bar_set(VIRTIO_NOTIFY, s->size & 1 ? 4 : 2, 0);
}

static void set_up(const struct step *s)
{
	static const u64 features[] = {
		VIRTIO_F_INDIRECT_DESC, VIRTIO_F_EVENT_IDX,
		VIRTIO_F_RING_PACKED,   VIRTIO_F_NOTIFICATION_DATA,
		VIRTIO_F_RING_RESET,
	};
	u64 wanted = VIRTIO_F_VERSION_1;

	for (u32 i = 0; i < ARRAY_SIZE(features); i++)
		wanted |= s->low >> i & 1 ? features[i] : 0;
	virtio_place();
	virtio_negotiate(wanted);
	virtio_queue_set(0, (u16)(s->size % 18u), DESC, DRIVER, DEVICE);
	virtio_driver_ok();
}

static void do_step(const struct step *s)
{
	u8 size = (u8)(1u << s->size % 4);

	switch ((enum what)(s->what % 8)) {
	case CONFIG:
		access_config(s, size);
		break;
	case REGISTER:
		access_bar(s, s->at % 0x210u, size);
		break;
	case TABLE:
		access_bar(s, 0x1000u + s->at % 0x3000u, size);
		break;
	case MEMORY:
		memcpy(fake_ram + s->at % (RAM_BYTES - 8), &s->low, 8);
		break;
	case DESCRIPTOR:
		put_descriptor(s);
		break;
	case OFFER:
		offer(s);
		break;
	case SET_UP:
		set_up(s);
		break;
	case RESET:
		if (s->at == 7)
			pci_bus_vdev.reset(&fake_vm);
		break;
	}
	work();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct step s;
	int err;

	virtio_board_init(RAM_BYTES);
	fake_ram_writes = on_write;
	seeds = 0;
	do
		err = entropy_vdev.create(&fake_vm);
	while (err > 0);
	if (err)
		abort();
	virtio_place();
	for (size_t i = 0; i < size / sizeof(s) && i < STEPS_MAX; i++) {
		memcpy(&s, data + i * sizeof(s), sizeof(s));
		do_step(&s);
	}
	entropy_vdev.destroy(&fake_vm);
	virtio_board_done();
	return 0;
}
