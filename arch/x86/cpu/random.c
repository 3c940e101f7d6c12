/* SPDX-License-Identifier: BSD-2-Clause */
/* See random.h. Asks CPUID itself, because it runs before cpu_features_init().
 * No state, no lock. */
#include "arch/x86/cpu/random.h"

#include "arch/x86/cpu/asm.h"
#include "include/hw/cpuid.h"
#include "lib/stack_guard.h"

/* Either instruction may have nothing at the moment (SDM 1 7.3.17.1) */
#define RANDOM_TRIES 100

#define MIX_MULTIPLIER 0x9e3779b97f4a7c15ull /* 2^64 by the golden ratio */

static __no_stack_guard bool has_rdseed(void)
{
	return cpuid(CPUID_VENDOR).eax >= CPUID_FEATURES7 &&
	       cpuid(CPUID_FEATURES7).ebx & CPUID_7_EBX_RDSEED;
}

static __no_stack_guard bool has_rdrand(void)
{
	return cpuid(CPUID_FEATURES).ecx & CPUID_1_ECX_RDRAND;
}

static __no_stack_guard bool by_rdseed(u64 *value, u32 tries)
{
	bool ok = false;

	if (!has_rdseed())
		return false;
	for (u32 i = 0; i < tries && !ok; i++)
		__asm__ volatile("rdseed %0" : "=r"(*value), "=@ccc"(ok));
	return ok;
}

static __no_stack_guard bool by_rdrand(u64 *value, u32 tries)
{
	bool ok = false;

	if (!has_rdrand())
		return false;
	for (u32 i = 0; i < tries && !ok; i++)
		__asm__ volatile("rdrand %0" : "=r"(*value), "=@ccc"(ok));
	return ok;
}

bool cpu_has_random(void)
{
	return has_rdseed() || has_rdrand();
}

__no_stack_guard bool cpu_random_seed(u64 *value, u32 tries)
{
	return by_rdseed(value, tries) || by_rdrand(value, tries);
}

/* With the TSC mixed in, whatever the CPU gives */
__no_stack_guard u64 cpu_random(void)
{
	u64 value = 0;

	if (!cpu_random_seed(&value, RANDOM_TRIES))
		value = read_rsp();
	value ^= __builtin_ia32_rdtsc() * MIX_MULTIPLIER;
	return value ^ value >> 32;
}

__no_stack_guard void stack_guard_init(void)
{
	stack_guard_set(cpu_random());
}
