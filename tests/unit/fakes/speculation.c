/* SPDX-License-Identifier: BSD-2-Clause */
/* The choice against speculative attacks (arch/x86/cpu/speculation.h): nothing,
 * until the test fills it in */
#include "arch/x86/cpu/speculation.h"

struct speculation speculation;

u64 speculation_ctrl(u64 guest)
{
	return guest | speculation.host_ctrl;
}
