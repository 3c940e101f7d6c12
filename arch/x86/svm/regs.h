/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The virtual machine control block and what goes with it, spelled as in
 * APM 2 appendix B *Layout of VMCB* and appendix C *SVM Intercept Exit Codes*.
 */
#ifndef ARCH_X86_SVM_REGS_H
#define ARCH_X86_SVM_REGS_H

#include "lib/types.h"

/* clang-format off */

/* Offset 000h: reads in 15:0, writes in 31:16 */
#define CR0_READ		BIT(0)
#define CR4_READ		BIT(4)
#define CR0_WRITE		BIT(16)
#define CR4_WRITE		BIT(20)
#define CR8_WRITE		BIT(24)
/* And of DRs: DR7, and DR5, which is DR7 while CR4.DE is clear */
#define DR7_WRITES		(BIT(16 + 7) | BIT(16 + 5))
#define DR_ACCESSES		(BITS(23, 16) | BITS(7, 0))

/* Intercept word 3, offset 00Ch */
enum svm_intercept1 {
	I1_INTR = 1u << 0,	I1_NMI = 1u << 1,	I1_SMI = 1u << 2,
	I1_INIT = 1u << 3,	I1_VINTR = 1u << 4,
	I1_CR0_SEL_WRITE = 1u << 5, /* of other bits than TS and MP */
	I1_RDPMC = 1u << 15,	I1_CPUID = 1u << 18,	I1_RSM = 1u << 19,	I1_IRET = 1u << 20,
	I1_INVD = 1u << 22,	I1_PAUSE = 1u << 23,	I1_HLT = 1u << 24,
	I1_INVLPGA = 1u << 26,	I1_IOIO_PROT = 1u << 27,
	I1_MSR_PROT = 1u << 28,	I1_SHUTDOWN = 1u << 31,
};

/* Intercept word 4, offset 010h */
enum svm_intercept2 {
	I2_VMRUN = 1u << 0,	I2_VMMCALL = 1u << 1,	I2_VMLOAD = 1u << 2,
	I2_VMSAVE = 1u << 3,	I2_STGI = 1u << 4,	I2_CLGI = 1u << 5,
	I2_SKINIT = 1u << 6,	I2_ICEBP = 1u << 8,	I2_WBINVD = 1u << 9,
	I2_MONITOR = 1u << 10,	I2_MWAIT = 1u << 11,	I2_XSETBV = 1u << 13,
	I2_RDPRU = 1u << 14,
};

/* Intercept word 5, offset 014h */
enum svm_intercept3 {
	I3_INVLPGB = 1u << 0,	I3_INVLPGB_ILLEGAL = 1u << 1,
	I3_MCOMMIT = 1u << 3,	I3_TLBSYNC = 1u << 4,
	I3_BUS_LOCK = 1u << 5,
};

enum svm_tlb_control {
	TLB_DO_NOTHING = 0,
	TLB_FLUSH_ALL = 1,
	TLB_FLUSH_ASID = 3,	/* CPUID_SVM_FLUSH_BY_ASID */
};

/* Offset 060h */
#define VINTR_TPR		BITS(7, 0)
#define VINTR_TPR_CLASS		BITS(3, 0)
#define TPR_CLASS_SHIFT		4 /* of it in the LAPIC's TPR */
#define VINTR_IRQ		BIT(8)
#define VINTR_PRIO		BITS(19, 16)
#define VINTR_IGN_TPR		BIT(20)
#define VINTR_MASKING		BIT(24)

#define INTERRUPT_SHADOW	BIT(0)
#define NP_ENABLE		BIT(0)

/* Offsets 088h and 0A8h (APM 2 15.7.2, 15.20) */
#define EVENT_TYPE_SHIFT	8
#define EVENT_TYPE_MASK		BITS(10, 8)
#define EVENT_TYPE_INTR		0u
#define EVENT_TYPE_NMI		2u
#define EVENT_TYPE_EXCEPTION	3u
#define EVENT_TYPE_SOFT		4u
#define EVENT_ERROR_VALID	BIT(11)
#define EVENT_WAS_INTR		BIT(12) /* reserved; see type_injected_once() */
#define EVENT_VALID		BIT(31)

/* Offset 0C0h, APM 2 15.15.3 *VMCB Clean Bits* */
enum svm_clean {
	CLEAN_I = 1u << 0,	CLEAN_IOPM = 1u << 1,	CLEAN_ASID = 1u << 2,
	CLEAN_TPR = 1u << 3,	CLEAN_NP = 1u << 4,	CLEAN_CRX = 1u << 5,
	CLEAN_DRX = 1u << 6,	CLEAN_DT = 1u << 7,	CLEAN_SEG = 1u << 8,
	CLEAN_CR2 = 1u << 9,	CLEAN_LBR = 1u << 10,	CLEAN_AVIC = 1u << 11,
	/* After an exit; a CPU without the feature does not look at it */
	CLEAN_ALL = 0xfffu,
};

enum svm_exitcode {
	VMEXIT_CR0_READ = 0x00,		VMEXIT_CR4_READ = 0x04,
	VMEXIT_CR0_WRITE = 0x10,	VMEXIT_CR4_WRITE = 0x14,
	VMEXIT_CR8_WRITE = 0x18,
	VMEXIT_DR0_READ = 0x20,		VMEXIT_DR0_WRITE = 0x30,
	VMEXIT_EXCP0 = 0x40,		VMEXIT_EXCP_DB = 0x41,
	VMEXIT_EXCP_UD = 0x46,
	VMEXIT_EXCP_AC = 0x51,		VMEXIT_EXCP_MC = 0x52,
	VMEXIT_EXCP_XM = 0x53,		VMEXIT_EXCP31 = 0x5f,
	VMEXIT_INTR = 0x60,		VMEXIT_NMI = 0x61,
	VMEXIT_SMI = 0x62,		VMEXIT_INIT = 0x63,
	VMEXIT_VINTR = 0x64,		VMEXIT_CR0_SEL_WRITE = 0x65,
	VMEXIT_RDPMC = 0x6f,
	VMEXIT_CPUID = 0x72,		VMEXIT_RSM = 0x73,
	VMEXIT_IRET = 0x74,		VMEXIT_INVD = 0x76,
	VMEXIT_PAUSE = 0x77,		VMEXIT_HLT = 0x78,
	VMEXIT_INVLPGA = 0x7a,		VMEXIT_IOIO = 0x7b,
	VMEXIT_MSR = 0x7c,		VMEXIT_TASK_SWITCH = 0x7d,
	VMEXIT_SHUTDOWN = 0x7f,		VMEXIT_VMRUN = 0x80,
	VMEXIT_VMMCALL = 0x81,		VMEXIT_VMLOAD = 0x82,
	VMEXIT_VMSAVE = 0x83,		VMEXIT_STGI = 0x84,
	VMEXIT_CLGI = 0x85,		VMEXIT_SKINIT = 0x86,
	VMEXIT_ICEBP = 0x88,
	VMEXIT_WBINVD = 0x89,		VMEXIT_MONITOR = 0x8a,
	VMEXIT_MWAIT = 0x8b,		VMEXIT_MWAIT_CONDITIONAL = 0x8c,
	VMEXIT_XSETBV = 0x8d,		VMEXIT_RDPRU = 0x8e,
	VMEXIT_INVLPGB = 0xa0,		VMEXIT_INVLPGB_ILLEGAL = 0xa1,
	VMEXIT_MCOMMIT = 0xa3,		VMEXIT_TLBSYNC = 0xa4,
	VMEXIT_BUSLOCK = 0xa5,
	VMEXIT_NPF = 0x400,
};
#define VMEXIT_INVALID		(~0ull)
#define VMEXIT_INVALID_TCG	0xffffffffull	/* QUIRK(tcg-7.2): see decode_refused() */

/* EXITINFO1 of IOIO (APM 2 15.10.2) */
#define IOIO_IN			BIT(0)
#define IOIO_STR		BIT(2)
#define IOIO_SIZE_SHIFT		4	/* one-hot 6:4 is the size in bytes */
#define IOIO_PORT_SHIFT		16 /* see ioio.port */

/* EXITINFO1 of NPF (APM 2 15.25.6) */
#define NPF_W			BIT(1)
#define NPF_ID			BIT(4)
#define NPF_WALK		BIT(33)	/* of the guest's own page tables */

/* EXITINFO1 of MOV CRx / DRx with decode assists (APM 2 15.8.1) */
#define CRX_VALID		BIT(63)
#define CRX_GPR			BITS(3, 0)

/* I/O permission map 12 KiB, MSR permission map 8 KiB (APM 2 15.10.1, 15.11) */
#define IOPM_PAGES		3
#define MSRPM_PAGES		2
#define MSRPM_RANGE_MSRS	0x2000u
#define MSRPM_RANGE_BYTES	0x800u

/* Segment attributes are VMX's with bits 15:12 at 11:8 (APM 2 15.5.1) */
#define VMCB_ATTR_P		BIT(7)

/* clang-format on */

struct vmcb_segment {
	u16 selector;
	u16 attrib;
	u32 limit;
	u64 base;
};
static_assert(sizeof(struct vmcb_segment) == 16, "APM 2 table B-2");

struct vmcb_control {
	u32 intercept_cr;
	u32 intercept_dr;
	u32 intercept_exceptions;
	u32 intercept1;
	u32 intercept2;
	u32 intercept3;
	u8 reserved1[0x3c - 0x18];
	u16 pause_filter_threshold;
	u16 pause_filter_count;
	u64 iopm_base_pa;
	u64 msrpm_base_pa;
	u64 tsc_offset;
	u32 guest_asid;
	u8 tlb_control;
	u8 reserved2[3];
	union {
		u64 vintr;
		u8 v_tpr;
	};
	u64 interrupt_shadow;
	u64 exitcode;
	union {
		u64 exitinfo1;
		struct {
			u16 flags, port;
		} ioio;
	};
	u64 exitinfo2;
	union {
		u64 exitintinfo;
		struct {
			u8 event[3];
			s8 valid; /* EVENT_VALID is the sign */
		} intinfo;
	};
	u64 np_enable;
	u64 avic_apic_bar;
	u64 ghcb_pa;
	u64 eventinj;
	u64 n_cr3;
	u64 lbr_virtualization;
	u64 vmcb_clean;
	u64 nrip;
	u8 insn_bytes_count;
	u8 insn_bytes[15];
	u64 avic_backing_page;
	u8 reserved3[0x120 - 0xe8];
	u16 bus_lock_counter; /* so many until VMEXIT_BUSLOCK */
	u8 reserved4[0x400 - 0x122];
};
static_assert(offsetof(struct vmcb_control, iopm_base_pa) == 0x40, "B-1");
static_assert(offsetof(struct vmcb_control, guest_asid) == 0x58, "B-1");
static_assert(offsetof(struct vmcb_control, vintr) == 0x60, "B-1");
static_assert(offsetof(struct vmcb_control, exitcode) == 0x70, "B-1");
static_assert(offsetof(struct vmcb_control, np_enable) == 0x90, "B-1");
static_assert(offsetof(struct vmcb_control, eventinj) == 0xa8, "B-1");
static_assert(offsetof(struct vmcb_control, vmcb_clean) == 0xc0, "B-1");
static_assert(offsetof(struct vmcb_control, insn_bytes_count) == 0xd0, "B-1");
static_assert(offsetof(struct vmcb_control, bus_lock_counter) == 0x120, "B-1");
static_assert(sizeof(struct vmcb_control) == 0x400, "B-1");

struct vmcb_save {
	struct vmcb_segment es, cs, ss, ds, fs, gs, gdtr, ldtr, idtr, tr;
	u8 reserved1[0xcb - 0xa0];
	u8 cpl;
	u32 reserved2;
	u64 efer;
	u8 reserved3[0x148 - 0xd8];
	u64 cr4;
	u64 cr3;
	u64 cr0;
	u64 dr7;
	u64 dr6;
	u64 rflags;
	u64 rip;
	u8 reserved4[0x1d8 - 0x180];
	u64 rsp;
	u64 s_cet;
	u64 ssp;
	u64 isst_addr;
	u64 rax;
	u64 star;
	u64 lstar;
	u64 cstar;
	u64 sfmask;
	u64 kernel_gs_base;
	u64 sysenter_cs;
	u64 sysenter_esp;
	u64 sysenter_eip;
	u64 cr2;
	u8 reserved5[0x268 - 0x248];
	u64 g_pat;
	u64 dbgctl;
	u64 br_from;
	u64 br_to;
	u64 last_excp_from;
	u64 last_excp_to;
	u8 reserved6[0xc00 - 0x298];
};
static_assert(offsetof(struct vmcb_save, cpl) == 0xcb, "B-2");
static_assert(offsetof(struct vmcb_save, efer) == 0xd0, "B-2");
static_assert(offsetof(struct vmcb_save, cr4) == 0x148, "B-2");
static_assert(offsetof(struct vmcb_save, rip) == 0x178, "B-2");
static_assert(offsetof(struct vmcb_save, rsp) == 0x1d8, "B-2");
static_assert(offsetof(struct vmcb_save, rax) == 0x1f8, "B-2");
static_assert(offsetof(struct vmcb_save, cr2) == 0x240, "B-2");
static_assert(offsetof(struct vmcb_save, g_pat) == 0x268, "B-2");

struct vmcb {
	struct vmcb_control control;
	struct vmcb_save save;
};
static_assert(sizeof(struct vmcb) == PAGE_SIZE, "APM 2 appendix B");

#endif
