/* SPDX-License-Identifier: BSD-2-Clause */
/* hv/core/meter.c where exits are counted and nothing else is */
#include "hv/core/meter.h"

enum bh_ctl_metering metering = BH_CTL_METERING_COUNTERS;
bool meter_listens;

void meter_destroy(struct vcpu *v)
{
}

void meter_asked(struct vcpu *v, bool wakes)
{
}
