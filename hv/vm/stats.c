/* SPDX-License-Identifier: BSD-2-Clause */
/* The exits of a guest by kind, in a line of the log; see stats.h */
#include "hv/vm/stats.h"

#include "arch/x86/machine/tsc.h"
#include "hv/core/exit.h"
#include "hv/core/stretch.h"
#include "lib/log.h"
#include "lib/printf.h"
#include "lib/string.h"

#define STATS_LINE_BYTES 400
#define KEY_STATS        's'
#define NS_IN_MS         1000000u

static u64 sum_of(const struct vm *vm, u32 kind)
{
	u64 sum = 0;

	for (u32 i = 0; i < vm->vcpu_count; i++)
		sum += vm->vcpus[i]->exits[kind];
	return sum;
}

void exit_stats_log(const struct vm *vm)
{
	u64 ms = tsc_to_ns(rdtsc() - vm->tsc_start) / NS_IN_MS;
	char line[STATS_LINE_BYTES] = "";
	size_t at = 0;
	u64 all = 0;

	for (u32 i = 0; i < EXIT_KINDS; i++) {
		u64 n = sum_of(vm, i);

		all += n;
		if (n && at < sizeof(line))
			at += (size_t)bh_snprintf(line + at, sizeof(line) - at,
						  ", %s %llu", exit_name(i), n);
	}
	log_info("vm", "guest %s: %llu exits in %llu ms%s", vm->name, all, ms,
		 line);
}

void exit_stats_key(u8 key)
{
	for (u32 i = 0; key == KEY_STATS && i < vm_count; i++)
		if (vms[i]->state == VM_RUNNING)
			exit_stats_log(vms[i]);
	if (key == KEY_STATS)
		stretch_report();
}

void exit_stats_reset(struct vm *vm)
{
	for (u32 i = 0; i < vm->vcpu_count; i++)
		memset(vm->vcpus[i]->exits, 0, sizeof(vm->vcpus[i]->exits));
}
