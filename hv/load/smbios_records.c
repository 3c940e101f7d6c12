/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The records of an isolated guest's SMBIOS table: one processor package with
 * the guest's vCPUs as its cores, one memory device. Called by smbios.c.
 */
#include "arch/x86/machine/tsc.h"
#include "hv/core/pc_map.h"
#include "hv/core/slots.h"
#include "hv/load/platform.h"
#include "hv/load/smbios_priv.h"
#include "hv/policy/cpuid.h"
#include "include/hw/smbios.h"
#include "lib/errno.h"
#include "lib/string.h"

#define VENDOR  "Bulkhead"
#define PRODUCT "Virtual machine"
#define VERSION "1"

#define ROM_64K_BLOCKS 2 /* the BIOS area: 128 KiB, stored less one */

enum handle {
	H_BIOS = 0x000,
	H_SYSTEM = 0x100,
	H_CHASSIS = 0x300,
	H_CPU = 0x400,
	H_ARRAY = 0x1000,
	H_MEMORY = 0x1100,
	H_MAPPED = 0x1300,
	H_BOOT = 0x2000,
	H_END = 0x7f00,
};

/* The strings of a list that ends with NULL, each with its zero */
static u32 text_bytes(const char *const *strings)
{
	u32 bytes = 0;

	for (u32 i = 0; strings[i]; i++)
		bytes += (u32)strlen(strings[i]) + 1;
	return bytes;
}

/* Append @s and its strings; a zero byte ends the list, two are an empty one
 * (6.1.3) */
static void add(struct smbios_table *t, const void *s,
		const char *const *strings)
{
	const struct smbios_header *h = s;
	u32 need = h->length + MAX(text_bytes(strings) + 1, 2u), at = t->used;

	if (need > t->room - at) {
		t->full = true;
		return;
	}
	memset(t->bytes + at, 0, need);
	memcpy(t->bytes + at, s, h->length);
	t->used += need;
	t->count++;
	t->largest = MAX(t->largest, need);
	at += h->length;
	for (u32 i = 0; strings[i]; i++) {
		memcpy(t->bytes + at, strings[i], strlen(strings[i]));
		at += (u32)strlen(strings[i]) + 1;
	}
}

static const char *const no_strings[] = { NULL };

static void add_bios(struct smbios_table *t)
{
	static const char *const strings[] = { VENDOR, VERSION, PLATFORM_DATE,
					       NULL };
	const struct smbios_bios s = {
		.h = { 0, sizeof(s), H_BIOS },
		.vendor = 1,
		.version = 2,
		.segment = PC_BIOS_AREA >> 4,
		.date = 3,
		.rom_size = ROM_64K_BLOCKS - 1,
		.characteristics = SMBIOS_BIOS_NO_CHARACTERISTICS,
		.characteristics_ext = { 0, SMBIOS_BIOS_VIRTUAL_MACHINE },
		.ec_major = SMBIOS_NO_EC,
		.ec_minor = SMBIOS_NO_EC,
	};

	add(t, &s, strings);
}

/* FNV-1a, 64 bits */
static u64 hash(const char *text, u64 basis)
{
	u64 h = basis;

	for (; *text; text++)
		h = (h ^ (u8)*text) * 0x100000001b3ull;
	return h;
}

/* The manifest's, or one that depends on the guest's name alone, so that it
 * outlives a reboot: RFC 9562, version 8, variant 10b */
static void make_uuid(const struct vm *vm, u8 uuid[MANIFEST_UUID_LEN])
{
	u64 lo = hash(vm->name, 0xcbf29ce484222325ull);
	u64 hi = hash(vm->name, lo);

	if (vm->config->has_uuid) {
		memcpy(uuid, vm->config->uuid, MANIFEST_UUID_LEN);
		return;
	}
	memcpy(uuid, &lo, sizeof(lo));
	memcpy(uuid + sizeof(lo), &hi, sizeof(hi));
	uuid[7] = (u8)((uuid[7] & 0x0f) | 0x80);
	uuid[8] = (u8)((uuid[8] & 0x3f) | 0x80);
}

static void add_system(struct smbios_table *t)
{
	const char *const strings[] = { VENDOR, PRODUCT, VERSION, t->vm->name,
					NULL };
	struct smbios_system s = {
		.h = { 1, sizeof(s), H_SYSTEM },
		.manufacturer = 1,
		.product = 2,
		.version = 3,
		.serial = 4,
		.wake_up = SMBIOS_WAKE_POWER_SWITCH,
	};

	make_uuid(t->vm, s.uuid);
	add(t, &s, strings);
}

static void add_chassis(struct smbios_table *t)
{
	static const char *const strings[] = { VENDOR, NULL };
	const struct smbios_chassis s = {
		.h = { 3, sizeof(s), H_CHASSIS },
		.manufacturer = 1,
		.type = SMBIOS_CHASSIS_OTHER,
		.boot_state = SMBIOS_STATE_SAFE,
		.power_state = SMBIOS_STATE_SAFE,
		.thermal_state = SMBIOS_STATE_SAFE,
		.security = SMBIOS_SECURITY_NONE,
	};

	add(t, &s, strings);
}

/* Leaf 0: EBX, EDX, ECX spell it */
static void cpu_vendor(const struct vm *vm, char out[13])
{
	u32 r[4];

	cpuid_query(vm, 0, 0, r);
	memcpy(out, &r[1], 4);
	memcpy(out + 4, &r[3], 4);
	memcpy(out + 8, &r[2], 4);
	out[12] = 0;
}

/* Leaves 80000002h to 80000004h; blanks in front are common */
static const char *cpu_brand(const struct vm *vm, char out[49])
{
	const char *at = out;

	for (u32 i = 0; i < 3; i++)
		cpuid_query(vm, 0x80000002u + i, 0, (u32 *)(void *)out + i * 4);
	out[48] = 0;
	while (*at == ' ')
		at++;
	return at;
}

static u8 small(u32 count)
{
	return (u8)MIN(count, (u32)SMBIOS_CORES_IN_2);
}

static void add_cpu(struct smbios_table *t)
{
	u32 count = t->vm->vcpu_count, r[4];
	u16 mhz = (u16)MIN(tsc_khz / 1000, (u64)0xffff);
	char vendor[13];
	char brand[52] __aligned(4);
	const char *strings[] = { "CPU 0", vendor, "unknown", NULL };
	struct smbios_cpu s = {
		.h = { 4, sizeof(s), H_CPU },
		.socket = 1,
		.type = SMBIOS_CPU_CENTRAL,
		.family = SMBIOS_FAMILY_IN_2,
		.manufacturer = 2,
		.version = 3,
		.max_mhz = mhz,
		.now_mhz = mhz,
		.status = SMBIOS_CPU_ENABLED,
		.upgrade = SMBIOS_UPGRADE_OTHER,
		.l1 = SMBIOS_NO_CACHE,
		.l2 = SMBIOS_NO_CACHE,
		.l3 = SMBIOS_NO_CACHE,
		.cores = small(count),
		.cores_enabled = small(count),
		.threads = small(count),
		.characteristics = SMBIOS_CPU_64BIT,
		.family2 = SMBIOS_FAMILY_OTHER,
		.cores2 = (u16)count,
		.cores_enabled2 = (u16)count,
		.threads2 = (u16)count,
	};

	cpuid_query(t->vm, 1, 0, r);
	s.id_eax = r[0];
	s.id_edx = r[3];
	if (count > 1)
		s.characteristics |= SMBIOS_CPU_MULTI_CORE;
	cpu_vendor(t->vm, vendor);
	if (*cpu_brand(t->vm, brand))
		strings[2] = cpu_brand(t->vm, brand);
	add(t, &s, strings);
}

static void add_array(struct smbios_table *t)
{
	u64 bytes = vm_ram_between(t->vm, 0, ~0ull), kib = bytes >> 10;
	struct smbios_array s = {
		.h = { 16, sizeof(s), H_ARRAY },
		.location = SMBIOS_ON_BOARD,
		.use = SMBIOS_SYSTEM_MEMORY,
		.correction = SMBIOS_CORRECTION_UNKNOWN,
		.capacity_kib = (u32)kib,
		.error_handle = SMBIOS_NO_ERROR_HANDLE,
		.devices = 1,
	};

	if (kib >= SMBIOS_CAPACITY_IN_EXT) {
		s.capacity_kib = SMBIOS_CAPACITY_IN_EXT;
		s.capacity_ext = bytes;
	}
	add(t, &s, no_strings);
}

static void add_memory(struct smbios_table *t)
{
	static const char *const strings[] = { "DIMM 0", VENDOR, NULL };
	u64 mib = vm_ram_between(t->vm, 0, ~0ull) >> 20;
	struct smbios_memory s = {
		.h = { 17, sizeof(s), H_MEMORY },
		.array = H_ARRAY,
		.error_handle = SMBIOS_NO_ERROR_HANDLE,
		.total_width = SMBIOS_WIDTH_UNKNOWN,
		.data_width = SMBIOS_WIDTH_UNKNOWN,
		.size_mib = (u16)mib,
		.form = SMBIOS_FORM_DIMM,
		.locator = 1,
		.type = SMBIOS_TYPE_RAM,
		.type_detail = SMBIOS_DETAIL_OTHER,
		.manufacturer = 2,
	};

	if (mib >= SMBIOS_SIZE_IN_EXT) {
		s.size_mib = SMBIOS_SIZE_IN_EXT;
		s.size_ext_mib = (u32)mib;
	}
	add(t, &s, strings);
}

static void add_mapped(struct smbios_table *t, u32 n, u64 base, u64 end)
{
	struct smbios_mapped s = {
		.h = { 19, sizeof(s), (u16)(H_MAPPED + n) },
		.start_kib = (u32)(base >> 10),
		.end_kib = (u32)((end - 1) >> 10),
		.array = H_ARRAY,
		.width = 1,
	};

	if ((end - 1) >> 10 >= SMBIOS_ADDRESS_IN_EXT) {
		s.start_kib = SMBIOS_ADDRESS_IN_EXT;
		s.end_kib = SMBIOS_ADDRESS_IN_EXT;
		s.start = base;
		s.end = end - 1;
	}
	add(t, &s, no_strings);
}

/* The two runs of RAM, below 4 GiB and above */
static void add_ranges(struct smbios_table *t)
{
	u64 low = MIN(vm_ram_between(t->vm, 0, ~0ull), PC_LOW_RAM_END);
	u64 high = vm_ram_between(t->vm, 0, ~0ull) - low;

	if (low)
		add_mapped(t, 0, 0, low);
	if (high)
		add_mapped(t, 1, PC_HIGH_RAM_BASE, PC_HIGH_RAM_BASE + high);
}

static void add_end(struct smbios_table *t)
{
	const struct smbios_boot boot = { .h = { 32, sizeof(boot), H_BOOT } };
	const struct smbios_header end = { SMBIOS_END, sizeof(end), H_END };

	add(t, &boot, no_strings);
	add(t, &end, no_strings);
}

int smbios_fill(struct smbios_table *t)
{
	add_bios(t);
	add_system(t);
	add_chassis(t);
	add_cpu(t);
	add_array(t);
	add_memory(t);
	add_ranges(t);
	add_end(t);
	return t->full ? -ENOSPC : 0;
}
