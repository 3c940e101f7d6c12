/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Guests' large pages on a CPU with iTLB multihit (CVE-2018-12207). They are
 * not executable in the EPT. The first fetch from 2 MiB takes a table of 4 KiB
 * leaves, which are. A guest has a bounded number of such tables, set aside for
 * it when it is made. When all are in use, the oldest go back to being large
 * leaves, and what is fetched from there once more is split anew.
 *
 * Any core. Lock: vm->npt_lock, inside of which pmm's is taken. No hot exit
 * comes here, and nobody waits: what other cores must do first is asked of
 * them, and the guest fetches again until it is done.
 */
#ifndef HV_CORE_SPLIT_H
#define HV_CORE_SPLIT_H

#include "hv/core/vm.h"

/* All guests together have @tables, and the machine @ram_bytes of memory: a
 * guest's share of them is that of its memory. Boot CPU, before guests are
 * made; without it there are no shares, only what each has at least. */
void split_share(u64 tables, u64 ram_bytes);
/* How many tables @vm, whose memory is known, may have at a time */
u32 split_most(const struct vm *vm);
/* The tables to set aside for @vm: those, and one where a leaf of 1 GiB was. 0:
 * its table has no split_exec. */
u64 split_pages(const struct vm *vm);
/* Makes the books of @vm, which does not run; its table has split_exec, or this
 * does nothing. -ENOMEM. */
int __must_check split_create(struct vm *vm);
/* Its books go, and the tables that were on their way back. It no longer runs,
 * and no CPU has anything of it. */
void split_destroy(struct vm *vm);
/*
 * A vCPU of @vm, on this core, fetched from @gpa where the EPT may forbid it.
 * 0: enter again; it is executable now, or will be once cores have let go of
 * tables that were taken back. -ENOENT: nothing is mapped there, or nothing is
 * ever split. -EPERM: it is not to be executed. -ENOMEM: no table, and none to
 * take back. At most some 25,000 instructions.
 */
int __must_check split_fetch(struct vm *vm, gpa_t gpa);

#endif
