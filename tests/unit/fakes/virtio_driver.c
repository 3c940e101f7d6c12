/* SPDX-License-Identifier: BSD-2-Clause */
/* See virtio_driver.h */
#include "tests/unit/fakes/virtio_driver.h"

#include "hv/core/pc_map.h"
#include "tests/unit/fakes/guest_ram.h"

u8 virtio_devfn;
u32 virtio_messages;
u8 virtio_message;
static struct guest_config config;

u32 vlapic_deliver(struct vm *vm, const struct vlapic_msg *msg,
		   struct vlapic_late *late)
{
	assert_ptr_equal(vm, &fake_vm);
	virtio_messages++;
	virtio_message = msg->vector;
	return 1;
}

void virtio_board_init(u64 ram_bytes)
{
	board_init();
	fake_ram_init(ram_bytes, 0);
	memset(&config, 0, sizeof(config));
	config.entropy = true;
	fake_vm.config = &config;
	virtio_messages = virtio_message = 0;
	virtio_devfn = VIRTIO_DEVFN;
	assert_int_equal(pci_bus_vdev.create(&fake_vm), 0);
}

void virtio_board_done(void)
{
	pci_bus_vdev.destroy(&fake_vm);
	board_done();
	assert_null(fake_vm.virtio);
	assert_int_equal(fake_vm.budget.used_pages, 0);
}

static void cfg_select(u32 reg)
{
	bus_write(&fake_vm.ports, &fake_vcpus[0], 0xcf8, 4,
		  0x80000000u | (u32)virtio_devfn << 8 | (reg & 0xfc));
}

u32 virtio_cfg(u32 reg)
{
	cfg_select(reg);
	return (u32)bus_read(&fake_vm.ports, &fake_vcpus[0], 0xcfc, 4);
}

void virtio_cfg_set(u32 reg, u8 size, u32 value)
{
	cfg_select(reg);
	bus_write(&fake_vm.ports, &fake_vcpus[0], 0xcfc + (reg & 3), size,
		  value);
}

u64 virtio_bar(u64 offset, u8 size)
{
	return bus_read(&fake_vm.mmio, &fake_vcpus[0], VIRTIO_BAR_AT + offset,
			size);
}

void virtio_bar_set(u64 offset, u8 size, u64 value)
{
	bus_write(&fake_vm.mmio, &fake_vcpus[0], VIRTIO_BAR_AT + offset, size,
		  value);
}

void virtio_place(void)
{
	virtio_cfg_set(PCI_BAR0, 4, (u32)VIRTIO_BAR_AT);
	virtio_cfg_set(PCI_COMMAND, 2, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
}

u8 virtio_negotiate(u64 features)
{
	virtio_bar_set(VIRTIO_STATUS, 1, 0);
	virtio_bar_set(VIRTIO_STATUS, 1, VIRTIO_ACKNOWLEDGE);
	virtio_bar_set(VIRTIO_STATUS, 1, VIRTIO_ACKNOWLEDGE | VIRTIO_DRIVER);
	for (u32 i = 0; i < 2; i++) {
		virtio_bar_set(VIRTIO_DRIVER_SELECT, 4, i);
		virtio_bar_set(VIRTIO_DRIVER_FEATURE, 4,
			       (u32)(features >> i * 32));
	}
	virtio_bar_set(VIRTIO_STATUS, 1,
		       VIRTIO_ACKNOWLEDGE | VIRTIO_DRIVER | VIRTIO_FEATURES_OK);
	return (u8)virtio_bar(VIRTIO_STATUS, 1);
}

static void set_address(u64 reg, u64 address)
{
	virtio_bar_set(reg, 4, (u32)address);
	virtio_bar_set(reg + 4, 4, address >> 32);
}

void virtio_queue_set(u32 i, u16 size, u64 desc, u64 driver, u64 device)
{
	virtio_bar_set(VIRTIO_QUEUE_SELECT, 2, i);
	virtio_bar_set(VIRTIO_QUEUE_SIZE, 2, size);
	set_address(VIRTIO_QUEUE_DESC, desc);
	set_address(VIRTIO_QUEUE_DRIVER, driver);
	set_address(VIRTIO_QUEUE_DEVICE, device);
	virtio_bar_set(VIRTIO_QUEUE_ENABLE, 2, 1);
}

u8 virtio_driver_ok(void)
{
	virtio_bar_set(VIRTIO_STATUS, 1,
		       virtio_bar(VIRTIO_STATUS, 1) | VIRTIO_DRIVER_OK);
	return (u8)virtio_bar(VIRTIO_STATUS, 1);
}

void virtio_work(void)
{
	while (fake_vcpus[0].events & VE_VIRTIO) {
		fake_vcpus[0].events &= ~(u32)VE_VIRTIO;
		virtio_go_on(&fake_vcpus[0]);
	}
}
