/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The files of a dynamic guest. The privileged guest has put them into the
 * guest's own memory before that was taken from it; they are loaded from there,
 * and the loaders' places keep off them (place.h).
 */
#ifndef HV_LOAD_STAGED_H
#define HV_LOAD_STAGED_H

#include "hv/core/vm.h"
#include "hv/files/files.h"
#include "hv/load/loan.h"
#include "include/bulkhead/control.h"

#define STAGED_MAX (3u + MANIFEST_MAX_FILES)

struct staged {
	u32 count;
	char names[STAGED_MAX][BH_CTL_FILE_NAME];
	struct image files[STAGED_MAX]; /* hpa: where the guest has it */
	u32 view;         /* its number plus one; 0: they are not mapped */
	struct loan loan; /* of the hypervisor's pages, for the load */
};

/* Notes where the files lie: @list, copied and checked whole. A sentence, or
 * NULL: they are noted in @s, vm->staged. Any core; the guest is not loaded. */
const char *staged_note(struct vm *vm, struct staged *s,
			const struct bh_ctl_file *list, u32 count);
/* Sets aside what the loads of dynamic guests take of the hypervisor's pool,
 * for some at a time. Boot CPU, once; -ENOMEM. */
int __must_check staged_set_aside(void);
/* Maps them for load_guest(), on this core, and sets aside what that takes.
 * -EAGAIN: others are loaded just now, try again; -ENOMEM, -ENOSPC: they cannot
 * be. Home core of the boot vCPU. */
int __must_check staged_map(struct vm *vm);
/* Ends that; nothing, if they are not mapped */
void staged_unmap(struct vm *vm);
/* As file_find(): among the guest's own, if it is a dynamic one */
int __must_check staged_find(const struct vm *vm, const char *name,
			     struct image *out);

#endif
