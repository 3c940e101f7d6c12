/* SOURCES: hv/device/pc/vpit.c hv/device/pc/vpit_channel.c hv/device/pc/vrtc.c hv/device/pc/vrtc_clock.c hv/device/pc/vrtc_cmos.c hv/device/pc/vrtc_irq.c hv/device/pc/vrtc_calendar.c hv/device/pc/vhpet.c hv/device/pc/vpm.c hv/time/vticks.c hv/time/vclock.c hv/device/pc/vkbc.c hv/device/pc/vkbd.c hv/device/pci/pci_bus.c hv/device/pci/pci_bus_fn.c hv/device/pci/pci_bus_bar.c hv/device/pci/pci_fn.c hv/device/pci/pci_bus_irq.c hv/device/pc/q35.c hv/device/pc/q35_lpc.c hv/core/bus.c hv/core/slots.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * libFuzzer target for the devices of an isolated guest's board: a stream of
 * reads, writes and time. No access leaves its region, no line is out of range,
 * no timer fires more often than a core can bear (board_pass_to()), a reset
 * leaves nothing running, and at the end all memory is given back.
 */
#include "tests/unit/fakes/board.h"

#include "drivers/clock/rtc.h"
#include "hv/core/pc_map.h"
#include "hv/device/pc/vhpet.h"
#include "hv/device/pc/vpit.h"
#include "hv/device/pc/vpm.h"
#include "hv/device/pc/vrtc.h"
#include "hv/device/pci/pci_bus.h"
#include "lib/bytes.h"

#define STEPS_MAX 256

static struct guest_config config; /* it starts at its kernel */

u64 rtc_boot_seconds(void)
{
	return 1700000000;
}

static const struct vdev *const devices[] = {
	&vpm_vdev,     &vhpet_vdev, &vpit_vdev, &vrtc_vdev,
	&pci_bus_vdev, &q35_vdev,   &vkbc_vdev,
};

static const struct region {
	u64 base, size;
} regions[] = {
	{ 0x40, 4 },
	{ 0x60, 5 },
	{ 0x70, 4 },
	{ 0x92, 1 },
	{ 0xb2, 2 },
	{ 0xcf8, 8 },
	{ 0x600, 0x80 },
	{ 0, 0x10000 },
	{ PC_HPET_BASE, 0x400 },
	{ PC_ECAM_BASE, MIB(1) },
};

struct step {
	u8 what, where;
	u16 offset;
	u32 value;
} __packed;

static void access_bus(const struct step *s)
{
	const struct region *r = &regions[s->where % ARRAY_SIZE(regions)];
	const struct bus *bus =
		r->base > 0xffff ? &fake_vm.mmio : &fake_vm.ports;
	u64 at = r->base + (s->offset * (s->what & 8 ? 4u : 1u)) % r->size;
	u8 size = (u8)(1u << (s->what >> 4) % (r->base > 0xffff ? 4 : 3));
	u64 value = s->value;

	if (s->what & 1)
		value |= (u64)s->value << 32;
	if (s->what & 4)
		(void)bus_read(bus, &fake_vcpus[0], at, size);
	else
		bus_write(bus, &fake_vcpus[0], at, size, value & ones_of(size));
}

static void do_step(const struct step *s)
{
	size_t i;

	switch (s->what & 3) {
	case 0:
		board_pass_us(s->value % 20000);
		break;
	case 1:
		board_masked = s->value & 1;
		board_busy = s->value & 2;
		access_bus(s);
		break;
	default:
		access_bus(s);
		break;
	}
	if (s->what == 0xff)
		for (i = 0; i < ARRAY_SIZE(devices); i++)
			devices[i]->reset(&fake_vm);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct step s;
	size_t i;

	board_init();
	fake_vm.config = &config;
	for (i = 0; i < ARRAY_SIZE(devices); i++)
		if (devices[i]->create(&fake_vm))
			abort();
	for (i = 0; i < size / sizeof(s) && i < STEPS_MAX; i++) {
		memcpy(&s, data + i * sizeof(s), sizeof(s));
		do_step(&s);
	}
	board_pass_us(1000);
	for (i = ARRAY_SIZE(devices); i-- > 0;)
		devices[i]->destroy(&fake_vm);
	board_done();
	if (fake_vm.budget.used_pages)
		abort();
	return 0;
}
