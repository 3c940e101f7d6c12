/* SPDX-License-Identifier: BSD-2-Clause */
/* SMBIOS structures (DMTF DSP0134 3.4.0, chapters 5 to 7), as far as a guest's
 * are made. Strings follow a structure; fields hold their numbers from 1. */
#ifndef HW_SMBIOS_H
#define HW_SMBIOS_H

#include "lib/types.h"

struct smbios_anchor {     /* 5.2.1, the 32-bit entry point */
	char signature[4]; /* "_SM_" */
	u8 checksum, length, major, minor;
	u16 max_size; /* of the largest structure */
	u8 revision, formatted[5];
	char dmi_signature[5]; /* "_DMI_" */
	u8 dmi_checksum;       /* from dmi_signature to the end */
	u16 table_length;
	u32 table;
	u16 count;
	u8 bcd_revision;
} __packed;
static_assert(sizeof(struct smbios_anchor) == 31, "5.2.1");
static_assert(offsetof(struct smbios_anchor, dmi_signature) == 16, "5.2.1");

struct smbios3_anchor {    /* 5.2.2, the 64-bit entry point */
	char signature[5]; /* "_SM3_" */
	u8 checksum, length, major, minor, docrev, revision, reserved;
	u32 max_table_length;
	u64 table;
} __packed;
static_assert(sizeof(struct smbios3_anchor) == 24, "5.2.2");

struct smbios_header { /* 6.1.2 */
	u8 type, length;
	u16 handle;
} __packed;

struct smbios_bios { /* 7.1, type 0 */
	struct smbios_header h;
	u8 vendor, version;
	u16 segment;
	u8 date, rom_size;
	u64 characteristics;
	u8 characteristics_ext[2];
	u8 major, minor, ec_major, ec_minor;
} __packed;
static_assert(sizeof(struct smbios_bios) == 0x18, "type 0");
#define SMBIOS_BIOS_NO_CHARACTERISTICS BIT(3)
#define SMBIOS_BIOS_VIRTUAL_MACHINE    0x10 /* characteristics_ext[1] */
#define SMBIOS_NO_EC                   0xff

struct smbios_system { /* 7.2, type 1 */
	struct smbios_header h;
	u8 manufacturer, product, version, serial;
	u8 uuid[16];
	u8 wake_up, sku, family;
} __packed;
static_assert(sizeof(struct smbios_system) == 0x1b, "type 1");
#define SMBIOS_WAKE_POWER_SWITCH 6

struct smbios_chassis { /* 7.4, type 3 */
	struct smbios_header h;
	u8 manufacturer, type, version, serial, asset;
	u8 boot_state, power_state, thermal_state, security;
	u32 oem;
	u8 height, cords, elements, element_length, sku;
} __packed;
static_assert(sizeof(struct smbios_chassis) == 0x16, "type 3");
#define SMBIOS_CHASSIS_OTHER 1
#define SMBIOS_STATE_SAFE    3
#define SMBIOS_SECURITY_NONE 3

struct smbios_cpu { /* 7.5, type 4 */
	struct smbios_header h;
	u8 socket, type, family, manufacturer;
	u32 id_eax, id_edx;
	u8 version, voltage;
	u16 clock_mhz, max_mhz, now_mhz;
	u8 status, upgrade;
	u16 l1, l2, l3;
	u8 serial, asset, part;
	u8 cores, cores_enabled, threads;
	u16 characteristics, family2;
	u16 cores2, cores_enabled2, threads2;
} __packed;
static_assert(sizeof(struct smbios_cpu) == 0x30, "type 4");
#define SMBIOS_CPU_CENTRAL    3
#define SMBIOS_FAMILY_IN_2    0xfe
#define SMBIOS_FAMILY_OTHER   1
#define SMBIOS_CPU_ENABLED    0x41 /* populated, enabled */
#define SMBIOS_UPGRADE_OTHER  1
#define SMBIOS_NO_CACHE       0xffff
#define SMBIOS_CPU_64BIT      BIT(2)
#define SMBIOS_CPU_MULTI_CORE BIT(3)
#define SMBIOS_CORES_IN_2     0xff

struct smbios_array { /* 7.17, type 16 */
	struct smbios_header h;
	u8 location, use, correction;
	u32 capacity_kib;
	u16 error_handle, devices;
	u64 capacity_ext;
} __packed;
static_assert(sizeof(struct smbios_array) == 0x17, "type 16");
#define SMBIOS_ON_BOARD           3
#define SMBIOS_SYSTEM_MEMORY      3
#define SMBIOS_CORRECTION_UNKNOWN 2
#define SMBIOS_CAPACITY_IN_EXT    0x80000000u
#define SMBIOS_NO_ERROR_HANDLE    0xfffe

struct smbios_memory { /* 7.18, type 17 */
	struct smbios_header h;
	u16 array, error_handle, total_width, data_width, size_mib;
	u8 form, set, locator, bank, type;
	u16 type_detail, speed;
	u8 manufacturer, serial, asset, part, attributes;
	u32 size_ext_mib;
	u16 clock, min_mv, max_mv, mv;
} __packed;
static_assert(sizeof(struct smbios_memory) == 0x28, "type 17");
#define SMBIOS_WIDTH_UNKNOWN 0xffff
#define SMBIOS_SIZE_IN_EXT   0x7fff
#define SMBIOS_FORM_DIMM     9
#define SMBIOS_TYPE_RAM      7
#define SMBIOS_DETAIL_OTHER  BIT(1)

struct smbios_mapped { /* 7.20, type 19 */
	struct smbios_header h;
	u32 start_kib, end_kib; /* the last one, inclusive */
	u16 array;
	u8 width;
	u64 start, end; /* bytes, where start_kib is all ones */
} __packed;
static_assert(sizeof(struct smbios_mapped) == 0x1f, "type 19");
#define SMBIOS_ADDRESS_IN_EXT ~0u

struct smbios_boot { /* 7.33, type 32 */
	struct smbios_header h;
	u8 reserved[6], status;
} __packed;
static_assert(sizeof(struct smbios_boot) == 0x0b, "type 32");

#define SMBIOS_END 127

#endif
