/* SPDX-License-Identifier: BSD-2-Clause */
/* What a vCPU takes before its next entry */
#ifndef HV_RUN_EVENT_H
#define HV_RUN_EVENT_H

#include "hv/core/vcpu.h"

/* Home core, attached, before an entry: take the events, deliver or request a
 * window. False: it cannot enter (waits, parked, still building). */
bool vcpu_prepare(struct vcpu *v);
/* The windows requested by vcpu_prepare() are open (exit handlers) */
void vcpu_irq_window_open(struct vcpu *v);
void vcpu_nmi_window_open(struct vcpu *v);

#endif
