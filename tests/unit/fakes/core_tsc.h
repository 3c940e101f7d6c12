/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A TSC for each core, which the test moves: the time, and what that core's TSC
 * is ahead of it. Included before the source under test, which the test
 * includes, too, unedited: its rdtsc() is that of fake_this_cpu.
 */
#ifndef TESTS_UNIT_FAKES_CORE_TSC_H
#define TESTS_UNIT_FAKES_CORE_TSC_H

#define rdtsc machine_rdtsc
#include "arch/x86/machine/tsc.h"
#undef rdtsc
#include "tests/unit/fakes/percpu.h"

static u64 fake_now;
static s64 fake_tsc_ahead[ARRAY_SIZE(fake_pcpus)];

static u64 rdtsc(void)
{
	return fake_now + (u64)fake_tsc_ahead[fake_this_cpu - fake_pcpus];
}

#endif
