/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Microcode updates, from the early archive of the privileged guest's initrd,
 * as Linux has them. Every core loads the same one, as early as it can: CPUID
 * and the mitigations of speculation (arch/x86/cpu) change with it. SDM 3A
 * 10.11 *Microcode Update Facilities*.
 */
#ifndef ARCH_X86_MACHINE_MICROCODE_H
#define ARCH_X86_MACHINE_MICROCODE_H

#include "lib/types.h"

/*
 * Looks into @initrd of @size bytes for an update of this core that is newer
 * than what it runs; NULL: there is no initrd. It is aligned to 4 bytes and not
 * trusted. Keeps a copy of the update, loads it here and logs both revisions.
 * What CPUID said before may be wrong now. Boot CPU, once, before others run;
 * after hostmap_init().
 */
void microcode_init(const void *initrd, u64 size);
/*
 * Loads the copy on this core, unless its sibling has or there is none. Other
 * cores, before they read any feature; the IDT is loaded. Cores wait for one
 * another: two logical ones of a core must not load at the same time (SDM 3A
 * 10.11.6.3 *Update in a System Supporting Intel Hyper-Threading Technology*).
 */
void microcode_load_this(void);

#endif
