/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What firmware left in a core's MSRs, see residue.h. Called by cpu.c on every
 * core. The boot CPU writes the static values before others run; moved_cores is
 * atomic; no lock.
 */
#include "arch/x86/machine/residue.h"

#include "arch/x86/cpu/asm.h"
#include "arch/x86/cpu/features.h"
#include "arch/x86/cpu/percpu.h"
#include "include/hw/msr.h"
#include "lib/log.h"

/* Setup's "Execute Disable Bit" and "Limit CPUID Maximum" (SDM 4 2.1
 * *Architectural MSRs*, IA32_MISC_ENABLE) */
#define HIDES (MISC_ENABLE_XD_DISABLE | MISC_ENABLE_LIMIT_CPUID)

static bool known;        /* the boot CPU's are in what follows */
static bool has_switches; /* MSR_MISC_ENABLE is there */
static u64 tsc_adjust;
static u32 moved_cores;

static bool show_hidden(void)
{
	u64 value;

	if (cpu_features.vendor != VENDOR_INTEL ||
	    rdmsr_safe(MSR_MISC_ENABLE, &value))
		return false;
	has_switches = true;
	return (value & HIDES) && !wrmsr_safe(MSR_MISC_ENABLE, value & ~HIDES);
}

/* Branch and processor traces go to memory that is somebody else's by now (SDM
 * 3B 18.4.1 *IA32_DEBUGCTL MSR*, 3C 33.2.8.2 *IA32_RTIT_CTL MSR*) */
static void end_tracing(void)
{
	static const u32 msrs[] = { MSR_DEBUGCTL, MSR_RTIT_CTL };
	u64 value;

	for (u32 i = 0; i < ARRAY_SIZE(msrs); i++)
		if (!rdmsr_safe(msrs[i], &value) && value &&
		    wrmsr_safe(msrs[i], 0))
			log_debug("cpu", "MSR %#x keeps its value", msrs[i]);
}

/* All TSCs start together at reset; firmware that has saved and restored them
 * leaves its traces in the offset (SDM 3B 18.17.3 *Time-Stamp Counter
 * Adjustment*). Where sockets left reset at different times, the offset was
 * right: tsc_sync.c sees that, and what it was. */
static void adjust_tsc(void)
{
	u64 value;

	if (!cpu_features.tsc_adjust || rdmsr_safe(MSR_TSC_ADJUST, &value))
		return;
	if (!known)
		tsc_adjust = value;
	else if (value != tsc_adjust &&
		 !wrmsr_safe(MSR_TSC_ADJUST, tsc_adjust)) {
		__atomic_fetch_add(&moved_cores, 1, __ATOMIC_RELAXED);
		this_cpu()->tsc_question.removed = (s64)(value - tsc_adjust);
	}
}

bool residue_clear(void)
{
	bool more = show_hidden();

	end_tracing();
	adjust_tsc();
	known = true;
	return more;
}

bool residue_may_hide_nx(void)
{
	return has_switches;
}

void residue_report(void)
{
	u32 cores = __atomic_load_n(&moved_cores, __ATOMIC_RELAXED);

	if (cores)
		log_warn("tsc",
			 "firmware left the TSC of %u core%s apart from the "
			 "boot core's: IA32_TSC_ADJUST is made equal",
			 cores, cores == 1 ? "" : "s");
}
