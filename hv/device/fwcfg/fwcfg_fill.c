/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What fw_cfg tells every isolated guest, as QEMU's machines do: numbers of the
 * machine, its RAM, the boot menu, the kernel, and what the manifest adds.
 * Called when the guest is loaded, so again after a reset.
 */
#include "hv/core/pc_map.h"
#include "hv/device/fwcfg/fwcfg.h"
#include "hv/device/fwcfg/fwcfg_priv.h"
#include "include/hw/e820.h"
#include "lib/errno.h"
#include "lib/log.h"
#include "lib/printf.h"
#include "lib/string.h"

#define BOOT_MENU_WAIT_MS 1000
#define E820_MAX          64
#define BOOT_ORDER_BYTES  1024
#define ROM_PREFIX        "genroms/"
#define RAMFB_BYTES       28u /* address, format, flags, width, height, stride */

/* clang-format off */
static const struct {
	u16 key;
	u8 size;
	u32 value;
} numbers[] = {
	{ FWCFG_ID,            4, FWCFG_ID_TRADITIONAL | FWCFG_ID_DMA },
	{ FWCFG_NOGRAPHIC,     2, 1 },
	{ FWCFG_NUMA,          4, 0 },
	{ FWCFG_BOOT_MENU,     2, 1 },
	{ FWCFG_IRQ0_OVERRIDE, 4, 1 }, /* IRQ 0 is pin 2 of the IOAPIC */
};

/* clang-format on */

/* S3 and S4 are not there; S5 is sleep type 0 (bit 7: this state is there) */
static const u8 system_states[] = { 0x80, 0, 0, 1, 2, 0x80 };
static const u16 boot_menu_wait = BOOT_MENU_WAIT_MS;
static const u16 show_boot_menu = 1;
/* SeaBIOS then shows its screen on the serial line */
static const u16 sercon_port = 0x3f8;

/* clang-format off */
static const struct {
	const char *name;
	const void *data;
	u32 len;
} files[] = {
	{ "etc/boot-menu-wait", &boot_menu_wait, sizeof(boot_menu_wait) },
	{ "etc/sercon-port", &sercon_port, sizeof(sercon_port) },
	{ "etc/show-boot-menu", &show_boot_menu, sizeof(show_boot_menu) },
	{ "etc/system-states", system_states, sizeof(system_states) },
};
/* clang-format on */

static int fill_numbers(struct vm *vm)
{
	int err = fwcfg_add(vm, FWCFG_SIGNATURE, "QEMU", 4);
	u16 cpus = (u16)vm->vcpu_count;

	if (!err)
		err = fwcfg_add(vm, FWCFG_NB_CPUS, &cpus, sizeof(cpus));
	if (!err)
		err = fwcfg_add(vm, FWCFG_MAX_CPUS, &cpus, sizeof(cpus));
	for (size_t i = 0; i < ARRAY_SIZE(numbers) && !err; i++)
		err = fwcfg_add(vm, numbers[i].key, &numbers[i].value,
				numbers[i].size);
	for (size_t i = 0; i < ARRAY_SIZE(files) && !err; i++)
		err = fwcfg_add_file(vm, files[i].name, files[i].data,
				     files[i].len);
	return err;
}

/* RAM as it is wired, with no holes for what firmware keeps there: that it adds
 * itself */
static int fill_ram(struct vm *vm)
{
	struct e820_entry map[E820_MAX];
	u64 bytes = 0;
	u32 count = 0;
	int err;

	for (u32 i = 0; i < vm->slot_count; i++) {
		const struct vm_slot *s = &vm->slots[i];
		struct e820_entry *last = count ? &map[count - 1] : NULL;

		if (s->rom)
			continue;
		bytes += s->size;
		if (last && last->base + last->size == s->gpa)
			last->size += s->size;
		else if (count < E820_MAX)
			map[count++] = (struct e820_entry){ s->gpa, s->size,
							    E820_RAM };
	}
	err = fwcfg_add(vm, FWCFG_RAM_SIZE, &bytes, sizeof(bytes));
	if (err)
		return err;
	return fwcfg_add_file(vm, "etc/e820", map, count * (u32)sizeof(map[0]));
}

static void report(const struct vm *vm, const struct fwcfg_config *c, int err)
{
	if (err == -EINVAL)
		log_error("load",
			  "guest %s: fw_cfg = %s %s: an item has less than 4 "
			  "GiB; name a smaller file",
			  vm->name, c->name, c->file);
	else if (err == -ENOSPC)
		log_error("load",
			  "guest %s: fw_cfg = %s %s: there are %u items "
			  "already; leave some out",
			  vm->name, c->name, c->file, FWCFG_MAX_FILES);
	else if (vm->staged)
		log_error("load",
			  "guest %s: fw_cfg = %s %s: no such file was handed "
			  "over",
			  vm->name, c->name, c->file);
	else
		log_error("load",
			  "guest %s: fw_cfg = %s %s: there is no such file; "
			  "copy it to the folder %s of the boot volume",
			  vm->name, c->name, c->file, BOOT_DIR);
}

static int fill_item(struct vm *vm, const struct fwcfg_config *c,
		     fwcfg_find find)
{
	struct image image;
	int err;

	if (!c->file[0])
		return fwcfg_add_file(vm, c->name, c->text, c->text_len);
	err = find(vm, c->file, &image);
	if (!err)
		err = fwcfg_add_image_file(vm, c->name, &image);
	if (err)
		report(vm, c, err);
	return err;
}

/* The option ROMs that the manifest adds are what to boot from, in its order */
static int fill_boot_order(struct vm *vm)
{
	const struct guest_config *c = vm->config;
	char order[BOOT_ORDER_BYTES] = "";
	size_t at = 0;

	for (u32 i = 0; i < c->fwcfg_count && at < sizeof(order); i++)
		if (!strncmp(c->fwcfg[i].name, ROM_PREFIX, strlen(ROM_PREFIX)))
			at += (size_t)bh_snprintf(
				order + at, sizeof(order) - at, "/rom@%s\n",
				c->fwcfg[i].name);
	return fwcfg_add_file(vm, "bootorder", order,
			      at ? (u32)strnlen(order, sizeof(order) - 1) + 1
				 : 0);
}

int fwcfg_fill(struct vm *vm, fwcfg_find find)
{
	int err = fill_numbers(vm);

	if (!err)
		err = fill_ram(vm);
	if (!err)
		err = fwcfg_fill_kernel(vm, find);
	if (!err)
		err = fill_boot_order(vm);
	if (!err && vm->config->ramfb)
		err = fwcfg_add_writable_file(vm, "etc/ramfb", RAMFB_BYTES);
	for (u32 i = 0; i < vm->config->fwcfg_count && !err; i++)
		err = fill_item(vm, &vm->config->fwcfg[i], find);
	return err;
}
