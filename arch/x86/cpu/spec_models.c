/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which models are affected by what. Pure; called by spec_table.c. Sources:
 * Intel's *Affected Processors: Transient Execution Attacks and Related
 * Security Issues by CPU*; AMD-SB-1037 and -1045 (Retbleed), -7005 (SRSO),
 * -7008 (Zenbleed), -7009 (DIV), -7029 (TSA).
 */
#include "arch/x86/cpu/spec_table.h"

#include "include/hw/cpuid.h"

/* A model is @first to @last, of stepping @max at most; the first row that fits
 * counts */
struct model_row {
	enum cpu_vendor vendor;
	u8 family, first, last, max;
	u32 bugs;
};

#define EACH_STEP  0xff
#define OLD        (BUG_L1TF | BUG_MDS | BUG_MULTIHIT | BUG_PBRSB)
#define SKYLAKE    (OLD | BUG_MMIO | BUG_RETBLEED | BUG_GDS)
#define CLIENT     (SKYLAKE | BUG_SRBDS)
#define ICELAKE    (OLD | BUG_MMIO | BUG_GDS)
#define HYBRID     (OLD | BUG_RFDS)
#define TREMONT    ((OLD & ~BUG_PBRSB) | BUG_MMIO | BUG_RFDS | BUG_SRBDS)
#define INTEL(...) VENDOR_INTEL, 6, __VA_ARGS__
#define ZEN1       (BUG_RETBLEED | BUG_SRSO | BUG_DIV)
#define ZEN2       (BUG_RETBLEED | BUG_SRSO | BUG_ZENBLEED)

/* clang-format off */
static const struct model_row models[] = {
	/* Atoms: in-order ones, Silvermont and Airmont, Knights Landing */
	{ INTEL(0x1c, 0x1c, EACH_STEP), 0 },
	{ INTEL(0x26, 0x27, EACH_STEP), 0 },
	{ INTEL(0x35, 0x36, EACH_STEP), 0 },
	{ INTEL(0x37, 0x37, EACH_STEP), BUG_MDS },
	{ INTEL(0x4a, 0x4a, EACH_STEP), BUG_MDS },
	{ INTEL(0x4c, 0x4d, EACH_STEP), BUG_MDS },
	{ INTEL(0x57, 0x57, EACH_STEP), BUG_MDS },
	{ INTEL(0x5a, 0x5a, EACH_STEP), BUG_MDS },
	{ INTEL(0x75, 0x75, EACH_STEP), BUG_MDS },
	{ INTEL(0x85, 0x85, EACH_STEP), BUG_MDS },
	/* Goldmont, Goldmont Plus */
	{ INTEL(0x5c, 0x5c, EACH_STEP), BUG_RFDS },
	{ INTEL(0x5f, 0x5f, EACH_STEP), BUG_RFDS },
	{ INTEL(0x7a, 0x7a, EACH_STEP), BUG_RFDS },
	/* Tremont: server, client, Jasper Lake; with a core of Lakefield */
	{ INTEL(0x86, 0x86, EACH_STEP), BUG_L1TF | BUG_MDS | BUG_MMIO | BUG_RFDS },
	{ INTEL(0x96, 0x96, EACH_STEP), TREMONT },
	{ INTEL(0x9c, 0x9c, EACH_STEP), TREMONT },
	{ INTEL(0x8a, 0x8a, EACH_STEP), OLD | BUG_MMIO | BUG_RETBLEED | BUG_SRBDS },
	/* Ivy Bridge, Haswell and Broadwell, of clients */
	{ INTEL(0x3a, 0x3a, EACH_STEP), OLD | BUG_SRBDS },
	{ INTEL(0x3c, 0x3d, EACH_STEP), OLD | BUG_SRBDS },
	{ INTEL(0x45, 0x47, EACH_STEP), OLD | BUG_SRBDS },
	/* Sandy Bridge E, Haswell E, Broadwell E and DE */
	{ INTEL(0x2d, 0x2d, EACH_STEP), OLD | BUG_MMIO },
	{ INTEL(0x3f, 0x3f, EACH_STEP), OLD | BUG_MMIO },
	{ INTEL(0x4f, 0x4f, EACH_STEP), OLD | BUG_MMIO },
	{ INTEL(0x56, 0x56, EACH_STEP), OLD | BUG_MMIO },
	/* Skylake, Cascade Lake, Cooper Lake; Kaby, Coffee, Whiskey, Comet */
	{ INTEL(0x4e, 0x4e, EACH_STEP), CLIENT },
	{ INTEL(0x5e, 0x5e, EACH_STEP), CLIENT },
	{ INTEL(0x55, 0x55, 0x5), SKYLAKE },
	{ INTEL(0x55, 0x55, EACH_STEP), SKYLAKE | BUG_ITS },
	{ INTEL(0x8e, 0x8e, 0xb), CLIENT },
	{ INTEL(0x8e, 0x8e, EACH_STEP), CLIENT | BUG_ITS },
	{ INTEL(0x9e, 0x9e, 0xc), CLIENT },
	{ INTEL(0x9e, 0x9e, EACH_STEP), CLIENT | BUG_ITS },
	{ INTEL(0xa6, 0xa6, 0x0), SKYLAKE | BUG_ITS },
	{ INTEL(0xa5, 0xa6, EACH_STEP), CLIENT | BUG_ITS },
	{ INTEL(0x66, 0x66, EACH_STEP), OLD | BUG_RETBLEED },
	/* Ice Lake, Tiger Lake, Rocket Lake; ITS concerns their user mode alone */
	{ INTEL(0x6a, 0x6a, EACH_STEP), ICELAKE },
	{ INTEL(0x6c, 0x6c, EACH_STEP), ICELAKE },
	{ INTEL(0x7d, 0x7e, EACH_STEP), ICELAKE | BUG_RETBLEED | BUG_SRBDS },
	{ INTEL(0x8c, 0x8d, EACH_STEP), OLD | BUG_GDS },
	{ INTEL(0xa7, 0xa7, EACH_STEP), ICELAKE | BUG_RETBLEED },
	/* Alder Lake, Raptor Lake and Gracemont alone */
	{ INTEL(0x97, 0x97, EACH_STEP), HYBRID },
	{ INTEL(0x9a, 0x9a, EACH_STEP), HYBRID },
	{ INTEL(0xb7, 0xb7, EACH_STEP), HYBRID },
	{ INTEL(0xba, 0xba, EACH_STEP), HYBRID },
	{ INTEL(0xbe, 0xbf, EACH_STEP), HYBRID },
	/* The rest of Intel's, unless the CPU says otherwise */
	{ INTEL(0x00, 0xff, EACH_STEP), OLD },

	{ VENDOR_AMD, 0x15, 0x00, 0xff, EACH_STEP, BUG_RETBLEED },
	{ VENDOR_AMD, 0x16, 0x00, 0xff, EACH_STEP, BUG_RETBLEED },
	{ VENDOR_AMD, 0x17, 0x00, 0x2f, EACH_STEP, ZEN1 },
	{ VENDOR_AMD, 0x17, 0x50, 0x5f, EACH_STEP, ZEN1 },
	{ VENDOR_AMD, 0x17, 0x00, 0xff, EACH_STEP, ZEN2 },
	{ VENDOR_AMD, 0x18, 0x00, 0xff, EACH_STEP, ZEN1 },
	{ VENDOR_AMD, 0x19, 0x00, 0xff, EACH_STEP, BUG_SRSO | BUG_TSA },
	{ VENDOR_AMD, 0x1a, 0x00, 0xff, EACH_STEP, BUG_SRSO },
};
/* clang-format on */

u32 spec_model_bugs(const struct spec_cpu *c)
{
	for (u32 i = 0; i < ARRAY_SIZE(models); i++) {
		const struct model_row *m = &models[i];

		if (c->vendor == m->vendor && c->family == m->family &&
		    c->model >= m->first && c->model <= m->last &&
		    c->stepping <= m->max)
			return m->bugs;
	}
	return c->vendor == VENDOR_INTEL ? OLD : 0;
}

/* The oldest revision that cures, by models or by the revision's upper part */
struct revision_row {
	u32 first, last, revision;
};

bool spec_zenbleed_cured(const struct spec_cpu *c)
{
	static const struct revision_row rows[] = {
		{ 0x30, 0x3f, 0x0830107b }, { 0x60, 0x67, 0x0860010c },
		{ 0x68, 0x6f, 0x08608107 }, { 0x70, 0x7f, 0x08701033 },
		{ 0xa0, 0xaf, 0x08a00009 },
	};

	for (u32 i = 0; i < ARRAY_SIZE(rows); i++)
		if (c->model >= rows[i].first && c->model <= rows[i].last)
			return c->microcode >= rows[i].revision;
	return false;
}

/* Bits 31:8 of a revision name the CPU that it is for */
bool spec_tsa_verw(const struct spec_cpu *c)
{
	static const u32 revisions[] = {
		0x0a0011d7, 0x0a00123b, 0x0a00820d, 0x0a10114c,
		0x0a10124c, 0x0a108109, 0x0a20102e, 0x0a201211,
		0x0a404108, 0x0a500012, 0x0a60120a, 0x0a704108,
		0x0a705208, 0x0a708008, 0x0a70c008, 0x0aa00216,
	};

	if (c->leaf821_eax & CPUID_821_EAX_VERW_CLEAR)
		return true;
	for (u32 i = 0; i < ARRAY_SIZE(revisions); i++)
		if (c->microcode >> 8 == revisions[i] >> 8)
			return c->microcode >= revisions[i];
	return false;
}
