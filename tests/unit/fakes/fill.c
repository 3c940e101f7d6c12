/* SPDX-License-Identifier: BSD-2-Clause */
/* A guest's memory, filled at once; see fill.h */
#include "tests/unit/fakes/fill.h"

#include "hv/core/gmem.h"

int fill_begin(struct vm *vm)
{
	return 0;
}

int fill_copy(struct vm *vm, u64 gpa, const void *data, u64 size)
{
	return gmem_write(vm, GPA(gpa), data, size);
}

int fill_copy_rom(struct vm *vm, u64 gpa, const void *data, u64 size)
{
	return gmem_write_rom(vm, GPA(gpa), data, size);
}

int fill_zero(struct vm *vm, u64 gpa, u64 size)
{
	return gmem_zero(vm, GPA(gpa), size);
}

bool fill_step(struct vm *vm)
{
	return true;
}

void fill_end(struct vm *vm)
{
}
