/* SPDX-License-Identifier: BSD-2-Clause */
/* Changes to the hypervisor's own code, once at boot, while no other core runs:
 * the code of the choice of arch/x86/cpu/speculation.h, and the jump to the
 * back-end in use. */
#ifndef ARCH_X86_MACHINE_TEXT_PATCH_H
#define ARCH_X86_MACHINE_TEXT_PATCH_H

#include "arch/x86/cpu/spec_code.h"
#include "lib/types.h"

/* What is patched: the back-end's sites, and @stub, a jump of SPEC_JUMP_BYTES
 * that is to lead to @target */
struct text_patch {
	const struct spec_site *sites;
	u32 site_count;
	u8 *stub;
	const void *target;
};

/*
 * Patches by `speculation`. The text is read-only: for as long as this takes it
 * has a writable view. Boot CPU, once, after hostmap_init() and
 * speculation_init(), before other cores and guests. -ENOMEM: no room for the
 * view; nothing was changed.
 */
int __must_check text_patch(const struct text_patch *p);

#endif
