/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * VMX as the manual spells it (SDM 3C 25 *Virtual Machine Control Structures*,
 * appendices A, B and C): VMCS fields grouped by width and class, control bits,
 * exit reasons. The MSRs are in include/hw/msr.h. Field ids are one-member
 * structs by width, so that a 32-bit access to a 64-bit field does not compile.
 */
#ifndef ARCH_X86_VMX_REGS_H
#define ARCH_X86_VMX_REGS_H

#include "include/hw/msr.h"
#include "lib/types.h"

/* clang-format off */

/* IA32_VMX_BASIC (SDM 3D A.1) */
#define VMX_BASIC_REVISION(v)		((u32)((v) & 0x7fffffff))
#define VMX_BASIC_MEMORY_TYPE(v)	(((v) >> 50) & 0xf)
#define VMX_BASIC_TRUE_CONTROLS		BIT(55)

/* IA32_VMX_MISC (SDM 3D A.6): the timer counts TSC ticks shifted right by this */
#define VMX_MISC_TIMER_SHIFT(v)		((u32)((v) & 0x1f))

/* IA32_VMX_EPT_VPID_CAP (SDM 3D A.10) */
#define EPT_CAP_WALK_4			BIT(6)
#define EPT_CAP_WB			BIT(14)
#define EPT_CAP_2M			BIT(16)
#define EPT_CAP_1G			BIT(17)
#define EPT_CAP_INVEPT			BIT(20)
#define EPT_CAP_INVEPT_SINGLE		BIT(25)
#define EPT_CAP_INVEPT_ALL		BIT(26)
#define EPT_CAP_INVVPID			BIT(32)
#define EPT_CAP_INVVPID_SINGLE		BIT(41)
#define EPT_CAP_INVVPID_ALL		BIT(42)

/* EPTP (SDM 3C 25.6.11 *Extended-Page-Table Pointer*) */
#define EPTP_WB				6ull
#define EPTP_WALK_4			(3ull << 3)

/* INVEPT and INVVPID types (SDM 3C 31.3) */
enum vmx_inval { INVAL_SINGLE = 1, INVAL_ALL = 2 };

/* Pin-based controls (SDM 3C 25.6.1) */
enum {
	PIN_EXTINT_EXITING	= 1u << 0,
	PIN_NMI_EXITING		= 1u << 3,
	PIN_VIRTUAL_NMIS	= 1u << 5,
	PIN_PREEMPTION_TIMER	= 1u << 6,
};

/* Primary processor-based controls (SDM 3C 25.6.2) */
enum {
	CPU_INTR_WINDOW		= 1u << 2,
	CPU_TSC_OFFSETTING	= 1u << 3,
	CPU_HLT_EXITING		= 1u << 7,
	CPU_INVLPG_EXITING	= 1u << 9,
	CPU_MWAIT_EXITING	= 1u << 10,
	CPU_RDPMC_EXITING	= 1u << 11,
	CPU_CR3_LOAD_EXITING	= 1u << 15,
	CPU_CR3_STORE_EXITING	= 1u << 16,
	CPU_TPR_SHADOW		= 1u << 21,
	CPU_NMI_WINDOW		= 1u << 22,
	CPU_MOV_DR_EXITING	= 1u << 23,
	CPU_IO_BITMAPS		= 1u << 25,
	CPU_MSR_BITMAPS		= 1u << 28,
	CPU_MONITOR_EXITING	= 1u << 29,
	CPU_SECONDARY		= 1u << 31,
};

/* Secondary processor-based controls (SDM 3C 25.6.2) */
enum {
	CPU2_EPT		= 1u << 1,
	CPU2_RDTSCP		= 1u << 3,
	CPU2_VPID		= 1u << 5,
	CPU2_WBINVD_EXITING	= 1u << 6,
	CPU2_UNRESTRICTED	= 1u << 7,
	CPU2_INVPCID		= 1u << 12,
	CPU2_ENCLS_EXITING	= 1u << 15,
	CPU2_BUS_LOCK		= 1u << 30, /* VMM bus-lock detection */
	CPU2_NOTIFY		= 1u << 31, /* notify VM exiting */
};

/* VM-exit controls (SDM 3C 25.7.1) */
enum {
	VMEXIT_SAVE_DEBUG	= 1u << 2,
	VMEXIT_HOST_64		= 1u << 9,
	VMEXIT_ACK_INTERRUPT	= 1u << 15,
	VMEXIT_SAVE_PAT		= 1u << 18,
	VMEXIT_LOAD_PAT		= 1u << 19,
	VMEXIT_SAVE_EFER	= 1u << 20,
	VMEXIT_LOAD_EFER	= 1u << 21,
	VMEXIT_SAVE_TIMER	= 1u << 22, /* VMX-preemption timer value */
	VMEXIT_LOAD_CET		= 1u << 28,
};

/* VM-entry controls (SDM 3C 25.8.1) */
enum {
	ENTRY_LOAD_DEBUG	= 1u << 2,
	ENTRY_IA32E_GUEST	= 1u << 9,
	ENTRY_LOAD_PAT		= 1u << 14,
	ENTRY_LOAD_EFER		= 1u << 15,
	ENTRY_LOAD_CET		= 1u << 20,
};

/* Interruption information: VM entry (25.8.3), VM exit (25.9.2), IDT
 * vectoring (25.9.3) share this format */
#define INTR_VECTOR(info)	((u8)(info))
#define INTR_TYPE(info)		(((info) >> 8) & 7)
#define INTR_TYPE_SHIFT		8
#define INTR_ERROR_VALID	(1u << 11)
#define INTR_NMI_UNBLOCKED	(1u << 12)
#define INTR_VALID		(1u << 31)
enum intr_type {
	INTR_TYPE_EXTINT = 0, INTR_TYPE_NMI = 2, INTR_TYPE_EXCEPTION = 3,
	INTR_TYPE_SOFT_INT = 4, INTR_TYPE_PRIV_EXCEPTION = 5,
	INTR_TYPE_SOFT_EXCEPTION = 6, INTR_TYPE_OTHER = 7,
};

/* Pending debug exceptions (SDM 3C 25.4.2). The interruptibility state has the
 * bits of hv's enum intr_shadow. */
#define PENDING_DEBUG_BS	BIT(14)

/* Exit qualification, EPT violation (SDM 3C table 28-7) */
#define EPT_QUAL_ACCESS		7u
#define EPT_QUAL_GVA_FINAL	BIT(8)	/* else a paging structure's */
#define EPT_QUAL_NMI_UNBLOCKED	BIT(12)

/* Exit qualification, notify VM exit (SDM 3C 28.2.1) */
#define NOTIFY_QUAL_INVALID	BIT(0)	/* the guest's state is lost */
#define NOTIFY_QUAL_NMI_UNBLOCKED BIT(12)

/* Exit reasons (SDM 3D appendix C): 15:0, and whether the entry failed */
#define REASON_ENTRY_FAILED	(1u << 31)
#define REASON_BUS_LOCKED	(1u << 26)	/* whatever else there was */
enum vmx_reason {
	REASON_EXCEPTION_NMI = 0,	REASON_EXTINT = 1,
	REASON_TRIPLE_FAULT = 2,	REASON_INIT = 3,
	REASON_SIPI = 4,		REASON_IO_SMI = 5,
	REASON_SMI = 6,			REASON_INTR_WINDOW = 7,
	REASON_NMI_WINDOW = 8,		REASON_TASK_SWITCH = 9,
	REASON_CPUID = 10,		REASON_GETSEC = 11,
	REASON_HLT = 12,		REASON_INVD = 13,
	REASON_INVLPG = 14,		REASON_RDPMC = 15,
	REASON_RDTSC = 16,		REASON_RSM = 17,
	REASON_VMCALL = 18,		REASON_VMCLEAR = 19,
	REASON_VMLAUNCH = 20,		REASON_VMPTRLD = 21,
	REASON_VMPTRST = 22,		REASON_VMREAD = 23,
	REASON_VMRESUME = 24,		REASON_VMWRITE = 25,
	REASON_VMXOFF = 26,		REASON_VMXON = 27,
	REASON_CR = 28,			REASON_DR = 29,
	REASON_IO = 30,			REASON_RDMSR = 31,
	REASON_WRMSR = 32,		REASON_BAD_GUEST_STATE = 33,
	REASON_BAD_MSR_LOAD = 34,	REASON_MWAIT = 36,
	REASON_MTF = 37,		REASON_MONITOR = 39,
	REASON_PAUSE = 40,		REASON_ENTRY_MC = 41,
	REASON_TPR_BELOW = 43,		REASON_APIC_ACCESS = 44,
	REASON_VIRTUAL_EOI = 45,	REASON_GDTR_IDTR = 46,
	REASON_LDTR_TR = 47,		REASON_EPT_VIOLATION = 48,
	REASON_EPT_MISCONFIG = 49,	REASON_INVEPT = 50,
	REASON_RDTSCP = 51,		REASON_PREEMPTION_TIMER = 52,
	REASON_INVVPID = 53,		REASON_WBINVD = 54,
	REASON_XSETBV = 55,		REASON_APIC_WRITE = 56,
	REASON_RDRAND = 57,		REASON_INVPCID = 58,
	REASON_VMFUNC = 59,		REASON_ENCLS = 60,
	REASON_RDSEED = 61,		REASON_PML_FULL = 62,
	REASON_XSAVES = 63,		REASON_XRSTORS = 64,
	REASON_PCONFIG = 65,		REASON_SPP = 66,
	REASON_UMWAIT = 67,		REASON_TPAUSE = 68,
	REASON_LOADIWKEY = 69,		REASON_ENCLV = 70,
	REASON_ENQCMD_PASID = 72,	REASON_ENQCMDS_PASID = 73,
	REASON_BUS_LOCK = 74,		REASON_NOTIFY = 75,
	REASON_SEAMCALL = 76,		REASON_TDCALL = 77,
	REASON_RDMSRLIST = 78,		REASON_WRMSRLIST = 79,
};

/* VMCS fields (SDM 3D appendix B) */
typedef struct { u32 id; } vmcs16_t;
typedef struct { u32 id; } vmcs32_t;
typedef struct { u32 id; } vmcs64_t;
typedef struct { u32 id; } vmcsnat_t; /* natural width */
#define F16(id)		((vmcs16_t){ id })
#define F32(id)		((vmcs32_t){ id })
#define F64(id)		((vmcs64_t){ id })
#define FNAT(id)	((vmcsnat_t){ id })

/* 16 bit, control */
#define VMCS_VPID			F16(0x0000)
/* 16 bit, guest; segments in the order of enum seg */
#define VMCS_GUEST_SEL(seg)		F16(0x0800u + 2 * (seg))
/* 16 bit, host */
#define VMCS_HOST_ES_SEL		F16(0x0c00)
#define VMCS_HOST_CS_SEL		F16(0x0c02)
#define VMCS_HOST_SS_SEL		F16(0x0c04)
#define VMCS_HOST_DS_SEL		F16(0x0c06)
#define VMCS_HOST_FS_SEL		F16(0x0c08)
#define VMCS_HOST_GS_SEL		F16(0x0c0a)
#define VMCS_HOST_TR_SEL		F16(0x0c0c)

/* 64 bit, control */
#define VMCS_IO_BITMAP_A		F64(0x2000)
#define VMCS_IO_BITMAP_B		F64(0x2002)
#define VMCS_MSR_BITMAP			F64(0x2004)
#define VMCS_TSC_OFFSET			F64(0x2010)
#define VMCS_VIRTUAL_APIC_PAGE		F64(0x2012)
#define VMCS_EPTP			F64(0x201a)
#define VMCS_ENCLS_BITMAP		F64(0x202e)
/* 64 bit, read only */
#define VMCS_GUEST_PHYSICAL		F64(0x2400)
/* 64 bit, guest */
#define VMCS_LINK_POINTER		F64(0x2800)
#define VMCS_GUEST_DEBUGCTL		F64(0x2802)
#define VMCS_GUEST_PAT			F64(0x2804)
#define VMCS_GUEST_EFER			F64(0x2806)
#define VMCS_GUEST_PDPTE(n)		F64(0x280au + 2 * (n))
/* 64 bit, host */
#define VMCS_HOST_PAT			F64(0x2c00)
#define VMCS_HOST_EFER			F64(0x2c02)

/* 32 bit, control */
#define VMCS_PIN_CONTROLS		F32(0x4000)
#define VMCS_CPU_CONTROLS		F32(0x4002)
#define VMCS_EXCEPTION_BITMAP		F32(0x4004)
#define VMCS_PF_ERROR_MASK		F32(0x4006)
#define VMCS_PF_ERROR_MATCH		F32(0x4008)
#define VMCS_CR3_TARGET_COUNT		F32(0x400a)
#define VMCS_EXIT_CONTROLS		F32(0x400c)
#define VMCS_EXIT_MSR_STORE_COUNT	F32(0x400e)
#define VMCS_EXIT_MSR_LOAD_COUNT	F32(0x4010)
#define VMCS_ENTRY_CONTROLS		F32(0x4012)
#define VMCS_ENTRY_MSR_LOAD_COUNT	F32(0x4014)
#define VMCS_ENTRY_INTR_INFO		F32(0x4016)
#define VMCS_ENTRY_ERROR_CODE		F32(0x4018)
#define VMCS_ENTRY_INSN_LENGTH		F32(0x401a)
#define VMCS_TPR_THRESHOLD		F32(0x401c)
#define VMCS_CPU2_CONTROLS		F32(0x401e)
#define VMCS_NOTIFY_WINDOW		F32(0x4024)
/* 32 bit, read only */
#define VMCS_INSTRUCTION_ERROR		F32(0x4400)
#define VMCS_EXIT_REASON		F32(0x4402)
#define VMCS_EXIT_INTR_INFO		F32(0x4404)
#define VMCS_EXIT_INTR_ERROR		F32(0x4406)
#define VMCS_VECTORING_INFO		F32(0x4408)
#define VMCS_VECTORING_ERROR		F32(0x440a)
#define VMCS_EXIT_INSN_LENGTH		F32(0x440c)
/* 32 bit, guest */
#define VMCS_GUEST_LIMIT(seg)		F32(0x4800u + 2 * (seg))
#define VMCS_GUEST_GDTR_LIMIT		F32(0x4810)
#define VMCS_GUEST_IDTR_LIMIT		F32(0x4812)
#define VMCS_GUEST_ACCESS(seg)		F32(0x4814u + 2 * (seg))
#define VMCS_GUEST_INTERRUPTIBILITY	F32(0x4824)
#define VMCS_GUEST_ACTIVITY		F32(0x4826)
#define VMCS_GUEST_SYSENTER_CS		F32(0x482a)
#define VMCS_PREEMPTION_TIMER		F32(0x482e)
/* 32 bit, host */
#define VMCS_HOST_SYSENTER_CS		F32(0x4c00)

/* Natural width, control */
#define VMCS_CR0_MASK			FNAT(0x6000)
#define VMCS_CR4_MASK			FNAT(0x6002)
#define VMCS_CR0_SHADOW			FNAT(0x6004)
#define VMCS_CR4_SHADOW			FNAT(0x6006)
/* Natural width, read only */
#define VMCS_EXIT_QUALIFICATION		FNAT(0x6400)
#define VMCS_GUEST_LINEAR		FNAT(0x640a)
/* Natural width, guest */
#define VMCS_GUEST_CR0			FNAT(0x6800)
#define VMCS_GUEST_CR3			FNAT(0x6802)
#define VMCS_GUEST_CR4			FNAT(0x6804)
#define VMCS_GUEST_BASE(seg)		FNAT(0x6806u + 2 * (seg))
#define VMCS_GUEST_GDTR_BASE		FNAT(0x6816)
#define VMCS_GUEST_IDTR_BASE		FNAT(0x6818)
#define VMCS_GUEST_DR7			FNAT(0x681a)
#define VMCS_GUEST_RSP			FNAT(0x681c)
#define VMCS_GUEST_RIP			FNAT(0x681e)
#define VMCS_GUEST_RFLAGS		FNAT(0x6820)
#define VMCS_GUEST_PENDING_DEBUG	FNAT(0x6822)
#define VMCS_GUEST_SYSENTER_ESP		FNAT(0x6824)
#define VMCS_GUEST_SYSENTER_EIP		FNAT(0x6826)
#define VMCS_GUEST_S_CET		FNAT(0x6828)
#define VMCS_GUEST_SSP			FNAT(0x682a)
#define VMCS_GUEST_SSP_TABLE		FNAT(0x682c)
/* Natural width, host */
#define VMCS_HOST_CR0			FNAT(0x6c00)
#define VMCS_HOST_CR3			FNAT(0x6c02)
#define VMCS_HOST_CR4			FNAT(0x6c04)
#define VMCS_HOST_FS_BASE		FNAT(0x6c06)
#define VMCS_HOST_GS_BASE		FNAT(0x6c08)
#define VMCS_HOST_TR_BASE		FNAT(0x6c0a)
#define VMCS_HOST_GDTR_BASE		FNAT(0x6c0c)
#define VMCS_HOST_IDTR_BASE		FNAT(0x6c0e)
#define VMCS_HOST_SYSENTER_ESP		FNAT(0x6c10)
#define VMCS_HOST_SYSENTER_EIP		FNAT(0x6c12)
#define VMCS_HOST_RSP			FNAT(0x6c14)
#define VMCS_HOST_RIP			FNAT(0x6c16)
#define VMCS_HOST_S_CET			FNAT(0x6c18)
#define VMCS_HOST_SSP			FNAT(0x6c1a)
#define VMCS_HOST_SSP_TABLE		FNAT(0x6c1c)

/* clang-format on */

/* The first words of a VMXON region and of a VMCS (SDM 3C 25.2) */
struct vmcs_header {
	u32 revision;
	u32 abort_indicator;
};

#endif
