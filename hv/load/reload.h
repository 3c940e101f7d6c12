/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What it takes to load the privileged guest once more. Other guests come and
 * go while it runs, and may have used up the hypervisor's pool, as it may have
 * used up its own budget: so that much of both is kept for its restart.
 */
#ifndef HV_LOAD_RELOAD_H
#define HV_LOAD_RELOAD_H

#include "hv/core/vm.h"

/* Sets it aside for @vm, the privileged guest, whose budget gets that much
 * smaller. Boot CPU, once, when all of the guest is made; -ENOMEM. */
int __must_check reload_set_aside(struct vm *vm);
/* @vm has it until reload_end(), which its load calls however it ends. Nothing
 * for other guests, or if nothing was set aside. Both on its boot vCPU's home
 * core. */
void reload_begin(struct vm *vm);
void reload_end(struct vm *vm);
/* What is kept for @vm's next load beside its budget: that, and the files that
 * it is loaded from. Any core. */
u64 reload_bytes(const struct vm *vm);

#endif
