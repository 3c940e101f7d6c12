/* SOURCES: arch/x86/cpu/spec_table.c arch/x86/cpu/spec_models.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The table's choice for CPUs by name. What each is affected by is Intel's
 * *Affected Processors* list, AMD's bulletins and Linux's hw-vuln pages; the
 * capability bits are those of a machine with the microcode of 2025, unless the
 * name says otherwise. Over 400 lines: a row for each CPU.
 */
#include "arch/x86/cpu/speculation.h"
#include "include/hw/cpuid.h"
#include "include/hw/msr.h"
#include "tests/unit/test.h"

#define MC_OLD ((u32)(CPUID_7_EDX_SPEC_CTRL | CPUID_7_EDX_STIBP))
#define MC_NEW                                                                 \
	((u32)(MC_OLD | CPUID_7_EDX_FLUSH_L1D | CPUID_7_EDX_MD_CLEAR |         \
	       CPUID_7_EDX_ARCH_CAP))
#define MC_RNG ((u32)(MC_NEW | CPUID_7_EDX_SRBDS_CTRL))
#define CAPS_CASCADE                                                           \
	(ARCH_CAP_RDCL_NO | ARCH_CAP_IBRS_ALL | ARCH_CAP_SKIP_L1DFL_VMENTRY |  \
	 ARCH_CAP_MDS_NO | ARCH_CAP_TSX_CTRL | ARCH_CAP_FB_CLEAR |             \
	 ARCH_CAP_GDS_CTRL)
#define CAPS_ICE                                                               \
	(ARCH_CAP_RDCL_NO | ARCH_CAP_IBRS_ALL | ARCH_CAP_SKIP_L1DFL_VMENTRY |  \
	 ARCH_CAP_MDS_NO | ARCH_CAP_PSCHANGE_MC_NO | ARCH_CAP_TAA_NO |         \
	 ARCH_CAP_FB_CLEAR)
#define CAPS_NEW                                                               \
	(CAPS_ICE | ARCH_CAP_SBDR_SSDP_NO | ARCH_CAP_FBSDP_NO |                \
	 ARCH_CAP_PSDP_NO)
#define AMD_OLD                                                                \
	((u32)(CPUID_88_EBX_IBPB | CPUID_88_EBX_IBRS | CPUID_88_EBX_STIBP))
#define BRTYPE ((u32)CPUID_821_EAX_IBPB_BRTYPE)

#define RETPOLINES  (SPEC_RETPOLINE | SPEC_RSB_FILL)
#define IBRS_EXITS  (SPEC_IBRS_EXIT | SPEC_RSB_FILL)
#define EIBRS       (SPEC_IBRS | SPEC_IBPB_SWITCH)
#define EIBRS_PBRSB (EIBRS | SPEC_RSB_ONE)

#define INTEL(model_, stepping_)                                               \
	.vendor = VENDOR_INTEL, .family = 6, .model = (model_),                \
	.stepping = (stepping_)
#define CORE(model_, stepping_) INTEL(model_, stepping_), .avx = true
#define AMD(family_, model_, stepping_)                                        \
	.vendor = VENDOR_AMD, .family = (family_), .model = (model_),          \
	.stepping = (stepping_)

struct named_cpu {
	const char *name;
	struct spec_cpu cpu;
	u32 rows[SPEC_ATTACKS]; /* not named: not affected */
	u32 actions, host_ctrl;
	bool verw_at_halt;
};

/* clang-format off */
static const struct named_cpu cpus[] = {
	{ "Haswell i7-4770, microcode of 2013", { CORE(0x3c, 3) },
	  { [SPEC_SPECTRE_V2] = RETPOLINES | SPEC_VULNERABLE,
	    [SPEC_L1TF] = SPEC_VULNERABLE, [SPEC_MDS] = SPEC_VULNERABLE,
	    [SPEC_SRBDS] = SPEC_VULNERABLE, [SPEC_MULTIHIT] = SPEC_SPLIT },
	  RETPOLINES | SPEC_SPLIT | SPEC_VULNERABLE, 0, false },
	{ "Ivy Bridge-EP E5-2697 v2",
	  { CORE(0x3e, 4), .leaf7_edx = MC_NEW, .smt = true },
	  { [SPEC_SPECTRE_V2] = RETPOLINES | SPEC_IBPB_SWITCH,
	    [SPEC_L1TF] = SPEC_L1D_FLUSH, [SPEC_MDS] = SPEC_VERW,
	    [SPEC_MULTIHIT] = SPEC_SPLIT },
	  RETPOLINES | SPEC_IBPB_SWITCH | SPEC_L1D_FLUSH | SPEC_SPLIT, 0, true },
	{ "Haswell-EP E5-2680 v3", { CORE(0x3f, 2), .leaf7_edx = MC_NEW },
	  { [SPEC_SPECTRE_V2] = RETPOLINES | SPEC_IBPB_SWITCH,
	    [SPEC_L1TF] = SPEC_L1D_FLUSH, [SPEC_MDS] = SPEC_VERW,
	    [SPEC_MMIO] = SPEC_VERW, [SPEC_MULTIHIT] = SPEC_SPLIT },
	  RETPOLINES | SPEC_IBPB_SWITCH | SPEC_L1D_FLUSH | SPEC_SPLIT, 0, true },
	{ "Broadwell-EP E5-2690 v4, with TSX",
	  { CORE(0x4f, 1), .leaf7_edx = MC_NEW, .rtm = true },
	  { [SPEC_SPECTRE_V2] = RETPOLINES | SPEC_IBPB_SWITCH,
	    [SPEC_L1TF] = SPEC_L1D_FLUSH, [SPEC_MDS] = SPEC_VERW,
	    [SPEC_TAA] = SPEC_VERW, [SPEC_MMIO] = SPEC_VERW,
	    [SPEC_MULTIHIT] = SPEC_SPLIT },
	  RETPOLINES | SPEC_IBPB_SWITCH | SPEC_L1D_FLUSH | SPEC_SPLIT, 0, true },
	{ "Skylake i7-6700, microcode of 2018",
	  { CORE(0x5e, 3), .leaf7_edx = MC_OLD, .rtm = true, .smt = true },
	  { [SPEC_SPECTRE_V2] = IBRS_EXITS | SPEC_IBPB_SWITCH,
	    [SPEC_RETBLEED] = IBRS_EXITS, [SPEC_L1TF] = SPEC_VULNERABLE,
	    [SPEC_MDS] = SPEC_VULNERABLE, [SPEC_TAA] = SPEC_VULNERABLE,
	    [SPEC_MMIO] = SPEC_VULNERABLE, [SPEC_GDS] = SPEC_VULNERABLE,
	    [SPEC_SRBDS] = SPEC_VULNERABLE, [SPEC_MULTIHIT] = SPEC_SPLIT },
	  IBRS_EXITS | SPEC_IBPB_SWITCH | SPEC_SPLIT | SPEC_VULNERABLE,
	  SPEC_CTRL_IBRS, false },
	{ "Skylake-SP Gold 6148",
	  { CORE(0x55, 4), .leaf7_edx = MC_NEW,
	    .arch_caps = ARCH_CAP_RSBA | ARCH_CAP_GDS_CTRL },
	  { [SPEC_SPECTRE_V2] = IBRS_EXITS | SPEC_IBPB_SWITCH,
	    [SPEC_RETBLEED] = IBRS_EXITS, [SPEC_L1TF] = SPEC_L1D_FLUSH,
	    [SPEC_MDS] = SPEC_VERW, [SPEC_MMIO] = SPEC_VERW,
	    [SPEC_GDS] = SPEC_GATHER_MITG, [SPEC_MULTIHIT] = SPEC_SPLIT },
	  IBRS_EXITS | SPEC_IBPB_SWITCH | SPEC_L1D_FLUSH | SPEC_GATHER_MITG |
	  SPEC_SPLIT,
	  SPEC_CTRL_IBRS, true },
	{ "Cascade Lake Gold 6248",
	  { CORE(0x55, 7), .leaf7_edx = MC_NEW, .arch_caps = CAPS_CASCADE,
	    .rtm = true },
	  { [SPEC_SPECTRE_V2] = EIBRS_PBRSB, [SPEC_BHI] = SPEC_BHB_CLEAR,
	    [SPEC_RETBLEED] = SPEC_IBRS,
	    [SPEC_ITS] = SPEC_ALIGNED | SPEC_RSB_FILL,
	    [SPEC_TAA] = SPEC_TSX_OFF, [SPEC_MMIO] = SPEC_VERW,
	    [SPEC_GDS] = SPEC_GATHER_MITG, [SPEC_MULTIHIT] = SPEC_SPLIT },
	  EIBRS | SPEC_RSB_FILL | SPEC_BHB_CLEAR | SPEC_ALIGNED |
	  SPEC_TSX_OFF | SPEC_VERW | SPEC_GATHER_MITG | SPEC_SPLIT,
	  SPEC_CTRL_IBRS, true },
	{ "Cascade Lake Gold 6248, microcode of 2019",
	  { CORE(0x55, 7), .leaf7_edx = MC_NEW, .rtm = true,
	    .arch_caps = ARCH_CAP_RDCL_NO | ARCH_CAP_IBRS_ALL |
			 ARCH_CAP_SKIP_L1DFL_VMENTRY | ARCH_CAP_MDS_NO },
	  { [SPEC_SPECTRE_V2] = EIBRS_PBRSB, [SPEC_BHI] = SPEC_BHB_CLEAR,
	    [SPEC_RETBLEED] = SPEC_IBRS,
	    [SPEC_ITS] = SPEC_ALIGNED | SPEC_RSB_FILL,
	    [SPEC_TAA] = SPEC_VULNERABLE, [SPEC_MMIO] = SPEC_VULNERABLE,
	    [SPEC_GDS] = SPEC_VULNERABLE, [SPEC_MULTIHIT] = SPEC_SPLIT },
	  EIBRS | SPEC_RSB_FILL | SPEC_BHB_CLEAR | SPEC_ALIGNED | SPEC_SPLIT |
	  SPEC_VULNERABLE, SPEC_CTRL_IBRS, false },
	{ "Coffee Lake i7-8700",
	  { CORE(0x9e, 0xa), .leaf7_edx = MC_RNG, .smt = true,
	    .arch_caps = ARCH_CAP_RSBA | ARCH_CAP_GDS_CTRL },
	  { [SPEC_SPECTRE_V2] = IBRS_EXITS | SPEC_IBPB_SWITCH,
	    [SPEC_RETBLEED] = IBRS_EXITS, [SPEC_L1TF] = SPEC_L1D_FLUSH,
	    [SPEC_MDS] = SPEC_VERW, [SPEC_MMIO] = SPEC_VERW,
	    [SPEC_GDS] = SPEC_GATHER_MITG, [SPEC_SRBDS] = SPEC_RNG_MITG,
	    [SPEC_MULTIHIT] = SPEC_SPLIT },
	  IBRS_EXITS | SPEC_IBPB_SWITCH | SPEC_L1D_FLUSH | SPEC_GATHER_MITG |
	  SPEC_RNG_MITG | SPEC_SPLIT,
	  SPEC_CTRL_IBRS, true },
	{ "Celeron G3900, a Skylake without AVX",
	  { INTEL(0x5e, 3), .leaf7_edx = MC_RNG,
	    .arch_caps = ARCH_CAP_RSBA },
	  { [SPEC_SPECTRE_V2] = IBRS_EXITS | SPEC_IBPB_SWITCH,
	    [SPEC_RETBLEED] = IBRS_EXITS, [SPEC_L1TF] = SPEC_L1D_FLUSH,
	    [SPEC_MDS] = SPEC_VERW, [SPEC_MMIO] = SPEC_VERW,
	    [SPEC_SRBDS] = SPEC_RNG_MITG, [SPEC_MULTIHIT] = SPEC_SPLIT },
	  IBRS_EXITS | SPEC_IBPB_SWITCH | SPEC_L1D_FLUSH | SPEC_RNG_MITG |
	  SPEC_SPLIT, SPEC_CTRL_IBRS, true },
	{ "Whiskey Lake i7-8565U, stepping C",
	  { CORE(0x8e, 0xc), .leaf7_edx = MC_RNG, .arch_caps = CAPS_CASCADE },
	  { [SPEC_SPECTRE_V2] = EIBRS_PBRSB, [SPEC_BHI] = SPEC_BHB_CLEAR,
	    [SPEC_RETBLEED] = SPEC_IBRS,
	    [SPEC_ITS] = SPEC_ALIGNED | SPEC_RSB_FILL,
	    [SPEC_TAA] = SPEC_TSX_OFF, [SPEC_MMIO] = SPEC_VERW,
	    [SPEC_GDS] = SPEC_GATHER_MITG, [SPEC_SRBDS] = SPEC_RNG_MITG,
	    [SPEC_MULTIHIT] = SPEC_SPLIT },
	  EIBRS | SPEC_RSB_FILL | SPEC_BHB_CLEAR | SPEC_ALIGNED |
	  SPEC_TSX_OFF | SPEC_VERW | SPEC_GATHER_MITG | SPEC_RNG_MITG |
	  SPEC_SPLIT, SPEC_CTRL_IBRS, true },
	{ "Ice Lake-SP Gold 6338",
	  { CORE(0x6a, 6), .leaf7_edx = MC_NEW, .smt = true,
	    .arch_caps = CAPS_ICE | ARCH_CAP_GDS_CTRL },
	  { [SPEC_SPECTRE_V2] = EIBRS_PBRSB, [SPEC_BHI] = SPEC_BHB_CLEAR,
	    [SPEC_MMIO] = SPEC_VERW,
	    [SPEC_GDS] = SPEC_GATHER_MITG },
	  EIBRS_PBRSB | SPEC_BHB_CLEAR | SPEC_VERW | SPEC_GATHER_MITG,
	  SPEC_CTRL_IBRS, true },
	{ "Rocket Lake i9-11900K",
	  { CORE(0xa7, 1), .leaf7_edx = MC_NEW,
	    .arch_caps = CAPS_ICE | ARCH_CAP_GDS_CTRL },
	  { [SPEC_SPECTRE_V2] = EIBRS_PBRSB, [SPEC_BHI] = SPEC_BHB_CLEAR,
	    [SPEC_RETBLEED] = SPEC_IBRS, [SPEC_MMIO] = SPEC_VERW,
	    [SPEC_GDS] = SPEC_GATHER_MITG },
	  EIBRS_PBRSB | SPEC_BHB_CLEAR | SPEC_VERW | SPEC_GATHER_MITG,
	  SPEC_CTRL_IBRS, true },
	{ "Tiger Lake i7-1165G7",
	  { CORE(0x8c, 1), .leaf7_edx = MC_NEW,
	    .arch_caps = CAPS_NEW | ARCH_CAP_GDS_CTRL },
	  { [SPEC_SPECTRE_V2] = EIBRS_PBRSB, [SPEC_BHI] = SPEC_BHB_CLEAR,
	    [SPEC_GDS] = SPEC_GATHER_MITG },
	  EIBRS_PBRSB | SPEC_BHB_CLEAR | SPEC_GATHER_MITG, SPEC_CTRL_IBRS, false },
	{ "Alder Lake i9-12900K",
	  { CORE(0x97, 2), .leaf7_edx = MC_NEW,
	    .leaf72_edx = CPUID_72_EDX_BHI_CTRL,
	    .arch_caps = CAPS_NEW | ARCH_CAP_RFDS_CLEAR | ARCH_CAP_PBRSB_NO },
	  { [SPEC_SPECTRE_V2] = EIBRS, [SPEC_BHI] = SPEC_BHI_DIS,
	    [SPEC_RFDS] = SPEC_VERW },
	  EIBRS | SPEC_BHI_DIS | SPEC_VERW,
	  SPEC_CTRL_IBRS | SPEC_CTRL_BHI_DIS_S, false },
	{ "Sapphire Rapids 8480+",
	  { CORE(0x8f, 8), .leaf7_edx = MC_NEW,
	    .leaf72_edx = CPUID_72_EDX_BHI_CTRL,
	    .arch_caps = CAPS_NEW | ARCH_CAP_PBRSB_NO | ARCH_CAP_RFDS_NO |
			 ARCH_CAP_TSX_CTRL },
	  { [SPEC_SPECTRE_V2] = EIBRS, [SPEC_BHI] = SPEC_BHI_DIS },
	  EIBRS | SPEC_BHI_DIS, SPEC_CTRL_IBRS | SPEC_CTRL_BHI_DIS_S, false },
	{ "A CPU of the future that needs nothing at an exit",
	  { CORE(0xdd, 1), .leaf7_edx = MC_NEW,
	    .arch_caps = CAPS_NEW | ARCH_CAP_PBRSB_NO | ARCH_CAP_RFDS_NO |
			 ARCH_CAP_BHI_NO },
	  { [SPEC_SPECTRE_V2] = EIBRS }, EIBRS, SPEC_CTRL_IBRS, false },
	{ "Silvermont C2750", { INTEL(0x4d, 8), .leaf7_edx = MC_NEW },
	  { [SPEC_SPECTRE_V2] = RETPOLINES | SPEC_IBPB_SWITCH,
	    [SPEC_MDS] = SPEC_VERW },
	  RETPOLINES | SPEC_IBPB_SWITCH | SPEC_VERW, 0, false },
	{ "Knights Landing 7210", { CORE(0x57, 1), .leaf7_edx = MC_NEW },
	  { [SPEC_SPECTRE_V2] = RETPOLINES | SPEC_IBPB_SWITCH,
	    [SPEC_MDS] = SPEC_VERW },
	  RETPOLINES | SPEC_IBPB_SWITCH | SPEC_VERW, 0, false },
	{ "Denverton C3758",
	  { INTEL(0x5f, 1), .leaf7_edx = MC_NEW,
	    .arch_caps = ARCH_CAP_RDCL_NO | ARCH_CAP_SKIP_L1DFL_VMENTRY |
			 ARCH_CAP_MDS_NO | ARCH_CAP_RFDS_CLEAR },
	  { [SPEC_SPECTRE_V2] = RETPOLINES | SPEC_IBPB_SWITCH,
	    [SPEC_RFDS] = SPEC_VERW },
	  RETPOLINES | SPEC_IBPB_SWITCH | SPEC_VERW, 0, false },
	{ "Snow Ridge P5962B",
	  { INTEL(0x86, 5), .leaf7_edx = MC_NEW,
	    .arch_caps = CAPS_ICE | ARCH_CAP_RFDS_CLEAR },
	  { [SPEC_SPECTRE_V2] = EIBRS, [SPEC_BHI] = SPEC_BHB_CLEAR,
	    [SPEC_MMIO] = SPEC_VERW, [SPEC_RFDS] = SPEC_VERW },
	  EIBRS | SPEC_BHB_CLEAR | SPEC_VERW, SPEC_CTRL_IBRS, true },

	{ "Elkhart Lake x6425E",
	  { INTEL(0x96, 1), .leaf7_edx = MC_RNG,
	    .arch_caps = CAPS_ICE | ARCH_CAP_RFDS_CLEAR },
	  { [SPEC_SPECTRE_V2] = EIBRS, [SPEC_BHI] = SPEC_BHB_CLEAR,
	    [SPEC_MMIO] = SPEC_VERW, [SPEC_RFDS] = SPEC_VERW,
	    [SPEC_SRBDS] = SPEC_RNG_MITG },
	  EIBRS | SPEC_BHB_CLEAR | SPEC_VERW | SPEC_RNG_MITG, SPEC_CTRL_IBRS, true },

	{ "QEMU's max, an AMD K8 by its number", { AMD(0xf, 0x6b, 1) },
	  { [SPEC_SPECTRE_V2] = RETPOLINES | SPEC_VULNERABLE },
	  RETPOLINES | SPEC_VULNERABLE, 0, false },
	{ "Opteron 6376, Piledriver",
	  { AMD(0x15, 2, 0), .leaf88_ebx = CPUID_88_EBX_IBPB },
	  { [SPEC_SPECTRE_V2] = RETPOLINES | SPEC_IBPB_SWITCH,
	    [SPEC_RETBLEED] = SPEC_IBPB_EXIT },
	  SPEC_IBPB_EXIT | SPEC_RSB_FILL, 0, false },
	{ "EPYC 7601, Zen 1",
	  { AMD(0x17, 1, 2), .leaf88_ebx = CPUID_88_EBX_IBPB, .smt = true },
	  { [SPEC_SPECTRE_V2] = RETPOLINES | SPEC_IBPB_SWITCH,
	    [SPEC_RETBLEED] = SPEC_IBPB_EXIT | SPEC_VULNERABLE,
	    [SPEC_SRSO] = SPEC_IBPB_EXIT, [SPEC_DIV] = SPEC_DIVIDE },
	  RETPOLINES | SPEC_IBPB_EXIT | SPEC_DIVIDE | SPEC_VULNERABLE, 0, false },
	{ "Hygon C86 7185", { AMD(0x18, 0, 2), .leaf88_ebx = AMD_OLD },
	  { [SPEC_SPECTRE_V2] = RETPOLINES | SPEC_IBPB_SWITCH,
	    [SPEC_RETBLEED] = SPEC_IBPB_EXIT, [SPEC_DIV] = SPEC_DIVIDE },
	  SPEC_IBPB_EXIT | SPEC_RSB_FILL | SPEC_DIVIDE, 0, false },
	{ "EPYC 7742, Zen 2, microcode of 2022",
	  { AMD(0x17, 0x31, 0), .leaf88_ebx = AMD_OLD, .smt = true,
	    .microcode = 0x08301055 },
	  { [SPEC_SPECTRE_V2] = RETPOLINES | SPEC_IBPB_SWITCH,
	    [SPEC_RETBLEED] = SPEC_IBPB_EXIT | SPEC_STIBP,
	    [SPEC_SRSO] = SPEC_IBPB_EXIT, [SPEC_ZENBLEED] = SPEC_FP_FIX },
	  SPEC_IBPB_EXIT | SPEC_RSB_FILL | SPEC_STIBP | SPEC_FP_FIX,
	  SPEC_CTRL_STIBP, false },
	{ "EPYC 7742, Zen 2, one thread a core",
	  { AMD(0x17, 0x31, 0), .leaf88_ebx = AMD_OLD,
	    .microcode = 0x0830107c },
	  { [SPEC_SPECTRE_V2] = RETPOLINES | SPEC_IBPB_SWITCH,
	    [SPEC_RETBLEED] = SPEC_IBPB_EXIT },
	  SPEC_IBPB_EXIT | SPEC_RSB_FILL, 0, false },
	{ "EPYC 7763, Zen 3, microcode of 2022",
	  { AMD(0x19, 1, 1), .smt = true, .microcode = 0x0a001173,
	    .leaf88_ebx = AMD_OLD | (u32)CPUID_88_EBX_BTC_NO },
	  { [SPEC_SPECTRE_V2] = RETPOLINES | SPEC_IBPB_SWITCH,
	    [SPEC_SRSO] = SPEC_IBPB_EXIT | SPEC_VULNERABLE,
	    [SPEC_TSA] = SPEC_VULNERABLE },
	  RETPOLINES | SPEC_IBPB_EXIT | SPEC_VULNERABLE, 0, false },
	{ "EPYC 7763, Zen 3",
	  { AMD(0x19, 1, 1), .smt = true, .microcode = 0x0a0011d7,
	    .leaf88_ebx = AMD_OLD | (u32)CPUID_88_EBX_BTC_NO,
	    .leaf821_eax = BRTYPE },
	  { [SPEC_SPECTRE_V2] = RETPOLINES | SPEC_IBPB_SWITCH,
	    [SPEC_SRSO] = SPEC_IBPB_EXIT, [SPEC_TSA] = SPEC_VERW },
	  RETPOLINES | SPEC_IBPB_EXIT | SPEC_VERW, 0, true },
	{ "EPYC 9654, Zen 4",
	  { AMD(0x19, 0x11, 1), .microcode = 0x0a10114c,
	    .leaf88_ebx = AMD_OLD | (u32)(CPUID_88_EBX_BTC_NO |
					  CPUID_88_EBX_IBPB_RET),
	    .leaf821_eax = BRTYPE | (u32)CPUID_821_EAX_AUTO_IBRS },
	  { [SPEC_SPECTRE_V2] = SPEC_AUTO_IBRS | SPEC_IBPB_SWITCH,
	    [SPEC_SRSO] = SPEC_IBPB_EXIT, [SPEC_TSA] = SPEC_VERW },
	  SPEC_AUTO_IBRS | SPEC_IBPB_EXIT | SPEC_VERW, 0, false },
	{ "EPYC 9755, Zen 5",
	  { AMD(0x1a, 2, 1), .smt = true,
	    .leaf88_ebx = AMD_OLD | (u32)CPUID_88_EBX_BTC_NO,
	    .leaf821_eax = BRTYPE | (u32)(CPUID_821_EAX_AUTO_IBRS |
					  CPUID_821_EAX_SRSO_USER_KERNEL_NO |
					  CPUID_821_EAX_SRSO_MSR_FIX) },
	  { [SPEC_SPECTRE_V2] = SPEC_AUTO_IBRS | SPEC_IBPB_SWITCH,
	    [SPEC_SRSO] = SPEC_REDUCE },
	  SPEC_AUTO_IBRS | SPEC_IBPB_SWITCH | SPEC_REDUCE, 0, false },
};
/* clang-format on */

static void test_named_cpus(void **state)
{
	struct speculation s;

	for (u32 i = 0; i < ARRAY_SIZE(cpus); i++) {
		const struct named_cpu *n = &cpus[i];

		speculation_choose(&n->cpu, SPECULATION_AUTO, &s);
		for (u32 a = 0; a < SPEC_ATTACKS; a++)
			if (s.rows[a] != n->rows[a])
				fail_msg("%s, attack %u: %#x, not %#x", n->name,
					 a, s.rows[a], n->rows[a]);
		if (s.actions != n->actions || s.host_ctrl != n->host_ctrl)
			fail_msg("%s: %#x, %#x", n->name, s.actions,
				 s.host_ctrl);
		if (s.verw_at_halt != n->verw_at_halt)
			fail_msg("%s: VERW at a halt", n->name);
	}
}

/* Off: nothing but iTLB multihit, on whatever CPU */
static void test_off(void **state)
{
	struct speculation s;

	for (u32 i = 0; i < ARRAY_SIZE(cpus); i++) {
		speculation_choose(&cpus[i].cpu, SPECULATION_OFF, &s);
		assert_int_equal(s.actions,
				 cpus[i].rows[SPEC_MULTIHIT] & SPEC_SPLIT);
		assert_int_equal(s.host_ctrl, 0);
		assert_false(s.verw_at_halt);
	}
}

/* Full: all of auto, and more where the CPU has the means */
static void test_full(void **state)
{
	struct speculation s, full;

	for (u32 i = 0; i < ARRAY_SIZE(cpus); i++) {
		speculation_choose(&cpus[i].cpu, SPECULATION_AUTO, &s);
		speculation_choose(&cpus[i].cpu, SPECULATION_FULL, &full);
		for (u32 a = 0; a < SPEC_ATTACKS; a++)
			if (s.rows[a])
				assert_int_equal(full.rows[a], s.rows[a]);
		if (cpus[i].cpu.vendor == VENDOR_INTEL &&
		    (cpus[i].cpu.leaf7_edx & CPUID_7_EDX_FLUSH_L1D))
			assert_true(full.actions & SPEC_L1D_FLUSH);
		if (cpus[i].cpu.vendor == VENDOR_AMD &&
		    (cpus[i].cpu.leaf88_ebx & CPUID_88_EBX_IBPB))
			assert_true(full.actions & SPEC_IBPB_EXIT);
	}
}

/* IBPB leaves nothing to be predicted by, but a thread beside this one trains
 * anew. Either what keeps its predictions out stays, or a retpoline. */
static void test_siblings_train(void **state)
{
	const u32 apart = SPEC_RETPOLINE | SPEC_IBRS | SPEC_AUTO_IBRS |
			  SPEC_IBRS_EXIT | SPEC_STIBP;
	static const enum speculation_mode modes[] = { SPECULATION_AUTO,
						       SPECULATION_FULL };
	struct speculation s;

	for (u32 i = 0; i < 2 * ARRAY_SIZE(cpus); i++) {
		const struct named_cpu *n = &cpus[i / 2];

		speculation_choose(&n->cpu, modes[i % 2], &s);
		if (n->cpu.smt && !(s.actions & apart))
			fail_msg("%s: %#x", n->name, s.actions);
	}
}

/* The L1D flush does what VERW does against MDS; nobody says so of what VERW
 * does on CPUs without MDS */
static void test_full_keeps_verw(void **state)
{
	struct speculation full;

	for (u32 i = 0; i < ARRAY_SIZE(cpus); i++) {
		speculation_choose(&cpus[i].cpu, SPECULATION_FULL, &full);
		if ((cpus[i].actions & SPEC_VERW) &&
		    (cpus[i].cpu.arch_caps & ARCH_CAP_MDS_NO))
			assert_true(full.actions & SPEC_VERW);
	}
}

/* A retpoline's RET would miss a shadow stack */
static void test_shadow_stack(void **state)
{
	struct spec_cpu zen3 = { AMD(0x19, 1, 1), .shadow_stack = true,
				 .leaf88_ebx = AMD_OLD,
				 .leaf821_eax = (u32)CPUID_821_EAX_SRSO_NO };
	struct speculation s;

	speculation_choose(&zen3, SPECULATION_AUTO, &s);
	assert_true(s.actions & SPEC_IBRS_EXIT);
	assert_false(s.actions & SPEC_RETPOLINE);
	assert_true(s.shadow_stack);
	zen3.leaf88_ebx = CPUID_88_EBX_IBPB;
	speculation_choose(&zen3, SPECULATION_AUTO, &s);
	assert_true(s.rows[SPEC_SPECTRE_V2] & SPEC_VULNERABLE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_named_cpus),
		cmocka_unit_test(test_off),
		cmocka_unit_test(test_full),
		cmocka_unit_test(test_full_keeps_verw),
		cmocka_unit_test(test_siblings_train),
		cmocka_unit_test(test_shadow_stack),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
