/* SPDX-License-Identifier: BSD-2-Clause */
/* The host's local APIC, xAPIC or x2APIC (SDM 3A 11 *APIC*; APM 2 16) */
#ifndef ARCH_X86_MACHINE_LAPIC_H
#define ARCH_X86_MACHINE_LAPIC_H

#include "lib/types.h"

/* This core: enable, x2APIC where the CPU has it, spurious and error vectors,
 * LVTs masked. The first call (boot CPU) maps the xAPIC page. */
void lapic_init_cpu(void);
bool lapic_is_x2apic(void);
/* Enabled on the boot CPU: may IPIs be sent? */
bool lapic_ready(void);
u32 lapic_id(void);
void lapic_eoi(void);
/* Fixed-mode IPI to one core, by physical APIC id */
void lapic_send_ipi(u32 apic_id, u8 vector);
void lapic_send_nmi(u32 apic_id);
void lapic_send_init(u32 apic_id);
void lapic_send_sipi(u32 apic_id, u8 vector);
/* Program the timer for @deadline_tsc (host TSC), 0 stops it */
void lapic_timer_set(u64 deadline_tsc);

/* Boot CPU, while tsc.c measures: let the timer count down freely, read how
 * far it came, and say how many of its ticks a TSC tick is. Not needed
 * (returns false) in TSC-deadline mode. */
bool lapic_timer_count_start(void);
u32 lapic_timer_count(void);
void lapic_timer_set_rate(u64 lapic_ticks, u64 tsc_ticks);
/* The error vector's handler: one rate-limited line */
void lapic_log_error(void);

#endif
