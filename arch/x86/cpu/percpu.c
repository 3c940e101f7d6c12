/* SPDX-License-Identifier: BSD-2-Clause */
/* The table of cores, and the boot CPU's memory block (gdt.h), which
 * hv/entry.asm takes its first stack from. Filled by smp.c; constant after
 * bring-up. */
#include "arch/x86/cpu/percpu.h"

#include "arch/x86/cpu/cpu_area.h"

u8 boot_cpu_area[CPU_AREA_SIZE] __aligned(STACK_SIZE);

struct pcpu *pcpus[MAX_CPUS];
u32 pcpu_count;
