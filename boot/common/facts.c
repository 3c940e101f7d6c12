/* SPDX-License-Identifier: BSD-2-Clause */
/* See boot/common/facts.h. Called by both loaders; no state, no lock. */
#include "boot/common/facts.h"

#include "include/hw/acpi.h"
#include "include/hw/cpuid.h"
#include "lib/string.h"

#define ROOT_BYTES_MAX ((u32)KIB(64)) /* of an RSDT or XSDT */

/* Entry @i of a root table. It is copied out, because a table has any
 * alignment. */
static u64 entry_at(const struct acpi_header *root, u32 i, u32 width)
{
	u64 addr = 0;

	memcpy(&addr, (const u8 *)root + sizeof(*root) + i * width, width);
	return addr;
}

static bool root_has_madt(u64 root_hpa, const char *signature, u32 width)
{
	const struct acpi_header *root = (const void *)(uintptr_t)root_hpa;

	if (!root_hpa || memcmp(root->signature, signature, 4) ||
	    root->length < sizeof(*root) || root->length > ROOT_BYTES_MAX)
		return false;
	for (u32 i = 0; i < (root->length - sizeof(*root)) / width; i++) {
		u64 addr = entry_at(root, i, width);

		if (addr && !memcmp((const void *)(uintptr_t)addr, "APIC", 4))
			return true;
	}
	return false;
}

bool facts_has_madt(u64 rsdp_hpa)
{
	const struct acpi_rsdp *rsdp = (const void *)(uintptr_t)rsdp_hpa;

	if (!rsdp_hpa || memcmp(rsdp->signature, "RSD PTR ", 8))
		return false;
	if (rsdp->revision >= ACPI_RSDP_REV_XSDT &&
	    root_has_madt(rsdp->xsdt, "XSDT", sizeof(u64)))
		return true;
	return root_has_madt(rsdp->rsdt, "RSDT", sizeof(u32));
}

void facts_add_cpu(struct boot_info *bi, u32 apic_id)
{
	for (u32 i = 0; i < bi->cpu_count; i++) {
		if (bi->cpu_apic_ids[i] == apic_id)
			return;
	}
	if (bi->cpu_count < BOOT_MAX_CPUS)
		bi->cpu_apic_ids[bi->cpu_count++] = apic_id;
}

static void cpuid(u32 leaf, u32 r[4])
{
	__asm__("cpuid"
		: "=a"(r[0]), "=b"(r[1]), "=c"(r[2]), "=d"(r[3])
		: "a"(leaf), "c"(0));
}

u32 facts_own_apic_id(void)
{
	u32 r[4];

	cpuid(0, r);
	if (r[0] >= CPUID_TOPOLOGY) {
		cpuid(CPUID_TOPOLOGY, r);
		if (r[1])
			return r[3];
	}
	cpuid(CPUID_FEATURES, r);
	return r[1] >> CPUID_1_EBX_APIC_ID_SHIFT;
}

void facts_sort_modules(struct boot_info *bi)
{
	for (u32 i = 1; i < bi->module_count; i++) {
		struct boot_module m = bi->modules[i];
		u32 at = i;

		while (at && strcmp(bi->modules[at - 1].name, m.name) > 0) {
			bi->modules[at] = bi->modules[at - 1];
			at--;
		}
		bi->modules[at] = m;
	}
}

#define PIXEL_BYTES_MIN 3u
#define SIDE_MAX        16384u

/* Bits in a row, and none of another color's */
static bool is_field(u32 mask, u32 others)
{
	u32 low = mask & (0u - mask);

	return mask && !(mask & others) && !((mask + low) & mask);
}

bool facts_framebuffer(const struct facts_screen *s,
		       struct boot_framebuffer *fb)
{
	u32 all = s->red | s->green | s->blue | s->other, bytes;

	if (!s->base || !s->width || !s->height || s->width > SIDE_MAX ||
	    s->height > SIDE_MAX || s->line_pixels < s->width ||
	    s->line_pixels > 2 * SIDE_MAX ||
	    !is_field(s->red, s->green | s->blue) ||
	    !is_field(s->green, s->red | s->blue) ||
	    !is_field(s->blue, s->red | s->green))
		return false;
	bytes = (32 - (u32)__builtin_clz(all) + 7) / 8;
	if (bytes < PIXEL_BYTES_MIN)
		return false;
	memset(fb, 0, sizeof(*fb));
	fb->base = s->base;
	fb->width = s->width;
	fb->height = s->height;
	fb->bpp = (u8)(bytes * 8);
	fb->stride_bytes = s->line_pixels * bytes;
	fb->size = (u64)fb->stride_bytes * fb->height;
	facts_mask_to_field(s->red, &fb->red_shift, &fb->red_bits);
	facts_mask_to_field(s->green, &fb->green_shift, &fb->green_bits);
	facts_mask_to_field(s->blue, &fb->blue_shift, &fb->blue_bits);
	return true;
}

/* crash-NNN.txt; FAT may show a short name in upper case */
bool facts_is_crash_file(const char *name)
{
	static const char like[] = "crash-000.txt";
	size_t i;

	for (i = 0; like[i]; i++) {
		char c = name[i] >= 'A' && name[i] <= 'Z'
				 ? (char)(name[i] | ('a' ^ 'A'))
				 : name[i];

		if (like[i] == '0' ? c < '0' || c > '9' : c != like[i])
			return false;
	}
	return !name[i];
}

void facts_mask_to_field(u32 mask, u8 *shift, u8 *bits)
{
	*shift = mask ? (u8)__builtin_ctz(mask) : 0;
	*bits = 0;
	for (; mask; mask &= mask - 1)
		(*bits)++;
}
