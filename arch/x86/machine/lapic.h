/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The host's local APIC, in xAPIC or x2APIC mode (SDM 3A 11 *Advanced
 * Programmable Interrupt Controller (APIC)*; APM 2 16). Each function acts on
 * this core's LAPIC, with interrupts off, after this core's lapic_init_cpu().
 * No locks.
 */
#ifndef ARCH_X86_MACHINE_LAPIC_H
#define ARCH_X86_MACHINE_LAPIC_H

#include "lib/types.h"

/*
 * Enables it, in x2APIC mode where the CPU has that, with its error and timer
 * vectors. All other LVTs are masked, but for an NMI on LINT1, and what was in
 * service is ended. Sets pcpu.apic_id. Each core once; the boot CPU first,
 * after hostmap_init(), because it maps the xAPIC's page. SDM 3A 11.4.7 *Local
 * APIC State*, 11.12.1 *Detecting and Enabling x2APIC Mode*.
 */
void lapic_init_cpu(void);
/* Is x2APIC mode in use? Any core; constant once the boot CPU is there. */
bool lapic_is_x2apic(void);
/* May IPIs be sent: is the boot CPU's enabled? Any core, any context. */
bool lapic_ready(void);
/* The APIC id of this core, of 8 bits in xAPIC mode and else of 32 */
u32 lapic_id(void);
/* Has this core accepted @vector, and not ended it? SDM 3A 11.8.4 *Interrupt
 * Acceptance for Fixed Interrupts* */
bool lapic_in_service(u8 vector);
/* Does @vector wait for this core to accept it? Same section. */
bool lapic_requested(u8 vector);
/* Ends the interrupt in service (SDM 3A 11.8.5 *Signaling Interrupt Servicing
 * Completion*) */
void lapic_eoi(void);
/* Has an emulated LAPIC look for a waiting interrupt that it forgot to deliver:
 * the TPR is written as it is (QUIRK(tcg-7.2), arch/x86/svm/event.c) */
void lapic_offer_again(void);
/*
 * Sends one core, by its physical APIC id, @vector (16 to 255), an NMI, an
 * INIT, or a start-up IPI to page @vector of the lowest MiB. What this core
 * stored before, the target sees. In xAPIC mode it waits for an earlier one to
 * leave. SDM 3A 11.6.1 *Interrupt Command Register (ICR)*.
 */
void lapic_send_ipi(u32 apic_id, u8 vector);
void lapic_send_nmi(u32 apic_id);
void lapic_send_init(u32 apic_id);
void lapic_send_sipi(u32 apic_id, u8 vector);
/* Sends VEC_KICK to this core. Any context, an NMI's too. */
void lapic_kick_self(void);
/* LINT1 sends nothing any more; this core's */
void lapic_mask_lint1(void);
/* Programs the timer for @deadline_tsc, a TSC value of this core; 0 stops it.
 * Where there is no TSC deadline it may fire too early, if that is far away. By
 * timer.c; by smp.c before this core has timers. */
void lapic_timer_set(u64 deadline_tsc);

/*
 * The timer's rate, for tsc.c on the boot CPU. lapic_timer_count_start() lets
 * it count freely, and lapic_timer_count() returns the ticks since. Then
 * lapic_timer_set_rate() says that @lapic_ticks of it are @tsc_ticks, both
 * milliseconds' worth, and makes it ready for lapic_timer_set(). With a TSC
 * deadline none of this is needed, and the first returns false.
 */
bool lapic_timer_count_start(void);
u32 lapic_timer_count(void);
void lapic_timer_set_rate(u64 lapic_ticks, u64 tsc_ticks);
/* Logs the error status in one line, at most a few a second: VEC_ERROR's
 * handler (SDM 3A 11.5.3 *Error Handling*) */
void lapic_log_error(void);

#endif
