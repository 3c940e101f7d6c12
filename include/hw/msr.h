/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Model-specific registers (SDM 4; APM 2 appendix A). At the right stands what
 * says that the register is there: leaf:register[bit], or the MSR that tells.
 */
#ifndef HW_MSR_H
#define HW_MSR_H

#include "lib/types.h"

/* clang-format off */
/* Architectural, both vendors */
#define MSR_TSC				0x010	/* 1:EDX[4] TSC */
#define MSR_PLATFORM_ID			0x017	/* Intel */
#define MSR_APIC_BASE			0x01b	/* 1:EDX[9] APIC */
#define MSR_SMI_COUNT			0x034	/* Intel, Nehalem and Silvermont on (model) */
#define MSR_CORE_THREAD_COUNT		0x035	/* Intel, Nehalem on (model) */
#define MSR_FEATURE_CONTROL		0x03a	/* 1:ECX[5] VMX or 1:ECX[6] SMX */
#define MSR_TSC_ADJUST			0x03b	/* 7:EBX[1] TSC_ADJUST */
#define MSR_SPEC_CTRL			0x048	/* 7:EDX[26]; AMD 80000008:EBX[14] */
#define MSR_PRED_CMD			0x049	/* 7:EDX[26]; AMD 80000008:EBX[12] */
#define MSR_UCODE_WRITE			0x079	/* family 6 on */
#define MSR_UCODE_REV			0x08b	/* both, family 6 / K8 on */
#define MSR_XAPIC_DISABLE_STATUS	0x0bd	/* ARCH_CAPABILITIES[21] */
#define MSR_PLATFORM_INFO		0x0ce	/* Intel, Nehalem on (model) */
#define MSR_PKG_CST_CONFIG_CONTROL	0x0e2	/* Intel, Nehalem on (model) */
#define MSR_PMG_IO_CAPTURE_BASE		0x0e4	/* the same */
#define MSR_MTRRCAP			0x0fe	/* 1:EDX[12] MTRR */
#define MSR_ARCH_CAPABILITIES		0x10a	/* 7:EDX[29] */
#define MSR_FLUSH_CMD			0x10b	/* 7:EDX[28] L1D_FLUSH */
#define MSR_TSX_CTRL			0x122	/* ARCH_CAPABILITIES[7] */
#define MSR_MCU_OPT_CTRL		0x123	/* 7:EDX[9], ARCH_CAPABILITIES[25] */
#define MSR_SYSENTER_CS			0x174	/* 1:EDX[11] SEP */
#define MSR_SYSENTER_ESP		0x175	/* 1:EDX[11] SEP */
#define MSR_SYSENTER_EIP		0x176	/* 1:EDX[11] SEP */
#define MSR_MCG_CAP			0x179	/* 1:EDX[14] MCA */
#define MSR_MCG_STATUS			0x17a	/* 1:EDX[14] MCA */
#define MSR_MCG_CTL			0x17b	/* MCG_CAP[8] MCG_CTL_P */
#define MSR_PERFEVTSEL0			0x186	/* A:EAX[15:8] */
#define MSR_PERF_STATUS			0x198	/* 1:ECX[7] EIST */
#define MSR_PERF_CTL			0x199	/* 1:ECX[7] EIST */
#define MSR_THERM_INTERRUPT		0x19b	/* 1:EDX[22] ACPI */
#define MSR_THERM_STATUS		0x19c	/* 1:EDX[22] ACPI */
#define MSR_MISC_ENABLE			0x1a0	/* Intel, family 6 and F */
#define MSR_TEMPERATURE_TARGET		0x1a2	/* by model */
#define MSR_TURBO_RATIO_LIMIT		0x1ad	/* 6:EAX[1], Nehalem on (model) */
#define MSR_ENERGY_PERF_BIAS		0x1b0	/* 6:ECX[3] */
#define MSR_DEBUGCTL			0x1d9	/* family 6 / K7 on */
#define MSR_LASTBRANCHFROMIP		0x1db	/* AMD; Intel P6 */
#define MSR_LASTBRANCHTOIP		0x1dc	/* AMD; Intel P6 */
#define MSR_LASTINTFROMIP		0x1dd	/* AMD; Intel P6 */
#define MSR_LASTINTTOIP			0x1de	/* AMD; Intel P6 */
#define MSR_MTRR_PHYSBASE0		0x200	/* MTRRCAP[7:0] pairs */
#define MSR_MTRR_PHYSMASK0		0x201	/* MTRRCAP[7:0] pairs */
#define MSR_MTRR_FIX64K_00000		0x250	/* MTRRCAP[8] FIX */
#define MSR_MTRR_FIX16K_80000		0x258	/* MTRRCAP[8] FIX */
#define MSR_MTRR_FIX16K_A0000		0x259	/* MTRRCAP[8] FIX */
#define MSR_MTRR_FIX4K_C0000		0x268	/* MTRRCAP[8] FIX, ..26f */
#define MSR_PAT				0x277	/* 1:EDX[16] PAT */
#define MSR_MTRR_DEF_TYPE		0x2ff	/* 1:EDX[12] MTRR */
#define MSR_PERF_CAPABILITIES		0x345	/* 1:ECX[15] PDCM */
#define MSR_PERF_GLOBAL_STATUS		0x38e	/* A:EAX[7:0] > 0 */
#define MSR_PERF_GLOBAL_CTRL		0x38f	/* A:EAX[7:0] > 0 */
#define MSR_MC0_CTL			0x400	/* MCG_CAP[7:0] banks of 4 */
#define MSR_MC0_STATUS			0x401	/* MCG_CAP[7:0] */
#define MSR_MC0_ADDR			0x402	/* MCi_STATUS[58] ADDRV */
#define MSR_MC0_MISC			0x403	/* MCi_STATUS[59] MISCV */
#define MSR_MCG_EXT_CTL			0x4d0	/* MCG_CAP[27] MCG_LMCE_P */
#define MSR_RTIT_CTL			0x570	/* 7:EBX[25] */
#define MSR_RAPL_POWER_UNIT		0x606	/* Intel, Sandy Bridge on (model) */
#define MSR_PKG_ENERGY_STATUS		0x611	/* the same */
#define MSR_DRAM_ENERGY_STATUS		0x619	/* the same */
#define MSR_PP0_ENERGY_STATUS		0x639	/* the same */
#define MSR_PP1_ENERGY_STATUS		0x641	/* the same */
#define MSR_S_CET			0x6a2	/* 7:ECX[7] CET_SS or 7:EDX[20] CET_IBT */
#define MSR_PL0_SSP			0x6a4	/* 7:ECX[7] CET_SS */
#define MSR_INTERRUPT_SSP_TABLE		0x6a8	/* 7:ECX[7] CET_SS */
#define MSR_TSC_DEADLINE		0x6e0	/* 1:ECX[24] */
#define MSR_PM_ENABLE			0x770	/* 6:EAX[7] HWP */
#define MSR_X2APIC_FIRST		0x800	/* 1:ECX[21] x2APIC */
#define MSR_X2APIC_LAST			0x8ff
#define MSR_XSS				0xda0	/* D.1:EAX[3] XSAVES */
#define MSR_EFER			0xc0000080	/* 80000001:EDX[20] NX or [29] LM */
#define MSR_STAR			0xc0000081	/* 80000001:EDX[11] SYSCALL */
#define MSR_LSTAR			0xc0000082	/* 80000001:EDX[29] LM */
#define MSR_CSTAR			0xc0000083	/* 80000001:EDX[29] LM */
#define MSR_SFMASK			0xc0000084	/* 80000001:EDX[29] LM */
#define MSR_FS_BASE			0xc0000100	/* 80000001:EDX[29] LM */
#define MSR_GS_BASE			0xc0000101	/* 80000001:EDX[29] LM */
#define MSR_KERNEL_GS_BASE		0xc0000102	/* 80000001:EDX[29] LM */
#define MSR_TSC_AUX			0xc0000103	/* 80000001:EDX[27] RDTSCP or 7:ECX[22] */
#define MSR_SMCA_MC0_CTL		0xc0002000	/* AMD 80000007:EBX[3] SMCA */

#define MCG_CAP_COUNT_MASK		0xffull
#define MCG_CAP_CTL_P			BIT(8)
#define MCG_CAP_TES_P			BIT(11)	/* Intel: MC_STATUS_COLOR */
#define MCG_CAP_SER_P			BIT(24)	/* Intel: errors to recover from */
#define MCG_CAP_LMCE_P			BIT(27)	/* Intel */
#define MCG_STATUS_RIPV			BIT(0)
#define MCG_STATUS_EIPV			BIT(1)
#define MCG_STATUS_MCIP			BIT(2)
#define MCG_STATUS_LMCE_S		BIT(3)
#define MCG_EXT_CTL_LMCE_EN		BIT(0)
#define MC_BANK_STRIDE			4
#define MC_BANKS_MAX			32	/* then come other MSRs */
#define MC_STATUS_VAL			BIT(63)
#define MC_STATUS_OVER			BIT(62)
#define MC_STATUS_UC			BIT(61)
#define MC_STATUS_MISCV			BIT(59)
#define MC_STATUS_ADDRV			BIT(58)
#define MC_STATUS_PCC			BIT(57)
#define MC_STATUS_S			BIT(56)	/* Intel: it sent a #MC */
#define MC_STATUS_AR			BIT(55)	/* Intel: action required */
#define MC_STATUS_COLOR(status)		((status) >> 53 & 3)
#define MC_STATUS_YELLOW		2	/* Intel: too many were corrected */
#define MC_STATUS_SYNDV			BIT(53)	/* AMD, SMCA */
#define MC_STATUS_DEFERRED		BIT(44)	/* AMD */
#define MC_MISC_LSB(misc)		((misc) & 0x3f)
#define MC_MISC_MODE(misc)		((misc) >> 6 & 7)
#define MC_MISC_PHYSICAL		2
#define SMCA_BANK_STRIDE		16
#define SMCA_CONFIG_MCAX		BIT(32)

#define S_CET_SH_STK_EN			BIT(0)
#define S_CET_ENDBR_EN			BIT(2)

#define PLATFORM_ID_GET(v)		((u32)((v) >> 50) & 7)

#define APIC_BASE_BSP			BIT(8)
#define APIC_BASE_EXTD			BIT(10)	/* 1:ECX[21] x2APIC */
#define APIC_BASE_EN			BIT(11)
#define APIC_BASE_ADDR			BITS(51, 12)

#define FEATURE_CONTROL_LOCKED		BIT(0)
#define FEATURE_CONTROL_VMX_SMX		BIT(1)
#define FEATURE_CONTROL_VMX		BIT(2)
#define FEATURE_CONTROL_LMCE		BIT(20)

#define MISC_ENABLE_FAST_STRING		BIT(0)
#define MISC_ENABLE_BTS_UNAVAIL		BIT(11)
#define MISC_ENABLE_PEBS_UNAVAIL	BIT(12)
#define MISC_ENABLE_EIST		BIT(16)
#define MISC_ENABLE_LIMIT_CPUID		BIT(22)
#define MISC_ENABLE_XD_DISABLE		BIT(34)

#define PERF_CTL_TURBO_OFF		BIT(32)
#define PM_ENABLE_HWP			BIT(0)
#define AMD_CPPC_ON			BIT(0)	/* of MSR_AMD_CPPC_ENABLE */

#define XAPIC_DISABLED			BIT(0)	/* of MSR_XAPIC_DISABLE_STATUS */

#define SPEC_CTRL_IBRS			BIT(0)
#define SPEC_CTRL_STIBP			BIT(1)
#define SPEC_CTRL_SSBD			BIT(2)
#define SPEC_CTRL_BHI_DIS_S		BIT(10)	/* 7.2:EDX[4] BHI_CTRL */
#define PRED_CMD_IBPB			BIT(0)
#define FLUSH_CMD_L1D			BIT(0)

#define TSX_CTRL_RTM_DISABLE		BIT(0)
#define TSX_CTRL_CPUID_CLEAR		BIT(1)
#define MCU_OPT_CTRL_RNGDS_MITG_DIS	BIT(0)	/* 7:EDX[9] SRBDS_CTRL */
#define MCU_OPT_CTRL_GDS_MITG_DIS	BIT(4)	/* ARCH_CAPABILITIES[25] */

#define ARCH_CAP_RDCL_NO		BIT(0)
#define ARCH_CAP_IBRS_ALL		BIT(1)
#define ARCH_CAP_RSBA			BIT(2)
#define ARCH_CAP_SKIP_L1DFL_VMENTRY	BIT(3)
#define ARCH_CAP_MDS_NO			BIT(5)
#define ARCH_CAP_PSCHANGE_MC_NO		BIT(6)
#define ARCH_CAP_TSX_CTRL		BIT(7)
#define ARCH_CAP_TAA_NO			BIT(8)
#define ARCH_CAP_SBDR_SSDP_NO		BIT(13)
#define ARCH_CAP_FBSDP_NO		BIT(14)
#define ARCH_CAP_PSDP_NO		BIT(15)
#define ARCH_CAP_FB_CLEAR		BIT(17)
#define ARCH_CAP_BHI_NO			BIT(20)
#define ARCH_CAP_XAPIC_DISABLE		BIT(21)
#define ARCH_CAP_PBRSB_NO		BIT(24)
#define ARCH_CAP_GDS_CTRL		BIT(25)
#define ARCH_CAP_GDS_NO			BIT(26)
#define ARCH_CAP_RFDS_NO		BIT(27)
#define ARCH_CAP_RFDS_CLEAR		BIT(28)
#define ARCH_CAP_ITS_NO			BIT(62)

#define MTRRCAP_VCNT_MASK		0xffull
#define MTRRCAP_FIX			BIT(8)
#define MTRRCAP_WC			BIT(10)
#define MTRR_DEF_TYPE_MASK		0xffull
#define MTRR_DEF_FE			BIT(10)
#define MTRR_DEF_E			BIT(11)
#define MTRR_MASK_VALID			BIT(11)
#define SYSCFG_VAR_DRAM			BIT(20) /* TOP_MEM is in force */
#define SYSCFG_TOM2			BIT(21) /* TOP_MEM2 is in force */
#define SYSCFG_TOM2_WB			BIT(22) /* RAM below it is WB */

/* VMX (SDM 3D appendix A); all gated by 1:ECX[5] VMX */
#define MSR_VMX_BASIC			0x480
#define MSR_VMX_PINBASED_CTLS		0x481
#define MSR_VMX_PROCBASED_CTLS		0x482
#define MSR_VMX_EXIT_CTLS		0x483
#define MSR_VMX_ENTRY_CTLS		0x484
#define MSR_VMX_MISC			0x485
#define MSR_VMX_CR0_FIXED0		0x486
#define MSR_VMX_CR0_FIXED1		0x487
#define MSR_VMX_CR4_FIXED0		0x488
#define MSR_VMX_CR4_FIXED1		0x489
#define MSR_VMX_VMCS_ENUM		0x48a
#define MSR_VMX_PROCBASED_CTLS2		0x48b	/* PROCBASED_CTLS[63] */
#define MSR_VMX_EPT_VPID_CAP		0x48c	/* PROCBASED_CTLS2[33] or [37] */
#define MSR_VMX_TRUE_PINBASED_CTLS	0x48d	/* VMX_BASIC[55] */
#define MSR_VMX_TRUE_PROCBASED_CTLS	0x48e	/* VMX_BASIC[55] */
#define MSR_VMX_TRUE_EXIT_CTLS		0x48f	/* VMX_BASIC[55] */
#define MSR_VMX_TRUE_ENTRY_CTLS		0x490	/* VMX_BASIC[55] */
#define MSR_VMX_VMFUNC			0x491	/* PROCBASED_CTLS2[45] */
#define MSR_VMX_PROCBASED_CTLS3		0x492	/* PROCBASED_CTLS[49] */

/* AMD (APM 2 appendix A.1 to A.9; family PPRs) */
#define MSR_AMD_EVNTSEL0		0xc0010000	/* K7 on */
#define MSR_AMD_PERFCTR3		0xc0010007	/* K7 on */
#define MSR_AMD_SYSCFG			0xc0010010	/* K8 on */
#define MSR_AMD_HWCR			0xc0010015	/* K8 on */
#define MSR_AMD_TOP_MEM			0xc001001a	/* K8 on */
#define MSR_AMD_TOP_MEM2		0xc001001d	/* K8 on */
#define MSR_AMD_NB_CFG			0xc001001f	/* K8 on */
#define MSR_AMD_PATCH_LOADER		0xc0010020	/* K8 on */
#define MSR_AMD_PATCH_LEVEL		0x0000008b	/* K8 on */
#define MSR_AMD_FIDVID_CTL		0xc0010041	/* family 0Fh */
#define MSR_AMD_FIDVID_STATUS		0xc0010042	/* family 0Fh */
#define MSR_AMD_INT_PENDING		0xc0010055	/* K8 on */
#define MSR_AMD_MMIO_CONF		0xc0010058	/* family 10h on */
#define AMD_MMIO_CONF_ENABLE		BIT(0)
#define AMD_MMIO_CONF_BUSES(value)	((value) >> 2 & 0xf) /* log2 */
#define AMD_MMIO_CONF_BASE		BITS(47, 20)
#define MSR_AMD_PSTATE_LIMIT		0xc0010061	/* family 10h on */
#define MSR_AMD_PSTATE_CTL		0xc0010062	/* family 10h on */
#define MSR_AMD_PSTATE_STATUS		0xc0010063	/* family 10h on */
#define MSR_AMD_PSTATE0			0xc0010064	/* family 10h on */
#define MSR_AMD_PSTATE7			0xc001006b	/* family 10h on */
#define MSR_AMD_COFVID_CTL		0xc0010070	/* families 10h to 16h */
#define MSR_AMD_COFVID_STATUS		0xc0010071	/* families 10h to 16h */
#define MSR_AMD_CSTATE_BASE		0xc0010073	/* family 10h on */
#define MSR_AMD_TSC_RATIO		0xc0000104	/* 8000000A:EDX[4] */
#define MSR_AMD_VM_CR			0xc0010114	/* 80000001:ECX[2] SVM */
#define MSR_AMD_VM_HSAVE_PA		0xc0010117	/* 80000001:ECX[2] SVM */
#define MSR_AMD_OSVW_ID_LENGTH		0xc0010140	/* 80000001:ECX[9] */
#define MSR_AMD_OSVW_STATUS		0xc0010141	/* 80000001:ECX[9] */
#define MSR_AMD_VIRT_SPEC_CTRL		0xc001011f	/* 80000008:EBX[25] */
#define MSR_AMD_HW_PSTATE_STATUS	0xc0010293	/* family 17h on */
#define MSR_AMD_RAPL_POWER_UNIT		0xc0010299	/* family 17h on */
#define MSR_AMD_PKG_ENERGY		0xc001029b	/* family 17h on */
#define MSR_AMD_CPPC_ENABLE		0xc00102b1	/* 80000008:EBX[27] CPPC */
#define MSR_AMD_LS_CFG			0xc0011020	/* family 10h on */
#define MSR_AMD_DE_CFG			0xc0011029	/* family 10h on */
#define MSR_AMD_BP_CFG			0xc001102e	/* family 17h on */
#define MSR_AMD_CHICKEN_LAST		0xc001102f

#define PKG_CST_IO_MWAIT		BIT(10)
#define PMG_IO_BASE_MASK		0xffffull	/* LVL_2 */
#define PMG_IO_RANGE_SHIFT		16
#define PMG_IO_RANGE_MASK		7ull		/* 0: LVL_2 alone */
#define AMD_CSTATE_BASE_MASK		0xffffull	/* 0: there are none */
#define AMD_CSTATE_PORTS		8u
#define INT_PENDING_SMI_ON_HALT		BIT(27)	/* families 0Fh to 11h */
#define INT_PENDING_C1E_ON_HALT		BIT(28)	/* the same */
#define AMD_FAMILY_C1E_LAST		0x11u
#define SYSCFG_MEM_ENCRYPTION		BIT(23)

#define VM_CR_DPD			BIT(0)
#define VM_CR_R_INIT			BIT(1)
#define VM_CR_DIS_A20M			BIT(2)
#define VM_CR_LOCK			BIT(3)
#define VM_CR_SVMDIS			BIT(4)

#define DE_CFG_LFENCE_SERIALIZING	BIT(1)
#define DE_CFG_FP_BACKUP_FIX		BIT(9)	/* Zen 2: Zenbleed */
#define BP_CFG_SPEC_REDUCE		BIT(4)	/* 80000021:EAX[31] */
#define HWCR_TSC_FREQ_SEL		BIT(24)
#define PSTATE_FID_MASK			0xffull		/* P-state 0, family 17h */
#define PSTATE_ZEN5_FID_MASK		0xfffull	/* family 1Ah: 5 MHz steps */
#define PSTATE_DID_SHIFT		8
#define PSTATE_DID_MASK			0x3full
#define PSTATE_EN			BIT(63)
#define FIDVID_START_FID_SHIFT		8
#define FIDVID_MAX_FID_SHIFT		16
#define AMD_FAMILY_K8			0x0fu
#define AMD_FAMILY_K10			0x10u
#define AMD_FAMILY_ZEN			0x17u
#define AMD_FAMILY_ZEN5			0x1au
/* clang-format on */

#endif
