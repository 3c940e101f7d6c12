/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Short windows onto guest pages: per core, WINDOW_SLOTS page-sized slots in
 * the core's own part of the address space, found by a hash of the page number
 * (a hit costs a compare, a miss one PTE write and an INVLPG). A pointer is
 * valid until the WINDOW_LIVE next calls on this core; never keep one across
 * an exit. window_flush() closes them all; it is called when a core changes
 * from one VM's vCPU to another's.
 */
#ifndef MM_WINDOW_H
#define MM_WINDOW_H

#include "lib/types.h"

#define WINDOW_SLOTS 32
#define WINDOW_LIVE 2

int __must_check window_init_cpu(void);
/* The caller has checked that @hpa belongs to the guest it works for */
void *window_map(hpa_t hpa);
void window_flush(void);

#endif
