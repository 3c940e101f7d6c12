/* SPDX-License-Identifier: BSD-2-Clause */
/* What a vCPU takes before its next entry. Home core, attached, interrupts off;
 * for the run loop and the exit table. */
#ifndef HV_RUN_EVENT_H
#define HV_RUN_EVENT_H

#include "hv/core/vcpu.h"

/* Take v->events, then deliver one event or request a window for it. False: it
 * cannot enter now; it waits, is parked, still building, or has just ended. */
bool vcpu_prepare(struct vcpu *v);
/* EXIT_IRQ_WINDOW and EXIT_NMI_WINDOW: what vcpu_prepare() wanted to deliver
 * can be, at the next entry */
void vcpu_irq_window_open(struct vcpu *v);
void vcpu_nmi_window_open(struct vcpu *v);

#endif
