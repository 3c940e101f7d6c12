/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * SMBIOS of an isolated guest (DSP0134 3.4.0): the anchors, and where they and
 * the table (smbios_records.c) go. Called by load_guest() for a guest started
 * at its kernel (anchors at F0000h, where a scan finds them) or by firmware
 * (two files). Built in pool pages that are freed at the end. No locks.
 */
#include "include/hw/smbios.h"
#include "hv/core/gmem.h"
#include "hv/core/pc_map.h"
#include "hv/device/fwcfg/fwcfg.h"
#include "hv/load/platform.h"
#include "hv/load/smbios_priv.h"
#include "lib/errno.h"
#include "lib/string.h"

/* Direct boot: both anchors, then the table */
#define AREA_BASE   0xf0000ull
#define AT_ANCHOR   0x20u
#define AT_TABLE    0x40u
#define AREA_BYTES  PAGE_SIZE
#define TABLE_BYTES (AREA_BYTES - AT_TABLE)
static_assert(AREA_BASE + AREA_BYTES <= PC_BIOS_CODE, "BIOS area");

#define SMBIOS_FILE_ANCHOR "etc/smbios/smbios-anchor"
#define SMBIOS_FILE_TABLES "etc/smbios/smbios-tables"

static u8 negative_sum(const void *p, size_t size)
{
	const u8 *b = p;
	u8 s = 0;

	while (size--)
		s = (u8)(s + *b++);
	return (u8)-s;
}

/* @gpa: 0 when a firmware puts the table where it likes and sums up again */
static struct smbios_anchor anchor(const struct smbios_table *t, u32 gpa)
{
	struct smbios_anchor a = {
		.signature = { '_', 'S', 'M', '_' },
		.length = sizeof(a),
		.major = 2,
		.minor = 8,
		.max_size = (u16)t->largest,
		.dmi_signature = { '_', 'D', 'M', 'I', '_' },
		.table_length = (u16)t->used,
		.table = gpa,
		.count = (u16)t->count,
		.bcd_revision = 0x28,
	};
	const u32 dmi = offsetof(struct smbios_anchor, dmi_signature);

	a.dmi_checksum = negative_sum(a.dmi_signature, sizeof(a) - dmi);
	a.checksum = negative_sum(&a, sizeof(a));
	return a;
}

static struct smbios3_anchor anchor3(const struct smbios_table *t, u64 gpa)
{
	struct smbios3_anchor a = {
		.signature = { '_', 'S', 'M', '3', '_' },
		.length = sizeof(a),
		.major = 3,
		.minor = 0,
		.revision = 1,
		.max_table_length = t->used,
		.table = gpa,
	};

	a.checksum = negative_sum(&a, sizeof(a));
	return a;
}

int smbios_write(struct vm *vm)
{
	u8 *area = pmm_alloc(&vm->budget, 0);
	struct smbios_table t = { .vm = vm, .room = TABLE_BYTES };
	struct smbios_anchor old;
	struct smbios3_anchor new;
	int err;

	if (!area)
		return -ENOMEM;
	t.bytes = area + AT_TABLE;
	err = smbios_fill(&t);
	old = anchor(&t, AREA_BASE + AT_TABLE);
	new = anchor3(&t, AREA_BASE + AT_TABLE);
	memcpy(area, &new, sizeof(new));
	memcpy(area + AT_ANCHOR, &old, sizeof(old));
	if (!err)
		err = gmem_write(vm, GPA(AREA_BASE), area, AREA_BYTES);
	pmm_free(&vm->budget, area, 0);
	return err;
}

int smbios_publish(struct vm *vm)
{
	u8 *bytes = pmm_alloc(&vm->budget, 0);
	struct smbios_table t = { .vm = vm,
				  .bytes = bytes,
				  .room = TABLE_BYTES };
	struct smbios_anchor old;
	int err;

	if (!bytes)
		return -ENOMEM;
	err = smbios_fill(&t);
	old = anchor(&t, 0);
	if (!err)
		err = fwcfg_add_file(vm, SMBIOS_FILE_ANCHOR, &old, sizeof(old));
	if (!err)
		err = fwcfg_add_file(vm, SMBIOS_FILE_TABLES, t.bytes, t.used);
	pmm_free(&vm->budget, bytes, 0);
	return err;
}
