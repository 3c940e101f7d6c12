/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The manifest against the machine, once, at start-up on the boot CPU: what
 * cannot be is left out with a sentence, what was left open is decided. From
 * then on the manifest is constant.
 */
#ifndef HV_VM_PLAN_H
#define HV_VM_PLAN_H

#include "hv/manifest/manifest.h"

/*
 * Cores, memory, files. A guest that does not fit is marked invalid after a
 * sentence to @report. A guest that names no cores gets those from @first_core
 * on. One that leaves boot = out gets the way in that its file has
 * (BOOT_WAY_AUTO stays where it has none).
 * @core_count: how many the machine has. After files_init().
 */
void plan_check(struct manifest *m, const struct boot_info *bi, u32 core_count,
		u32 first_core, void (*report)(const char *sentence));
/* The same of a dynamic guest's definition, at run time: what it may not have,
 * and its cores. False, after a sentence to @report. Any core; pure. */
#define PLAN_DEFINITION "definition"
bool __must_check plan_check_dynamic(struct guest_config *g,
				     void (*report)(const char *sentence));
/* Has the manifest a guest of that name, started or not? After plan_check();
 * any core. A few microseconds, however many there are. */
bool plan_has_guest(const char *name);
/* There is no manifest: fills @m with the first kernel among the files,
 * privileged, and says so; or with no guest. It has room for one. plan_check()
 * comes after it. */
void plan_default(struct manifest *m, const struct boot_info *bi,
		  void (*report)(const char *sentence));

#endif
