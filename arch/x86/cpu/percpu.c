/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The table of cores (percpu.h), filled by arch/x86/machine/{cpu,smp}.c, and
 * the boot CPU's memory block (cpu_area.h). Constant after bring-up; no lock.
 */
#include "arch/x86/cpu/percpu.h"

#include "arch/x86/cpu/cpu_area.h"

u8 boot_cpu_area[CPU_AREA_SIZE] __aligned(STACK_SIZE);

struct pcpu *pcpus[MAX_CPUS];
u32 pcpu_count;
