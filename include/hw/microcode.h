/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Microcode updates in files. Intel's are one after the other (SDM 3A 10.11
 * *Microcode Update Facilities*). AMD's are in containers; AMD documents them
 * in the programs that it gives to kernels, not in a manual.
 */
#ifndef HW_MICROCODE_H
#define HW_MICROCODE_H

#include "lib/types.h"

/* Where an initrd has them (Linux, Documentation/arch/x86/microcode.rst) */
#define UCODE_PATH_INTEL "kernel/x86/microcode/GenuineIntel.bin"
#define UCODE_PATH_AMD   "kernel/x86/microcode/AuthenticAMD.bin"

/* SDM 3A 10.11.1 *Microcode Update* */
struct ucode_intel_header {
	u32 header_version; /* 1 */
	u32 revision;       /* signed */
	u32 date;
	u32 signature; /* CPUID 1:EAX */
	u32 checksum;  /* all words together give 0 */
	u32 loader_revision;
	u32 flags;       /* a bit for each platform id, MSR_PLATFORM_ID */
	u32 data_bytes;  /* 0: UCODE_INTEL_OLD_DATA */
	u32 total_bytes; /* with the header and the table below */
	u32 reserved[3];
};
static_assert(sizeof(struct ucode_intel_header) == 48, "SDM 3A table 10-8");
#define UCODE_INTEL_OLD_DATA  2000u
#define UCODE_INTEL_OLD_TOTAL 2048u
#define UCODE_INTEL_UNIT      1024u /* of total_bytes */

/* 10.11.2 *Optional Extended Signature Table*, behind the data */
struct ucode_intel_signature {
	u32 signature;
	u32 flags;
	u32 checksum; /* of the header, were these two in it */
};
struct ucode_intel_table {
	u32 count;
	u32 checksum; /* all words of the table together give 0 */
	u32 reserved[3];
	struct ucode_intel_signature signatures[];
};
static_assert(sizeof(struct ucode_intel_table) == 20, "SDM 3A table 10-8");

/* AMD: the container's magic, then sections. The first is the table. */
#define UCODE_AMD_MAGIC        0x00414d44u
#define UCODE_AMD_EQUIVALENCES 0u
#define UCODE_AMD_PATCH        1u

struct ucode_amd_section {
	u32 type;
	u32 bytes; /* without these two words */
};

/* A row for each processor; the last is zero */
struct ucode_amd_equivalence {
	u32 signature; /* CPUID 1:EAX */
	u32 errata_mask, errata_compare;
	u16 id; /* ucode_amd_patch.processor_id */
	u16 reserved;
};
static_assert(sizeof(struct ucode_amd_equivalence) == 16, "a row");

/* A patch begins with this, and the loader gets it whole */
struct ucode_amd_patch {
	u32 date;
	u32 revision;
	u16 loader_id;
	u8 data_bytes, init_flag;
	u32 checksum; /* of old families; the CPU checks a signature */
	u32 north_bridge, south_bridge; /* not 0: for this chipset alone */
	u16 processor_id;
	u8 north_bridge_revision, south_bridge_revision;
	u8 bios_api_revision;
	u8 reserved[3];
	u32 match[8];
};
static_assert(sizeof(struct ucode_amd_patch) == 64, "a patch's header");

#endif
