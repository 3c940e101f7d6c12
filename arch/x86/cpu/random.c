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

static bool by_rdseed(u64 *value)
{
	bool ok = false;

	if (cpuid(CPUID_VENDOR).eax < CPUID_FEATURES7 ||
	    !(cpuid(CPUID_FEATURES7).ebx & CPUID_7_EBX_RDSEED))
		return false;
	for (u32 i = 0; i < RANDOM_TRIES && !ok; i++)
		__asm__ volatile("rdseed %0" : "=r"(*value), "=@ccc"(ok));
	return ok;
}

static bool by_rdrand(u64 *value)
{
	bool ok = false;

	if (!(cpuid(CPUID_FEATURES).ecx & CPUID_1_ECX_RDRAND))
		return false;
	for (u32 i = 0; i < RANDOM_TRIES && !ok; i++)
		__asm__ volatile("rdrand %0" : "=r"(*value), "=@ccc"(ok));
	return ok;
}

/* With the TSC mixed in, whatever the CPU gives */
__no_stack_guard u64 cpu_random(void)
{
	u64 value = 0;

	if (!by_rdseed(&value) && !by_rdrand(&value))
		value = read_rsp();
	value ^= __builtin_ia32_rdtsc() * MIX_MULTIPLIER;
	return value ^ value >> 32;
}

__no_stack_guard void stack_guard_init(void)
{
	stack_guard_set(cpu_random());
}
