/* SPDX-License-Identifier: BSD-2-Clause */
/* IOAPIC entries, see ioapic.h */
#include "tests/unit/fakes/ioapic.h"

struct fake_rte fake_rtes[FAKE_GSIS];
u32 fake_gsi_count = FAKE_GSIS;
int fake_ioapic_error;

u32 ioapic_gsi_count(void)
{
	return fake_gsi_count;
}

int ioapic_route(u32 gsi, u8 vector, u32 apic_id, bool level, bool active_low)
{
	if (fake_ioapic_error) {
		fake_rtes[gsi].masked = true;
		return fake_ioapic_error;
	}
	fake_rtes[gsi] =
		(struct fake_rte){ vector, apic_id, level, active_low, true };
	return 0;
}

void ioapic_aim(u32 gsi, u32 apic_id)
{
	fake_rtes[gsi].apic_id = apic_id;
}

void ioapic_mask(u32 gsi)
{
	fake_rtes[gsi].masked = true;
}

void ioapic_unmask(u32 gsi)
{
	fake_rtes[gsi].masked = false;
}
