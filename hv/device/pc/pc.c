/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The devices of an isolated guest's PC, in the order of what needs what. Each
 * row's functions are in the file of its name.
 */
#include "hv/device/pc/pc.h"

#include "hv/device/fwcfg/fwcfg.h"
#include "hv/device/pc/debugcon.h"
#include "hv/device/pc/q35.h"
#include "hv/device/pc/testdev.h"
#include "hv/device/pc/vhpet.h"
#include "hv/device/pc/vkbc.h"
#include "hv/device/pc/vpit.h"
#include "hv/device/pc/vpm.h"
#include "hv/device/pc/vrtc.h"
#include "hv/device/pci/pci_bus.h"
#include "hv/irq/vpic.h"

struct pc_device {
	const char *name;
	int (*create)(struct vm *vm);
	void (*destroy)(struct vm *vm); /* of one that was perhaps not made */
	void (*reset)(struct vm *vm);
};

static const struct pc_device devices[] = {
	{ "8259", vpic_create, vpic_destroy, vpic_reset },
	{ "ACPI PM", vpm_create, vpm_destroy, vpm_reset },
	{ "HPET", vhpet_create, vhpet_destroy, vhpet_reset },
	{ "8254", vpit_create, vpit_destroy, vpit_reset },
	{ "RTC", vrtc_create, vrtc_destroy, vrtc_reset },
	{ "PCI", pci_bus_create, pci_bus_destroy, pci_bus_reset },
	{ "chipset", q35_create, q35_destroy, q35_reset },
	{ "fw_cfg", fwcfg_create, fwcfg_destroy, fwcfg_reset },
	{ "keyboard", vkbc_create, vkbc_destroy, vkbc_reset },
	{ "debug console", debugcon_create, debugcon_destroy, debugcon_reset },
	{ "test device", testdev_create, testdev_destroy, testdev_reset },
};

int pc_create(struct vm *vm)
{
	int err;

	for (size_t i = 0; i < ARRAY_SIZE(devices); i++) {
		err = devices[i].create(vm);
		if (err) {
			log_error("vm", "guest %s: %s: error %d", vm->name,
				  devices[i].name, -err);
			return err;
		}
	}
	return 0;
}

void pc_destroy(struct vm *vm)
{
	for (size_t i = ARRAY_SIZE(devices); i-- > 0;)
		devices[i].destroy(vm);
}

void pc_reset(struct vm *vm)
{
	for (size_t i = 0; i < ARRAY_SIZE(devices); i++)
		devices[i].reset(vm);
}
