/* SPDX-License-Identifier: BSD-2-Clause */
/* Of a guest that is no dynamic one: its files are the loader's, and no step of
 * a dynamic guest's life is its own (hv/load/staged.h, hv/vm/dynamic.h) */
#include "hv/load/staged.h"

int staged_find(const struct vm *vm, const char *name, struct image *out)
{
	return file_find(name, out);
}

void staged_unmap(struct vm *vm)
{
}
