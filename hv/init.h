/* SPDX-License-Identifier: BSD-2-Clause */
/* From the loader into the hypervisor */
#ifndef HV_INIT_H
#define HV_INIT_H

#include "lib/types.h"

/* hv/init.c, called once by hv/entry.asm: the boot CPU, on its own stack,
 * interrupts off. @boot_info_hpa: struct boot_info, mapped 1:1. */
__noreturn void hv_main(u64 boot_info_hpa);

#endif
