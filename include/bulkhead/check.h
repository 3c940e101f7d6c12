/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is known of a machine before a guest runs on it: the facts that check/
 * judges. A loader finds them out on the machine itself (boot/common/check.c),
 * tools/bh-judge.c under any Linux. Plain data, handed over in boot_info.
 */
#ifndef BULKHEAD_CHECK_H
#define BULKHEAD_CHECK_H

#include "lib/types.h"

/* Of the report as JSON. A change of what is there raises it; a fact or a
 * requirement more does not. */
#define CHECK_VERSION 1

/* Those that are yes or no are 1 or 0. Their names in a report are in
 * check/facts.c. */
enum check_fact {
	/* Whose facts these are, and how the machine was started */
	FACT_FOUND_BY,    /* enum check_finder */
	FACT_UEFI,        /* the firmware is UEFI, else a BIOS */
	FACT_SECURE_BOOT, /* on; UEFI alone knows */
	FACT_SETUP_MODE,  /* of Secure Boot: anyone may enroll a key */
	/* One core: CPUID */
	FACT_VENDOR, /* enum check_vendor */
	FACT_FAMILY,
	FACT_MODEL,
	FACT_STEPPING,
	FACT_HYPERVISOR, /* a hypervisor or an emulator says that it is one */
	FACT_BULKHEAD,   /* it is Bulkhead: these are a guest's facts */
	FACT_LONG_MODE,
	FACT_NX,
	FACT_VMX,
	FACT_SVM,
	FACT_X2APIC,
	FACT_TSC_INVARIANT,
	FACT_TSC_ADJUST,
	FACT_TSC_DEADLINE,
	FACT_PAGE_1G,
	FACT_PHYS_BITS,
	FACT_LA57,
	FACT_MCE, /* and MCA */
	FACT_HYBRID,
	FACT_THREADS, /* of a core */
	FACT_CET_IBT,
	FACT_CET_SS,
	FACT_SVM_FEATURES, /* 8000000Ah EDX */
	FACT_SVM_ASIDS,
	/* One core: MSRs and control registers */
	FACT_APIC_BASE,
	FACT_XAPIC_DISABLED, /* x2APIC is locked: IA32_XAPIC_DISABLE_STATUS */
	FACT_FEATURE_CONTROL,
	FACT_MISC_ENABLE,
	FACT_TSC_ADJUST_VALUE,
	FACT_MICROCODE, /* its revision */
	FACT_MCE_BANKS,
	FACT_LA57_ON,
	FACT_VMX_BASIC,
	FACT_VMX_PIN, /* the true controls, where there are */
	FACT_VMX_CPU,
	FACT_VMX_CPU2,
	FACT_VMX_EXIT,
	FACT_VMX_ENTRY,
	FACT_VMX_EPT_VPID,
	FACT_VM_CR,
	FACT_SYSCFG,
	/* All cores, by the tables or the kernel */
	FACT_CORES,
	FACT_APIC_ID_MAX,
	FACT_CORES_UNLIKE, /* cores that have less than the first */
	/* ACPI */
	FACT_ACPI, /* an RSDP with tables behind it */
	FACT_TABLES,
	FACT_BAD_SUMS,      /* tables whose bytes do not add up to 0 */
	FACT_TABLES_UNREAD, /* that cannot be read, and may be any; an RSDP
			     * that is broken counts as one */
	FACT_MADT,
	FACT_FADT,
	FACT_MCFG,
	FACT_HPET,
	FACT_HEST,
	FACT_FIRMWARE_BANKS, /* for machine checks, of which it takes some */
	FACT_TPM2,
	FACT_SPCR,
	FACT_DBG2,
	FACT_IOAPICS,
	FACT_SEGMENTS, /* of PCI, by MCFG */
	FACT_REDUCED,  /* hardware-reduced ACPI */
	FACT_IOMMUS,
	FACT_IOMMUS_WRONG,  /* that cannot be where or what the table says, and
			     * tables that cannot be read whole */
	FACT_IOMMUS_UNSEEN, /* whose registers were out of reach */
	FACT_IOMMU_DMA_ON,  /* units that remap DMA now */
	FACT_IOMMU_IRQ_ON,  /* units that remap interrupts now */
	/* Memory and devices */
	FACT_RAM_MIB,
	FACT_SPECIAL_MIB,
	FACT_MAP_ENTRIES,
	FACT_LOW_PAGES, /* free ones below 640 KiB */
	FACT_FILES_MIB, /* what was loaded to start guests with */
	FACT_SCREEN,    /* a frame buffer that can be used */
	FACT_SERIAL,    /* a UART answers, or a table names one */
	FACT_VMD,       /* functions of Intel's Volume Management Device */
	FACT_COUNT,
};

enum check_finder {
	CHECK_BY_LOADER = 1,
	CHECK_BY_GRUB = 2,
	CHECK_BY_LINUX = 3
};
enum check_vendor { CHECK_OTHER, CHECK_INTEL, CHECK_AMD };

enum check_string {
	CHECK_CPU_NAME,
	CHECK_BAD_TABLES, /* signatures of those that do not add up */
	CHECK_VULNERABLE, /* what Linux says this CPU is open to */
	CHECK_STRINGS,
};
#define CHECK_STRING_BYTES 64u

struct check_facts {
	u64 value[FACT_COUNT];
	u8 known[FACT_COUNT]; /* 0: nobody could tell */
	char string[CHECK_STRINGS][CHECK_STRING_BYTES];
};

#endif
