/* SPDX-License-Identifier: BSD-2-Clause */
/* The host's IOAPICs (drivers/irq/ioapic.h): the last entry of each GSI */
#ifndef TESTS_UNIT_FAKES_IOAPIC_H
#define TESTS_UNIT_FAKES_IOAPIC_H

#include "drivers/irq/ioapic.h"

#define FAKE_GSIS IOAPIC_GSI_END

struct fake_rte {
	u8 vector;
	u32 apic_id;
	bool level, active_low, masked;
};
extern struct fake_rte fake_rtes[FAKE_GSIS];
extern int fake_ioapic_error; /* ioapic_route() fails with it; 0: no */
extern u32 fake_gsi_count;    /* FAKE_GSIS at first; no more than that */

#endif
