/* SPDX-License-Identifier: BSD-2-Clause */
/* No guest has a debugger (hv/vm/debug.c) */
#include "hv/vm/debug.h"

bool debug_stood(struct vm *vm)
{
	return false;
}

void debug_ended(struct vm *vm)
{
}

void debug_take(struct vcpu *v)
{
}
