/* SPDX-License-Identifier: BSD-2-Clause */
/* No static guest is paused (hv/vm/still.c) */
#include "hv/vm/still.h"

void still_stood(struct vm *vm)
{
}

void still_forget(struct vm *vm)
{
}
