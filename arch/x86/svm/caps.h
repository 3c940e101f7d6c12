/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What this machine's SVM can do (APM 3 appendix E, CPUID 8000000Ah), of what
 * the CPU features say, so that a host test can play any CPU.
 */
#ifndef ARCH_X86_SVM_CAPS_H
#define ARCH_X86_SVM_CAPS_H

#include "arch/x86/cpu/features.h"
#include "lib/types.h"

struct svm_caps {
	bool nrips;          /* an exit tells where the next instruction is */
	bool decode_assists; /* an exit tells the operands of a MOV CR */
	bool flush_by_asid;
	bool pause_filter;
	bool bus_lock;  /* has VMEXIT_BUSLOCK */
	bool tcg;       /* QUIRK(tcg-7.2): see event.c */
	bool irqs_held; /* QUIRK(bochs-2.7): see svm_guest_polls() */
	bool page_1g;   /* nested page tables may have 1 GiB leaves */
	u32 asid_count; /* ASIDs 1 to asid_count - 1 are guests' */
};

/* -ENOTSUP after one sentence by log_error: no nested paging */
int __must_check svm_caps_read(struct svm_caps *caps,
			       const struct cpu_features *features);
/* Largest leaf of nested page tables: 2 = 2M, 3 = 1G */
u32 svm_caps_max_level(const struct svm_caps *caps);

#endif
