/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A CPU for a back-end's enter.asm, which runs on this one, in user mode: what
 * faults there is done in a signal handler. VMRESUME, VMLAUNCH and VMRUN note
 * the registers, put a value of the guest's in each, and exit; WRMSR is noted;
 * VMWRITE, STI and CLI do nothing. All else, as VERW and calls, is real.
 */
#ifndef TESTS_UNIT_FAKES_ENTRY_CPU_H
#define TESTS_UNIT_FAKES_ENTRY_CPU_H

#include "arch/x86/cpu/spec_code.h"
#include "hv/core/backend.h"

#define ENTRY_WRITES 16u

struct entry_cpu {
	u64 guest[GPR_COUNT]; /* at the entry instruction */
	u64 host[GPR_COUNT];  /* behind the exit code: entry_cpu_capture() */
	bool launched;
	struct {
		u32 msr;
		u64 value;
		bool exited; /* behind the exit */
	} writes[ENTRY_WRITES];
	u32 write_count;
	bool exited;
};
extern struct entry_cpu entry_cpu;

/* What the guest leaves in a register */
u64 entry_cpu_guest_value(u32 gpr);
/* Once: makes @sites' text writable */
void entry_cpu_init(const struct spec_site *sites, u32 count);
/* The text as it was built, then with @actions' detours; nothing noted */
void entry_cpu_patch(const struct spec_site *sites, u32 count,
		     const struct speculation *choice);
/* Is one of @sites not as it was built? */
bool entry_cpu_detoured(const struct spec_site *sites, u32 count);
/* Calls @entry with @rdi and @rsi, and keeps the caller's registers. Then
 * host[] is what it left. */
void entry_cpu_call(void (*entry)(void), u64 rdi, u64 rsi);
/* The @n-th write was of @value to @msr, behind the exit or before the entry */
void entry_cpu_expect_write(u32 n, u32 msr, u64 value, bool exited);
/* A function that leaves all registers in host[] */
void entry_cpu_capture(void);

#endif
