/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From GRUB's boot information to struct boot_info, see multiboot2.h. entry.asm
 * calls multiboot2_main(). All that is used later is copied out of the boot
 * information, because that lies in memory that nobody owns.
 */
#include "boot/multiboot2/multiboot2.h"

#include "boot/common/boot_mem.h"
#include "boot/common/check.h"
#include "boot/common/facts.h"
#include "boot/common/image.h"
#include "include/hw/e820.h"
#include "include/hw/efi.h"
#include "include/hw/multiboot.h"
#include "lib/printf.h"
#include "lib/string.h"

#define RSDP_MAX_BYTES    64
#define SMBIOS_MAX_BYTES  64
#define LOADER_NAME_BYTES 24

extern char __image_start[], __image_end[];

static struct boot_info boot_info;
static u8 rsdp_copy[RSDP_MAX_BYTES] __aligned(16);
static u8 smbios_copy[SMBIOS_MAX_BYTES] __aligned(16);
static char loader_name[LOADER_NAME_BYTES];
static bool acpi_is_new;
static bool check_asked;

static u64 image_hpa(const void *p)
{
	return boot_info.load_hpa + ((u64)p - IMAGE_LINK_BASE);
}

static void problem(const char *text)
{
	if (!boot_info.problem[0])
		str_copy(boot_info.problem, text, sizeof(boot_info.problem));
}

static void take_range(u64 base, u64 size, u32 type, u64 attributes)
{
	if (boot_mem_add(&boot_info, base, size, type, attributes))
		problem("the firmware's memory map has too many parts and is "
			"used in part; update the firmware");
}

/* "GRUB 2.06-13+deb12u2" becomes "GRUB 2.06" */
static void take_loader_name(const struct mb2_info_head *tag)
{
	const struct mb2_info_string *s = (const void *)tag;
	u32 max = tag->size - (u32)sizeof(*tag), i;

	for (i = 0; i < MIN(max, LOADER_NAME_BYTES - 1u); i++) {
		if (!s->string[i] || s->string[i] == '-')
			break;
		loader_name[i] = s->string[i];
	}
	loader_name[i] = 0;
}

/* GRUB gives what follows the file's name */
static void take_cmdline(const struct mb2_info_head *tag)
{
	const struct mb2_info_string *s = (const void *)tag;
	u32 max = tag->size - (u32)sizeof(*tag), len = sizeof(CHECK_NAME);

	check_asked = max >= len && !memcmp(s->string, CHECK_NAME, len);
}

/* The string is the file name; GRUB escapes blanks, and may give a path */
static void module_name(char name[BOOT_NAME_LEN], const char *s, u32 max)
{
	u32 len = 0;

	for (u32 i = 0; i < max && s[i]; i++) {
		if (s[i] == '/')
			len = 0;
		else if (s[i] != '\\' && s[i] != '"' && s[i] != '\'' &&
			 len < BOOT_NAME_LEN)
			name[len++] = s[i];
	}
	if (len == BOOT_NAME_LEN) {
		len--;
		problem("a file name in /" BOOT_DIR " is too long and was "
			"cut; rename the file");
	}
	name[len] = 0;
}

static void take_module(const struct mb2_info_head *tag)
{
	const struct mb2_info_module *m = (const void *)tag;
	struct boot_info *bi = &boot_info;
	char name[BOOT_NAME_LEN];
	struct boot_module *to;

	module_name(name, m->string, tag->size - (u32)sizeof(*m));
	if (name[0] == '.' || !strcmp(name, BOOT_ELF) ||
	    facts_is_crash_file(name))
		return;
	if (bi->module_count == BOOT_MAX_MODULES) {
		problem("there are more files in /" BOOT_DIR " than fit and "
			"some were left out; remove what no guest needs");
		return;
	}
	to = &bi->modules[bi->module_count];
	memcpy(to->name, name, sizeof(to->name));
	to->size = m->mod_end > m->mod_start ? m->mod_end - m->mod_start : 0;
	to->base = to->size ? m->mod_start : 0;
	bi->module_count++;
}

static u32 e820_to_efi(u32 type)
{
	static const u8 map[] = {
		[E820_RAM] = BOOT_MEM_CONVENTIONAL,
		[E820_RESERVED] = BOOT_MEM_RESERVED,
		[E820_ACPI] = BOOT_MEM_ACPI_RECLAIM,
		[E820_NVS] = BOOT_MEM_ACPI_NVS,
		[E820_UNUSABLE] = BOOT_MEM_UNUSABLE,
		[E820_PERSISTENT] = BOOT_MEM_PERSISTENT,
	};

	if (type == E820_SOFT_RESERVED)
		return BOOT_MEM_SPECIAL;
	return type < ARRAY_SIZE(map) ? map[type] : BOOT_MEM_RESERVED;
}

/* Taken only where there is no UEFI map, which knows more */
static void take_mmap(const struct mb2_info_head *tag)
{
	const struct mb2_info_mmap *map = (const void *)tag;
	u32 bytes = tag->size - (u32)sizeof(*map);

	if (boot_info.efi.memory_map || map->entry_size == 0)
		return;
	for (u32 at = 0; at + sizeof(struct mb2_mmap) <= bytes;
	     at += map->entry_size) {
		struct mb2_mmap e;

		memcpy(&e, map->entries + at, sizeof(e));
		take_range(e.base, e.length, e820_to_efi(e.type), 0);
	}
}

static void take_efi_mmap(const struct mb2_info_head *tag)
{
	const struct mb2_info_efi_mmap *map = (const void *)tag;
	struct boot_efi *efi = &boot_info.efi;
	u32 bytes = tag->size - (u32)sizeof(*map);

	if (map->descriptor_size < sizeof(struct efi_descriptor))
		return;
	for (u32 at = 0; at + map->descriptor_size <= bytes;
	     at += map->descriptor_size) {
		struct efi_descriptor d;

		memcpy(&d, map->descriptors + at, sizeof(d));
		take_range(d.physical_start, d.page_count * PAGE_SIZE, d.type,
			   d.attribute);
	}
	efi->memory_map = (u64)map->descriptors; /* copied below */
	efi->memory_map_size = bytes;
	efi->descriptor_size = map->descriptor_size;
	efi->descriptor_version = map->descriptor_version;
}

static void take_efi64(const struct mb2_info_head *tag)
{
	boot_info.efi.system_table =
		((const struct mb2_info_efi64 *)(const void *)tag)
			->system_table;
}

static void take_framebuffer(const struct mb2_info_head *tag)
{
	const struct mb2_info_framebuffer *f = (const void *)tag;
	struct boot_framebuffer *fb = &boot_info.fb;

	if (f->type != MB2_FRAMEBUFFER_RGB || (f->bpp != 24 && f->bpp != 32))
		return;
	fb->base = f->address;
	fb->size = (u64)f->pitch * f->height;
	fb->width = f->width;
	fb->height = f->height;
	fb->stride_bytes = f->pitch;
	fb->bpp = f->bpp;
	fb->red_shift = f->red_position;
	fb->red_bits = f->red_size;
	fb->green_shift = f->green_position;
	fb->green_bits = f->green_size;
	fb->blue_shift = f->blue_position;
	fb->blue_bits = f->blue_size;
}

static void take_smbios(const struct mb2_info_head *tag)
{
	const struct mb2_info_smbios *s = (const void *)tag;

	memcpy(smbios_copy, s->entry_point,
	       MIN(tag->size - sizeof(*s), sizeof(smbios_copy)));
	boot_info.smbios = image_hpa(smbios_copy);
}

/* The newer RSDP wins, whichever tag comes first */
static void take_acpi(const struct mb2_info_head *tag)
{
	const struct mb2_info_acpi *a = (const void *)tag;

	if (acpi_is_new)
		return;
	acpi_is_new = tag->type == MB2_INFO_ACPI_NEW;
	memcpy(rsdp_copy, a->rsdp,
	       MIN(tag->size - sizeof(*a), sizeof(rsdp_copy)));
	boot_info.rsdp = image_hpa(rsdp_copy);
}

static const struct {
	u32 type;
	u32 min_size;
	void (*take)(const struct mb2_info_head *tag);
} takers[] = {
	/* EFI_MMAP before MMAP: see take_mmap() */
	{ MB2_INFO_CMDLINE, sizeof(struct mb2_info_string), take_cmdline },
	{ MB2_INFO_LOADER, sizeof(struct mb2_info_string), take_loader_name },
	{ MB2_INFO_MODULE, sizeof(struct mb2_info_module), take_module },
	{ MB2_INFO_EFI_MMAP, sizeof(struct mb2_info_efi_mmap), take_efi_mmap },
	{ MB2_INFO_MMAP, sizeof(struct mb2_info_mmap), take_mmap },
	{ MB2_INFO_FRAMEBUFFER, sizeof(struct mb2_info_framebuffer),
	  take_framebuffer },
	{ MB2_INFO_EFI64, sizeof(struct mb2_info_efi64), take_efi64 },
	{ MB2_INFO_SMBIOS, sizeof(struct mb2_info_smbios), take_smbios },
	{ MB2_INFO_ACPI_OLD, sizeof(struct mb2_info_acpi), take_acpi },
	{ MB2_INFO_ACPI_NEW, sizeof(struct mb2_info_acpi), take_acpi },
};

static void take_tags(const struct mb2_info *info, u32 which)
{
	u64 at = sizeof(*info);

	while (at + sizeof(struct mb2_info_head) <= info->total_size) {
		const struct mb2_info_head *tag =
			(const void *)((const u8 *)info + at);

		if (tag->type == MB2_INFO_END || tag->size < sizeof(*tag) ||
		    tag->size > info->total_size - at)
			return;
		if (tag->type == takers[which].type &&
		    tag->size >= takers[which].min_size)
			takers[which].take(tag);
		at += ALIGN_UP(tag->size, MB2_ALIGN);
	}
}

static void boot_info_start(struct boot_info *bi, u64 load_hpa)
{
	bi->magic = BOOT_INFO_MAGIC;
	bi->version = BOOT_INFO_VERSION;
	bi->size = sizeof(*bi);
	bi->entry_tsc = multiboot2_tsc;
	bi->load_hpa = load_hpa;
	bi->load_size = (u64)(__image_end - __image_start);
	str_copy(loader_name, "loader", sizeof(loader_name));
}

void multiboot2_main(u64 info_hpa, u64 load_hpa)
{
	const struct mb2_info *info = (const void *)info_hpa;
	struct boot_info *bi = &boot_info;

	boot_info_start(bi, load_hpa);
	for (u32 i = 0; i < ARRAY_SIZE(takers); i++)
		take_tags(info, i);
	bh_snprintf(bi->loader, sizeof(bi->loader), "%.12s (multiboot2, %s)",
		    loader_name, bi->efi.system_table ? "UEFI" : "BIOS");
	facts_sort_modules(bi);
	multiboot2_find_cpus(bi);
	multiboot2_keep_efi_map(bi, info_hpa, info->total_size);
	multiboot2_map_all(bi, info_hpa, info->total_size);
	if (check_asked || boot_check_file(bi))
		boot_check(bi, CHECK_BY_GRUB);
	hv_start(image_hpa(bi));
}
