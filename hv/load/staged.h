/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The files of a dynamic guest. The privileged guest has put them into the
 * guest's own memory before that was taken from it; they are loaded from there,
 * and the loaders' places keep off them (place.h). What a firmware or fw_cfg
 * reads while the guest runs stays where it is, and the guest has no RAM there
 * (hv/vm/shape.h).
 */
#ifndef HV_LOAD_STAGED_H
#define HV_LOAD_STAGED_H

#include "hv/core/pc_map.h"
#include "hv/core/vm.h"
#include "hv/files/files.h"
#include "hv/load/loan.h"
#include "include/bulkhead/control.h"

/* Kernel, initrd, firmware; modules and fw_cfg */
#define STAGED_MAX     (3u + 2 * MANIFEST_MAX_FILES)
#define STAGED_ALL_RAM (~0ull)

struct staged {
	u32 count;
	/* name: the definition's own; hpa: where the guest has it, or would if
	 * it were RAM */
	struct image files[STAGED_MAX];
	u64 ram_end;      /* where its RAM ends, in whole units of 2 MiB */
	u32 view;         /* its number plus one; 0: they are not mapped */
	struct loan loan; /* of the hypervisor's pages, for the load */
};

/* The address that has byte @offset of a guest's memory; pure */
static inline u64 staged_gpa(u64 offset)
{
	return offset < PC_LOW_RAM_END
		       ? offset
		       : offset - PC_LOW_RAM_END + PC_HIGH_RAM_BASE;
}

/* Is the file @name read as long as the guest lives, not just loaded? Pure. */
bool staged_stays(const struct guest_config *c, const char *name);
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
