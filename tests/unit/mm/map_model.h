/* SPDX-License-Identifier: BSD-2-Clause */
/* What a page table ought to map, as runs in order of address and apart, below
 * 2^48; for the tests of page tables */
#ifndef TESTS_UNIT_MM_MAP_MODEL_H
#define TESTS_UNIT_MM_MAP_MODEL_H

#include "lib/types.h"

#define RUNS_MAX 512u

struct run {
	u64 addr, size, hpa;
	u32 attrs; /* enum pt_attr */
};
struct model {
	struct run runs[RUNS_MAX];
	u32 count;
};

/* The run at @addr, or NULL; *@left: bytes for which that answer holds */
const struct run *model_at(const struct model *m, u64 addr, u64 *left);
bool model_is_empty(const struct model *m, u64 addr, u64 size);
/* Where nothing is mapped yet */
void model_add(struct model *m, struct run r);
/* Whatever is mapped there, if anything is */
void model_remove(struct model *m, u64 addr, u64 size);

#endif
