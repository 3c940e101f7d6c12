/* SPDX-License-Identifier: BSD-2-Clause */
/* No guest wants a core's help (hv/vm/zero.c) */
#include "hv/vm/zero.h"

u32 zero_wanted;

bool zero_help(void)
{
	return false;
}
