/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What bhctl set is given, as far as it can be judged without the machine. The
 * hypervisor judges it again (hv/control/set.c). Pure.
 */
#ifndef TOOLS_BHCTL_SETTINGS_H
#define TOOLS_BHCTL_SETTINGS_H

#include "lib/types.h"
#include "tools/control/fail.h"

/* As sched_keys[] (sched/keys.h) has those that are changeable */
struct setting_key {
	const char *name;
	const char *unit; /* behind the number; "" if it has none */
	u32 min, max;
};

extern const struct setting_key setting_keys[];
extern const u32 setting_key_count;

/* Each is KEY=VALUE of a key that there is, and in its range, and none is there
 * twice. 0, or -1: FAIL_USAGE. */
int settings_check(char *const *settings, u32 count,
		   struct failure *f) __must_check;

#endif
