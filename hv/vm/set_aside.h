/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory of the hypervisor's own for guests: those of the manifest, and those
 * that the privileged guest makes later. The pool that hostmap_init() took is
 * made for a few; here it grows by what more of them need. Boot CPU, in this
 * order, before any guest is made. Where memory is short, a line in the log
 * says so, and the guests that it does not suffice for are refused later.
 */
#ifndef HV_VM_SET_ASIDE_H
#define HV_VM_SET_ASIDE_H

#include "hv/manifest/manifest.h"

/* For the guests of @m that start by themselves, and those to come by
 * guest-memory or guest-count */
void set_aside_for_guests(const struct manifest *m);
/* On a CPU with iTLB multihit (hv/core/split.h), after speculation_init(): for
 * the same guests' tables of split pages. @cores: what a guest that names no
 * number of vCPUs may have. */
void set_aside_split_tables(const struct manifest *m, u32 cores);
/* A line in the log: what the hypervisor keeps, and what of it is for guests to
 * come. Once all guests of the manifest are made. */
void set_aside_report(void);

#endif
