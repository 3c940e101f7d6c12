/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Control registers, RFLAGS, EFER, exceptions, page-table entry bits and the
 * PAT (SDM 3A 2.5 *Control Registers*, 4 *Paging*, 6.15, 12.12; APM 2 3.1, 5).
 * At the right stands what says that a bit is there: leaf:register[bit].
 */
#ifndef HW_CPU_H
#define HW_CPU_H

#include "lib/types.h"

/* clang-format off */
#define CR0_PE		BIT(0)
#define CR0_MP		BIT(1)
#define CR0_EM		BIT(2)
#define CR0_TS		BIT(3)
#define CR0_ET		BIT(4)
#define CR0_NE		BIT(5)
#define CR0_WP		BIT(16)
#define CR0_AM		BIT(18)
#define CR0_NW		BIT(29)
#define CR0_CD		BIT(30)
#define CR0_PG		BIT(31)

#define CR3_PWT		BIT(3)
#define CR3_PCD		BIT(4)
#define CR3_PCID_MASK	0xfffull
#define CR3_NOFLUSH	BIT(63)	/* 1:ECX[17] */

#define CR4_VME		BIT(0)	/* 1:EDX[1] */
#define CR4_PVI		BIT(1)	/* 1:EDX[1] */
#define CR4_TSD		BIT(2)	/* 1:EDX[4] */
#define CR4_DE		BIT(3)	/* 1:EDX[2] */
#define CR4_PSE		BIT(4)	/* 1:EDX[3] */
#define CR4_PAE		BIT(5)	/* 1:EDX[6] */
#define CR4_MCE		BIT(6)	/* 1:EDX[7] */
#define CR4_PGE		BIT(7)	/* 1:EDX[13] */
#define CR4_PCE		BIT(8)
#define CR4_OSFXSR	BIT(9)	/* 1:EDX[24] */
#define CR4_OSXMMEXCPT	BIT(10)	/* 1:EDX[25] */
#define CR4_UMIP	BIT(11)	/* 7:ECX[2] */
#define CR4_LA57	BIT(12)	/* 7:ECX[16] */
#define CR4_VMXE	BIT(13)	/* 1:ECX[5] */
#define CR4_SMXE	BIT(14)	/* 1:ECX[6] */
#define CR4_FSGSBASE	BIT(16)	/* 7:EBX[0] */
#define CR4_PCIDE	BIT(17)	/* 1:ECX[17] */
#define CR4_OSXSAVE	BIT(18)	/* 1:ECX[26] */
#define CR4_KL		BIT(19)	/* 7:ECX[23] */
#define CR4_SMEP	BIT(20)	/* 7:EBX[7] */
#define CR4_SMAP	BIT(21)	/* 7:EBX[20] */
#define CR4_PKE		BIT(22)	/* 7:ECX[3] */
#define CR4_CET		BIT(23)	/* 7:ECX[7] or 7:EDX[20] */
#define CR4_PKS		BIT(24)	/* 7:ECX[31] */

#define EFER_SCE	BIT(0)	/* 80000001:EDX[11] */
#define EFER_LME	BIT(8)	/* 80000001:EDX[29] */
#define EFER_LMA	BIT(10)	/* 80000001:EDX[29] */
#define EFER_NXE	BIT(11)	/* 80000001:EDX[20] */
#define EFER_SVME	BIT(12)	/* 80000001:ECX[2] */
#define EFER_LMSLE	BIT(13)
#define EFER_FFXSR	BIT(14)	/* 80000001:EDX[25] */
#define EFER_TCE	BIT(15)	/* 80000001:ECX[17] */
#define EFER_AIBRSE	BIT(21)	/* 80000021:EAX[8] */

#define RFLAGS_CF	BIT(0)
#define RFLAGS_FIXED	BIT(1)	/* always one */
#define RFLAGS_PF	BIT(2)
#define RFLAGS_AF	BIT(4)
#define RFLAGS_ZF	BIT(6)
#define RFLAGS_SF	BIT(7)
#define RFLAGS_TF	BIT(8)
#define RFLAGS_IF	BIT(9)
#define RFLAGS_DF	BIT(10)
#define RFLAGS_OF	BIT(11)
#define RFLAGS_IOPL	BITS(13, 12)
#define RFLAGS_NT	BIT(14)
#define RFLAGS_RF	BIT(16)
#define RFLAGS_VM	BIT(17)
#define RFLAGS_AC	BIT(18)
#define RFLAGS_VIF	BIT(19)
#define RFLAGS_VIP	BIT(20)
#define RFLAGS_ID	BIT(21)

#define DR6_FIXED	0xffff0ff0ull	/* power-on value */
#define DR6_BREAKPOINTS	BITS(3, 0)
#define DR6_PENDING	BIT(12)		/* pending debug exceptions: one of */
					/* B0-3 is enabled in DR7 */
#define DR6_BS		BIT(14)
#define DR6_BT		BIT(15)
#define DR6_CAUSES	0xe00full	/* B0-3, BD, BS, BT */
#define DR7_ENABLES	BITS(7, 0)	/* L0, G0 ... L3, G3 */
#define DR7_LOCAL	0x155ull	/* L0 to L3, LE */
#define DR7_GD		BIT(13)
#define DR7_FIXED	0x400ull	/* power-on value */

/* SDM 3A 2.6 *Extended Control Registers*; all gated by 1:ECX[26] XSAVE */
#define XCR0_X87	BIT(0)
#define XCR0_SSE	BIT(1)
#define XCR0_AVX	BIT(2)	/* 1:ECX[28] */
#define XCR0_AVX512	BITS(7, 5)	/* 7:EBX[16] */
#define XCR0_PKRU	BIT(9)	/* 7:ECX[3] */

/* Exceptions (SDM 3A table 6-1) */
enum exception {
	EXC_DE = 0, EXC_DB = 1, EXC_NMI = 2, EXC_BP = 3, EXC_OF = 4, EXC_BR = 5,
	EXC_UD = 6, EXC_NM = 7, EXC_DF = 8, EXC_TS = 10, EXC_NP = 11,
	EXC_SS = 12, EXC_GP = 13, EXC_PF = 14, EXC_MF = 16, EXC_AC = 17,
	EXC_MC = 18, EXC_XM = 19, EXC_VE = 20, EXC_CP = 21,
	EXC_HV = 28, EXC_VC = 29, EXC_SX = 30,
	EXC_COUNT = 32,
};
/* One bit a vector that pushes an error code (SDM 3A 6.13; APM 2 8.2) */
#define EXC_HAS_ERROR_MASK \
	(BIT(EXC_DF) | BIT(EXC_TS) | BIT(EXC_NP) | BIT(EXC_SS) | BIT(EXC_GP) | \
	 BIT(EXC_PF) | BIT(EXC_AC) | BIT(EXC_CP) | BIT(EXC_VC) | BIT(EXC_SX))

/* #PF error code (SDM 3A 4.7) */
#define PF_P		BIT(0)
#define PF_W		BIT(1)
#define PF_U		BIT(2)
#define PF_RSVD		BIT(3)
#define PF_I		BIT(4)
#define PF_PK		BIT(5)

/* Page-table entries (SDM 3A 4.5) */
#define PTE_P		BIT(0)
#define PTE_W		BIT(1)
#define PTE_U		BIT(2)
#define PTE_PWT		BIT(3)
#define PTE_PCD		BIT(4)
#define PTE_A		BIT(5)
#define PTE_D		BIT(6)
#define PTE_PS		BIT(7)		/* levels 2 and 3 */
#define PTE_PAT_4K	BIT(7)		/* level 1 */
#define PTE_G		BIT(8)
#define PTE_PAT_LARGE	BIT(12)
#define PTE_NX		BIT(63)
#define PTE_ADDR	BITS(51, 12)

/* Memory types (SDM 3A table 12-10) */
#define MEM_UC		0ull
#define MEM_WC		1ull
#define MEM_WT		4ull
#define MEM_WP		5ull
#define MEM_WB		6ull
#define MEM_UC_MINUS	7ull

/*
 * The host's PAT. Every type is reached with PWT and PCD alone (the PAT bit of
 * an entry lies elsewhere in a large page): entries 4-7 repeat 0-3. Only entry
 * 1 (WT at reset) differs from the power-on value in what the hypervisor uses.
 *	PCD PWT
 *	 0   0	WB	HOST_PTE_WB
 *	 0   1	WC	HOST_PTE_WC
 *	 1   0	UC-
 *	 1   1	UC	HOST_PTE_UC
 */
#define PAT_HALF	(MEM_WB | MEM_WC << 8 | MEM_UC_MINUS << 16 | MEM_UC << 24)
#define HOST_PAT	(PAT_HALF | PAT_HALF << 32)
#define HOST_PTE_WB	0ull
#define HOST_PTE_WC	PTE_PWT
#define HOST_PTE_UC	(PTE_PWT | PTE_PCD)
#define PAT_RESET	0x0007040600070406ull
/* clang-format on */

#endif
