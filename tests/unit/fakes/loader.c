/* SPDX-License-Identifier: BSD-2-Clause */
/* A guest to load, see loader.h */
#include "tests/unit/fakes/loader.h"

#include "hv/irq/vpic.h"

struct guest_config fake_config;
struct boot_info fake_boot_info;
static u32 apic_pages[4][PAGE_SIZE / 4];

void vpic_as_by_bios(struct vm *v)
{
}

void slot_add(u64 base, u64 size)
{
	u32 at = fake_vm.slot_count++;

	for (; at && fake_vm.slots[at - 1].gpa > base; at--)
		fake_vm.slots[at] = fake_vm.slots[at - 1];
	fake_vm.slots[at] = (struct vm_slot){ base, base, size, false };
}

void own(u64 base, u64 size, enum owner_kind kind, u32 firmware_type)
{
	fake_owner_add(base, size, kind, firmware_type);
	if (kind == OWNER_GUEST)
		slot_add(base, size);
}

int vm_setup(void **state)
{
	fake_vm_init(2);
	fake_ram_init(RAM_BYTES, 0xaa);
	memset(&fake_config, 0, sizeof(fake_config));
	memset(&fake_boot_info, 0, sizeof(fake_boot_info));
	memset(&acpi, 0, sizeof(acpi));
	fake_owner_count = 0;
	fake_pool_left = ~0u;
	fake_log_reset();
	strcpy(fake_vm.name, "box");
	fake_vm.config = &fake_config;
	for (u32 i = 0; i < ARRAY_SIZE(apic_pages); i++)
		fake_vcpus[i].hw.apic_page = apic_pages[i];
	return 0;
}

void vm_make_privileged(void)
{
	fake_vm.privileged = true;
	fake_vm.slot_count = 0;
	own(0x1000, 0x9f000, OWNER_GUEST, BOOT_MEM_CONVENTIONAL);
	own(MIB(1), MIB(31), OWNER_GUEST, BOOT_MEM_CONVENTIONAL);
	own(MIB(32), MIB(4), OWNER_HYPERVISOR, BOOT_MEM_CONVENTIONAL);
	own(MIB(36), MIB(20), OWNER_GUEST, BOOT_MEM_BS_DATA);
	own(MIB(56), MIB(1), OWNER_FIRMWARE, BOOT_MEM_ACPI_RECLAIM);
	own(MIB(57), MIB(1), OWNER_FIRMWARE, BOOT_MEM_ACPI_NVS);
	own(MIB(58), MIB(1), OWNER_FIRMWARE, BOOT_MEM_RT_DATA);
	own(MIB(59), MIB(5), OWNER_GUEST, BOOT_MEM_LOADER_DATA);
}

int vm_teardown(void **state)
{
	fake_pool_check(&fake_vm.budget);
	return 0;
}
