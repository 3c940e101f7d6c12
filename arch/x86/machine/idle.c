/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A core's sleep, see idle.h. Called by the run loop.
 *
 * On Intel's CPUs HLT is C1, and MWAIT takes hints for deeper states. A core
 * that was quiet for a second takes the deepest for its next sleeps, if its
 * timer is far away. A few of these that end early are enough for another
 * second of HLT. So what is busy pays one look for it. On AMD's, MWAIT is C1
 * and HLT goes deeper by itself. Nothing is written to the monitored line:
 * interrupts alone end the sleep, whatever the errata of MONITOR. In a deep
 * state the LAPIC timer and the TSC must go on (ARAT, invariant TSC). Below a
 * hypervisor HLT says it all.
 */
#include "arch/x86/machine/idle.h"

#include "arch/x86/cpu/features.h"
#include "arch/x86/machine/timer.h"
#include "arch/x86/machine/tsc.h"
#include "include/hw/cpuid.h"
#include "include/hw/msr.h"
#include "lib/log.h"

/* A server's C6 takes some 0.2 ms to leave and pays after 0.8 */
#define DEEP_NS       2000000ull
#define QUIET_TURNS   1000u /* of the run loop, in a second: some 300 sleeps */
#define EARLY_MAX     8u    /* sleeps that may end early */
#define MWAIT_STATES  7u    /* C1 to C7 */
#define MONITOR_BYTES 64

static bool has_deep;
static u32 hint;

/* What is monitored; never written */
static const u8 line[MONITOR_BYTES] __attribute__((aligned(MONITOR_BYTES)));

/* SDM 2A CPUID, leaf 05H *MONITOR/MWAIT*: four bits a state, the number of its
 * sub-states; the hint has C1 as 0 */
static bool find_hint(const struct cpuid *leaf)
{
	if (!(leaf->ecx & CPUID_5_ECX_EMX))
		return false;
	for (u32 state = MWAIT_STATES; state > 1; state--) {
		if (!(leaf->edx >> state * 4 & 0xf))
			continue;
		hint = (state - 1) << 4;
		return true;
	}
	return false;
}

void idle_init(void)
{
	const struct cpu_features *f = &cpu_features;
	struct cpuid leaf;

	has_deep = false;
	if (f->vendor != VENDOR_INTEL || f->hypervisor || !f->monitor ||
	    !f->arat || !f->invariant_tsc || f->max_leaf < CPUID_MWAIT)
		return;
	leaf = cpuid(CPUID_MWAIT);
	has_deep = find_hint(&leaf);
	if (has_deep)
		log_info("idle",
			 "cores sleep by HLT, and by MWAIT %#x when it "
			 "is for long",
			 hint);
}

/* Families 0Fh to 11h: when all cores halt, the package enters C1E, and no
 * LAPIC timer wakes it (AMD revision guide for family 10h, erratum 400) */
void idle_init_cpu(void)
{
	const u64 c1e = INT_PENDING_SMI_ON_HALT | INT_PENDING_C1E_ON_HALT;
	u64 value;

	if (cpu_features.vendor != VENDOR_AMD || cpu_features.hypervisor ||
	    cpu_features.family < AMD_FAMILY_K8 ||
	    cpu_features.family > AMD_FAMILY_C1E_LAST ||
	    rdmsr_safe(MSR_AMD_INT_PENDING, &value) || !(value & c1e))
		return;
	if (wrmsr_safe(MSR_AMD_INT_PENDING, value & ~c1e))
		log_debug("idle", "C1E stays on");
}

void idle_look(struct pcpu *cpu)
{
	bool quiet = cpu->turns - cpu->idle_turns < QUIET_TURNS;

	cpu->idle_turns = cpu->turns;
	cpu->deep_left = has_deep && quiet ? EARLY_MAX : 0;
}

static bool timer_is_far(const struct pcpu *cpu, u64 now)
{
	const struct timer *next = cpu->timers.first;

	return !next || (s64)(next->deadline - now) >= (s64)ns_to_tsc(DEEP_NS);
}

void idle_wait_deep(struct pcpu *cpu)
{
	u64 start = rdtsc();

	if (!timer_is_far(cpu, start)) {
		halt_barrier();
		cpu_idle_once();
		return;
	}
	halt_barrier();
	cpu_mwait_once(line, hint);
	if (rdtsc() - start < ns_to_tsc(DEEP_NS))
		cpu->deep_left--;
}
